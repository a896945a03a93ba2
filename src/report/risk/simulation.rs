//! The book over simulated prices.

use super::{Fanned, money, percent, top, usd_axis};
use crate::report::{
    axis::Along,
    chart::{Chart, Layer, key},
    number,
};
use maud::{Markup, html};
use plimsoll_risk::{
    measures::Estimate,
    monte_carlo::{Fan, Quantiles},
};

pub(super) fn section(fanned: &Fanned) -> Markup {
    let of = &fanned.report;
    let hours = of.steps as f64 * fanned.step_hours;
    html! {
        section {
            h2 { "Liquidations ahead" }
            p class="lead" {
                (number::count(of.paths as u64)) " paths of " (number::decimal(hours, 0)) " hours by " (fanned.model) ", seed " (of.seed) ". "
                "At each step prices move, whoever is below 1 is liquidated with all feedback, and what is left goes on."
            }
            (fan(fanned))
            (table(fanned))
            p class="note" {
                "Any liquidation: " (probability(&of.liquidations.probability_of_any)) ". Any bad debt: " (probability(&of.bad_debt.probability_of_any))
                ". ± is the simulation’s standard error, not that of the model."
            }
            @for note in &fanned.notes { p class="note" { (note) } }
        }
    }
}

fn probability(of: &Estimate) -> String {
    format!("{} ± {}", percent(of.value, 2), percent(of.standard_error, 2))
}

/// What is liquidated up to each hour.
fn fan(fanned: &Fanned) -> Markup {
    let fan = &fanned.report.fan;
    let Some(last) = fan.last() else {
        return Markup::default();
    };
    let most = fan.iter().map(|fan| fan.p99).fold(0.0, f64::max);
    let (unit, letter) = usd_axis(most);
    let line = |of: fn(&Fan) -> f64| -> Vec<(f64, f64)> {
        let points = fan.iter().enumerate();
        let points = points.map(|(step, fan)| ((step + 1) as f64 * fanned.step_hours, of(fan) / unit));
        std::iter::once((0.0, 0.0)).chain(points).collect()
    };
    let p50: fn(&Fan) -> f64 = |fan| fan.p50;
    let p95: fn(&Fan) -> f64 = |fan| fan.p95;
    let p99: fn(&Fan) -> f64 = |fan| fan.p99;
    let end = [last.p50, last.p95, last.p99].map(number::short);
    let chart = Chart {
        id: "fan".to_owned(),
        title: "Debt liquidated so far in simulated paths, in USD".to_owned(),
        description: format!(
            "At the horizon the median is {}, the 95 % quantile {}, the 99 % quantile {} USD.",
            end[0], end[1], end[2]
        ),
        along: Along::Numbers(" h"),
        x: (0.0, fan.len() as f64 * fanned.step_hours),
        y: (0.0, top(most / unit)),
        unit: letter,
        layers: vec![
            Layer::Area {
                class: "fan99",
                points: line(p99),
                base: 0.0,
            },
            Layer::Area {
                class: "fan95",
                points: line(p95),
                base: 0.0,
            },
            Layer::Area {
                class: "fan50",
                points: line(p50),
                base: 0.0,
            },
            Layer::Line {
                class: "line4",
                points: line(p99),
            },
            Layer::Line {
                class: "line2",
                points: line(p95),
            },
            Layer::Line {
                class: "line1",
                points: line(p50),
            },
        ],
        heights: (280.0, 220.0),
    };
    html! {
        figure {
            figcaption {
                "Debt liquidated so far, USD"
                span class="keys" { (key("line4", "p99", &end[2])) (key("line2", "p95", &end[1])) (key("line1", "median", &end[0])) }
            }
            (chart.draw(None))
        }
    }
}

fn table(fanned: &Fanned) -> Markup {
    let of = &fanned.report;
    let cell = |of: &Estimate| html! { td class="number" { (money(of.value)) small { "± " (number::short(of.standard_error)) } } };
    let row = |name: &str, of: &Quantiles| html! { tr { th scope="row" { (name) } (cell(&of.p50)) (cell(&of.p95)) (cell(&of.p99)) (cell(&of.expected_shortfall_99)) (cell(&of.mean)) } };
    let mut seized: Vec<_> = of
        .seized
        .iter()
        .filter(|(_, of)| of.expected_shortfall_99.value > 0.0)
        .collect();
    seized.sort_by(|a, b| {
        b.1.expected_shortfall_99
            .value
            .total_cmp(&a.1.expected_shortfall_99.value)
    });
    html! {
        div class="wide-table" tabindex="0" role="region" aria-label="Quantiles" {
            table class="figures" {
                thead { tr { th scope="col" { "at the horizon, USD" } @for name in ["median", "p95", "p99", "worst 1 %, mean", "mean"] { th scope="col" class="number" { (name) } } } }
                tbody {
                    (row("liquidations", &of.liquidations))
                    (row("bad debt", &of.bad_debt))
                    @for (asset, of) in seized { (row(&format!("{asset} seized"), of)) }
                }
            }
        }
    }
}
