//! A shock to its end, round by round.

use super::{Cascaded, RiskReport, RoundSums, money, signed_percent};
use crate::report::{
    axis::Along,
    bar::Scale,
    chart::{Chart, Layer, key},
    number,
    series::Point,
};
use maud::{Markup, html};
use plimsoll_risk::StoppedBy;

/// Of more rounds than both together the first and the last are shown, and the sums of those between.
const FIRST: usize = 8;
const LAST: usize = 4;

/// Lines of as many prices can be told apart.
const LINES: [&str; 4] = ["line1", "line2", "line3", "line4"];

/// A move of less than this part of the largest looks like none.
const LEAST_SEEN: f64 = 0.01;

pub(super) fn section(report: &RiskReport<'_>, cascaded: &Cascaded) -> Markup {
    let (outcome, stress) = (&cascaded.outcome, &cascaded.stress);
    let gap = outcome.seized_collateral_usd - outcome.liquidated_debt_usd;
    html! {
        section {
            h2 { "Liquidation cascade" }
            p class="lead" {
                strong { (cascaded.shock) } ". " @if !cascaded.chosen.is_empty() { (cascaded.chosen) " " }
                "It stopped because " (stopped(outcome.stopped_by)) "."
            }
            (prices(report, cascaded))
            @if !cascaded.rounds.is_empty() {
                figure {
                    figcaption { "Debt repaid, round upon round" span { "bad debt after the shock " b { (money(stress.bad_debt_usd)) } } }
                    (rounds(&cascaded.rounds))
                }
            }
            table class="metrics" {
                tbody {
                    tr { th scope="row" { "positions liquidated" } td class="number" { (number::count(outcome.liquidated_positions as u64)) } }
                    tr { th scope="row" { "debt repaid, USD" } td class="number" { (number::decimal(outcome.liquidated_debt_usd, 0)) } }
                    tr { th scope="row" { "collateral seized, USD" small { "at the price that its round began with" } } td class="number" { (number::decimal(outcome.seized_collateral_usd, 0)) } }
                    tr { th scope="row" { "of it the bonus, USD" small { "what borrowers lose beyond what is repaid for them" } } td class="number" { (number::decimal(gap, 0)) } }
                    tr { th scope="row" { "liquidators keep, USD" small { "the bonus less slippage and gas" } } td class="number" { (number::decimal(outcome.liquidator_profit_usd, 0)) } }
                    tr { th scope="row" { "bad debt before anybody acts, USD" } td class="number" { (number::decimal(stress.bad_debt_usd, 0)) } }
                    tr { th scope="row" { strong { "bad debt at the end, USD" } } td class="number" { strong { (number::decimal(outcome.bad_debt_usd, 0)) } } }
                }
            }
            (moved(report, cascaded))
            (reserves(report, cascaded))
        }
    }
}

const fn stopped(by: StoppedBy) -> &'static str {
    match by {
        StoppedBy::NoneBelowOne => "no position is below 1 any more",
        StoppedBy::NothingToSeize => "whoever is still below 1 has nothing left to seize",
        StoppedBy::Unprofitable => "no liquidation that is left pays",
        StoppedBy::RoundLimit => "it reached the limit on rounds, so more would follow",
    }
}

/// Prices from the shock to the end, those that moved most.
fn prices(report: &RiskReport<'_>, cascaded: &Cascaded) -> Markup {
    let outcome = &cascaded.outcome;
    let mut moved: Vec<usize> = (0..outcome.end.len())
        .filter(|at| outcome.price_change(*at) != 0.0)
        .collect();
    moved.sort_by(|a, b| {
        outcome
            .price_change(*b)
            .abs()
            .total_cmp(&outcome.price_change(*a).abs())
            .then(a.cmp(b))
    });
    let largest = moved.first().map_or(0.0, |at| outcome.price_change(*at).abs());
    let is_seen = |at: &usize| outcome.price_change(*at).abs() >= largest * LEAST_SEEN;
    let (all, drawn) = (moved.len(), moved.iter().copied().filter(is_seen).take(LINES.len()));
    let lines: Vec<(usize, &str, Vec<Point>)> = drawn
        .zip(LINES)
        .map(|(asset, class)| {
            let rounds = outcome.detail.iter().map(|round| &round.factors);
            let factors = rounds.chain([&outcome.end]).filter_map(|factors| factors.get(asset));
            let points = factors
                .enumerate()
                .map(|(round, factor)| (round as f64, (factor - 1.0) * 100.0));
            (asset, class, points.collect())
        })
        .collect();
    if outcome.detail.is_empty() || lines.is_empty() {
        return Markup::default();
    }
    let values = || {
        lines
            .iter()
            .flat_map(|(_, _, points)| points.iter().map(|point| point.1))
    };
    let (low, high) = values().fold((0.0f64, 0.0f64), |ends, value| (ends.0.min(value), ends.1.max(value)));
    let air = (high - low).max(1e-9) * 0.06;
    let last = |points: &[(f64, f64)]| points.last().map_or_else(String::new, |point| signed_percent(point.1));
    let ends = lines
        .iter()
        .map(|(asset, _, points)| format!("{} {}", report.asset(*asset), last(points)));
    let chart = Chart {
        id: "cascade-prices".to_owned(),
        title: "Prices from the shock to the cascade's end, in percent of those before".to_owned(),
        description: format!("At the end: {}.", ends.collect::<Vec<_>>().join(", ")),
        along: Along::Blocks,
        x: (0.0, outcome.detail.len() as f64),
        y: (low - air, if high > 0.0 { high + air } else { 0.0 }),
        unit: " %",
        layers: lines
            .iter()
            .map(|(_, class, points)| Layer::Line {
                class,
                points: points.clone(),
            })
            .collect(),
        heights: (240.0, 200.0),
    };
    html! {
        figure {
            figcaption {
                "Price change by round; 0 is the shock itself"
                span class="keys" { @for (asset, class, points) in &lines { (key(class, report.asset(*asset), &last(points))) } }
            }
            (chart.draw(None))
        }
        @if all > lines.len() { p class="note" { "Other prices moved too, but less: " (all - lines.len()) "." } }
    }
}

fn rounds(rounds: &[RoundSums]) -> Markup {
    let mut sum = 0.0;
    let mut begun = Vec::with_capacity(rounds.len());
    for round in rounds {
        begun.push(sum);
        sum += round.repaid_usd;
    }
    let scale = Scale::of([sum]);
    let folded = if rounds.len() > FIRST + LAST + 1 {
        FIRST..rounds.len() - LAST
    } else {
        0..0
    };
    let row = |name: String, from: f64, of: &RoundSums, class: &'static str| {
        html! {
            tr class=(class) {
                th scope="row" { (name) }
                td class="chart" { (scale.bar((from, from + of.repaid_usd), "plain")) }
                td class="number faint" { (number::count(of.positions as u64)) }
                td class="number" { (money(of.repaid_usd)) }
                td class="number" { (money(of.seized_usd)) }
                td class="number" { (money(of.bad_debt_usd)) }
            }
        }
    };
    let all = |of: &[RoundSums]| RoundSums {
        positions: of.iter().map(|round| round.positions).sum(),
        repaid_usd: of.iter().fold(0.0, |sum, round| sum + round.repaid_usd),
        seized_usd: of.iter().fold(0.0, |sum, round| sum + round.seized_usd),
        bad_debt_usd: of.last().map_or(0.0, |round| round.bad_debt_usd),
    };
    html! {
        table class="rounds" {
            thead { tr { th scope="col" { "round" } th scope="col" class="chart" { span class="unseen" { "bar" } } th scope="col" class="number" { "liquidations" } th scope="col" class="number" { "repaid, USD" } th scope="col" class="number" { "seized, USD" } th scope="col" class="number" { "bad debt after" } } }
            tbody {
                @for (place, round) in rounds.iter().enumerate() {
                    @if place == folded.start && !folded.is_empty() {
                        (row(format!("{} – {}", folded.start + 1, folded.end), begun[place], &all(&rounds[folded.clone()]), "folded"))
                    }
                    @if !folded.contains(&place) { (row((place + 1).to_string(), begun[place], round, "")) }
                }
            }
            @if rounds.len() > 1 { tfoot { (row("all".to_owned(), 0.0, &all(rounds), "")) } }
        }
    }
}

fn moved(report: &RiskReport<'_>, cascaded: &Cascaded) -> Markup {
    let outcome = &cascaded.outcome;
    let of_note = |at: &usize| outcome.price_change(*at) != 0.0 || outcome.sold[*at].usd > 0.0;
    let mut assets: Vec<usize> = (0..outcome.end.len()).filter(of_note).collect();
    assets.sort_by(|a, b| outcome.sold[*b].usd.total_cmp(&outcome.sold[*a].usd).then(a.cmp(b)));
    html! {
        @if !assets.is_empty() {
            h3 { "Amplification" }
            div class="wide-table" tabindex="0" role="region" aria-label="Amplification" {
                table class="figures" {
                    thead { tr { th scope="col" { "asset" } th scope="col" class="number" { "shock" } th scope="col" class="number" { "end" } th scope="col" class="number" { "end ÷ shock" } th scope="col" class="number" { "sold, USD" } } }
                    tbody { @for at in assets {
                        tr {
                            th scope="row" { (report.asset(at)) }
                            td class="number" { @if outcome.shock[at] == 1.0 { "–" } @else { (signed_percent((outcome.shock[at] - 1.0) * 100.0)) } }
                            td class="number" { (signed_percent(outcome.price_change(at) * 100.0)) }
                            td class="number" { @match outcome.amplification(at) { Some(factor) => (number::decimal(factor, 3)), None => "–" } }
                            td class="number" { (money(outcome.sold[at].usd)) }
                        }
                    } }
                }
            }
        }
    }
}

/// Where the bad debt stays.
fn reserves(report: &RiskReport<'_>, cascaded: &Cascaded) -> Markup {
    const MOST: usize = 12;
    let by_listing = &cascaded.outcome.bad_debt_by_listing_usd;
    let mut bad: Vec<(usize, f64)> = by_listing
        .iter()
        .copied()
        .enumerate()
        .filter(|of| of.1 >= 0.005)
        .collect();
    bad.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let scale = Scale::of(bad.iter().map(|of| of.1));
    html! {
        @if !bad.is_empty() {
            h3 { "Bad debt by reserve, at the end" }
            table class="histogram" {
                thead { tr { th scope="col" { "owed" } th scope="col" class="chart" { span class="unseen" { "bar" } } th scope="col" class="number" { "USD" } th scope="col" class="number" { "of all" } } }
                tbody { @for (listing, usd) in bad.iter().take(MOST) {
                    tr { th scope="row" { (report.listing(*listing)) } td class="chart" { (scale.bar((0.0, *usd), "loss")) } td class="number" { (money(*usd)) } td class="number faint" { (super::percent(usd / cascaded.outcome.bad_debt_usd, 2)) } }
                } }
            }
            @if bad.len() > MOST { p class="note" { (bad.len() - MOST) " smaller ones are left out." } }
        }
    }
}
