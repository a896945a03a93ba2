//! What a call sees and leaves: its block and prices, its events and its code.

use super::{Account, Event, Log, MarketId, Pool, Refusal, TokenError, TokenInfo, errors::Stop, market::Market};
use alloy_primitives::{Address, U256};

/// Where prices come from (`PriceOracle`).
pub trait PriceOracle {
    /// What one whole underlying of a cToken is worth, scaled by 1e(36 − decimals); zero where there is no price
    /// (`getUnderlyingPrice`).
    fn underlying_price(&self, c_token: Address) -> U256;
}

impl<F: Fn(Address) -> U256> PriceOracle for F {
    fn underlying_price(&self, c_token: Address) -> U256 {
        self(c_token)
    }
}

/// The block that a call is in, and its prices.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The block's number: interest accrues by blocks.
    pub block_number: u64,
    /// The prices.
    pub prices: &'a dyn PriceOracle,
}

impl std::fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment")
            .field("block_number", &self.block_number)
            .finish_non_exhaustive()
    }
}

/// What a call that did not revert returned and emitted.
///
/// A code other than zero is a failure without a revert: the last events say which, and what was done before it stays.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    /// Zero, or the contract's error code.
    pub code: u8,
    /// In the order of emission; rewards in COMP are left out.
    pub logs: Vec<Log>,
}

/// One call under way.
pub(super) struct Call<'a> {
    pub(super) pool: &'a mut Pool,
    pub(super) at: Moment<'a>,
    logs: Vec<Log>,
}

impl Call<'_> {
    pub(super) fn market(&self, id: MarketId) -> &Market {
        &self.pool.markets[usize::from(id.0)]
    }

    pub(super) fn market_mut(&mut self, id: MarketId) -> &mut Market {
        &mut self.pool.markets[usize::from(id.0)]
    }

    pub(super) fn price(&self, id: MarketId) -> U256 {
        self.at.prices.underlying_price(self.market(id).c_token)
    }

    /// A market emits an event.
    pub(super) fn emit(&mut self, market: MarketId, event: Event) {
        let emitter = self.market(market).c_token;
        self.logs.push(Log { emitter, event });
    }

    /// The comptroller emits an event.
    pub(super) fn emit_for_all(&mut self, event: Event) {
        let emitter = self.pool.comptroller();
        self.logs.push(Log { emitter, event });
    }

    /// A market fails with a code and the event that tells it.
    pub(super) fn fail(
        &mut self,
        market: MarketId,
        error: TokenError,
        info: TokenInfo,
        detail: u8,
    ) -> Stop<TokenError> {
        self.emit(market, failure(error.code(), info.code(), detail));
        Stop::Failed(error)
    }
}

/// The event of a failure.
pub(super) fn failure(error: u8, info: u8, detail: u8) -> Event {
    let [error, info, detail] = [error, info, detail].map(U256::from);
    Event::Failure { error, info, detail }
}

impl Pool {
    /// Carries a call out; where it reverts, the markets and accounts that it touches are as before.
    pub(super) fn carry_out<E: Into<u8>>(
        &mut self,
        at: Moment<'_>,
        markets: &[MarketId],
        accounts: &[Address],
        body: impl FnOnce(&mut Call<'_>) -> Result<(), Stop<E>>,
    ) -> Result<Outcome, Refusal> {
        let markets: Vec<(MarketId, Market)> = markets
            .iter()
            .map(|&id| (id, self.markets[usize::from(id.0)]))
            .collect();
        let kept = |&address: &Address| (address, self.accounts.get(address).cloned());
        let accounts: Vec<(Address, Option<Account>)> = accounts.iter().map(kept).collect();
        let mut call = Call {
            pool: self,
            at,
            logs: Vec::new(),
        };
        let result = body(&mut call);
        let logs = call.logs;
        let code = match result {
            Ok(()) => 0,
            Err(Stop::Failed(code)) => code.into(),
            Err(Stop::Refused(refusal)) => {
                for (id, market) in markets {
                    self.markets[usize::from(id.0)] = market;
                }
                for (address, account) in accounts {
                    self.accounts.replace(address, account);
                }
                return Err(refusal);
            }
        };
        Ok(Outcome { code, logs })
    }
}
