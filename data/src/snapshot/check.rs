use super::{Snapshot, Wrong};

/// The greatest spacing that the factory lets through (`UniswapV3Factory.enableFeeAmount`).
const MAX_TICK_SPACING: i32 = 16_383;

/// Checks what must hold of any v3 pool's ticks and liquidity; whether the price lies in the tick is not looked at.
pub(super) fn check(snapshot: &Snapshot) -> Result<(), Wrong> {
    let wrong = |key: &str, reason: String| Err((key.to_owned(), reason));
    if snapshot.fee_pips >= 1_000_000 {
        return wrong(
            "fee_pips",
            format!("{} is no fee below 100 % (1000000)", snapshot.fee_pips),
        );
    }
    let spacing = snapshot.tick_spacing;
    if !(1..=MAX_TICK_SPACING).contains(&spacing) {
        return wrong(
            "tick_spacing",
            format!("{spacing} lies outside of 1 to {MAX_TICK_SPACING}"),
        );
    }
    let denominators = [snapshot.fee_protocol % 16, snapshot.fee_protocol >> 4];
    if denominators
        .iter()
        .any(|denominator| *denominator != 0 && !(4..=10).contains(denominator))
    {
        return wrong(
            "fee_protocol",
            format!("{} is not 0 or 4 to 10 in each half", snapshot.fee_protocol),
        );
    }
    let mut active = Some(0i128);
    let mut sum = Some(0i128);
    for (index, tick) in snapshot.ticks.iter().enumerate() {
        let wrong = |key: &str, reason: String| Err((format!("ticks[{index}].{key}"), reason));
        let number = tick.tick.get();
        if number % spacing != 0 {
            return wrong("tick", format!("{number} is no multiple of the tick spacing {spacing}"));
        }
        if let Some(before) = index.checked_sub(1).map(|before| snapshot.ticks[before].tick.get()) {
            if number == before {
                return wrong("tick", format!("{number} is there twice"));
            }
            if number < before {
                return wrong("tick", format!("{number} comes after {before}: ticks must rise"));
            }
        }
        let (gross, net) = (tick.liquidity_gross, tick.liquidity_net);
        if gross == 0 {
            return wrong(
                "liquidity_gross",
                "0: the tick is not initialised and must be left out".to_owned(),
            );
        }
        if gross < net.unsigned_abs() {
            return wrong(
                "liquidity_gross",
                format!("{gross} is less than |liquidity_net| of {net}"),
            );
        }
        sum = sum.and_then(|sum| sum.checked_add(net));
        if tick.tick <= snapshot.tick {
            active = sum;
        }
        if sum.is_none_or(|sum| sum < 0) {
            return wrong(
                "liquidity_net",
                "the liquidity in range falls below 0 or out of 127 bits here".to_owned(),
            );
        }
    }
    if let Some(rest) = sum.filter(|sum| *sum != 0) {
        return wrong(
            "ticks",
            format!("the liquidity_net of all ticks add up to {rest}, expected 0: a tick is missing"),
        );
    }
    let active = active.and_then(|active| u128::try_from(active).ok());
    if active != Some(snapshot.liquidity) {
        let found = active.map_or_else(|| "no valid sum".to_owned(), |active| active.to_string());
        let (tick, liquidity) = (snapshot.tick, snapshot.liquidity);
        return wrong(
            "liquidity",
            format!("{liquidity}, but the ticks up to {tick} add up to {found}"),
        );
    }
    Ok(())
}
