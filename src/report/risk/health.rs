//! Health factors and ladders.

use super::{RiskReport, money, top, usd_axis};
use crate::report::{
    axis::Along,
    bar::Scale,
    chart::{Chart, Layer, key},
    number,
};
use maud::{Markup, html};
use plimsoll_risk::{HealthBin, HealthDistribution, LADDER_MOVES, Ladder, Stress};

/// More ladders than these are told by the table alone.
const MOST_CHARTS: usize = 6;

/// The deepest fall on a ladder's chart, percent, and its points a percent.
const DEEPEST_PCT: u32 = 60;
const POINTS_A_PERCENT: u32 = 4;

/// How the book's debt lies by health factor.
pub(super) fn distribution(of: &HealthDistribution) -> Markup {
    let scale = Scale::of(of.bins.iter().map(|bin| bin.group.debt_usd));
    let is_below = |bin: &HealthBin| bin.to.is_some_and(|to| to <= 1.0);
    let last_below = of.bins.iter().rposition(is_below);
    let label = |bin: &HealthBin| match bin.to {
        Some(to) => format!("{} – {}", number::decimal(bin.from, 2), number::decimal(to, 2)),
        None => format!("{} and more", number::decimal(bin.from, 2)),
    };
    html! {
        section {
            h2 { "Health factors" }
            table class="histogram" {
                thead { tr { th scope="col" { "health factor" } th scope="col" class="chart" { span class="unseen" { "bar of debt" } } th scope="col" class="number" { "debt, USD" } th scope="col" class="number" { "positions" } } }
                tbody {
                    @for (place, bin) in of.bins.iter().enumerate() {
                        @let below = is_below(bin);
                        tr class=[(Some(place) == last_below).then_some("line")] {
                            th scope="row" { (label(bin)) }
                            td class="chart" { (scale.bar((0.0, bin.group.debt_usd), if below { "loss" } else { "plain" })) }
                            td class="number" { (money(bin.group.debt_usd)) }
                            td class="number faint" { (number::count(bin.group.positions as u64)) }
                        }
                        @if Some(place) == last_below {
                            tr class="mark" { td colspan="4" { "▲ below 1: may be liquidated now" } }
                        }
                    }
                }
            }
            @if of.without_debt.positions > 0 {
                p class="note" { (number::count(of.without_debt.positions as u64)) " positions with " (money(of.without_debt.collateral_usd)) " USD owe nothing and have no health factor." }
            }
        }
    }
}

/// What one asset's fall does, all others standing still.
pub(super) fn ladders(report: &RiskReport<'_>) -> Markup {
    // By what the deepest fall puts at risk beyond what is so already.
    let weight = |ladder: &Ladder| {
        let debt = |change| ladder.at(change).map_or(0.0, |stress| stress.debt_at_risk_usd);
        debt(-f64::from(DEEPEST_PCT) / 100.0) - debt(0.0)
    };
    let mut ladders: Vec<&(usize, Ladder)> = report.ladders.iter().collect();
    ladders.sort_by(|a, b| weight(&b.1).total_cmp(&weight(&a.1)).then(a.0.cmp(&b.0)));
    let drawn: Vec<_> = ladders
        .iter()
        .filter(|of| weight(&of.1) > 0.0)
        .take(MOST_CHARTS)
        .collect();
    let left_out = ladders.len() - drawn.len();
    html! {
        section {
            h2 { "Liquidation ladder" }
            p class="lead" { "One asset falls alone, every other price stands still, and nobody has acted yet. Exact at every move." }
            div class="pair" { @for (place, ladder) in &drawn { (ladder_chart(report.asset(*place), *place, ladder)) } }
            @if left_out > 0 && !drawn.is_empty() {
                p class="note" { "Drawn are those assets whose fall puts most debt at risk; the tables have all." }
            }
            (table(report, &ladders, "Debt at risk, USD", |stress| stress.debt_at_risk_usd))
            (table(report, &ladders, "Bad debt, USD", |stress| stress.bad_debt_usd))
        }
    }
}

fn ladder_chart(name: &str, place: usize, ladder: &Ladder) -> Markup {
    let steps = DEEPEST_PCT * POINTS_A_PERCENT;
    let points = |of: fn(&Stress) -> f64, unit: f64| -> Vec<(f64, f64)> {
        let point = |step: u32| {
            let fall = f64::from(step) / f64::from(POINTS_A_PERCENT);
            Some((fall, of(&ladder.at(-fall / 100.0)?) / unit))
        };
        (0..=steps).filter_map(point).collect()
    };
    let at_risk: fn(&Stress) -> f64 = |of| of.debt_at_risk_usd;
    let bad: fn(&Stress) -> f64 = |of| of.bad_debt_usd;
    let most = points(at_risk, 1.0)
        .iter()
        .chain(&points(bad, 1.0))
        .fold(0.0f64, |most, point| most.max(point.1));
    let (unit, letter) = usd_axis(most);
    let end = |of: fn(&Stress) -> f64| {
        points(of, 1.0)
            .last()
            .map_or_else(String::new, |point| number::short(point.1))
    };
    let chart = Chart {
        id: format!("ladder-{place}"),
        title: format!("{name} falls alone: debt at risk and bad debt in USD"),
        description: format!(
            "At −{DEEPEST_PCT} % debt at risk is {} USD and bad debt {} USD.",
            end(at_risk),
            end(bad)
        ),
        along: Along::Falls,
        x: (0.0, f64::from(DEEPEST_PCT)),
        y: (0.0, top(most / unit)),
        unit: letter,
        layers: vec![
            Layer::Area {
                class: "fall",
                points: points(at_risk, unit),
                base: 0.0,
            },
            Layer::Line {
                class: "strategy",
                points: points(at_risk, unit),
            },
            Layer::Line {
                class: "lost",
                points: points(bad, unit),
            },
        ],
        heights: (220.0, 220.0),
    };
    html! {
        figure {
            figcaption { b { (name) } span class="keys" { (key("strategy", "at risk", &end(at_risk))) (key("lost", "bad debt", &end(bad))) } }
            (chart.draw_small())
        }
    }
}

fn table(report: &RiskReport<'_>, ladders: &[&(usize, Ladder)], title: &str, of: fn(&Stress) -> f64) -> Markup {
    let moves = || std::iter::once(0.0).chain(LADDER_MOVES);
    html! {
        h3 { (title) }
        div class="wide-table" tabindex="0" role="region" aria-label=(title) {
            table class="figures" {
                thead { tr { th scope="col" { "asset alone" } @for change in moves() { th scope="col" class="number" { @if change == 0.0 { "today" } @else { (super::signed_percent(change * 100.0)) } } } } }
                tbody { @for (place, ladder) in ladders {
                    tr { th scope="row" { (report.asset(*place)) } @for change in moves() { td class="number" { @if let Some(stress) = ladder.at(change) { (money(of(&stress))) } } } }
                } }
            }
        }
    }
}
