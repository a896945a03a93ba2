//! Random sequences on the published bytecode of Aave v2 and on the engine's pool: every number and every event equal, every
//! revert for the same reason; and a second pool that is fed with the events alone.

mod extremes;
mod governance;
mod operations;

use super::random_sequences::{Dice, OPERATIONS, seeds_or, spread_over};
use alloy_primitives::{Address, B256, I256, Log, U256, map::HashMap};
use plimsoll_devnet::aave_v2::{Failure, GenuineMarket, MarketSpec, Rates, ReserveSpec, TREASURY};
use plimsoll_market::{AaveV2Contracts, AaveV2Replay, Feeds, Oracle, PriceSource};
use plimsoll_protocols::RawLog;
use plimsoll_protocols::aave_v2::{
    Emitted, Errors, InterestRateStrategy, Outcome, Pool, PoolParams, Reserve, ReserveConfiguration, ReserveParams,
    Revert, StableDebt, User,
};
use plimsoll_protocols::chainlink::Answer;
use plimsoll_units::{LogRef, Network};
use std::collections::BTreeMap;

/// Seeds of one run; `PLIMSOLL_DIFFERENTIAL_SEEDS` asks for more.
const SEEDS: u64 = 100;

/// The reasons that no call can meet: a rate of 32 bits of basis points does not overflow, no stable rate does before the
/// reserve's own, nobody repays more stable debt than he owes, and a threshold times a bonus is at most the whole. (The last:
/// four reserves are not 128.)
const UNREACHED: [Errors; 7] = [
    Errors::LiquidityRateOverflow,
    Errors::VariableBorrowRateOverflow,
    Errors::StableDebtOverflow,
    Errors::BurnExceedsBalance,
    Errors::InvalidLtv,
    Errors::InvalidLiquidationThreshold,
    Errors::NoMoreReservesAllowed,
];
/// What SafeMath, ERC-20 and SafeERC20 say, and what gives no reason.
const TEXTS: [&str; 8] = [
    "",
    "ERC20: burn amount exceeds balance",
    "ERC20: mint to the zero address",
    "ERC20: transfer amount exceeds balance",
    "ERC20: transfer to the zero address",
    "SafeERC20: low-level call failed",
    "SafeMath: multiplication overflow",
    "SafeMath: subtraction overflow",
];

const USERS: [Address; 5] = [
    Address::repeat_byte(0x51),
    Address::repeat_byte(0x52),
    Address::repeat_byte(0x53),
    Address::repeat_byte(0x54),
    Address::repeat_byte(0x55),
];

/// How often each call went through, and how often it was refused for each reason.
type Tally = BTreeMap<(&'static str, Option<String>), u64>;

thread_local! {
    /// Deployed once a thread; a sequence begins with a copy.
    static MARKET: GenuineMarket = GenuineMarket::deploy(&spec()).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_engine_does_what_the_bytecode_does() {
    let seeds = seeds_or(SEEDS);
    let mut tally = Tally::new();
    for (what, count) in spread_over(seeds, |seed| sequence(seed, MARKET.with(Clone::clone)))
        .into_iter()
        .flatten()
    {
        *tally.entry(what).or_default() += count;
    }
    let reverts = tally.iter().filter(|((_, reason), _)| reason.is_some());
    let reverts: u64 = reverts.map(|(_, count)| count).sum();
    let calls: u64 = tally.values().sum();
    println!("{calls} calls on both sides in {seeds} sequences, {reverts} of them reverted alike");
    for ((call, reason), count) in &tally {
        let reason = reason.as_deref();
        let name = reason.and_then(|reason| Errors::ALL.iter().find(|error| error.code() == reason));
        let said = name.map_or(reason.unwrap_or("done"), |error| error.name());
        println!("{count:>9} {call} {}", if said.is_empty() { "no reason" } else { said });
    }
    let rules = Errors::ALL.iter().filter(|error| !UNREACHED.contains(error));
    let reasons = rules.map(|error| error.code()).chain(TEXTS);
    let unseen: Vec<_> = reasons
        .filter(|reason| !tally.keys().any(|(_, seen)| seen.as_deref() == Some(reason)))
        .collect();
    assert!(
        unseen.is_empty() || seeds < SEEDS,
        "no call was refused for the reasons {unseen:?}"
    );
    assert!(reverts * 2 < calls, "most calls go through");
}

/// Ether, a dollar of 6 decimals, bitcoin of 8, and a dollar that is no collateral at first.
fn spec() -> MarketSpec {
    let ether = ReserveSpec::default();
    let dollar = ReserveSpec {
        symbol: "USDC",
        decimals: 6,
        price: 500_000_000_000_000,
        rates: Rates {
            optimal_usage: 9_000,
            base: 0,
            slope1: 400,
            slope2: 6_000,
        },
        stable_slopes: [200, 6_000],
        market_borrow_rate: 390,
        ..ether
    };
    let bitcoin = ReserveSpec {
        symbol: "WBTC",
        decimals: 8,
        price: 16_000_000_000_000_000_000,
        ltv: 7_000,
        liquidation_threshold: 7_500,
        liquidation_bonus: 11_000,
        reserve_factor: 2_000,
        ..ether
    };
    let second_dollar = ReserveSpec {
        symbol: "GUSD",
        decimals: 18,
        ltv: 0,
        liquidation_threshold: 0,
        liquidation_bonus: 0,
        stable_borrowing: false,
        ..dollar
    };
    MarketSpec {
        reserves: vec![ether, dollar, bitcoin, second_dollar],
        users: USERS.to_vec(),
    }
}

/// One sequence on both sides.
fn sequence(seed: u64, genuine: GenuineMarket) -> Tally {
    let mut both = Both::new(seed, genuine);
    both.begin();
    for operation in 0..OPERATIONS {
        both.operation = operation;
        let before = both.engine.reserves().to_vec();
        both.step();
        if operation % 10 == 9 {
            both.compare_everything();
        } else {
            // What should not have changed waits until everything is compared.
            both.compare_reserves(|reserve| !before.contains(reserve));
        }
    }
    both.compare_everything();
    both.tally
}

/// The same market four times: its bytecode, the engine, a pool that is told of the events, and one that follows the logs.
struct Both {
    dice: Dice,
    genuine: GenuineMarket,
    engine: Pool,
    book: Pool,
    replay: AaveV2Replay,
    feeds: Feeds,
    prices: HashMap<Address, U256>,
    tally: Tally,
    seed: u64,
    operation: u64,
}

/// What a call returned, as words.
type Words = Vec<U256>;

fn ray(basis_points: u32) -> U256 {
    U256::from(basis_points) * U256::from(10).pow(U256::from(23))
}

fn strategy(rates: Rates, stable_slopes: [u32; 2]) -> InterestRateStrategy {
    InterestRateStrategy {
        optimal_utilization_rate: ray(u32::from(rates.optimal_usage)),
        base_variable_borrow_rate: ray(rates.base),
        variable_rate_slope1: ray(rates.slope1),
        variable_rate_slope2: ray(rates.slope2),
        stable_rate_slope1: ray(stable_slopes[0]),
        stable_rate_slope2: ray(stable_slopes[1]),
    }
}

impl Both {
    fn new(seed: u64, mut genuine: GenuineMarket) -> Self {
        let mut engine = Pool::new(PoolParams {
            pool: genuine.pool(),
            configurator: genuine.configurator(),
        });
        let mut prices = HashMap::default();
        let listings = genuine.listings().to_vec();
        for (spec, listing) in spec().reserves.into_iter().zip(listings) {
            let params = ReserveParams {
                asset: listing.asset,
                a_token: listing.a_token,
                stable_debt: listing.stable_debt,
                variable_debt: listing.variable_debt,
                treasury: TREASURY,
            };
            let mut reserve = Reserve::new(params, 0, spec.decimals, strategy(spec.rates, spec.stable_slopes));
            reserve.market_borrow_rate = ray(spec.market_borrow_rate);
            let word = genuine.reserve(listing.asset).expect("a view").configuration;
            reserve.configuration = ReserveConfiguration(word);
            engine.list(reserve).expect("a few");
            prices.insert(listing.asset, U256::from(spec.price));
        }
        Self {
            dice: Dice::new(seed),
            book: engine.clone(),
            replay: replay(engine.clone()),
            feeds: Feeds::default(),
            genuine,
            engine,
            prices,
            tally: Tally::new(),
            seed,
            operation: 0,
        }
    }

    /// The same call on both sides; returns whether it went through.
    fn both(
        &mut self,
        what: &'static str,
        genuine: impl FnOnce(&mut GenuineMarket) -> Result<Words, Failure>,
        engine: impl FnOnce(&mut Pool, &dyn Fn(Address) -> Option<U256>, u64) -> Result<Outcome<Words>, Revert>,
    ) -> bool {
        let doing = self.doing(what);
        let before = self.engine.clone();
        let returned = genuine(&mut self.genuine);
        let now = self.genuine.now();
        let prices = &self.prices;
        let price = |asset: Address| prices.get(&asset).copied();
        let reason = match (returned, engine(&mut self.engine, &price, now)) {
            (Ok(returned), Ok(outcome)) => {
                assert_eq!(outcome.returned, returned, "{doing}");
                let emitted = self.emitted();
                assert_eq!(emitted, outcome.events, "{doing}");
                for Emitted { contract, event } in &emitted {
                    let recorded = self.book.record(*contract, event, now);
                    assert_eq!(recorded, Ok(()), "{doing}: {event:?}");
                }
                self.follow(&doing);
                None
            }
            (Err(Failure::Reverted(reason)), Err(revert)) => {
                assert_eq!(revert.reason(), Some(&*reason), "{doing}: {revert}");
                assert_eq!(self.engine, before, "{doing}: a revert leaves no trace");
                Some(reason)
            }
            (genuine, engine) => panic!("{doing}: the bytecode {genuine:?}, the engine {engine:?}"),
        };
        let done = reason.is_none();
        *self.tally.entry((what, reason)).or_default() += 1;
        done
    }

    /// The logs of the last call go through the replay.
    fn follow(&mut self, doing: &str) {
        for (asset, price) in &self.prices {
            let answer = Answer {
                value: I256::from_raw(*price),
                round_id: U256::ZERO,
                updated_at: self.genuine.now(),
            };
            self.feeds.set(*asset, answer);
        }
        for log in self.genuine.logs() {
            let log = RawLog {
                block_timestamp: Some(self.genuine.now()),
                ..raw(log)
            };
            if self.engine.decode(&log) != Ok(None) {
                let followed = self.replay.apply(&log, &self.feeds);
                assert_eq!(followed, Ok(()), "{doing}: {log:?}");
            }
        }
    }

    /// What the market's contracts emitted in the last call.
    fn emitted(&self) -> Vec<Emitted> {
        let logs = self.genuine.logs().iter();
        let decoded = logs.filter_map(|log| {
            let event = self
                .engine
                .decode(&raw(log))
                .unwrap_or_else(|error| panic!("{error}"))?;
            Some(Emitted {
                contract: log.address,
                event,
            })
        });
        decoded.collect()
    }

    /// Every number of the reserves, in the engine and in the book.
    fn compare_reserves(&mut self, wanted: impl Fn(&Reserve) -> bool) {
        let doing = self.doing("compare");
        let now = self.genuine.now();
        let reserves = self.engine.reserves().iter().zip(self.book.reserves());
        for (reserve, booked) in reserves.filter(|(reserve, _)| wanted(reserve)) {
            let state = self.genuine.reserve(reserve.params.asset).expect("views");
            let told = plimsoll_devnet::aave_v2::ReserveState {
                configuration: reserve.configuration.0,
                liquidity_index: reserve.liquidity_index,
                variable_borrow_index: reserve.variable_borrow_index,
                liquidity_rate: reserve.current_liquidity_rate,
                variable_borrow_rate: reserve.current_variable_borrow_rate,
                stable_borrow_rate: reserve.current_stable_borrow_rate,
                last_update: reserve.last_update,
                id: reserve.id,
                scaled_a_token: reserve.scaled_supply,
                scaled_variable_debt: reserve.scaled_variable_debt,
                stable_principal: reserve.stable.principal,
                stable_total: reserve
                    .stable
                    .total(now)
                    .map_err(|revert| revert.reason().unwrap_or("not supported").to_owned()),
                average_stable_rate: reserve.stable.average_rate,
                stable_last_update: reserve.stable.last_update,
                underlying_balance: reserve.available_liquidity,
            };
            assert_eq!(told, state, "{doing}");
            // What is no event: the curve of the rates, and the lending-rate oracle.
            let booked = Reserve {
                strategy: reserve.strategy,
                market_borrow_rate: reserve.market_borrow_rate,
                ..*booked
            };
            assert_eq!(&booked, reserve, "{doing}: the book");
        }
    }

    /// Every user's positions and accounts, with the interest of this moment.
    fn compare_everything(&mut self) {
        self.compare_reserves(|_| true);
        let doing = self.doing("compare");
        let now = self.genuine.now();
        let prices = self.prices.clone();
        for user in USERS.into_iter().chain([TREASURY]) {
            let known = self.engine.user(user).cloned().unwrap_or_default();
            let word = self.genuine.user_configuration(user).expect("a view");
            assert_eq!(known.configuration.0, word, "{doing}: {user}");
            for reserve in self.engine.reserves().to_vec() {
                self.compare_position(&known, user, &reserve, &doing);
            }
            let account = self
                .engine
                .user_account_data(user, &|asset| prices.get(&asset).copied(), now);
            match (self.genuine.user_account_data(user), account) {
                (Ok(data), Ok(account)) => {
                    let engine = [
                        account.total_collateral,
                        account.total_debt,
                        account.available_borrows,
                        account.current_liquidation_threshold,
                        account.ltv,
                        account.health_factor,
                    ];
                    let genuine = [
                        data.totalCollateralETH,
                        data.totalDebtETH,
                        data.availableBorrowsETH,
                        data.currentLiquidationThreshold,
                        data.ltv,
                        data.healthFactor,
                    ];
                    assert_eq!(engine, genuine, "{doing}: {user}");
                }
                (Err(Failure::Reverted(reason)), Err(revert)) => assert_eq!(revert.reason(), Some(&*reason), "{doing}"),
                (genuine, engine) => panic!("{doing}: {user}: {genuine:?}, {engine:?}"),
            }
        }
        let users = |pool: &Pool| -> BTreeMap<Address, User> {
            let users = pool.users().map(|(address, user)| (address, user.clone()));
            users.collect()
        };
        assert_eq!(users(&self.book), users(&self.engine), "{doing}: the book");
        assert_eq!(users(self.replay.pool()), users(&self.engine), "{doing}: the replay");
        assert_eq!(self.book.paused(), self.engine.paused(), "{doing}");
    }

    fn compare_position(&mut self, known: &User, user: Address, reserve: &Reserve, doing: &str) {
        let asset = reserve.params.asset;
        let position = known.position(reserve.id);
        let scaled = [position.scaled_supply, position.scaled_variable_debt];
        assert_eq!(
            Ok(scaled),
            self.genuine.scaled_balances(user, asset),
            "{doing}: {user} {asset}"
        );
        let debt = self.genuine.stable_debt(user, asset).expect("views");
        let debt = StableDebt {
            reserve: reserve.id,
            principal: debt.principal,
            rate: debt.rate.to(),
            last_update: debt.last_update,
        };
        assert_eq!(known.stable_debt(reserve.id), debt, "{doing}: {user} {asset}");
    }

    fn doing(&self, what: &str) -> String {
        format!("seed {}, operation {}: {what}", self.seed, self.operation)
    }
}

/// A log of the bytecode's as a node would give it.
fn raw(log: &Log) -> RawLog {
    RawLog {
        at: LogRef {
            block_number: 0,
            transaction_index: 0,
            log_index: 0,
            transaction_hash: B256::ZERO,
        },
        block_timestamp: None,
        address: log.address,
        topics: log.topics().to_vec(),
        data: log.data.data.clone(),
    }
}

/// A replay of the market from this state on; each asset's price is the answer of a feed of its own address.
fn replay(engine: Pool) -> AaveV2Replay {
    let mut oracle = Oracle::default();
    for reserve in engine.reserves() {
        let aggregator = reserve.params.asset;
        oracle.set_source(aggregator, PriceSource::Feed { aggregator, scale: 0 });
    }
    AaveV2Replay::new(Network::DEVNET, engine, AaveV2Contracts::default(), oracle)
}
