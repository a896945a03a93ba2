use alloy_primitives::I256;

/// The nearest float, for display and statistics only: the one door out of the integers.
pub fn to_f64(value: I256) -> f64 {
    let magnitude = f64::from(value.unsigned_abs());
    if value.is_negative() { -magnitude } else { magnitude }
}
