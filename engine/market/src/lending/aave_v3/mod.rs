//! Aave v3, followed log by log. The logs of one call are gathered and the call is carried out again; the state moves on as the engine
//! computes it where that gives the very logs. Where the data do not say enough (a price, a strategy's curve), or where logs belong to
//! no call, the state is taken from the logs themselves, indexes still being held against the formulas.

mod accounts;
mod contracts;
mod intent;
mod listing;

#[cfg(test)]
mod refusals;

pub use contracts::{AaveV3Contracts, AaveV3Token};

use super::{LendingCounts, LendingError, LendingErrorKind};
use crate::{Divergence, Feeds, Oracle};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::{
    RawLog,
    aave_v3::{
        Checkpoint, ConfiguratorEvent, Context, Event, NotAsRecorded, Pool, PoolEvent, Reserve, Revert, Revision,
        TokenEvent, is_of_proxy,
    },
};
use plimsoll_units::{LogRef, Network};
use std::collections::VecDeque;

/// What Aave v3 was before a block.
#[derive(Debug, Clone)]
pub struct AaveV3Before {
    state: Checkpoint,
    oracle: Oracle,
    counts: LendingCounts,
}

/// A transaction by its latest log.
#[derive(Debug, Clone, Copy)]
struct Transaction {
    at: LogRef,
    /// Its block's time, in seconds since the Unix epoch.
    timestamp: u64,
}

/// An Aave v3 market, followed log by log.
#[derive(Debug, Clone)]
pub struct AaveV3Replay {
    network: Network,
    pool: Pool,
    contracts: AaveV3Contracts,
    /// In the market's base currency.
    oracle: Oracle,
    /// The transaction that is being followed.
    transaction: Option<Transaction>,
    /// The logs of its last call so far.
    call: Vec<(LogRef, Event)>,
    /// What the last call must still emit.
    expected: VecDeque<Event>,
    /// A call that comes out otherwise, unless it turns out to lie within a flash loan.
    doubt: Option<Box<Divergence>>,
    counts: LendingCounts,
}

impl AaveV3Replay {
    /// Follows a market from this state on.
    pub fn new(network: Network, pool: Pool, contracts: AaveV3Contracts, oracle: Oracle) -> Self {
        Self {
            network,
            pool,
            contracts,
            oracle,
            transaction: None,
            call: Vec::new(),
            expected: VecDeque::new(),
            doubt: None,
            counts: LendingCounts::default(),
        }
    }

    /// The state. Within a block it lacks what the last transaction has emitted beyond its last call; see [`Self::end_block`].
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Where prices come from, in the market's base currency.
    pub const fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// What was followed so far.
    pub const fn counts(&self) -> LendingCounts {
        self.counts
    }

    /// What undoes a block that is about to begin; [`Self::apply`] adds to it.
    pub fn before(&self) -> AaveV3Before {
        AaveV3Before {
            state: self.pool.checkpoint(),
            oracle: self.oracle.clone(),
            counts: self.counts,
        }
    }

    /// Puts back what was before a block.
    pub fn restore(&mut self, before: AaveV3Before) {
        self.pool.restore(before.state);
        self.oracle = before.oracle;
        self.counts = before.counts;
        self.transaction = None;
        self.call.clear();
        self.expected.clear();
        self.doubt = None;
    }

    /// Takes over one log, and proves what it records. What it changes is first added to `before`.
    ///
    /// # Errors
    /// See [`LendingError`].
    pub fn apply(
        &mut self,
        log: &RawLog,
        feeds: &Feeds,
        before: Option<&mut AaveV3Before>,
    ) -> Result<(), LendingError> {
        self.counts.logs += 1;
        let timestamp = log
            .block_timestamp
            .ok_or_else(|| LendingError::refused(log, LendingErrorKind::NoTime))?;
        let same = |last: &Transaction| {
            (last.at.block_number, last.at.transaction_index) == (log.at.block_number, log.at.transaction_index)
        };
        if !self.transaction.as_ref().is_some_and(same) {
            self.end_block(feeds)?;
        }
        self.transaction = Some(Transaction { at: log.at, timestamp });
        if Some(log.address) == self.contracts.oracle {
            self.set_source(log)?;
            return Ok(());
        }
        if is_of_proxy(log) {
            return self.upgrade(log);
        }
        let event = match self.pool.decode(log)? {
            Some(event) => event,
            None if self.is_known(log.address) => return Ok(()),
            None => return Err(LendingError::refused(log, LendingErrorKind::UnknownContract)),
        };
        if let Some(before) = before {
            before.state.keep(&self.pool, &event);
        }
        if says_nothing(&event) {
            return Ok(());
        }
        if let Some(expected) = self.expected.pop_front() {
            return self.meet(log, &expected, &event);
        }
        match &event {
            Event::Configurator(configured) => {
                self.book_call(feeds)?;
                if let ConfiguratorEvent::ReserveInitialized(e) = configured {
                    self.list(log, e.asset)?;
                    self.set_strategy(e.asset, e.interestRateStrategyAddress);
                }
                self.book(log.at, log.address, &event)?;
                if let ConfiguratorEvent::ReserveInterestRateStrategyChanged(e) = configured {
                    self.set_strategy(e.asset, e.newStrategy);
                }
                Ok(())
            }
            Event::RateStrategy(_) => self.book(log.at, log.address, &event),
            // Whoever borrows on another's account uses up what he was allowed; the borrowing is followed as the debtor's own.
            Event::Token(_, TokenEvent::BorrowAllowanceDelegated(_)) => self.book(log.at, log.address, &event),
            _ => {
                let events: Vec<Event> = self.call.iter().map(|(_, event)| event.clone()).collect();
                let ends = intent::ends_call(&events, &event);
                self.call.push((log.at, event));
                if ends { self.settle(feeds) } else { Ok(()) }
            }
        }
    }

    /// Ends a block: what its last transaction has emitted beyond its last call is taken over.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn end_block(&mut self, feeds: &Feeds) -> Result<(), LendingError> {
        self.book_call(feeds)?;
        self.transaction = None;
        match self.doubt.take() {
            Some(doubt) => Err(LendingError::Divergence(doubt)),
            None => Ok(()),
        }
    }

    /// The time of the transaction's block, in seconds since the Unix epoch.
    fn now(&self) -> u64 {
        self.transaction.map_or(0, |transaction| transaction.timestamp)
    }

    /// Holds an event against the one that the last call must still emit.
    fn meet(&mut self, log: &RawLog, expected: &Event, event: &Event) -> Result<(), LendingError> {
        if event.says_the_same_as(expected) {
            return Ok(());
        }
        Err(self.diverges(log.at, log.address, event, expected))
    }

    /// Carries the gathered call out again. Flags that come first may be its own, or calls before it.
    fn settle(&mut self, feeds: &Feeds) -> Result<(), LendingError> {
        let call = std::mem::take(&mut self.call);
        let Err(difference) = self.reenact(&call, feeds) else {
            return Ok(());
        };
        let flags = call.iter().take_while(|(_, event)| intent::is_flag(event)).count();
        // A call that only lacks what the data do not say is not another one for that.
        let lacks = difference
            .as_ref()
            .is_some_and(|difference| self.may_lack_knowledge(difference, &call));
        let (before, rest) = call.split_at(if lacks || flags == call.len() { 0 } else { flags });
        let difference = match before {
            [] => difference,
            _ => {
                self.settle_flags(before, feeds)?;
                match self.reenact(rest, feeds) {
                    Ok(()) => return Ok(()),
                    Err(difference) => difference,
                }
            }
        };
        let events = rest.iter().map(|(_, event)| event);
        if let (Some(difference), Some((at, last))) = (difference, rest.last())
            && !self.may_lack_knowledge(&difference, rest)
        {
            self.doubt_if_none(*at, &difference, last);
        }
        self.counts.unverifiable += events.len() as u64;
        if let Some((_, Event::Pool(PoolEvent::FlashLoan(_)))) = rest.last() {
            // What lay within the loan met a reserve without the liquidity that was lent.
            self.doubt = None;
        }
        self.book_all(rest)
    }

    /// Flags that no other call explains, each by a call of its own.
    fn settle_flags(&mut self, flags: &[(LogRef, Event)], feeds: &Feeds) -> Result<(), LendingError> {
        for (place, (at, event)) in flags.iter().enumerate() {
            if let Err(difference) = self.reenact(&flags[place..=place], feeds) {
                if let Some(difference) = difference.filter(|difference| !self.may_lack_knowledge(difference, flags)) {
                    self.doubt_if_none(*at, &difference, event);
                }
                self.counts.unverifiable += 1;
                self.book(*at, self.emitter(event), event)?;
            }
        }
        Ok(())
    }

    /// Carries out the call that these logs tell of where it gives them; otherwise says what it gives, or nothing where they tell of
    /// none.
    fn reenact(&mut self, call: &[(LogRef, Event)], feeds: &Feeds) -> Result<(), Option<NotAsRecorded>> {
        let events: Vec<Event> = call.iter().map(|(_, event)| event.clone()).collect();
        let listed = |token| self.pool.reserves().find(move |reserve| reserve.a_token == token);
        let asset_of = |token| listed(token).map(|reserve| reserve.asset);
        let (caller, actions) = intent::of(&events, asset_of).ok_or(None)?;
        let prices = |asset| self.oracle.price(asset, feeds).ok().map(|price| price.value);
        let context = Context {
            now: self.now(),
            caller,
            prices: &prices,
        };
        let mut differences = Vec::new();
        for action in &actions {
            match self.pool.reenact(&context, action, &events) {
                Ok(beyond) => {
                    self.expected = beyond.into();
                    self.counts.proven += events.len() as u64;
                    return Ok(());
                }
                Err(difference) => differences.push(difference),
            }
        }
        // The one that lacks least tells most of what was asked for.
        let closest = differences
            .iter()
            .position(|difference| self.may_lack_knowledge(difference, call));
        Err(differences.into_iter().nth(closest.unwrap_or(0)))
    }

    /// Whether a call comes out otherwise only for want of a price, of a strategy's curve, or of what was sent to an aToken without
    /// a call (up to 3.0.2, where that counts as liquidity).
    fn may_lack_knowledge(&self, difference: &NotAsRecorded, call: &[(LogRef, Event)]) -> bool {
        match difference {
            NotAsRecorded::Reverts(Revert::NoPrice(_)) => true,
            NotAsRecorded::Reverts(_) => call.iter().any(|(_, event)| match event {
                Event::Pool(PoolEvent::ReserveDataUpdated(e)) => !self.knows_curve_of(e.reserve),
                _ => false,
            }),
            NotAsRecorded::Differs { recorded, computed } => match (recorded.as_deref(), computed.as_deref()) {
                (
                    Some(Event::Pool(PoolEvent::ReserveDataUpdated(recorded))),
                    Some(Event::Pool(PoolEvent::ReserveDataUpdated(computed))),
                ) => {
                    let indexes = |e: &plimsoll_protocols::aave_v3::pool_abi::ReserveDataUpdated| {
                        (e.reserve, e.liquidityIndex, e.variableBorrowIndex)
                    };
                    let curve_is_known = self.knows_curve_of(recorded.reserve);
                    let liquidity_is_known = self.pool.revision().virtual_balance();
                    indexes(recorded) == indexes(computed) && !(curve_is_known && liquidity_is_known)
                }
                _ => false,
            },
        }
    }

    fn knows_curve_of(&self, asset: Address) -> bool {
        let known = |reserve: &Reserve| !reserve.strategy.optimal_usage_ratio.is_zero();
        self.pool.reserve(asset).is_some_and(known)
    }

    fn doubt_if_none(&mut self, at: LogRef, difference: &NotAsRecorded, last: &Event) {
        if self.doubt.is_some() {
            return;
        }
        let described =
            |event: Option<&Event>| event.map_or_else(|| "nothing more".to_owned(), |event| format!("{event:?}"));
        let (expected, got) = match difference {
            NotAsRecorded::Reverts(revert) => (described(Some(last)), format!("a revert: {revert}")),
            NotAsRecorded::Differs { recorded, computed } => {
                (described(recorded.as_deref()), described(computed.as_deref()))
            }
        };
        self.doubt = Some(Box::new(Divergence {
            network: self.network,
            at,
            contract: self.pool.params().address,
            expected,
            got,
        }));
    }

    /// Takes over the gathered logs that end no call.
    fn book_call(&mut self, feeds: &Feeds) -> Result<(), LendingError> {
        let call = std::mem::take(&mut self.call);
        if let (Some(missing), Some(last)) = (self.expected.pop_front(), self.transaction) {
            let pool = self.pool.params().address;
            let nothing = "nothing more".to_owned();
            return Err(self.diverges_by(last.at, pool, nothing, format!("{missing:?}")));
        }
        let flags = call.iter().take_while(|(_, event)| intent::is_flag(event)).count();
        let (flags, rest) = call.split_at(flags);
        self.settle_flags(flags, feeds)?;
        self.counts.unverifiable += rest.len() as u64;
        self.book_all(rest)
    }

    fn book_all(&mut self, call: &[(LogRef, Event)]) -> Result<(), LendingError> {
        call.iter()
            .try_for_each(|(at, event)| self.book(*at, self.emitter(event), event))
    }

    fn emitter(&self, event: &Event) -> Address {
        match event {
            Event::Token(token, _) => *token,
            Event::Configurator(_) => self.pool.params().configurator,
            Event::Pool(_) | Event::RateStrategy(_) => self.pool.params().address,
        }
    }

    /// Takes an event's word for what changed, but for indexes, which the formulas give as well.
    fn book(&mut self, at: LogRef, emitter: Address, event: &Event) -> Result<(), LendingError> {
        if let Event::Pool(PoolEvent::ReserveDataUpdated(e)) = event {
            self.check_indexes(at, e)?;
        }
        let now = self.now();
        self.pool
            .apply(event, now)
            .map_err(|error| self.diverges_by(at, emitter, format!("{event:?}"), error.to_string()))
    }

    fn check_indexes(
        &self,
        at: LogRef,
        recorded: &plimsoll_protocols::aave_v3::pool_abi::ReserveDataUpdated,
    ) -> Result<(), LendingError> {
        let Some(mut reserve) = self.pool.reserve(recorded.reserve).copied() else {
            return Ok(());
        };
        let revision = self.pool.revision();
        let address = self.pool.params().address;
        let diverges = |expected, got| Err(self.diverges_by(at, address, expected, got));
        if let Err(revert) = reserve.update_state(revision, self.now()) {
            return diverges(format!("{recorded:?}"), revert.to_string());
        }
        let (borrow, supply) = (
            U256::from(reserve.variable_borrow_index),
            U256::from(reserve.liquidity_index),
        );
        if recorded.variableBorrowIndex != borrow {
            let expected = format!("variable borrow index {}", recorded.variableBorrowIndex);
            return diverges(expected, borrow.to_string());
        }
        // Up to 3.3 premiums of flash loans are in the supply index beside interest.
        let premium = revision < Revision::V3_4 && recorded.liquidityIndex > supply;
        if recorded.liquidityIndex != supply && !premium {
            return diverges(
                format!("liquidity index {}", recorded.liquidityIndex),
                supply.to_string(),
            );
        }
        Ok(())
    }

    fn diverges(&self, at: LogRef, contract: Address, recorded: &Event, computed: &Event) -> LendingError {
        self.diverges_by(at, contract, format!("{recorded:?}"), format!("{computed:?}"))
    }

    fn diverges_by(&self, at: LogRef, contract: Address, expected: String, got: String) -> LendingError {
        LendingError::Divergence(Box::new(Divergence {
            network: self.network,
            at,
            contract,
            expected,
            got,
        }))
    }
}

/// Events that change no number and end no call.
fn says_nothing(event: &Event) -> bool {
    matches!(
        event,
        Event::Token(_, TokenEvent::Approval(_))
            | Event::Pool(PoolEvent::PositionManagerApproved(_) | PoolEvent::PositionManagerRevoked(_))
    )
}
