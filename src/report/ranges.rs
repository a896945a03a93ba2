//! The price ranges that own positions stood in, from the receipts.

use super::RunReport;
use plimsoll_runtime::{Action, Outcome, PositionId};
use plimsoll_units::Tick;

/// A position in the charted pool, from its opening to its close or the run's end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OpenRange {
    /// The position.
    pub(super) position: PositionId,
    /// Block at whose top it opened.
    pub(super) opened: u64,
    /// Block at whose top it closed, or the run's last.
    pub(super) closed: u64,
    /// Lowest price of the charted token in the numeraire.
    pub(super) low: f64,
    /// Highest price of the charted token in the numeraire.
    pub(super) high: f64,
}

/// Every range, in the order of opening.
pub(super) fn open_ranges(report: &RunReport<'_>) -> Vec<OpenRange> {
    let last = report.output.blocks.1;
    let mut ranges: Vec<OpenRange> = Vec::new();
    for receipt in &report.output.receipts {
        let Outcome::Filled(filled) = &receipt.outcome else {
            continue;
        };
        let Some(position) = filled.position else { continue };
        match (receipt.action, filled.range) {
            (Action::AddLiquidity { .. }, Some((lower, upper))) if filled.venue == report.price_pool => {
                let (low, high) = prices(report, lower, upper);
                let opened = receipt.executed_block;
                ranges.push(OpenRange {
                    position,
                    opened,
                    closed: last.max(opened),
                    low,
                    high,
                });
            }
            (Action::RemoveLiquidity { .. }, _) => {
                if let Some(range) = ranges.iter_mut().find(|range| range.position == position) {
                    range.closed = receipt.executed_block;
                }
            }
            _ => {}
        }
    }
    ranges
}

/// A range's ends as prices of the charted token in the numeraire, the lower first.
pub(super) fn prices(report: &RunReport<'_>, lower: Tick, upper: Tick) -> (f64, f64) {
    let (a, b) = (price(report, lower), price(report, upper));
    (a.min(b), a.max(b))
}

fn price(report: &RunReport<'_>, tick: Tick) -> f64 {
    let token1_per_token0 = 1.0001f64.powi(tick.get());
    let in_base_units = if report.charted_is_token1 {
        1.0 / token1_per_token0
    } else {
        token1_per_token0
    };
    in_base_units * price_scale(report)
}

/// From base units of the numeraire a base unit of the charted token, to whole tokens a whole token.
pub(super) fn price_scale(report: &RunReport<'_>) -> f64 {
    10f64.powi(i32::from(report.charted.decimals) - i32::from(report.numeraire.decimals))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn ticks_become_prices_either_way_round() {
        let output = fixture::output(10);
        let mut report = fixture::report(&output);
        // USDC is token0 with 6 decimals, WETH token1 with 18: tick 200,000 is 1e12 / 1.0001^200000 ≈ 2,063.
        let tick = |tick| Tick::new(tick).expect("in range");
        let (low, high) = prices(&report, tick(200_000), tick(200_100));
        assert!((2_062.0..2_064.0).contains(&high) && low < high, "{low} {high}");
        report.charted_is_token1 = false;
        let (low, high) = prices(&report, tick(-200_100), tick(-200_000));
        assert!((2_062.0..2_064.0).contains(&high) && low < high, "{low} {high}");
    }

    #[test]
    fn a_range_ends_with_its_position() {
        let output = fixture::output(7_000);
        let ranges = open_ranges(&fixture::report(&output));
        assert!(ranges.len() >= 3);
        assert!(
            ranges
                .iter()
                .all(|range| range.opened <= range.closed && range.low < range.high)
        );
        assert_eq!(ranges.last().map(|range| range.closed), Some(output.blocks.1));
    }
}
