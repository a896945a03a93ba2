//! Capital across sources under ceilings alone: the exact optimum.
//!
//! Maximize Σfᵢ(xᵢ) with Σxᵢ ≤ W and 0 ≤ xᵢ ≤ capᵢ. Where own size carries a pool's utilization below its kink, the marginal rate jumps
//! up (by (1 − rf)·x·U*²/z·(s₂/(1 − U*) − s₁/U*)): income is not concave, and what follows marginal rates ends where it should not.
//! Cut at such kinks, each source is a few concave chains. For any price of capital λ ≥ 0,
//!
//! Σfᵢ(xᵢ) ≤ λW + Σ maxⱼ max_{x ∈ chain ij} fᵢ(x) − λx
//!
//! holds for every allocation; the lowest such bound is found by one root in λ. At that price at most a few sources waver between two
//! chains: there the set is cut in two, and so on, until what is left open is within a rounding of the best sizes found.

mod chain;
mod dual;
#[cfg(test)]
mod enumeration;
#[cfg(test)]
mod piecewise_linear;
mod search;
#[cfg(test)]
mod tests;

use crate::{
    allocation::{Allocation, Binding, Position, Solver},
    source::{Source, YieldSource},
};
use chain::{Chain, End, chains};
use std::collections::HashSet;
use thiserror::Error;

/// Parts that are looked at before the rest is left open, in the gap.
const MOST_NODES: usize = 100_000;

/// Why there is no allocation.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum InputError {
    /// No capital to place.
    #[error("capital_usd is {0}: it must be a finite number above 0")]
    Capital(f64),
    /// A largest share that is none.
    #[error("max_share is {0}: it must be above 0 and at most 1")]
    MaxShare(f64),
    /// Two sources of one name.
    #[error("source `{0}` is given twice")]
    Twice(String),
}

/// The allocation of `capital_usd` with the highest income, no source above its own ceiling or `max_share` of the capital; what earns
/// nothing anywhere is left as cash.
///
/// # Errors
///
/// Capital that is not a finite number above 0, a share outside (0, 1], two sources of one name.
pub fn allocate(sources: &[Source], capital_usd: f64, max_share: f64) -> Result<Allocation, InputError> {
    check_capital(capital_usd)?;
    if !(max_share > 0.0 && max_share <= 1.0) {
        return Err(InputError::MaxShare(max_share));
    }
    check_names(sources)?;
    let share_usd = if max_share < 1.0 {
        max_share * capital_usd
    } else {
        f64::INFINITY
    };
    let caps: Vec<f64> = sources.iter().map(|source| source.max_usd().min(share_usd)).collect();
    let of_source = |(source, &cap): (&Source, &f64)| {
        // A source that takes all the capital is to be held by the capital, which tells its price, and not by an end of its chain.
        let mut chains = chains(&source.pieces(), cap.min(2.0 * capital_usd));
        chains.retain(|chain| chain.lo < capital_usd);
        chains
    };
    let chains: Vec<Vec<Chain>> = sources.iter().zip(&caps).map(of_source).collect();
    let found = search::search(&chains, capital_usd, MOST_NODES);
    let placed: f64 = found.sizes.iter().sum();
    let cash_usd = (capital_usd - placed).max(0.0);
    let has_price = found.price > 0.0;
    let position = |index: usize| {
        let (size, cap) = (found.sizes[index], caps[index]);
        let chain = chains[index].get(found.choice[index] as usize);
        let marginal_apr = chain.map_or(0.0, |chain| chain.marginal(size));
        let binding = chain.map_or(Binding::None, |chain| binding(chain, size, cap, has_price));
        let shadow_price = match binding {
            Binding::Cap => (marginal_apr - found.price).max(0.0),
            Binding::Budget => found.price,
            _ => 0.0,
        };
        Position {
            id: sources[index].id().to_owned(),
            amount_usd: size,
            income_usd_per_year: chain.map_or(0.0, |chain| chain.income(size)),
            marginal_apr,
            binding,
            shadow_price,
        }
    };
    Ok(Allocation {
        positions: (0..sources.len()).map(position).collect(),
        cash_usd,
        income_usd_per_year: found.income,
        objective_usd_per_year: found.income,
        bound_usd_per_year: found.bound,
        gap_relative: (found.bound - found.income).max(0.0) / found.income.max(1.0),
        capital_price: found.price,
        shadow_prices: Vec::new(),
        solver: Solver::BranchAndBound,
        nodes: found.nodes,
    })
}

pub(crate) fn check_capital(capital_usd: f64) -> Result<(), InputError> {
    // Beyond 1e30 its cube, and what a pool of that size earns, would leave what a float holds.
    if capital_usd > 0.0 && capital_usd <= 1e30 {
        Ok(())
    } else {
        Err(InputError::Capital(capital_usd))
    }
}

pub(crate) fn check_names(sources: &[Source]) -> Result<(), InputError> {
    let mut names = HashSet::new();
    match sources.iter().find(|source| !names.insert(source.id())) {
        Some(source) => Err(InputError::Twice(source.id().to_owned())),
        None => Ok(()),
    }
}

/// What keeps a size of a chain from being larger, `cap` being the source's own ceiling.
fn binding(chain: &Chain, size: f64, cap: f64, has_price: bool) -> Binding {
    if size == 0.0 {
        return if cap == 0.0 { Binding::Cap } else { Binding::None };
    }
    let is_end = size >= chain.hi * (1.0 - 1e-12);
    match chain.end {
        End::Cap if is_end && size >= cap * (1.0 - 1e-12) => Binding::Cap,
        End::Peak if is_end => Binding::Peak,
        End::Kink if is_end => Binding::Kink,
        _ if chain.is_joint(size) => Binding::Kink,
        _ if has_price => Binding::Budget,
        _ => Binding::None,
    }
}
