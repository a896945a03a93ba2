use super::{CascadeError, Follower, Pace, SaleRules, sale::WHOLE};
use alloy_primitives::{Address, U256};
use std::{collections::BTreeMap, num::NonZeroU32};

/// Who liquidates, in the state's books; nobody's account.
pub const LIQUIDATOR: Address = Address::repeat_byte(0x11);

/// What one liquidation costs its liquidator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gas {
    /// What gas is paid in, as lending markets price it: wrapped ether.
    pub token: Address,
    /// So much a liquidation, in base units.
    pub amount: U256,
}

/// How liquidators act.
///
/// In a round, accounts below one come in order of their health factors, the lowest first, ties by address. Each is liquidated as long
/// as it stays below one and somebody gains by it: its largest debt for its largest collateral, both by the oracle, as much as the
/// protocol allows at once; where that is refused or does not pay, the next collateral and then the next debt. What is seized is sold at
/// once, in the same transaction as a flash loan would have it, so that each liquidation knows its own slippage. It pays where what comes
/// out is more than what was repaid and the gas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiquidatorRules {
    /// Liquidates whether or not it pays.
    pub always: bool,
    /// What one liquidation costs; `None` for nothing.
    pub gas: Option<Gas>,
    /// What all liquidators together can repay in one round, by token, in base units; a token that is not here is not limited.
    pub capital: BTreeMap<Address, U256>,
    /// Rounds that go by between an account's fall below one and its liquidation.
    pub latency_rounds: u32,
    /// How what is seized is sold.
    pub sales: SaleRules,
}

/// Whether sales have consequences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feedback {
    /// Sales move pools, and these prices follow them, in this order.
    On(Vec<Follower>),
    /// Each sale meets the pools as the cascade began, and no price follows.
    Off,
}

/// How a cascade goes on after its shock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CascadeRules {
    /// How liquidators act.
    pub liquidators: LiquidatorRules,
    /// Whether sales have consequences.
    pub feedback: Feedback,
    /// The share of what suppliers without debt have that they withdraw in each round, after the liquidations and as far as there is
    /// cash, in basis points.
    pub exits_bps: u16,
    /// The time from one round to the next.
    pub pace: Pace,
    /// The most rounds.
    pub most_rounds: NonZeroU32,
}

impl Default for CascadeRules {
    /// Everybody acts at once and for gain, without gas, in a round a block, sales moving pools and no oracle following.
    fn default() -> Self {
        Self {
            liquidators: LiquidatorRules::default(),
            feedback: Feedback::On(Vec::new()),
            exits_bps: 0,
            pace: Pace::BLOCK,
            most_rounds: NonZeroU32::MIN.saturating_add(999),
        }
    }
}

impl CascadeRules {
    /// Whether sales move anything.
    pub const fn has_feedback(&self) -> bool {
        matches!(self.feedback, Feedback::On(_))
    }

    /// The prices that follow pools.
    pub fn followers(&self) -> &[Follower] {
        match &self.feedback {
            Feedback::On(followers) => followers,
            Feedback::Off => &[],
        }
    }

    pub(super) fn check(&self) -> Result<(), CascadeError> {
        self.liquidators.sales.check()?;
        if self.exits_bps > WHOLE {
            return Err(CascadeError::ShareAboveOne {
                what: "what suppliers withdraw in a round",
                basis_points: self.exits_bps,
            });
        }
        Ok(())
    }
}
