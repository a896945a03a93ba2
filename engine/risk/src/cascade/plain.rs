//! The cascade without a watch: everybody is looked at in each round. The oracle of the one with it.

use super::*;

/// Runs a cascade on holdings as [`Cascade::run_lagged`] does.
pub(super) fn run(
    book: &Book,
    rules: CascadeRules,
    holdings: &mut [Holding],
    shock: &[f64],
    lag: OracleLag,
) -> Result<CascadeOutcome, CascadeError> {
    let mut run = Run::new(book, rules, shock, lag);
    let mut is_liquidated = vec![false; book.positions().len()];
    run.outcome.stopped_by = loop {
        if run.outcome.rounds == rules.max_rounds {
            break StoppedBy::RoundLimit;
        }
        run.begin_round();
        let mut below_one = Vec::new();
        for position in 0..book.positions().len() {
            let standing = Standing::of(book, &holdings[book.range(position)], &run.prices);
            if standing.is_below_one() {
                below_one.push((position, standing));
            }
        }
        let health = |standing: &Standing| standing.weighted_usd / standing.debt_usd;
        below_one.sort_by(|(a, a_stands), (b, b_stands)| health(a_stands).total_cmp(&health(b_stands)).then(a.cmp(b)));
        let (mut acted, mut pays) = (false, true);
        let mut capital_usd = rules.capital_usd.unwrap_or(f64::INFINITY);
        for (position, standing) in &below_one {
            let holdings = &mut holdings[book.range(*position)];
            if !run.plan.make(book, holdings, &run.prices, standing, capital_usd) {
                continue;
            }
            let profit_usd = run.profit()?;
            if profit_usd <= 0.0 && !rules.always_liquidate {
                pays = false;
                continue;
            }
            run.plan.carry_out(holdings);
            run.take_in(*position as u32, standing, profit_usd);
            capital_usd -= run.plan.repaid_usd;
            acted = true;
            is_liquidated[*position] = true;
        }
        if acted {
            run.end_round()?;
        } else if !run.oracle_catches_up() {
            break match (below_one.is_empty(), pays) {
                (true, _) => StoppedBy::NoneBelowOne,
                (false, true) => StoppedBy::NothingToSeize,
                (false, false) => StoppedBy::Unprofitable,
            };
        }
    };
    let mut outcome = run.outcome;
    outcome.liquidated_positions = is_liquidated.iter().filter(|is| **is).count();
    let prices = book.prices(&outcome.end);
    for position in 0..book.positions().len() {
        let holdings = &holdings[book.range(position)];
        let standing = Standing::of(book, holdings, &prices);
        let bad_debt = standing.bad_debt_usd();
        outcome.bad_debt_usd += bad_debt;
        if bad_debt > 0.0 {
            for holding in holdings {
                let at = holding.listing as usize;
                outcome.bad_debt_by_listing_usd[at] += bad_debt * (holding.debt * prices[at] / standing.debt_usd);
            }
        }
    }
    Ok(outcome)
}
