//! Aave v3, followed log by log. The logs of one call are gathered and the call is carried out again; the state moves on as the engine
//! computes it where that gives the very logs. Where the data do not say enough (a price, a strategy's curve), or where logs belong to
//! no call, the state is taken from the logs themselves, indexes still being held against the formulas.

mod accounts;
mod intent;

use super::{LendingCounts, LendingError, LendingErrorKind};
use crate::{Divergence, Feeds, Oracle, PriceSource};
use alloy_primitives::{Address, U256, map::HashMap};
use plimsoll_protocols::{
    RawLog,
    aave_v3::{
        AssetSourceUpdated, Checkpoint, ConfiguratorEvent, Context, Event, InterestRateStrategy, NotAsRecorded, Pool,
        PoolEvent, Reserve, Revert, Revision, is_of_proxy, is_upgrade,
    },
};
use plimsoll_units::{LogRef, Network};
use std::collections::VecDeque;

/// What of a reserve no log of the market says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AaveV3Token {
    /// Its aToken.
    pub a_token: Address,
    /// Its variable debt token.
    pub variable_debt_token: Address,
    /// The asset's decimals.
    pub decimals: u8,
    /// Who receives what accrues to the treasury.
    pub treasury: Address,
}

/// What is known of a market's contracts beside their logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AaveV3Contracts {
    /// By asset: every reserve that is, was or will be listed in the data.
    pub tokens: HashMap<Address, AaveV3Token>,
    /// The releases that the pool runs, each from a block on, in order.
    pub revisions: Vec<(u64, Revision)>,
    /// The oracle, whose logs say where prices come from.
    pub oracle: Option<Address>,
    /// The aggregator behind a price source that is a proxy.
    pub aggregators: HashMap<Address, Address>,
    /// Rate strategies by address: with their curves where each serves one reserve (up to 3.0.2), which no log tells, and without
    /// one where it serves them all, whose logs do.
    pub strategies: HashMap<Address, InterestRateStrategy>,
}

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
            self.end_block()?;
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
                self.book_call()?;
                if let ConfiguratorEvent::ReserveInitialized(e) = configured {
                    self.list(log, e.asset)?;
                }
                self.book(log.at, log.address, &event)
            }
            Event::RateStrategy(_) => self.book(log.at, log.address, &event),
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
    pub fn end_block(&mut self) -> Result<(), LendingError> {
        self.book_call()?;
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

    /// Whether an address is one of the market's that has not been listed yet, or whose logs say nothing here.
    fn is_known(&self, address: Address) -> bool {
        let of = |token: &AaveV3Token| token.a_token == address || token.variable_debt_token == address;
        self.contracts.tokens.values().any(of) || self.contracts.strategies.contains_key(&address)
    }

    fn set_source(&mut self, log: &RawLog) -> Result<(), LendingError> {
        if let Some(AssetSourceUpdated { asset, source }) = AssetSourceUpdated::decode(log)? {
            let aggregator = self.contracts.aggregators.get(&source).copied().unwrap_or(source);
            let source = PriceSource::Feed { aggregator, scale: 0 };
            self.oracle.set_source(asset, source);
        }
        Ok(())
    }

    /// A proxy's own log: of the pool, it may be the beginning of other rules.
    fn upgrade(&mut self, log: &RawLog) -> Result<(), LendingError> {
        let of_pool = log.address == self.pool.params().address;
        if !(of_pool && is_upgrade(log)) {
            return Ok(());
        }
        let block = log.at.block_number;
        let known = self.contracts.revisions.iter().rev().find(|(from, _)| *from <= block);
        // An upgrade is to a release that was asked for at that block, or to one that nobody has said.
        match known {
            Some((from, revision)) if *from == block || *revision == self.pool.revision() => {
                self.pool.upgrade(*revision);
                Ok(())
            }
            _ => {
                let what = "the pool was upgraded, and to which release is not known".to_owned();
                Err(LendingError::refused(log, LendingErrorKind::Unsupported(what)))
            }
        }
    }

    fn list(&mut self, log: &RawLog, asset: Address) -> Result<(), LendingError> {
        let Some(token) = self.contracts.tokens.get(&asset) else {
            let what = format!("a reserve of {asset} is listed of which nothing is known");
            return Err(LendingError::refused(log, LendingErrorKind::Unsupported(what)));
        };
        let mut reserve = Reserve::new(
            asset,
            token.a_token,
            token.variable_debt_token,
            token.treasury,
            token.decimals,
        );
        // From 3.1 to 3.3 each listing chose, and no log tells what.
        if self.pool.revision() >= Revision::V3_4 {
            reserve.configuration.set_virtual_acc_active(true);
        }
        let listed = self.pool.list(reserve);
        listed.map_err(|error| LendingError::refused(log, LendingErrorKind::Unsupported(error.to_string())))?;
        Ok(())
    }

    /// Holds an event against the one that the last call must still emit.
    fn meet(&mut self, log: &RawLog, expected: &Event, event: &Event) -> Result<(), LendingError> {
        if event.says_the_same_as(expected) {
            return Ok(());
        }
        Err(self.diverges(log.at, log.address, event, expected))
    }

    /// Carries the gathered call out again.
    fn settle(&mut self, feeds: &Feeds) -> Result<(), LendingError> {
        let call = std::mem::take(&mut self.call);
        let events: Vec<Event> = call.iter().map(|(_, event)| event.clone()).collect();
        let asset_of = |token| {
            self.pool
                .reserves()
                .find(|reserve| reserve.a_token == token)
                .map(|known| known.asset)
        };
        let Some((caller, actions)) = intent::of(&events, asset_of) else {
            return self.book_all(&call);
        };
        let prices = |asset| self.oracle.price(asset, feeds).ok().map(|price| price.value);
        let context = Context {
            now: self.now(),
            caller,
            prices: &prices,
        };
        let mut first = None;
        for action in &actions {
            match self.pool.reenact(&context, action, &events) {
                Ok(beyond) => {
                    self.expected = beyond.into();
                    self.counts.proven += events.len() as u64;
                    return Ok(());
                }
                Err(difference) => {
                    first.get_or_insert(difference);
                }
            }
        }
        let at = call.last().map(|(at, _)| *at);
        if let (Some(difference), Some(at)) = (first, at)
            && !self.may_lack_knowledge(&difference, &events)
        {
            self.doubt_if_none(at, &difference, &events);
        }
        self.counts.unverifiable += events.len() as u64;
        if let Some(Event::Pool(PoolEvent::FlashLoan(_))) = events.last() {
            // What lay within the loan met a reserve without the liquidity that was lent.
            self.doubt = None;
        }
        self.book_all(&call)
    }

    /// Whether a call comes out otherwise only for want of a price, of a strategy's curve, or of what was sent to an aToken without
    /// a call (up to 3.0.2, where that counts as liquidity).
    fn may_lack_knowledge(&self, difference: &NotAsRecorded, events: &[Event]) -> bool {
        match difference {
            NotAsRecorded::Reverts(Revert::NoPrice(_)) => true,
            NotAsRecorded::Reverts(_) => events.iter().any(|event| match event {
                Event::Pool(PoolEvent::ReserveDataUpdated(e)) => !self.curve_is_known(e.reserve),
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
                    let curve_is_known = self.curve_is_known(recorded.reserve);
                    let liquidity_is_known = self.pool.revision().virtual_balance();
                    indexes(recorded) == indexes(computed) && !(curve_is_known && liquidity_is_known)
                }
                _ => false,
            },
        }
    }

    fn curve_is_known(&self, asset: Address) -> bool {
        let reserve = self.pool.reserve(asset);
        reserve.is_some_and(|reserve| !reserve.strategy.optimal_usage_ratio.is_zero())
    }

    fn doubt_if_none(&mut self, at: LogRef, difference: &NotAsRecorded, events: &[Event]) {
        if self.doubt.is_some() {
            return;
        }
        let described =
            |event: Option<&Event>| event.map_or_else(|| "nothing more".to_owned(), |event| format!("{event:?}"));
        let (expected, got) = match difference {
            NotAsRecorded::Reverts(revert) => (described(events.last()), format!("a revert: {revert}")),
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
    fn book_call(&mut self) -> Result<(), LendingError> {
        let call = std::mem::take(&mut self.call);
        if let (Some(missing), Some(last)) = (self.expected.pop_front(), self.transaction) {
            let pool = self.pool.params().address;
            let nothing = "nothing more".to_owned();
            return Err(self.diverges_by(last.at, pool, nothing, format!("{missing:?}")));
        }
        self.counts.unverifiable += call.len() as u64;
        self.book_all(&call)
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
            .map_err(|error| self.diverges_by(at, emitter, format!("{event:?}"), error.to_string()))?;
        match event {
            Event::Configurator(ConfiguratorEvent::ReserveInitialized(e)) => {
                self.take_curve(e.asset, e.interestRateStrategyAddress);
            }
            Event::Configurator(ConfiguratorEvent::ReserveInterestRateStrategyChanged(e)) => {
                self.take_curve(e.asset, e.newStrategy);
            }
            _ => {}
        }
        Ok(())
    }

    /// A reserve's rates are set by a contract of its own from here on (up to 3.0.2), whose curve may not be known.
    fn take_curve(&mut self, asset: Address, address: Address) {
        if self.pool.revision().virtual_balance() {
            return;
        }
        let unknown = InterestRateStrategy {
            address,
            ..InterestRateStrategy::default()
        };
        let strategy = self.contracts.strategies.get(&address).copied().unwrap_or(unknown);
        if let Some(reserve) = self.pool.id(asset).and_then(|id| self.pool.reserve_mut(id)) {
            reserve.strategy = strategy;
        }
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
    use plimsoll_protocols::aave_v3::TokenEvent;
    matches!(
        event,
        Event::Token(_, TokenEvent::Approval(_) | TokenEvent::BorrowAllowanceDelegated(_))
            | Event::Pool(PoolEvent::PositionManagerApproved(_) | PoolEvent::PositionManagerRevoked(_))
    )
}
