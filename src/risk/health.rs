//! `plimsoll risk health`: how a book stands.

use super::{
    figures::{signed_percent, table as columns, usd},
    source::{Blow, BookArgs, ShockArgs, Source},
    stress,
};
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    report::{UNDEFINED, decimal},
};
use plimsoll_risk::{
    CascadeRules, Concentration, EXIT_FALLS, ExitLiquidity, HEALTH_EDGES, HealthBin, HealthDistribution, LADDER_MOVES,
    Ladder, Share, Shares, Takes, Utilization, concentration, exit_liquidity, health_distribution, utilization,
};
use serde_json::{Map, Value, json};

/// Shows how a book stands: health factors, ladders of falls, concentration, exits, utilization.
///
/// A ladder tells for one asset's move alone who is below 1 and what stays as bad debt: exact at every move.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    book: BookArgs,
    #[command(flatten)]
    shocks: ShockArgs,
    /// Ladders of these assets only; of every collateral asset by default.
    #[arg(long = "asset", value_name = "ASSET")]
    assets: Vec<String>,
    /// Moves on the ladders, in percent; −10 to −60 by default.
    #[arg(long = "move", value_name = "PCT", allow_hyphen_values = true)]
    moves: Vec<f64>,
    /// How many of the largest accounts are named.
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
}

struct Health {
    distribution: HealthDistribution,
    concentration: Concentration,
    exits: Vec<ExitLiquidity>,
    utilization: Vec<Utilization>,
    /// By asset's place.
    ladders: Vec<(usize, Ladder)>,
    moves: Vec<f64>,
}

pub(super) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let source = args.book.read(terminal)?;
    let blow = args.shocks.set_upon(&source.book, CascadeRules::default())?;
    let (book, factors) = (&blow.applied.book, &blow.applied.factors);
    let chosen: Vec<usize> = if args.assets.is_empty() {
        let listed = |at: &usize| {
            let mut listings = book.listings().iter();
            listings.any(|listing| listing.asset as usize == *at && listing.liquidation_threshold > 0.0)
        };
        (0..book.assets().len()).filter(listed).collect()
    } else {
        let place = |name: &String| {
            let unknown = || Failure::usage(format!("{name}: no market of the book lists it"));
            book.asset(name).ok_or_else(unknown)
        };
        args.assets.iter().map(place).collect::<Result<_, _>>()?
    };
    let ladder = |at: usize| Ok((at, Ladder::of_asset(book, factors, at).map_err(Failure::failed)?));
    let moves = if args.moves.is_empty() {
        LADDER_MOVES.to_vec()
    } else {
        args.moves.iter().map(|percent| percent / 100.0).collect()
    };
    if let Some(wrong) = moves.iter().find(|change| !(change.is_finite() && **change > -1.0)) {
        return Err(Failure::usage(format!(
            "--move {}: a move in percent, above -100",
            wrong * 100.0
        )));
    }
    let health = Health {
        distribution: health_distribution(book, factors, &HEALTH_EDGES).map_err(Failure::failed)?,
        concentration: concentration(book, factors, args.top),
        exits: exit_liquidity(book, &EXIT_FALLS),
        utilization: utilization(book),
        ladders: chosen.into_iter().map(ladder).collect::<Result<_, Failure>>()?,
        moves,
    };
    match terminal.format {
        Format::Json => print_json(&document(&blow, &source, &health)),
        Format::Table => print(&table(&blow, &source, &health)),
    }
}

fn document(blow: &Blow, source: &Source, health: &Health) -> Value {
    let book = &source.book;
    let bin = |bin: &HealthBin| {
        json!({
            "from": bin.from,
            "to": bin.to,
            "positions": bin.group.positions,
            "debt_usd": bin.group.debt_usd,
            "collateral_usd": bin.group.collateral_usd,
        })
    };
    let without = &health.distribution.without_debt;
    let name = |at: usize| book.assets()[at].name.clone();
    let ladder = |(at, ladder): &(usize, Ladder)| {
        let rungs = health.moves.iter().map(|change| {
            let mut rung = ladder
                .at(*change)
                .map(|stress| stress::figures(&stress))
                .unwrap_or_default();
            rung.insert("move_pct".to_owned(), json!(change * 100.0));
            Value::Object(rung)
        });
        (name(*at), rungs.collect())
    };
    let exit = |exit: &ExitLiquidity| {
        let points = exit.points.iter().map(|point| {
            let (kind, amount) = takes(&point.takes);
            json!({ "fall_pct": point.fall * 100.0, "takes_usd": amount, "known": kind })
        });
        json!({
            "collateral_usd": exit.collateral_usd,
            "borrowers_collateral_usd": exit.borrowers_usd,
            "points": points.collect::<Vec<_>>(),
        })
    };
    let exits: Map<String, Value> = health.exits.iter().map(|of| (name(of.asset), exit(of))).collect();
    let listings = book.listings().iter().zip(&health.utilization).map(|(listing, of)| {
        json!({
            "market": book.markets()[listing.market as usize],
            "asset": name(listing.asset as usize),
            "supplied_amount": of.supplied,
            "borrowed_amount": of.borrowed,
            "utilization": of.fraction(),
        })
    });
    json!({
        "positions_without_debt": without.positions,
        "health_factors": health.distribution.bins.iter().map(bin).collect::<Vec<_>>(),
        "ladders": health.ladders.iter().map(ladder).collect::<Map<_, _>>(),
        "concentration": {
            "collateral": shares(source, &health.concentration.collateral),
            "debt": shares(source, &health.concentration.debt),
            "collateral_over_assets_hhi": health.concentration.collateral_over_assets,
            "debt_over_assets_hhi": health.concentration.debt_over_assets,
            "by_asset": health.concentration.by_asset.iter().enumerate().map(|(at, of)| (name(at), json!({
                "collateral": shares(source, &of.collateral),
                "debt": shares(source, &of.debt),
            }))).collect::<Map<_, _>>(),
        },
        "exit_liquidity": exits,
        "listings": listings.collect::<Vec<_>>(),
        "shock_pct": blow.json,
        "scenario": blow.scenario_json(),
        "source": source.json(),
    })
}

fn shares(source: &Source, shares: &Shares) -> Value {
    let top = |share: &Share| {
        json!({
            "account": source.book.accounts()[share.account as usize],
            "usd": share.usd,
            "share": share.share,
        })
    };
    json!({
        "total_usd": shares.total_usd,
        "accounts": shares.accounts,
        "hhi": shares.hhi,
        "top": shares.top.iter().map(top).collect::<Vec<_>>(),
    })
}

/// What is known of an amount, and the amount.
fn takes(takes: &Takes) -> (&'static str, Option<f64>) {
    match takes {
        Takes::Usd(usd) => ("exactly", Some(*usd)),
        Takes::AtLeast(usd) => ("at_least", Some(*usd)),
        Takes::Unlimited => ("assumed_unlimited", None),
        Takes::Unknown => ("unknown", None),
    }
}

fn table(blow: &Blow, source: &Source, health: &Health) -> String {
    let book = &source.book;
    let mut text = format!("{}\n{}\n", source.words(), blow.words());
    let mut part = |title: &str, part: String| text.push_str(&format!("\n{title}\n{part}\n"));
    let bins = health.distribution.bins.iter().map(|bin| {
        let to = bin.to.map_or_else(|| "…".to_owned(), |to| decimal(to, 2));
        [
            format!("{} – {to}", decimal(bin.from, 2)),
            bin.group.positions.to_string(),
            usd(bin.group.debt_usd),
            usd(bin.group.collateral_usd),
        ]
    });
    part(
        "Health factors",
        columns(["from – to", "positions", "debt, USD", "collateral, USD"], bins),
    );
    for (at, ladder) in &health.ladders {
        let rungs = health.moves.iter().filter_map(|change| {
            let stress = ladder.at(*change)?;
            Some([
                signed_percent(change * 100.0),
                stress.liquidatable_positions.to_string(),
                usd(stress.debt_at_risk_usd),
                usd(stress.bad_debt_usd),
            ])
        });
        part(
            &format!("{} alone", book.assets()[*at].name),
            columns(["move", "below 1", "debt at risk, USD", "bad debt, USD"], rungs),
        );
    }
    let exits = health.exits.iter().map(|exit| {
        let [two, five, ten] = [0, 1, 2].map(|at| match takes(&exit.points[at].takes) {
            ("at_least", Some(amount)) => format!("≥ {}", usd(amount)),
            (_, Some(amount)) => usd(amount),
            (kind, None) => kind.replace('_', " "),
        });
        [
            book.assets()[exit.asset].name.clone(),
            usd(exit.borrowers_usd),
            two,
            five,
            ten,
        ]
    });
    part(
        "What could be sold, USD, for a fall of",
        columns(["asset", "borrowers' collateral", "2 %", "5 %", "10 %"], exits),
    );
    let concentrated = health.concentration.by_asset.iter().enumerate().map(|(at, of)| {
        let hhi = |shares: &Shares| shares.hhi.map_or_else(|| UNDEFINED.to_owned(), |hhi| decimal(hhi, 4));
        let top = |shares: &Shares| {
            let top = shares.top.first();
            top.map_or_else(
                || UNDEFINED.to_owned(),
                |top| format!("{} %", decimal(top.share * 100.0, 1)),
            )
        };
        [
            book.assets()[at].name.clone(),
            hhi(&of.collateral),
            top(&of.collateral),
            hhi(&of.debt),
            top(&of.debt),
        ]
    });
    part(
        "Concentration over accounts",
        columns(
            ["asset", "collateral HHI", "largest", "debt HHI", "largest"],
            concentrated,
        ),
    );
    for note in blow.notes().chain(source.notes()) {
        text.push_str(&format!("\n{note}"));
    }
    text
}
