use super::{Contradiction, PoolSnapshot};
use plimsoll_protocols::uniswap_v3::{max_liquidity_per_tick, tick_math};

/// Checks what must hold of any pool's state.
///
/// A tick that is left out is found by the sums, unless others are left out or made up that hide it; only a proof of
/// the storage against the state root would show that.
pub(super) fn check(pool: &PoolSnapshot) -> Result<(), Contradiction> {
    let wrong = |reason: String| Err(Contradiction(reason));
    let spacing = pool.params.tick_spacing;
    let denominators = [pool.fee_protocol.token0, pool.fee_protocol.token1];
    if let Some(odd) = denominators.iter().find(|n| **n != 0 && !(4..=10).contains(*n)) {
        return wrong(format!("the protocol takes 1/{odd} of the fees, which no pool allows"));
    }
    if pool.sqrt_price.get().is_zero() {
        if pool.tick.get() != 0 || pool.liquidity != 0 || !pool.ticks.is_empty() {
            return wrong("a pool without a price has ticks or liquidity".to_owned());
        }
    } else if !tick_math::is_tick_of(pool.tick, pool.sqrt_price) {
        return wrong(format!(
            "sqrtPriceX96 {} does not lie in tick {}",
            pool.sqrt_price, pool.tick
        ));
    }
    let most = max_liquidity_per_tick(spacing);
    let (mut sum, mut active) = (0i128, 0i128);
    for (tick, info) in &pool.ticks {
        let (gross, net) = (info.liquidity_gross, info.liquidity_net);
        if gross == 0 || gross > most || gross < net.unsigned_abs() {
            return wrong(format!(
                "initialised tick {tick} has liquidityGross {gross} and liquidityNet {net}"
            ));
        }
        match sum.checked_add(net).filter(|sum| *sum >= 0) {
            Some(next) => sum = next,
            None => return wrong(format!("the ticks up to {tick} sum up to no liquidity that can be")),
        }
        if *tick <= pool.tick {
            active = sum;
        }
    }
    if sum != 0 {
        return wrong(format!("liquidityNet of all ticks sums up to {sum}, not 0"));
    }
    if active.unsigned_abs() != pool.liquidity {
        return wrong(format!(
            "liquidity is {}, but the ticks up to {} sum up to {active}",
            pool.liquidity, pool.tick
        ));
    }
    for (key, position) in &pool.positions {
        let holds = |end| {
            let found = pool.ticks.binary_search_by_key(&end, |(tick, _)| *tick).ok();
            let info = found.and_then(|index| pool.ticks.get(index));
            info.is_some_and(|(_, info)| info.liquidity_gross >= position.liquidity)
        };
        if position.liquidity > 0 && !(holds(key.lower) && holds(key.upper)) {
            return wrong(format!(
                "the position of {} from {} to {} has more liquidity than its ticks",
                key.owner, key.lower, key.upper
            ));
        }
    }
    Ok(())
}
