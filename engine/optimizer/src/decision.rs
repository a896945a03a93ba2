//! From holdings to trades, where the trades are worth what they cost.

use crate::{
    allocation::Allocation,
    problem::{Problem, ProblemError},
};

/// A change of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    /// The source's name.
    pub id: String,
    /// What it holds, in USD.
    pub from_usd: f64,
    /// What it is to hold, in USD.
    pub to_usd: f64,
}

/// What to do, and what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Withdrawals first, then deposits; none where it does not pay.
    pub trades: Vec<Trade>,
    /// The allocation that the trades lead to, or would have.
    pub target: Allocation,
    /// What the target is worth more than the holdings over the holding time, in USD: income less the price of risk.
    pub gain_usd: f64,
    /// What the trades cost, gas and slippage, in USD.
    pub cost_usd: f64,
    /// Why.
    pub verdict: Verdict,
}

/// Why there are trades, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The gain exceeds the cost with the margin that was asked for.
    Pays,
    /// It does not.
    DoesNotPay,
    /// The holdings violate a constraint, so that they cannot stay.
    Forced,
    /// The holdings are the target.
    Nothing,
}

/// Changes below this share of the capital are none.
const NO_CHANGE: f64 = 1e-9;

/// Solves the problem and trades towards its answer where gain > (1 + `margin`)·cost over the problem's holding time, or where the
/// holdings violate a constraint.
///
/// # Errors
///
/// A margin that is negative or not finite; what [`Problem::solve`] says.
pub fn decide(problem: &Problem, margin: f64) -> Result<Decision, ProblemError> {
    if !(0.0..=1e9).contains(&margin) {
        return Err(ProblemError::Invalid(format!(
            "margin is {margin}: it must be a finite number that is at least 0"
        )));
    }
    let target = problem.solve()?;
    let wanted: Vec<f64> = target.positions.iter().map(|position| position.amount_usd).collect();
    let held = problem.holdings_usd();
    let is_change = |from: f64, to: f64| (to - from).abs() > NO_CHANGE * problem.capital_usd();
    let mut trades: Vec<Trade> = problem
        .sources()
        .iter()
        .zip(held.iter().zip(&wanted))
        .filter(|&(_, (&from, &to))| is_change(from, to))
        .map(|(source, (&from_usd, &to_usd))| Trade {
            id: source.id().to_owned(),
            from_usd,
            to_usd,
        })
        .collect();
    trades.sort_by_key(|trade| trade.to_usd > trade.from_usd);
    let gain_usd = problem.holding_years() * (problem.value_usd_per_year(&wanted) - problem.value_usd_per_year(held));
    let moved_usd: f64 = trades.iter().map(|trade| (trade.to_usd - trade.from_usd).abs()).sum();
    let cost_usd = problem.cost_usd(moved_usd, trades.len());
    let verdict = if trades.is_empty() {
        Verdict::Nothing
    } else if problem.violation(held) > NO_CHANGE {
        Verdict::Forced
    } else if gain_usd > (1.0 + margin) * cost_usd {
        Verdict::Pays
    } else {
        Verdict::DoesNotPay
    };
    if verdict == Verdict::DoesNotPay {
        trades.clear();
    }
    Ok(Decision {
        trades,
        target,
        gain_usd,
        cost_usd,
        verdict,
    })
}

#[cfg(test)]
mod tests {
    use super::{Verdict, decide};
    use crate::{
        problem::Problem,
        source::{FixedRate, Kind, Source},
    };

    fn problem(share: f64, gas_usd: f64) -> Problem {
        let fixed =
            |id: &str, apr| Source::new(id, Kind::Fixed(FixedRate::new(id, apr).unwrap()), f64::INFINITY).unwrap();
        let problem = Problem::new(vec![fixed("old", 0.04), fixed("new", 0.05)], 1e6).unwrap();
        problem
            .with_holdings(vec![1e6, 0.0])
            .unwrap()
            .with_costs(share, gas_usd, 0.1)
            .unwrap()
    }

    #[test]
    fn a_gain_must_exceed_its_cost_by_the_margin() {
        // 1,000 USD more in a tenth of a year, for 2·400 of gas.
        let decision = decide(&problem(0.0, 400.0), 0.2).unwrap();
        assert_eq!(decision.verdict, Verdict::Pays);
        assert!((decision.gain_usd - 1_000.0).abs() < 1e-6 && (decision.cost_usd - 800.0).abs() < 1e-9);
        let names: Vec<&str> = decision.trades.iter().map(|trade| trade.id.as_str()).collect();
        assert_eq!(names, ["old", "new"]);
        let decision = decide(&problem(0.0, 400.0), 0.3).unwrap();
        assert_eq!((decision.verdict, decision.trades.len()), (Verdict::DoesNotPay, 0));
        let decision = decide(&problem(0.0, 600.0), 0.0).unwrap();
        assert_eq!((decision.verdict, decision.trades.len()), (Verdict::Nothing, 0));
        assert!(decide(&problem(0.0, 1.0), f64::NAN).is_err());
    }

    #[test]
    fn what_cannot_stay_moves_whatever_it_costs() {
        let problem = problem(0.1, 600.0).with_max_share(0.5).unwrap();
        let decision = decide(&problem, 1.0).unwrap();
        assert_eq!(decision.verdict, Verdict::Forced);
        assert!(decision.target.positions[0].amount_usd <= 5e5);
    }
}
