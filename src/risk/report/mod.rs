//! `plimsoll risk report`: a book's risk on one page.

mod parts;

use super::{
    cascade::RuleArgs,
    figures::{pairs, usd},
    model::{Model, ModelArgs},
    recommend::factor_paths,
    source::{Blow, BookArgs, ShockArgs, Source},
};
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    report::{Advice, Cascaded, Fanned, Reversed, RiskDaoLine, RiskReport, decimal, risk_html},
};
use alloy_primitives::hex;
use parts::{collateral_assets, heat_map, power_usd, round_sums, worst_fall};
use plimsoll_risk::{
    Book, CascadeError, CascadeRules, EXIT_FALLS, Goal, HEALTH_EDGES, Ladder, Lattice, ListingAdvice, LossBy, Norm,
    ReverseStress, RiskDao, Shock, StoppedBy, concentration, exit_liquidity, health_distribution,
    monte_carlo::{BookLoss, Impact, Unmodelled, simulate},
    price_models::PriceModel,
    recommend, reverse_stress, utilization,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// The fall that is looked at where none is asked for.
const USUAL_FALL: f64 = 0.3;

/// New bad debt that is too much where nothing is said, as a share of what is owed.
const TOO_MUCH: f64 = 0.001;

/// The largest accounts that the page names.
const TOP: usize = 5;

/// Writes a book's risk as one page that a committee can read: no script, nothing loaded from elsewhere.
///
/// Health factors, ladders of every collateral asset, a cascade, two assets at once, concentration and exits; with --prices or
/// --volatility also simulated liquidations and the parameters that would hold.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    book: BookArgs,
    #[command(flatten)]
    shocks: ShockArgs,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// Where the page goes; a file that is there is replaced as a whole.
    #[arg(long, value_name = "FILE.html")]
    out: PathBuf,
    /// New bad debt that is too much, for the recommendation; a thousandth of what is owed by default.
    #[arg(long, value_name = "USD", value_parser = super::cascade::usd_amount)]
    bad_debt_usd: Option<f64>,
    /// The probability of more than that which is borne.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.01)]
    alpha: f64,
    /// The most sets of terms that are tried.
    #[arg(long, value_name = "N", default_value_t = 200)]
    max_evaluations: usize,
    /// Also the line by RiskDAO, at this confidence: the larger, the more may be lent.
    #[arg(long, value_name = "R")]
    risk_dao_r: Option<f64>,
    /// How long liquidity takes to come back, for that line.
    #[arg(long, value_name = "HOURS", default_value_t = 24.0)]
    refill_hours: f64,
    /// Also the smallest moves that make so much bad debt.
    #[arg(long, value_name = "USD", value_parser = super::cascade::usd_amount)]
    reverse_usd: Option<f64>,
}

pub(super) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let source = args.book.read(terminal)?;
    let ladders = ladders(&source.book)?;
    let (shocks, chosen) = shock(args, &source.book, &ladders)?;
    let blow = shocks.set_upon(&source.book, args.rules.rules())?;
    let cascaded = cascaded(&blow, chosen)?;
    let figures = pairs([
        ("debt at risk, USD", usd(cascaded.stress.debt_at_risk_usd)),
        ("debt repaid, USD", usd(cascaded.outcome.liquidated_debt_usd)),
        ("bad debt at the end, USD", usd(cascaded.outcome.bad_debt_usd)),
    ]);
    let mut document = super::stress::figures(&cascaded.stress);
    document.insert("bad_debt_usd".to_owned(), json!(cascaded.outcome.bad_debt_usd));
    let page = risk_html(&report(args, &source, ladders, &blow, cascaded)?);
    replace(&args.out, &page)?;
    let out = args.out.display();
    match terminal.format {
        Format::Json => {
            document.insert("shock_pct".to_owned(), blow.json.clone());
            document.insert("out".to_owned(), json!(out.to_string()));
            document.insert("source".to_owned(), source.json());
            print_json(&document.into())
        }
        Format::Table => print(&format!("{}\n{}\n\n{figures}\n\n{out}", source.words(), blow.words())),
    }
}

fn ladders(book: &Book) -> Result<Vec<(usize, Ladder)>, Failure> {
    let factors = book.no_shock();
    let ladder = |at: usize| Ok((at, Ladder::of_asset(book, &factors, at).map_err(Failure::failed)?));
    collateral_assets(book).into_iter().map(ladder).collect()
}

/// The shock that was asked for, or the worst usual one, and why that one.
fn shock(args: &Args, book: &Book, ladders: &[(usize, Ladder)]) -> Result<(ShockArgs, String), Failure> {
    if args.shocks.is_given() {
        return Ok((args.shocks.clone(), String::new()));
    }
    let worst = worst_fall(ladders, USUAL_FALL)
        .ok_or_else(|| Failure::usage("no asset of the book counts as collateral: give --shock"))?;
    let shock = Shock {
        asset: book.assets()[worst].name.clone(),
        change: -USUAL_FALL,
    };
    let chosen = format!(
        "Of falls of one collateral asset by {} % this is the one that does most harm before anybody acts.",
        decimal(USUAL_FALL * 100.0, 0)
    );
    Ok((ShockArgs::of(shock), chosen))
}

fn cascaded(blow: &Blow, chosen: String) -> Result<Cascaded, Failure> {
    let outcome = blow.applied.cascade().map_err(|error| beyond_what_is_known(&error))?;
    let (shock, description) = blow.heading();
    Ok(Cascaded {
        shock,
        chosen: if chosen.is_empty() { description } else { chosen },
        stress: blow.applied.stress(),
        rounds: round_sums(&blow.applied.book, &outcome),
        outcome,
    })
}

/// A cascade's refusal, with the flags that would have it go on.
fn beyond_what_is_known(error: &CascadeError) -> Failure {
    let flag = match error {
        CascadeError::NoLiquidity { .. } => "--assume-liquidity",
        CascadeError::BeyondDepth { .. } => "--extrapolate",
    };
    Failure::failed(format!("{error}; {flag} goes on, and the report says so"))
}

fn report<'a>(
    args: &Args,
    source: &'a Source,
    ladders: Vec<(usize, Ladder)>,
    blow: &Blow,
    cascaded: Cascaded,
) -> Result<RiskReport<'a>, Failure> {
    let book = &source.book;
    let factors = book.no_shock();
    let exits = exit_liquidity(book, &EXIT_FALLS);
    let (mut warnings, mut inputs) = (warnings(args, book, &cascaded), Vec::new());
    warnings.extend(source.notes());
    warnings.extend(blow.notes());
    let (mut simulation, mut advice) = (None, None);
    if args.model.is_given() {
        let model = args.model.model(source)?;
        warnings.extend(model.notes().into_iter().filter(|note| note.starts_with("WARNING")));
        if let Some(path) = args.model.prices() {
            inputs.push((format!("{} sha256", path.display()), hash(path)?));
        }
        advice = Some(advise(args, book, &model)?);
        simulation = Some(fanned(args, book, &model)?);
    }
    Ok(RiskReport {
        book,
        name: source.name.clone(),
        hash: source.identity(),
        inputs,
        distribution: Some(health_distribution(book, &factors, &HEALTH_EDGES).map_err(Failure::failed)?),
        ladders,
        cascade: Some(cascaded),
        heat: heat_map(book, &exits),
        simulation,
        advice,
        reverse: args.reverse_usd.map(|usd| reversed(book, usd)).transpose()?,
        concentration: Some(concentration(book, &factors, TOP)),
        exits,
        utilization: utilization(book),
        warnings,
        notes: rules(args),
    })
}

fn fanned(args: &Args, book: &Book, model: &Model) -> Result<Fanned, Failure> {
    let rules = CascadeRules {
        keep_rounds: false,
        ..args.rules.rules()
    };
    let loss = BookLoss::new(book, rules, Impact::Fades, model.assets(), Unmodelled::StandsStill);
    let loss = loss.map_err(Failure::usage)?;
    let (paths, seed) = (args.model.paths, args.model.seed);
    let simulation = simulate(model, &loss, loss.assets(), paths, model.steps, seed).map_err(Failure::failed)?;
    Ok(Fanned {
        report: simulation.report().map_err(Failure::failed)?,
        step_hours: model.step_hours,
        model: model.report().model.to_string(),
        notes: model.notes(),
    })
}

fn advise(args: &Args, book: &Book, model: &Model) -> Result<Advice, Failure> {
    let owed = concentration(book, &book.no_shock(), 0).debt.total_usd;
    let bad_debt_usd = args.bad_debt_usd.unwrap_or(owed * TOO_MUCH);
    let risk_dao = args.risk_dao_r.map(|r| {
        let sigmas = args.model.parkinson(book, args.refill_hours)?;
        Ok::<_, Failure>(RiskDao { sigmas, r })
    });
    let goal = Goal {
        max_evaluations: args.max_evaluations,
        risk_dao: risk_dao.transpose()?,
        ..Goal::new(bad_debt_usd, args.alpha, LossBy::Stress)
    };
    let paths = factor_paths(&args.model, 1, book, model)?;
    let advice = recommend(book, &paths, &Lattice::default(), &goal).map_err(Failure::failed)?;
    let power = |ltv: fn(&ListingAdvice) -> Option<f64>| power_usd(book, &advice.listings, ltv);
    let risk_dao = args.risk_dao_r.map(|r| {
        let (power_usd, kept) = power(|of| of.reference.risk_dao_ltv);
        RiskDaoLine {
            power_usd,
            r,
            refill_hours: args.refill_hours,
            kept,
        }
    });
    Ok(Advice {
        bad_debt_usd,
        alpha: args.alpha,
        horizon_hours: args.model.horizon_hours,
        spiral_power_usd: power(|of| Some(of.reference.spiral_ltv)).0,
        risk_dao,
        advice,
    })
}

fn reversed(book: &Book, bad_debt_usd: f64) -> Result<Reversed, Failure> {
    let ask = ReverseStress::new(bad_debt_usd, Norm::Sigmas(vec![1.0; book.assets().len()]));
    Ok(Reversed {
        bad_debt_usd,
        outcome: reverse_stress(book, &ask).map_err(Failure::failed)?,
    })
}

/// What must be known before a figure is used.
fn warnings(args: &Args, book: &Book, cascaded: &Cascaded) -> Vec<String> {
    let (rules, outcome) = (args.rules.rules(), &cascaded.outcome);
    let mut warnings = Vec::new();
    if !outcome.assumed_liquidity.is_empty() {
        let names = outcome
            .assumed_liquidity
            .iter()
            .map(|at| book.assets()[*at].name.as_str());
        warnings.push(format!(
            "In the cascade these were sold as if their prices did not move, for want of liquidity in the book: {}.",
            names.collect::<Vec<_>>().join(", ")
        ));
    }
    if rules.extrapolate {
        warnings.push("Liquidity was taken to go on beyond its table’s last row as on its last stretch.".to_owned());
    }
    if outcome.stopped_by == StoppedBy::RoundLimit {
        warnings.push("The cascade was stopped by the limit on rounds: more would follow.".to_owned());
    }
    warnings
}

/// The rules that were not the usual ones, a sentence each.
fn rules(args: &Args) -> Vec<String> {
    let rules = args.rules.rules();
    let gas = (rules.gas_usd > 0.0).then(|| format!("One liquidation costs {} USD of gas.", usd(rules.gas_usd)));
    let capital = rules
        .capital_usd
        .map(|capital| format!("Liquidators repay at most {} USD in a round.", usd(capital)));
    let said = |is: bool, text: &str| is.then(|| text.to_owned());
    let acts = if rules.always_liquidate {
        "Liquidators act also where the bonus does not pay slippage and gas."
    } else {
        "Liquidators act only where the bonus pays slippage and gas."
    };
    [
        Some(acts.to_owned()),
        gas,
        capital,
        said(!rules.feedback, "Sales leave prices alone: no feedback."),
        said(
            rules.refill,
            "Liquidity comes back between rounds, at the price that it was left at.",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn hash(path: &Path) -> Result<String, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}

/// Writes to a temporary name beside the file, then puts it in place.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, path)).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        Failure::failed(format!("{}: {error}", path.display()))
    })
}
