//! `plimsoll risk recommend`: parameters that would hold.

use super::{
    cascade::RuleArgs,
    figures::{table as columns, usd},
    model::{Model, ModelArgs},
    source::{BookArgs, Source},
};
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    report::{UNDEFINED, decimal},
};
use plimsoll_risk::{
    Book, BoundBy, FactorPaths, Goal, Lattice, ListingAdvice, LossBy, Measured, Probability, Recommendation, Terms,
    price_models::{Path, PriceModel, path_rng},
    recommend,
};
use serde_json::{Value, json};

/// Recommends parameters that keep bad debt improbable at the least loss of borrowing power.
///
/// Liquidation thresholds and LTVs of all listings are searched together, and bonuses and caps where they are asked for. Half of the
/// paths are held out: the probability over those is the honest one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    book: BookArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    rules: RuleArgs,
    /// Bad debt beyond today's that is too much.
    #[arg(long, value_name = "USD", default_value_t = 0.0)]
    bad_debt_usd: f64,
    /// The probability of more than that which is borne.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.01)]
    alpha: f64,
    /// Losses are those after liquidations and their sales; else those before anybody acts.
    #[arg(long)]
    by_cascade: bool,
    /// Steps of a path at which losses are looked at, each an equal part of the horizon.
    #[arg(long, value_name = "N", default_value_t = 1)]
    looks: usize,
    /// A bonus to be tried beside today's.
    #[arg(long = "bonus", value_name = "FRACTION")]
    bonuses: Vec<f64>,
    /// A supply cap to be tried, as a share of today's supply.
    #[arg(long = "supply-share", value_name = "FRACTION")]
    supply_shares: Vec<f64>,
    /// A borrow cap to be tried, as a share of today's debt.
    #[arg(long = "borrow-share", value_name = "FRACTION")]
    borrow_shares: Vec<f64>,
    /// The step of thresholds and LTVs.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.01)]
    step: f64,
    /// The most candidates that are tried.
    #[arg(long, value_name = "N", default_value_t = 500)]
    max_evaluations: usize,
}

pub(super) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let source = args.book.read(terminal)?;
    let model = args.model.model(&source)?;
    let paths = factor_paths(&args.model, args.looks, &source.book, &model)?;
    let loss = if args.by_cascade {
        LossBy::Cascade(args.rules.rules())
    } else {
        LossBy::Stress
    };
    let goal = Goal {
        max_evaluations: args.max_evaluations,
        ..Goal::new(args.bad_debt_usd, args.alpha, loss)
    };
    let lattice = Lattice {
        step: args.step,
        bonuses: args.bonuses.clone(),
        supply_shares: args.supply_shares.clone(),
        borrow_shares: args.borrow_shares.clone(),
        ..Lattice::default()
    };
    let advice = recommend(&source.book, &paths, &lattice, &goal).map_err(Failure::failed)?;
    match terminal.format {
        Format::Json => print_json(&document(args, &source, &model, &advice)),
        Format::Table => print(&table(args, &source, &model, &advice)),
    }
}

/// The model's paths as factors on the book's assets, looked at so many times.
pub(super) fn factor_paths(args: &ModelArgs, looks: usize, book: &Book, model: &Model) -> Result<FactorPaths, Failure> {
    let looks = looks.clamp(1, model.steps);
    let names = model.assets();
    let column = |asset: &plimsoll_risk::Asset| names.iter().position(|name| *name == asset.name);
    let columns: Vec<Option<usize>> = book.assets().iter().map(column).collect();
    args.fits(looks.saturating_mul(columns.len()), "prices")?;
    let mut factors = Vec::with_capacity(args.paths * looks * columns.len());
    let mut path = Path::new(names.len(), model.steps);
    for index in 0..args.paths {
        model.path(&mut path_rng(args.seed, index as u64), &mut path);
        let steps: Vec<&[f64]> = path.by_step().collect();
        for look in 1..=looks {
            let step = steps[look * model.steps / looks - 1];
            factors.extend(columns.iter().map(|column| column.map_or(1.0, |at| step[at])));
        }
    }
    FactorPaths::new(columns.len(), looks, factors, None).map_err(Failure::failed)
}

fn listing(book: &Book, at: usize) -> (&str, &str) {
    let listing = &book.listings()[at];
    (
        &book.markets()[listing.market as usize],
        &book.assets()[listing.asset as usize].name,
    )
}

fn document(args: &Args, source: &Source, model: &Model, advice: &Recommendation) -> Value {
    let book = &source.book;
    let terms = |terms: &Terms| {
        json!({
            "ltv": terms.ltv,
            "liquidation_threshold": terms.liquidation_threshold,
            "liquidation_bonus": terms.liquidation_bonus,
            "supply_cap_amount": terms.supply_cap,
            "borrow_cap_amount": terms.borrow_cap,
        })
    };
    let bound = |bound: &BoundBy| match bound {
        BoundBy::Rule(rule) => json!({ "rule": rule.name() }),
        BoundBy::Scenario {
            scenario,
            loss_usd,
            probability,
        } => json!({ "scenario": scenario, "loss_usd": loss_usd, "probability": probability }),
        BoundBy::Nothing { cost_usd } => json!({ "nothing": { "cost_usd": cost_usd } }),
    };
    let of_listing = |of: &ListingAdvice| {
        let (market, asset) = listing(book, of.listing);
        let bounds = of
            .bound_by
            .iter()
            .map(|(parameter, by)| (parameter.name().to_owned(), bound(by)));
        json!({
            "market": market,
            "asset": asset,
            "old": terms(&of.old),
            "new": terms(&of.new),
            "bound_by": bounds.collect::<serde_json::Map<_, _>>(),
            "reference": {
                "spiral_ltv": of.reference.spiral_ltv,
                "debt_usd": of.reference.debt_usd,
                "liquidity_usd": of.reference.liquidity_usd,
                "risk_dao_r": of.reference.risk_dao_r,
                "risk_dao_ltv": of.reference.risk_dao_ltv,
            },
        })
    };
    let endangered = advice.endangered.iter().map(|of| {
        json!({
            "account": book.accounts()[of.account as usize],
            "market": book.markets()[of.market as usize],
            "health_before": of.health_before,
            "health_after": of.health_after,
            "debt_usd": of.debt_usd,
        })
    });
    let frontier = advice.frontier.iter().map(|point| {
        json!({
            "probability": point.probability,
            "quantile_usd": point.quantile_usd,
            "borrowing_power_usd": point.borrowing_power_usd,
            "cost_usd": point.cost_usd,
            "terms": point.terms.iter().map(terms).collect::<Vec<_>>(),
        })
    });
    let binding = advice.binding.as_ref().map(|of| {
        let assets = book.assets().iter().zip(&of.factors);
        let moves = assets.map(|(asset, factor)| (asset.name.clone(), json!((factor - 1.0) * 100.0)));
        json!({
            "scenario": of.scenario,
            "move_pct": moves.collect::<serde_json::Map<_, _>>(),
            "loss_before_usd": of.loss_before_usd,
            "loss_after_usd": of.loss_after_usd,
        })
    });
    json!({
        "is_met": advice.is_met,
        "bad_debt_usd": args.bad_debt_usd,
        "alpha": args.alpha,
        "horizon_hours": args.model.horizon_hours,
        "paths": args.model.paths,
        "seed": args.model.seed,
        "listings": advice.listings.iter().map(of_listing).collect::<Vec<_>>(),
        "before": measured(&advice.before),
        "after": measured(&advice.after),
        "endangered": endangered.collect::<Vec<_>>(),
        "binding": binding,
        "frontier": frontier.collect::<Vec<_>>(),
        "search": {
            "tried": advice.search.tried,
            "lattice_points": advice.search.lattice_points,
            "evaluations": advice.search.evaluations,
            "budget_spent": advice.search.is_spent,
        },
        "warnings": source.assumed(&args.rules.rules()),
        "model": model.json(),
        "source": source.json(),
    })
}

fn measured(of: &Measured) -> Value {
    let probability = |of: &Probability| {
        json!({
            "value": of.value,
            "standard_error": of.standard_error,
            "upper_95": of.upper_95,
            "scenarios": of.scenarios,
        })
    };
    json!({
        "probability_fitted": probability(&of.fitted),
        "probability_held_out": probability(&of.held_out),
        "quantile_fitted_usd": of.fitted_quantile_usd,
        "quantile_held_out_usd": of.held_out_quantile_usd,
        "borrowing_power_usd": of.borrowing_power_usd,
        "capped_usd": of.capped_usd,
        "endangered_usd": of.endangered_usd,
        "cost_usd": of.cost_usd,
    })
}

fn table(args: &Args, source: &Source, model: &Model, advice: &Recommendation) -> String {
    let book = &source.book;
    let change = |old: f64, new: f64| {
        let percent = |value: f64| decimal(value * 100.0, 1);
        if old == new {
            percent(old)
        } else {
            format!("{} → {}", percent(old), percent(new))
        }
    };
    let rows = advice.listings.iter().filter(|of| of.old.liquidation_threshold > 0.0);
    let rows = rows.map(|of| {
        let (market, asset) = listing(book, of.listing);
        let line = |value: Option<f64>| value.map_or_else(|| UNDEFINED.to_owned(), |value| decimal(value * 100.0, 1));
        [
            format!("{market} {asset}"),
            change(of.old.ltv, of.new.ltv),
            change(of.old.liquidation_threshold, of.new.liquidation_threshold),
            change(of.old.liquidation_bonus, of.new.liquidation_bonus),
            line(Some(of.reference.spiral_ltv)),
            line(of.reference.risk_dao_ltv),
        ]
    });
    let listings = columns(
        [
            "listing",
            "LTV, %",
            "threshold, %",
            "bonus, %",
            "spiral above, %",
            "RiskDAO, %",
        ],
        rows,
    );
    let figure = |of: &Measured| {
        [
            format!(
                "{} ± {}",
                decimal(of.held_out.value * 100.0, 2),
                decimal(of.held_out.standard_error * 100.0, 2)
            ),
            decimal(of.held_out.upper_95 * 100.0, 2),
            usd(of.held_out_quantile_usd),
            usd(of.borrowing_power_usd),
        ]
    };
    let ([p, upper, quantile, power], [p_new, upper_new, quantile_new, power_new]) =
        (figure(&advice.before), figure(&advice.after));
    let measured = columns(
        ["", "today", "recommended"],
        [
            ["P(too much bad debt), held-out paths, %".to_owned(), p, p_new],
            ["at most, at 95 %".to_owned(), upper, upper_new],
            ["bad debt exceeded by alpha, USD".to_owned(), quantile, quantile_new],
            ["borrowing power, USD".to_owned(), power, power_new],
        ],
    );
    let verdict = if advice.is_met {
        "The goal is met on the paths that were fitted to."
    } else {
        "WARNING: no terms that were tried meet the goal; these are the safest of them."
    };
    let binding = advice.binding.as_ref().map_or_else(String::new, |of| {
        let assets = book.assets().iter().zip(&of.factors);
        let moves = assets.filter(|(_, factor)| **factor != 1.0);
        let words = moves.map(|(asset, factor)| {
            format!(
                "{} {}",
                asset.name,
                super::figures::signed_percent((factor - 1.0) * 100.0)
            )
        });
        format!(
            "Binding: path {}, {}.\n",
            of.scenario,
            words.collect::<Vec<_>>().join(", ")
        )
    });
    let spent = if advice.search.is_spent { ", the budget" } else { "" };
    let mut notes = model.notes();
    notes.extend(source.assumed(&args.rules.rules()));
    notes.extend(source.notes());
    format!(
        "{}\nAt most {} USD of bad debt beyond today's, but for {} % of {}-hour paths ({} paths by {}, seed {})\n\n{listings}\n\n{measured}\n\n\
         {verdict}\n{binding}{} positions of {} USD of debt would fall below 1 by the change itself.\n{} candidates were tried{spent}.\n\n{}",
        source.words(),
        usd(args.bad_debt_usd),
        decimal(args.alpha * 100.0, 2),
        decimal(args.model.horizon_hours, 0),
        args.model.paths,
        model.report().model,
        args.model.seed,
        advice.endangered.len(),
        usd(advice.after.endangered_usd),
        advice.search.tried,
        notes.join("\n")
    )
}
