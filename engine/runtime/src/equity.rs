use crate::{Mark, Profit};
use alloy_primitives::I256;

/// One block of a run, as it is stored and drawn. Money is in base units of the numeraire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EquityPoint {
    /// The block.
    pub block_number: u64,
    /// Seconds since the Unix epoch; `None` where the data carry no time.
    pub timestamp: Option<u64>,
    /// Value of everything owned, less all gas.
    pub value: I256,
    /// Value of the first holdings, had they been kept.
    pub held_value: I256,
    /// The profit's parts so far.
    pub profit: Profit,
    /// Own open positions.
    pub positions: usize,
    /// How many of them have the price in their range.
    pub in_range: usize,
    /// The charted token's price: one base unit in base units of the numeraire.
    pub price: f64,
}

impl EquityPoint {
    /// The point for a block, with the price of a token to chart.
    ///
    /// # Errors
    /// Something owned has no price.
    pub fn new(mark: &Mark<'_>, charted: alloy_primitives::Address) -> Result<Self, crate::LedgerError> {
        Ok(Self {
            block_number: mark.block.number,
            timestamp: mark.block.timestamp,
            value: mark.ledger.value()?,
            held_value: mark.ledger.held_value()?,
            profit: mark.ledger.profit()?,
            positions: mark.positions.len(),
            in_range: mark.in_range,
            price: mark.ledger.prices().price_f64(charted).unwrap_or(f64::NAN),
        })
    }
}
