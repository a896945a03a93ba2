//! What the story needs of a genuine lending market, and what a liquidator who knows its rules does there.

use alloy_primitives::{Address, B256, Log, U256};
use plimsoll_devnet::{Evm, uniswap_v3::PoolOfTokens};
use plimsoll_market::{Event, EventBody, Market, MarketPool, PoolReplay, Start};
use plimsoll_protocols::{
    RawLog,
    chainlink::AggregatorEvent,
    uniswap_v3::{PoolEvent, PoolParams},
};
use plimsoll_units::{LogRef, Network};
use std::cmp::Reverse;

/// Who liquidates, with more of each token than he needs.
pub(super) const LIQUIDATOR: Address = Address::repeat_byte(0x77);
/// Who lends.
pub(super) const LENDER: Address = Address::repeat_byte(0x66);

/// Ether, dollar, bitcoin: decimals and dollars a whole token.
pub(super) const TOKENS: [(u8, u64); 3] = [(18, 2_000), (6, 1), (8, 40_000)];
pub(super) const ETHER: usize = 0;
pub(super) const DOLLAR: usize = 1;
pub(super) const BITCOIN: usize = 2;

/// Ether and bitcoin, each against the dollar, as an exchange lists them: fee and spacing of the tier.
pub(super) const TIERS: [(usize, (u32, i32)); 2] = [(ETHER, (500, 10)), (BITCOIN, (3_000, 60))];

/// What a liquidation moved, by the contracts' own word, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) repaid: U256,
    /// What the liquidator has got of the collateral.
    pub(super) seized: U256,
}

/// A genuine lending market beside genuine pools. A reserve is known by its token, with Compound by its cToken.
pub(super) trait Genuine: Clone {
    fn chain(&mut self) -> &mut Evm;
    /// The market's address.
    fn address(&self) -> Address;
    /// Ether, dollar, bitcoin.
    fn tokens(&self) -> [Address; 3];
    /// Its pools, in the order of [`TIERS`].
    fn pools(&self) -> [PoolOfTokens; 2];
    /// The token of a reserve, which Aave knows a reserve by.
    fn token(&self, reserve: Address) -> Address {
        reserve
    }
    /// One price, as its holder has it.
    fn price(&mut self, token: usize) -> U256;
    fn set_price(&mut self, token: usize, price: U256);
    /// The price that such a worth in dollars of a whole token makes, at such a price of the dollar.
    fn price_of(&self, token: usize, worth: U256, dollar: U256) -> U256;
    /// A borrower comes: has so many dollars' worth of collateral, and owes so many dollars' worth.
    fn borrow(&mut self, who: Address, pledged: &[(usize, u64)], owed: &[(usize, u64)], told: &mut Listener);
    /// Lenders bring what is lent.
    fn open(&mut self, told: &mut Listener);
    /// Brings interest up to date where the contracts' views wait for it.
    fn accrue(&mut self) {}
    /// The health factor; `None` without debt.
    fn health(&mut self, who: Address) -> Option<U256>;
    /// Debts against collaterals by reserve: the largest first, by the contracts' balances and prices.
    fn pairs(&mut self, who: Address) -> Vec<[Address; 2]>;
    /// Liquidates as much as is allowed; `None` where the contract refuses.
    fn liquidate(&mut self, who: Address, pair: [Address; 2]) -> Option<Moved>;
    /// What may be borrowed against a token, in basis points.
    fn loan_to_value(&self, token: usize) -> u64;
    /// What so much ether is worth in base units of a reserve's token, rounded up.
    fn gas_in(&mut self, reserve: Address, wei: U256) -> U256;
    /// What is written off of a reserve, what accounts owe that have no collateral at all, and what those owe that have too little.
    fn bad_debt(&mut self, reserve: Address, borrowers: &[Address]) -> [U256; 3];
    fn reserves(&self) -> [Address; 3] {
        self.tokens()
    }
    /// The engine's state of the market against the contract's.
    fn compare(&mut self, state: &plimsoll_risk::on_chain::Lending);
}

/// The engine's market, which hears the logs and nothing else.
#[derive(Debug, Clone, Default)]
pub(super) struct Listener {
    pub(super) market: Market,
    lending: Option<Address>,
    /// The oracle that posts prices, where one does.
    pub(super) price_poster: Option<Address>,
    calls: u64,
}

impl Listener {
    pub(super) fn new(lending: plimsoll_market::LendingMarket) -> Self {
        let mut market = Market::default();
        let address = lending.address();
        market.insert_lending(lending);
        Self {
            market,
            lending: Some(address),
            price_poster: None,
            calls: 0,
        }
    }

    /// A pool, from its first log on.
    pub(super) fn add_pool(&mut self, pool: PoolOfTokens, (fee_pips, tick_spacing): (u32, i32), logs: &[Vec<Log>]) {
        let params = PoolParams::new(fee_pips, tick_spacing).expect("a tier");
        self.market.insert(MarketPool {
            replay: PoolReplay::new(Network::DEVNET, pool.pool, Start::Logs(params)),
            token0: pool.tokens[0],
            token1: pool.tokens[1],
        });
        for logs in logs {
            self.hear(logs, (0, 0));
        }
    }

    /// The logs of the last call, of a block at this time and of this number.
    pub(super) fn hear(&mut self, logs: &[Log], (timestamp, number): (u64, u64)) {
        self.calls += 1;
        for (place, log) in (0u32..).zip(logs) {
            let place = u32::try_from(self.calls).expect("few") * 64 + place;
            let raw = raw(log, timestamp, number, place);
            let contract = raw.address;
            let body = if self.market.pool(contract).is_some() {
                EventBody::UniswapV3(PoolEvent::decode(&raw).expect("a pool's"))
            } else if let Some(event) = AggregatorEvent::decode(&raw).ok().flatten() {
                EventBody::Aggregator(event)
            } else {
                let Some(market) = self.lending.filter(|_| self.is_of_lending(contract)) else {
                    continue;
                };
                EventBody::Lending {
                    market,
                    log: Box::new(raw.clone()),
                }
            };
            let at = raw.at;
            let applied = self.market.apply(&Event { at, contract, body });
            applied.unwrap_or_else(|error| panic!("{error}"));
        }
        self.market.end_block().unwrap_or_else(|error| panic!("{error}"));
    }

    fn is_of_lending(&self, contract: Address) -> bool {
        use plimsoll_market::LendingMarket::{AaveV2, AaveV3, CompoundV2, CompoundV3};
        let lending = self.lending.and_then(|address| self.market.lending(address));
        lending.is_some_and(|lending| match lending {
            AaveV2(replay) => replay.pool().contract(contract).is_some(),
            AaveV3(replay) => {
                let params = replay.pool().params();
                [params.address, params.configurator].contains(&contract) || replay.pool().token(contract).is_some()
            }
            CompoundV2(replay) => {
                let of_it = contract == replay.pool().comptroller() || replay.pool().market_id(contract).is_some();
                of_it || Some(contract) == self.price_poster
            }
            CompoundV3(replay) => contract == replay.address(),
        })
    }
}

/// A log as a node would give it; every call is a transaction of its own.
fn raw(log: &Log, timestamp: u64, number: u64, place: u32) -> RawLog {
    RawLog {
        at: LogRef {
            block_number: number,
            transaction_index: place / 64,
            log_index: place,
            transaction_hash: B256::ZERO,
        },
        block_timestamp: Some(timestamp),
        address: log.address,
        topics: log.topics().to_vec(),
        data: log.data.data.clone(),
    }
}

/// The largest worth first; what is worth as much stays in order.
pub(super) fn against(mut debts: Vec<(Address, U256)>, mut collaterals: Vec<(Address, U256)>) -> Vec<[Address; 2]> {
    debts.sort_by_key(|(_, worth)| Reverse(*worth));
    collaterals.sort_by_key(|(_, worth)| Reverse(*worth));
    let mut pairs = Vec::new();
    for (debt, _) in &debts {
        pairs.extend(collaterals.iter().map(|(collateral, _)| [*debt, *collateral]));
    }
    pairs
}
