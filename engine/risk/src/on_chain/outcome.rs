//! What a cascade did, as values. Amounts are base units unless a field says otherwise.

use super::{Clock, OracleUpdate, Shocked, Trade, VenueId};
use alloy_primitives::{Address, I256, U256};
use plimsoll_units::SqrtPriceX96;
use std::fmt;

/// An account below one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The lending market.
    pub market: Address,
    /// The account.
    pub account: Address,
    /// The contract's own health factor, one is 10^18; with Compound what may be borrowed over what is owed, rounded down.
    pub health_factor_wad: U256,
}

/// One liquidation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Liquidated {
    /// Whose, where, and how healthy just before.
    pub standing: Standing,
    /// The reserve of the debt: its asset, or its cToken with Compound v2.
    pub debt_reserve: Address,
    /// What is owed.
    pub debt_asset: Address,
    /// The reserve of the collateral.
    pub collateral_reserve: Address,
    /// What was seized.
    pub collateral_asset: Address,
    /// From the liquidator to the market, of the debt.
    pub repaid: U256,
    /// From the market to the liquidator, of the collateral.
    pub seized: U256,
    /// What of the account's collateral became the protocol's, which stays in the market.
    pub protocol_fee: U256,
    /// What a Comet took over, by asset; nothing of it is the liquidator's.
    pub absorbed: Vec<(Address, U256)>,
    /// What a Comet's reserves paid for the account.
    pub forgiven: U256,
    /// Debt that was written off, by reserve.
    pub deficits: Vec<(Address, U256)>,
    /// What the liquidator got and paid for it.
    pub sale: Sale,
}

/// How seized collateral was sold, and what it brought. All but `unsold` are of what was owed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sale {
    /// Pool by pool; none where debt and collateral are one token.
    pub trades: Vec<Trade>,
    /// What came out.
    pub proceeds: U256,
    /// What no pool took, of the collateral.
    pub unsold: U256,
    /// What gas cost.
    pub gas: U256,
    /// What came out, less what was repaid, less gas.
    pub profit: I256,
}

/// What was bought from a Comet's store front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bought {
    /// The Comet.
    pub market: Address,
    /// What was bought.
    pub asset: Address,
    /// How much of it.
    pub amount: U256,
    /// Base paid.
    pub paid: U256,
    /// What became of it.
    pub sale: Sale,
}

/// A liquidation that the rules did not allow, in the contract's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whose.
    pub standing: Standing,
    /// The reserve of the debt.
    pub debt_reserve: Address,
    /// The reserve of the collateral.
    pub collateral_reserve: Address,
    /// Why.
    pub reason: String,
}

/// What one token did in a round, by who holds it: the sum of all is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFlow {
    /// The token.
    pub token: Address,
    /// What lending markets hold more, by their own books.
    pub lending: I256,
    /// What pools got more.
    pub pools: I256,
    /// What liquidators have more.
    pub liquidators: I256,
    /// What suppliers took out.
    pub suppliers: I256,
    /// What was sold at an assumed price.
    pub outside: I256,
}

/// A pool's price after a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolPrice {
    /// The pool.
    pub pool: VenueId,
    /// The root of token1 per token0.
    pub sqrt_price: SqrtPriceX96,
}

/// One round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// From 1 on.
    pub number: u32,
    /// When.
    pub clock: Clock,
    /// Accounts below one as it began, the lowest first.
    pub below_one: Vec<Standing>,
    /// Accounts whose health the contracts could not tell, for want of a price.
    pub unvalued: usize,
    /// Of those below one, how many were let wait by latency.
    pub waiting: usize,
    /// What was liquidated, in order.
    pub liquidations: Vec<Liquidated>,
    /// What Comets sold, in order.
    pub bought: Vec<Bought>,
    /// What the rules did not allow.
    pub refused: Vec<Refused>,
    /// Accounts that stayed below one because nothing paid.
    pub unprofitable: Vec<Standing>,
    /// What suppliers withdrew, by token.
    pub exits: Vec<(Address, U256)>,
    /// Prices that followed, at its end.
    pub oracle: Vec<OracleUpdate>,
    /// Pools' prices at its end.
    pub pools: Vec<PoolPrice>,
    /// Where tokens went.
    pub flows: Vec<TokenFlow>,
}

/// Why a cascade ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoppedBy {
    /// Nobody is below one, and no price moves any more.
    NobodyBelowOne,
    /// Whoever is below one cannot be liquidated for gain, or not by the rules.
    NothingPays,
    /// The most rounds were reached.
    RoundLimit,
}

impl StoppedBy {
    /// The name that JSON knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NobodyBelowOne => "nobody_below_one",
            Self::NothingPays => "nothing_pays",
            Self::RoundLimit => "round_limit",
        }
    }
}

impl fmt::Display for StoppedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A price's way through a cascade, in the oracle's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricePath {
    /// The lending market.
    pub market: Address,
    /// The asset.
    pub asset: Address,
    /// Before the shock.
    pub before: U256,
    /// After it.
    pub shocked: U256,
    /// At the end.
    pub last: U256,
}

impl PricePath {
    /// The final change over the first, both against the price before the shock, as an exact fraction (numerator, denominator);
    /// `None` where the first is none.
    pub fn amplification(&self) -> Option<(I256, I256)> {
        let change = |to: U256| {
            let (to, from) = (I256::try_from(to).ok()?, I256::try_from(self.before).ok()?);
            to.checked_sub(from)
        };
        let (first, last) = (change(self.shocked)?, change(self.last)?);
        (!first.is_zero()).then_some((last, first))
    }
}

/// What one reserve has lost, in base units of its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadDebt {
    /// The lending market.
    pub market: Address,
    /// The reserve: its asset, or its cToken with Compound v2.
    pub reserve: Address,
    /// Its token.
    pub asset: Address,
    /// Written off in this cascade: Aave's deficit (from 3.3), or what a Comet's reserves paid beyond the worth of what they got.
    pub deficit: U256,
    /// Owed at the end by accounts that are left without any collateral.
    pub stranded: U256,
    /// Owed at the end by accounts whose collateral, all of it, is worth less than what they owe; the stranded among it.
    pub uncovered: U256,
}

/// What one lending market lacks at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// The lending market.
    pub market: Address,
    /// Accounts that owe more than all their collateral is worth.
    pub accounts: usize,
    /// Σ max(0, debt − collateral) over all accounts, in the oracle's unit: what was written off is not in it.
    pub value: U256,
}

/// A cascade from its shock to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cascade {
    /// The first move.
    pub shocked: Shocked,
    /// The rounds in which something happened.
    pub rounds: Vec<Round>,
    /// Why there are no more.
    pub stopped_by: StoppedBy,
    /// Every price that was shocked or has moved since.
    pub prices: Vec<PricePath>,
    /// By market and reserve; reserves that have lost nothing are left out.
    pub bad_debt: Vec<BadDebt>,
    /// By market.
    pub shortfalls: Vec<Shortfall>,
}

impl Cascade {
    /// Every liquidation, in order.
    pub fn liquidations(&self) -> impl Iterator<Item = &Liquidated> {
        self.rounds.iter().flat_map(|round| &round.liquidations)
    }

    /// How many rounds liquidated something.
    pub fn rounds_with_liquidations(&self) -> usize {
        let busy = |round: &&Round| !round.liquidations.is_empty();
        self.rounds.iter().filter(busy).count()
    }
}
