use super::super::{Clock, Standing};
use alloy_primitives::{Address, U256};
use plimsoll_market::Feeds;
use std::{cmp::Reverse, collections::BTreeMap};

/// What a market reads besides its own state.
#[derive(Clone, Copy)]
pub(in super::super) struct Now<'a> {
    pub(in super::super) clock: Clock,
    pub(in super::super) feeds: &'a Feeds,
}

/// Everyone below one, in no order.
#[derive(Debug, Default)]
pub(in super::super) struct Standings {
    pub(in super::super) below: Vec<Standing>,
    /// Accounts with debt whose health the contracts could not tell, for want of a price.
    pub(in super::super) unvalued: usize,
}

/// A debt and a collateral, each by its reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Pair {
    pub(in super::super) debt: Address,
    pub(in super::super) collateral: Address,
}

/// What a liquidator asks for.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Bid {
    pub(in super::super) liquidator: Address,
    pub(in super::super) account: Address,
    pub(in super::super) pair: Pair,
    /// The most that he repays, in base units; the greatest number for whatever is allowed.
    pub(in super::super) most: U256,
}

/// What a liquidation moves, in base units of the underlying tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super) struct Seizure {
    /// From the liquidator to the market.
    pub(in super::super) repaid: U256,
    /// From the market to the liquidator.
    pub(in super::super) seized: U256,
    /// From the account to the protocol: it stays in the market.
    pub(in super::super) protocol_fee: U256,
    /// What the market took over itself, by reserve (Comet).
    pub(in super::super) absorbed: Vec<(Address, U256)>,
    /// Debt that was forgiven by the market's reserves (Comet).
    pub(in super::super) forgiven: U256,
    /// Debt that was burnt for want of collateral, by reserve.
    pub(in super::super) deficits: Vec<(Address, U256)>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Attempt {
    /// It stands.
    Done(Seizure),
    /// The rules allow it, the liquidator does not want it; nothing has changed.
    Declined,
    /// The rules do not allow it, in their own words; nothing has changed.
    Refused(String),
}

/// What an account has on either side, with its worth.
#[derive(Debug, Default)]
pub(in super::super) struct Holdings {
    /// Reserve and worth.
    pub(in super::super) debts: Vec<(Address, U256)>,
    /// Reserve and worth.
    pub(in super::super) collaterals: Vec<(Address, U256)>,
}

impl Holdings {
    /// Every debt against every collateral, the largest first; what is worth as much stays in the market's own order.
    pub(in super::super) fn pairs(mut self) -> Vec<Pair> {
        self.debts.sort_by_key(|(_, worth)| Reverse(*worth));
        self.collaterals.sort_by_key(|(_, worth)| Reverse(*worth));
        let pair = |debt: Address, collateral: Address| Pair { debt, collateral };
        let of = |&(debt, _): &(Address, U256)| {
            let against = self.collaterals.iter();
            against
                .map(|(collateral, _)| pair(debt, *collateral))
                .collect::<Vec<_>>()
        };
        self.debts.iter().flat_map(of).collect()
    }
}

/// What one account owes, by reserve, in base units.
pub(in super::super) type Debts = Vec<(Address, U256)>;

/// What is owed beyond collateral.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super) struct Remains {
    /// By reserve: owed by accounts without any collateral, and by those whose collateral is worth less than what they owe (the
    /// former among them), in base units.
    pub(in super::super) by_reserve: BTreeMap<Address, (U256, U256)>,
    /// Σ max(0, debt − collateral), in the oracle's unit.
    pub(in super::super) shortfall: U256,
    /// Accounts that owe more than all their collateral is worth.
    pub(in super::super) accounts: usize,
}

impl Remains {
    /// Counts an account: what it owes, and what both of its sides are worth.
    pub(in super::super) fn add(&mut self, debts: Debts, debt: U256, collateral: U256) {
        if debt <= collateral {
            return;
        }
        self.accounts += 1;
        self.shortfall = self.shortfall.saturating_add(debt - collateral);
        for (reserve, owed) in debts {
            let (stranded, uncovered) = self.by_reserve.entry(reserve).or_default();
            *uncovered = uncovered.saturating_add(owed);
            if collateral.is_zero() {
                *stranded = stranded.saturating_add(owed);
            }
        }
    }
}

pub(in super::super) fn power_of_ten(exponent: u8) -> Option<U256> {
    U256::from(10u8).checked_pow(U256::from(exponent))
}
