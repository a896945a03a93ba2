//! Marginal rates with the chosen points, and the frontier.

use super::{
    AllocationReport, AllocationRow,
    page::{sorted, usd},
    table::apr,
};
use crate::report::{
    axis::Along,
    chart::{Chart, Layer, key},
    number,
    series::Point,
};
use maud::{Markup, html};
use plimsoll_optimizer::source::YieldSource;

/// More curves than these are left out, the smallest positions first.
const MOST_CURVES: usize = 12;
/// Points of one curve.
const POINTS: u32 = 160;

/// A curve for each source: what its last dollar earns at every size, the chosen one marked, the price of capital across.
pub(super) fn marginal_rates(report: &AllocationReport<'_>) -> Markup {
    let rows = sorted(report);
    let left_out = rows.len().saturating_sub(MOST_CURVES);
    html! {
        p class="lead" {
            "What the last dollar earns at every size of a position, own effect included. Where the optimum is not held back by a constraint, "
            "all of its points lie on one height: moving a dollar would gain nothing."
        }
        div class="curves" { @for (place, row) in rows.iter().take(MOST_CURVES).enumerate() { (curve(report, row, place)) } }
        @if left_out > 0 { p class="note" { (left_out) " sources with the smallest positions are left out here." } }
    }
}

fn curve(report: &AllocationReport<'_>, row: &AllocationRow<'_>, place: usize) -> Markup {
    let (amount, cap) = (row.amount_usd, row.cap_usd.min(report.capital_usd));
    // As far as it says something about the choice, and no further.
    let shown = (1.8 * amount).max(0.25 * report.capital_usd).min(1.05 * cap);
    let end = if shown > 0.0 { shown } else { report.capital_usd };
    let (divisor, unit) = units(end);
    let pieces: Vec<Vec<Point>> = pieces(row, end, divisor);
    let price = report.allocation.capital_price * 100.0;
    let heights = pieces.iter().flatten().map(|point| point.1).chain([price, 0.0]);
    let (low, high) = heights.fold((0.0f64, 0.0f64), |ends, at| (ends.0.min(at), ends.1.max(at)));
    let mut layers: Vec<Layer> = pieces
        .into_iter()
        .map(|points| Layer::Line { class: "price", points })
        .collect();
    if price > 0.0 {
        layers.push(Layer::Across {
            class: "reference",
            at: price,
            label: String::new(),
        });
    }
    if cap < end {
        layers.push(Layer::Upright {
            class: "goal",
            at: cap / divisor,
            text: format!("the most that may be held: {} USD", usd(cap)),
        });
    }
    let text = format!("{} USD, the last dollar earns {}", usd(amount), apr(row.marginal_apr));
    layers.push(Layer::Dots {
        class: "chosen",
        dots: vec![((amount / divisor, row.marginal_apr * 100.0), text.clone())],
        label: "",
        below: false,
    });
    let chart = Chart {
        id: format!("rate-{place}"),
        title: format!("Marginal rate of {}", row.source.id()),
        description: format!("{}: {text}.", row.source.id()),
        along: Along::Numbers(""),
        x: (0.0, end / divisor),
        y: (low, if high > low { high * 1.08 } else { low + 1.0 }),
        unit: " %",
        layers,
        heights: (200.0, 200.0),
    };
    html! {
        figure {
            figcaption { b { (row.source.id()) } span class="keys" { (number::short(amount)) " at " (apr(row.marginal_apr)) } }
            (chart.draw_small())
            p class="axis" { "size of the position" (unit) }
        }
    }
}

/// Each smooth piece of the marginal rate up to `end`, in percent over sizes in the chart's unit.
fn pieces(row: &AllocationRow<'_>, end: f64, divisor: f64) -> Vec<Vec<Point>> {
    let pieces = row.source.pieces().into_iter();
    let shown = pieces.filter(|piece| piece.from < end).map(|piece| {
        let to = piece.to.min(end);
        let at = |step: u32| piece.from + (to - piece.from) * f64::from(step) / f64::from(POINTS);
        let point = |size: f64| (size / divisor, piece.curve.marginal(size) * 100.0);
        (0..=POINTS).map(|step| point(at(step))).collect()
    });
    shown.collect()
}

/// What sizes are divided by, and the words for it.
fn units(most: f64) -> (f64, &'static str) {
    match most {
        most if most >= 2e9 => (1e9, ", billions of USD"),
        most if most >= 2e6 => (1e6, ", millions of USD"),
        most if most >= 2e3 => (1e3, ", thousands of USD"),
        _ => (1.0, ", USD"),
    }
}

/// The most income under each limit of the tail, and where the answer lies.
pub(super) fn frontier(report: &AllocationReport<'_>) -> Markup {
    let (Some(tail), points) = (report.tail, &report.frontier) else {
        return Markup::default();
    };
    let income = report.allocation.income_usd_per_year;
    let most = |of: fn(&super::FrontierPoint) -> f64, own: f64| points.iter().map(of).fold(own, f64::max);
    let (widest, highest) = (
        most(|point| point.cvar_usd, tail.usd),
        most(|point| point.income_usd_per_year, income),
    );
    let left = points
        .iter()
        .map(|point| point.cvar_usd)
        .fold(tail.usd.min(0.0), f64::min);
    let (across, unit) = units(widest.max(-left));
    let line: Vec<Point> = points
        .iter()
        .map(|point| (point.cvar_usd / across, point.income_usd_per_year))
        .collect();
    let tried = points.iter().map(|point| {
        let text = format!(
            "CVaR {} USD: {} USD a year, {} USD of cash",
            usd(point.cvar_usd),
            usd(point.income_usd_per_year),
            usd(point.cash_usd)
        );
        ((point.cvar_usd / across, point.income_usd_per_year), text)
    });
    let level = super::table::share(tail.level);
    let here = format!("CVaR {} USD, {} USD a year", usd(tail.usd), usd(income));
    let chart = Chart {
        id: "frontier".to_owned(),
        title: "Most income under each limit of CVaR".to_owned(),
        description: format!("The answer has {here}. Up to {} USD a year are reached.", usd(highest)),
        along: Along::Numbers(""),
        x: (
            left / across,
            if widest > left {
                widest / across * 1.04
            } else {
                left / across + 1.0
            },
        ),
        y: (0.0, if highest > 0.0 { highest * 1.1 } else { 1.0 }),
        unit: "",
        layers: vec![
            Layer::Line {
                class: "frontier",
                points: line,
            },
            Layer::Dots {
                class: "tried",
                dots: tried.collect(),
                label: "",
                below: false,
            },
            Layer::Dots {
                class: "chosen",
                dots: vec![((tail.usd / across, income), here)],
                label: "the answer",
                below: false,
            },
        ],
        heights: (300.0, 240.0),
    };
    html! {
        figure {
            figcaption { "USD a year, under limits of CVaR " (level) span class="keys" { (key("frontier", "most income", &usd(highest))) } }
            (chart.draw(None))
            p class="axis" { "CVaR" (unit) }
        }
        p class="note" { "Each point is an optimum of its own under all the other constraints; the tail is the mean loss of the worst scenarios of the file." }
    }
}
