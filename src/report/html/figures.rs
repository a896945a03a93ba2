//! The page's charts: value and drawdown, price and range, fee income.

use crate::report::axis::Along;
use crate::report::chart::{Chart, Layer, key};
use crate::report::moment::{self, Moment};
use crate::report::ranges::{open_ranges, price_scale};
use crate::report::series::{Point, drawdowns, extent};
use crate::report::words::Money;
use crate::report::{RunReport, number, words};
use maud::{Markup, html};
use plimsoll_runtime::{EquityPoint, Outcome};

/// Crosses for more reverted actions than these say nothing more.
const MOST_CROSSES: usize = 200;

/// Where a block lies on the run's charts.
struct Place {
    along: Along,
    ends: (f64, f64),
}

#[allow(clippy::cast_precision_loss)] // seconds and blocks
impl Place {
    fn of(report: &RunReport<'_>) -> Self {
        let at = |moment| match moment {
            Moment::Time(second) => second as f64,
            Moment::Block(block) => block as f64,
        };
        let (from, to) = moment::span(report);
        let along = if matches!(from, Moment::Time(_)) {
            Along::Time
        } else {
            Along::Blocks
        };
        Self {
            along,
            ends: (at(from), at(to)),
        }
    }

    fn of_point(&self, point: &EquityPoint) -> f64 {
        match (self.along, point.timestamp) {
            (Along::Time, Some(second)) => second as f64,
            _ => point.block_number as f64,
        }
    }

    fn of_block(report: &RunReport<'_>, block: u64) -> f64 {
        match moment::of_block(report, block) {
            Moment::Time(second) => second as f64,
            Moment::Block(block) => block as f64,
        }
    }

    fn series(&self, report: &RunReport<'_>, value: impl Fn(&EquityPoint) -> f64) -> Vec<Point> {
        report
            .output
            .equity
            .iter()
            .map(|point| (self.of_point(point), value(point)))
            .collect()
    }
}

/// A little air around values, and some height for those that never change.
fn padded(ends: Option<(f64, f64)>) -> (f64, f64) {
    let (low, high) = ends.unwrap_or((0.0, 1.0));
    let air = if high > low {
        (high - low) * 0.06
    } else {
        low.abs().mul_add(0.001, f64::MIN_POSITIVE).max(1e-12)
    };
    (low - air, high + air)
}

fn finite(points: &[Point]) -> impl Iterator<Item = &Point> {
    points.iter().filter(|point| point.1.is_finite())
}

fn along_words(report: &RunReport<'_>) -> String {
    words::span(report)
}

/// The strategy's value beside that of holding, and how far each is below its peak.
pub(super) fn value(report: &RunReport<'_>) -> Markup {
    let (place, money, output) = (Place::of(report), Money::of(report), report.output);
    let symbol = &report.numeraire.symbol;
    let strategy = place.series(report, |point| money.float(point.value));
    let hold = place.series(report, |point| money.float(point.held_value));
    let (end, held) = (
        money.plain(output.end_value),
        output
            .equity
            .last()
            .map(|point| money.plain(point.held_value))
            .unwrap_or_default(),
    );
    let falls: Vec<Point> = drawdowns(strategy.iter().copied()).collect();
    let held_falls: Vec<Point> = drawdowns(hold.iter().copied()).collect();
    let deepest = extent(finite(&falls).chain(finite(&held_falls))).map_or(0.0, |(low, _)| low);
    let equity = Chart {
        id: "equity".to_owned(),
        title: format!("Value of the strategy and of holding, in {symbol}"),
        description: format!(
            "{}: the strategy goes from {} to {end}, holding to {held} {symbol}.",
            along_words(report),
            money.plain(output.start_value)
        ),
        along: place.along,
        x: place.ends,
        y: padded(extent(finite(&strategy).chain(finite(&hold)))),
        unit: "",
        layers: vec![
            Layer::Line {
                class: "hold",
                points: hold,
            },
            Layer::Line {
                class: "strategy",
                points: strategy,
            },
        ],
        heights: (280.0, 220.0),
    };
    let depth = number::percent(output.metrics.max_drawdown.map(|fall| fall.depth * 100.0));
    let held_depth = number::percent(output.hold.max_drawdown.map(|fall| fall.depth * 100.0));
    let drawdown = Chart {
        id: "drawdown".to_owned(),
        title: "Drawdown: how far the value is below its last peak".to_owned(),
        description: format!("The strategy's deepest fall is {depth}, that of holding {held_depth}."),
        along: place.along,
        x: place.ends,
        y: (if deepest < 0.0 { deepest * 1.06 } else { -1.0 }, 0.0),
        unit: " %",
        layers: vec![
            Layer::Area {
                class: "fall",
                points: falls.clone(),
                base: 0.0,
            },
            Layer::Line {
                class: "hold",
                points: held_falls,
            },
            Layer::Line {
                class: "strategy",
                points: falls,
            },
        ],
        heights: (140.0, 120.0),
    };
    html! {
        figure {
            figcaption { "Value, " (symbol) span class="keys" { (key("strategy", "strategy", &end)) (key("hold", "holding", &held)) } }
            (equity.draw(Some(&drawdown)))
        }
        figure {
            figcaption { "Drawdown from the last peak" span class="keys" { (key("strategy", "strategy", &depth)) (key("hold", "holding", &held_depth)) } }
            (drawdown.draw(Some(&equity)))
        }
    }
}

/// The price, and the ranges that own positions stood in.
pub(super) fn price(report: &RunReport<'_>) -> Markup {
    let place = Place::of(report);
    let scale = price_scale(report);
    let prices = place.series(report, |point| point.price * scale);
    let ranges = open_ranges(report);
    let known = extent(finite(&prices));
    // A range that is far wider than the price's path would flatten it to a line: its band then runs out of the picture.
    let y = known.map(|(low, high)| {
        let room = (high - low).max(high.abs() * 0.002) * 1.2;
        let fold = |ends: (f64, f64), range: &crate::report::ranges::OpenRange| {
            (
                ends.0.min(range.low.max(low - room)),
                ends.1.max(range.high.min(high + room)),
            )
        };
        ranges.iter().fold((low, high), fold)
    });
    let boxes = |range: &crate::report::ranges::OpenRange| {
        [
            Place::of_block(report, range.opened),
            Place::of_block(report, range.closed),
            range.low,
            range.high,
        ]
    };
    let pair = format!("{} in {}", report.charted.symbol, report.numeraire.symbol);
    let last = finite(&prices)
        .last()
        .map(|point| number::significant(point.1))
        .unwrap_or_default();
    let crosses = crosses(report, scale);
    let described = known.map_or_else(
        || "No price is known.".to_owned(),
        |(low, high)| {
            format!(
                "{}: the price lies between {} and {}; {} ranges were open, {} of the time in range.",
                along_words(report),
                number::significant(low),
                number::significant(high),
                number::count(ranges.len() as u64),
                number::percent(Some(report.output.time_in_range_percent))
            )
        },
    );
    let any_reverted = !crosses.is_empty();
    let chart = Chart {
        id: "price".to_owned(),
        title: format!("Price of {pair}, with the positions' ranges"),
        description: described,
        along: place.along,
        x: place.ends,
        y: padded(y),
        unit: "",
        layers: vec![
            Layer::Boxes {
                class: "range",
                boxes: ranges.iter().map(boxes).collect(),
            },
            Layer::Line {
                class: "price",
                points: prices,
            },
            Layer::Crosses {
                class: "reverted",
                crosses,
            },
        ],
        heights: (300.0, 240.0),
    };
    html! {
        figure {
            figcaption {
                "Price of " (pair)
                span class="keys" {
                    (key("price", "price", &last))
                    (key("band", "own range", &format!("× {}", number::count(ranges.len() as u64))))
                    @if any_reverted { span class="key reverted" { "✕ reverted action" } }
                }
            }
            (chart.draw(None))
        }
    }
}

fn crosses(report: &RunReport<'_>, scale: f64) -> Vec<(Point, String)> {
    let equity = &report.output.equity;
    let cross = |receipt: &plimsoll_runtime::Receipt| {
        let Outcome::Reverted { reason } = &receipt.outcome else {
            return None;
        };
        let block = receipt.executed_block;
        let next = equity.partition_point(|point| point.block_number < block);
        let price = equity.get(next).or(equity.last())?.price * scale;
        let text = format!(
            "{} reverted at block {}: {reason}",
            receipt.action.name(),
            number::count(block)
        );
        price
            .is_finite()
            .then(|| ((Place::of_block(report, block), price), text))
    };
    report
        .output
        .receipts
        .iter()
        .filter_map(cross)
        .take(MOST_CROSSES)
        .collect()
}

/// Fees earned so far, beside the loss versus rebalancing that they must outweigh.
pub(super) fn fees(report: &RunReport<'_>) -> Markup {
    let (place, money, profit) = (Place::of(report), Money::of(report), &report.output.profit);
    let fees = place.series(report, |point| money.float(point.profit.fees));
    let lvr = place.series(report, |point| money.float(point.profit.lvr));
    let symbol = &report.numeraire.symbol;
    let (earned, lost) = (money.plain(profit.fees), money.plain(profit.lvr));
    let (low, high) = extent(finite(&fees).chain(finite(&lvr))).unwrap_or((0.0, 1.0));
    let chart = Chart {
        id: "fees".to_owned(),
        title: format!("Fees earned and loss versus rebalancing so far, in {symbol}"),
        description: format!(
            "By the end {earned} {symbol} of fees stand against {lost} {symbol} of loss versus rebalancing."
        ),
        along: place.along,
        x: place.ends,
        y: if high > low {
            (low, high * 1.04)
        } else {
            (low, low + 1.0)
        },
        unit: "",
        layers: vec![
            Layer::Area {
                class: "income",
                points: fees.clone(),
                base: 0.0,
            },
            Layer::Line {
                class: "lost",
                points: lvr,
            },
            Layer::Line {
                class: "earned",
                points: fees,
            },
        ],
        heights: (220.0, 190.0),
    };
    html! {
        figure {
            figcaption { "So far, " (symbol) span class="keys" { (key("earned", "fees", &earned)) (key("lost", "LVR", &lost)) } }
            (chart.draw(None))
        }
    }
}
