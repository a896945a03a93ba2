//! Histories of a lending market made in tests: an exact pool, and the blocks that record what others did to it.

use crate::{Backtest, BacktestOutput, GasTable, Settings, history::Blocks};
use alloy_primitives::{Address, B256, I256, LogData, U256, address};
use alloy_sol_types::SolEvent;
use plimsoll_market::{
    AaveV3Contracts, AaveV3Replay, Event, EventBody, Feeds, LendingMarket, Market, Oracle, PriceSource,
};
use plimsoll_protocols::{
    RawLog,
    aave_v3::{
        self, Context, InterestRateMode, InterestRateStrategy, Pool, PoolEvent, PoolParams, Reserve, Revert, Revision,
        TokenEvent,
    },
    chainlink::{AggregatorEvent, Answer},
};
use plimsoll_runtime::{Block, Strategy, Valuation};
use plimsoll_units::{BlockRef, LogRef, Network};

/// Ether, by its token: 18 decimals, 2,000 dollars at first.
pub(crate) const ETHER: Address = address!("00000000000000000000000000000000000000e0");
/// Dollars, by their token: 6 decimals.
pub(crate) const DOLLAR: Address = address!("00000000000000000000000000000000000000d0");
pub(crate) const MARKET: Address = address!("0000000000000000000000000000000000000aa0");
const OTHER: Address = address!("00000000000000000000000000000000000000c1");
const FEED: Address = address!("00000000000000000000000000000000000000fe");

/// A dollar, as the oracle has it.
const USD: u64 = 100_000_000;

/// What others do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Done {
    Supply(Address, u128),
    Borrow(Address, u128),
    Repay(Address, u128),
    Withdraw(Address, u128),
    /// Ether's price in dollars.
    Price(u64),
    Nothing,
}

/// An exact market, and its record so far: one block a call, an hour apart.
#[derive(Debug, Clone)]
pub(crate) struct LendingHistory {
    pub(crate) pool: Pool,
    /// The market before the first block.
    first: Pool,
    pub(crate) price: u64,
    pub(crate) blocks: Vec<Block>,
}

impl LendingHistory {
    /// Reserves of ether and dollars that one other user fills: 1,000 ether and two million dollars, a tenth of each borrowed.
    pub(crate) fn new(revision: Revision) -> Self {
        Self::at(MARKET, revision)
    }

    /// The same at another address.
    pub(crate) fn at(address: Address, revision: Revision) -> Self {
        let params = PoolParams {
            address,
            configurator: address!("0000000000000000000000000000000000000ac0"),
            revision,
        };
        let mut pool = Pool::new(params);
        for (asset, decimals) in [(ETHER, 18), (DOLLAR, 6)] {
            let token = |last: u8| {
                let mut bytes = asset.0.0;
                bytes[0] = last;
                Address::from(bytes)
            };
            let mut reserve = Reserve::new(asset, token(1), token(2), token(3), decimals);
            let configuration = &mut reserve.configuration;
            configuration.set_ltv(U256::from(8_000)).expect("fits");
            configuration
                .set_liquidation_threshold(U256::from(8_250))
                .expect("fits");
            configuration.set_liquidation_bonus(U256::from(10_500)).expect("fits");
            configuration
                .set_liquidation_protocol_fee(U256::from(1_000))
                .expect("fits");
            configuration.set_reserve_factor(U256::from(1_500)).expect("fits");
            configuration.set_borrowing_enabled(true);
            let ray = |points: u64| U256::from(points) * U256::from(10).pow(U256::from(23));
            reserve.strategy = InterestRateStrategy {
                optimal_usage_ratio: ray(8_000),
                variable_rate_slope1: ray(400),
                variable_rate_slope2: ray(8_000),
                ..InterestRateStrategy::default()
            };
            reserve.last_update = time(0);
            pool.list(reserve).expect("there is room");
        }
        let mut history = Self {
            first: pool.clone(),
            pool,
            price: 2_000,
            blocks: Vec::new(),
        };
        let (ether, dollar) = (10u128.pow(18), 10u128.pow(6));
        for done in [
            Done::Price(2_000),
            Done::Supply(ETHER, 1_000 * ether),
            Done::Supply(DOLLAR, 2_000_000 * dollar),
            Done::Borrow(ETHER, 100 * ether),
            Done::Borrow(DOLLAR, 200_000 * dollar),
        ] {
            history.play(done).expect("it goes through");
        }
        history
    }

    /// Adds a block; where the market refuses the call, an empty one.
    pub(crate) fn play(&mut self, done: Done) -> Result<Vec<aave_v3::Event>, Revert> {
        let number = self.blocks.len() as u64 + 1;
        let price = self.price;
        let prices = move |asset: Address| Some(U256::from(if asset == ETHER { price * USD } else { USD }));
        let context = Context {
            now: time(number),
            caller: OTHER,
            prices: &prices,
        };
        let mode = InterestRateMode::Variable;
        let pool = &mut self.pool;
        let events = match done {
            Done::Supply(asset, amount) => pool.supply(&context, asset, U256::from(amount), OTHER),
            Done::Borrow(asset, amount) => pool.borrow(&context, asset, U256::from(amount), mode, OTHER),
            Done::Repay(asset, amount) => pool.repay(&context, asset, U256::from(amount), mode, OTHER),
            Done::Withdraw(asset, amount) => pool.withdraw(&context, asset, U256::from(amount), OTHER),
            Done::Price(price) => {
                self.price = price;
                Ok(Vec::new())
            }
            Done::Nothing => Ok(Vec::new()),
        };
        let timestamp = Some(time(number));
        let at = |log_index| LogRef {
            block_number: number,
            transaction_index: 0,
            log_index,
            transaction_hash: B256::ZERO,
        };
        let market = pool.params().address;
        let logs = events.iter().flatten().map(|event| emitted(market, event));
        let mut told: Vec<Event> = (0u32..)
            .zip(logs)
            .map(|(log_index, (address, data))| {
                let log = RawLog {
                    at: at(log_index),
                    block_timestamp: timestamp,
                    address,
                    topics: data.topics().to_vec(),
                    data: data.data,
                };
                Event {
                    at: log.at,
                    contract: address,
                    body: EventBody::Lending {
                        market,
                        log: Box::new(log),
                    },
                }
            })
            .collect();
        if let Done::Price(price) = done {
            told.push(Event {
                at: at(0),
                contract: FEED,
                body: EventBody::Aggregator(AggregatorEvent::AnswerUpdated(Answer {
                    value: I256::try_from(price * USD).expect("fits"),
                    round_id: U256::ZERO,
                    updated_at: time(number),
                })),
            });
        }
        self.blocks.push(Block {
            at: BlockRef { number, timestamp },
            base_fee_per_gas: Some(0),
            events: told,
        });
        events
    }

    /// The market as it is now, with nothing more to come; and ether's price.
    pub(crate) fn now(&self) -> (LendingMarket, Feeds, BlockRef) {
        let block = self.blocks.last().map(|block| block.at).expect("a block");
        let fixed = |price: u64| PriceSource::Fixed(U256::from(price * USD));
        let mut oracle = Oracle::default();
        oracle.set_source(ETHER, fixed(self.price));
        oracle.set_source(DOLLAR, fixed(1));
        let replay = AaveV3Replay::new(Network::DEVNET, self.pool.clone(), AaveV3Contracts::default(), oracle);
        (LendingMarket::AaveV3(replay), Feeds::default(), block)
    }

    /// Runs a strategy over the record with this much ether and as many dollars as it is worth at first; values are in dollars.
    pub(crate) fn run(&self, strategy: impl Strategy, settings: Settings, ether: U256) -> BacktestOutput {
        self.run_beside(&[], strategy, settings, ether)
    }

    /// The same with further markets, whose blocks are those of this one's numbers.
    pub(crate) fn run_beside(
        &self,
        others: &[&Self],
        strategy: impl Strategy,
        settings: Settings,
        ether: U256,
    ) -> BacktestOutput {
        let mut market = Market::default();
        let mut blocks = self.blocks.clone();
        for history in std::iter::once(&self).chain(others) {
            let mut oracle = Oracle::default();
            let feed = PriceSource::Feed {
                aggregator: FEED,
                scale: 0,
            };
            oracle.set_source(ETHER, feed);
            oracle.set_source(DOLLAR, PriceSource::Fixed(U256::from(USD)));
            let replay = AaveV3Replay::new(
                Network::DEVNET,
                history.first.clone(),
                AaveV3Contracts::default(),
                oracle,
            );
            market.insert_lending(LendingMarket::AaveV3(replay));
        }
        for (place, other) in others.iter().enumerate() {
            for (block, beside) in blocks.iter_mut().zip(&other.blocks) {
                block.events.extend(later(&beside.events, 1_000 * (place as u32 + 1)));
            }
        }
        let dollars = ether * U256::from(2_000) / U256::from(10).pow(U256::from(12));
        let backtest = Backtest {
            network: Network::DEVNET,
            settings,
            gas: GasTable::MEASURED,
            portfolio: [(ETHER, ether), (DOLLAR, dollars)].into(),
            valuation: Valuation {
                numeraire: DOLLAR,
                price_pools: &[],
                native: Some(ETHER),
            },
            charted: ETHER,
            from_block: None,
        };
        let blocks = Blocks(blocks.into());
        crate::run(&backtest, blocks, market, strategy, &mut ()).expect("a run")
    }
}

/// A lending market's events as they come after so many other logs of their block.
fn later(events: &[Event], logs: u32) -> impl Iterator<Item = Event> {
    let lending = events.iter().filter_map(|event| match &event.body {
        EventBody::Lending { market, log } => Some((event, *market, log.clone())),
        _ => None,
    });
    lending.map(move |(event, market, mut log)| {
        log.at.log_index += logs;
        Event {
            at: log.at,
            contract: event.contract,
            body: EventBody::Lending { market, log },
        }
    })
}

const fn time(block: u64) -> u64 {
    1_700_000_000 + 3_600 * block
}

fn emitted(market: Address, event: &aave_v3::Event) -> (Address, LogData) {
    match event {
        aave_v3::Event::Token(token, TokenEvent::Transfer(e)) => (*token, e.encode_log_data()),
        aave_v3::Event::Token(token, TokenEvent::Mint(e)) => (*token, e.encode_log_data()),
        aave_v3::Event::Token(token, TokenEvent::Burn(e)) => (*token, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::Supply(e)) => (market, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::Borrow(e)) => (market, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::Withdraw(e)) => (market, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::Repay(e)) => (market, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::ReserveDataUpdated(e)) => (market, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::ReserveUsedAsCollateralEnabled(e)) => (market, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::ReserveUsedAsCollateralDisabled(e)) => (market, e.encode_log_data()),
        other => unreachable!("no call here emits {other:?}"),
    }
}
