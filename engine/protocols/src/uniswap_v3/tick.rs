//! How much liquidity a pool lets a tick hold (v3-core `Tick`).

use plimsoll_units::Tick;

/// The most liquidity a tick may hold, so that all ticks together fit 128 bits.
pub fn max_liquidity_per_tick(spacing: i32) -> u128 {
    let highest = Tick::MAX.get() / spacing;
    // Both ends and zero between them.
    u128::MAX / u128::from(highest.unsigned_abs() * 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_maximum_liquidities() {
        // Figures published with v3-core's tests for the four fee tiers' spacings.
        assert_eq!(
            max_liquidity_per_tick(10),
            1_917_569_901_783_203_986_719_870_431_555_990
        );
        assert_eq!(
            max_liquidity_per_tick(60),
            11_505_743_598_341_114_571_880_798_222_544_994
        );
        assert_eq!(
            max_liquidity_per_tick(200),
            38_350_317_471_085_141_830_651_933_667_504_588
        );
    }
}
