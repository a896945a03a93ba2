//! From the solvers' numbers to the answer.

use super::{Constraint, Problem, convex::Best, model::Model};
use crate::{
    allocation::{Allocation, Binding, Position, ShadowPrice, Solver},
    source::YieldSource,
};

/// Prices below this are an interior point's way of saying none, a yearly fraction.
const NO_PRICE: f64 = 1e-9;

/// The answer in USD.
pub(super) fn report(problem: &Problem, model: &Model<'_>, best: &Best, bound: f64, rounds: usize) -> Allocation {
    let capital = problem.capital_usd;
    let amounts: Vec<f64> = best.shares.iter().map(|share| share * capital).collect();
    let income_usd_per_year = super::income_of(&problem.sources, &amounts);
    let objective_usd_per_year = best.objective * capital;
    let bound_usd_per_year = (bound * capital).max(objective_usd_per_year);
    let price_of = |constraint: &Constraint| {
        best.prices
            .iter()
            .find(|(name, _)| name == constraint)
            .map_or(0.0, |(_, price)| *price)
    };
    let capital_price = price_of(&Constraint::Capital);
    let positions = (0..amounts.len())
        .map(|index| position(problem, model, best, index, capital_price))
        .collect();
    let is_shared = |constraint: &Constraint| *constraint != Constraint::Capital;
    let binds = best
        .prices
        .iter()
        .filter(|(constraint, price)| is_shared(constraint) && *price > NO_PRICE);
    Allocation {
        positions,
        cash_usd: (capital - amounts.iter().sum::<f64>()).max(0.0),
        income_usd_per_year,
        objective_usd_per_year,
        bound_usd_per_year,
        gap_relative: (bound_usd_per_year - objective_usd_per_year) / objective_usd_per_year.max(1.0),
        capital_price: if capital_price > NO_PRICE { capital_price } else { 0.0 },
        shadow_prices: binds
            .map(|(constraint, price)| ShadowPrice {
                constraint: constraint.to_string(),
                price: *price,
            })
            .collect(),
        solver: Solver::OuterApproximation,
        nodes: rounds,
    }
}

fn position(problem: &Problem, model: &Model<'_>, best: &Best, index: usize, capital_price: f64) -> Position {
    let source = &problem.sources[index];
    let (share, capital) = (best.shares[index], problem.capital_usd);
    let amount_usd = share * capital;
    let marginal_apr = source.marginal_apr(amount_usd);
    // What all rows charge a dollar of this source.
    let charged: f64 = model
        .rows
        .iter()
        .filter_map(|row| {
            let constraint = row.constraint.as_ref()?;
            let slope = row.terms.iter().find(|(term, _)| *term == index)?.1;
            let (_, price) = best.prices.iter().find(|(name, _)| name == constraint)?;
            Some(slope * price)
        })
        .sum();
    let risk = model.tail_of(&best.shares).map_or(0.0, |(_, slope)| {
        let limit = best
            .prices
            .iter()
            .find(|(name, _)| *name == Constraint::Risk)
            .map_or(0.0, |(_, price)| *price);
        slope[index] * (model.tail_price() + limit)
    });
    let spare = marginal_apr - charged - risk;
    let mode = model.modes[index].get(best.choice[index]);
    let (lo, hi) = mode.map_or((0.0, 0.0), |mode| (mode.lo, mode.hi));
    let share_usd = if problem.max_share < 1.0 {
        problem.max_share * capital
    } else {
        f64::INFINITY
    };
    let cap = source.max_usd().min(share_usd) / capital;
    let is_held = (share - model.held[index]).abs() <= 1e-12;
    let binding = if mode.is_some_and(|mode| mode.is_held) {
        Binding::Cost
    } else if share >= cap {
        Binding::Cap
    } else if share == 0.0 {
        Binding::None
    } else if share <= lo {
        Binding::Minimum
    } else if share >= hi && mode.is_some_and(|mode| mode.ends_at_kink) {
        Binding::Kink
    } else if is_held && model.change_cost > 0.0 {
        Binding::Cost
    } else if (charged + risk - capital_price).abs() > NO_PRICE {
        Binding::Shared
    } else if capital_price > NO_PRICE {
        Binding::Budget
    } else if marginal_apr.abs() <= 1e-7 {
        Binding::Peak
    } else {
        Binding::None
    };
    let shadow_price = match binding {
        Binding::Cap => spare.max(0.0),
        Binding::Budget => capital_price,
        Binding::Minimum => spare.min(0.0),
        Binding::Shared => charged + risk,
        _ => 0.0,
    };
    Position {
        id: source.id().to_owned(),
        amount_usd,
        income_usd_per_year: source.income_usd_per_year(amount_usd),
        marginal_apr,
        binding,
        shadow_price,
    }
}
