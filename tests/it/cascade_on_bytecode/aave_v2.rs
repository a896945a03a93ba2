//! Aave v2: prices are wei of ether.

use super::genuine::{BITCOIN, DOLLAR, ETHER, Genuine, LENDER, LIQUIDATOR, Listener, Moved, TIERS, TOKENS, against};
use super::pools::{self, mint, ten_to};
use alloy_primitives::{Address, I256, U256};
use alloy_sol_types::SolEvent;
use plimsoll_devnet::{
    Evm,
    aave_v2::{GenuineMarket, MarketSpec, Mode, Rates, ReserveSpec, TREASURY},
    aave_v3::calls::{AssetCalls, PriceSourceCalls},
    uniswap_v3::PoolOfTokens,
};
use plimsoll_market::{AaveV2Contracts, AaveV2Replay, LendingMarket, Oracle, PriceSource};
use plimsoll_protocols::{
    aave_v2::{
        InterestRateStrategy, Pool, PoolParams, Reserve, ReserveConfiguration, ReserveParams, pool_abi::LiquidationCall,
    },
    chainlink::Answer,
};
use plimsoll_risk::on_chain::Lending;
use plimsoll_units::Network;
use std::cell::RefCell;

#[derive(Clone)]
pub(super) struct Stage {
    market: GenuineMarket,
    pools: [PoolOfTokens; 2],
}

fn specs() -> [ReserveSpec; 3] {
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
        ltv: 7_700,
        liquidation_threshold: 8_000,
        liquidation_bonus: 10_450,
        ..ether
    };
    let bitcoin = ReserveSpec {
        symbol: "WBTC",
        decimals: 8,
        price: 20_000_000_000_000_000_000,
        ltv: 7_000,
        liquidation_threshold: 7_500,
        liquidation_bonus: 10_900,
        reserve_factor: 2_000,
        ..ether
    };
    [ether, dollar, bitcoin]
}

/// A market with lenders and pools, which nobody has borrowed from. Each thread deploys one: a chain in the process stays in its thread.
pub(super) fn stage() -> (Stage, Listener) {
    thread_local!(static FRESH: RefCell<Option<(Stage, Listener)>> = const { RefCell::new(None) });
    FRESH.with_borrow_mut(|kept| kept.get_or_insert_with(fresh).clone())
}

fn fresh() -> (Stage, Listener) {
    let spec = MarketSpec {
        reserves: specs().to_vec(),
        users: vec![LENDER, LIQUIDATOR],
    };
    let mut market = GenuineMarket::deploy(&spec).unwrap_or_else(|error| panic!("{error}"));
    let mut listener = listener(&mut market);
    let assets = market.assets();
    let side = |token: usize| (assets[token], TOKENS[token].0, TOKENS[token].1);
    let pools = TIERS.map(|(token, tier)| {
        let depth = if token == ETHER { 30_000_000 } else { 12_000_000 };
        let (pool, logs) = pools::deploy(market.chain(), [side(token), side(DOLLAR)], tier, depth);
        listener.add_pool(pool, tier, &logs);
        pool
    });
    let mut stage = Stage { market, pools };
    stage.open(&mut listener);
    (stage, listener)
}

fn ray(points: u32) -> U256 {
    U256::from(points) * ten_to(23)
}

/// The engine's market as the genuine one is deployed.
fn listener(market: &mut GenuineMarket) -> Listener {
    let mut pool = Pool::new(PoolParams {
        pool: market.pool(),
        configurator: market.configurator(),
    });
    let mut oracle = Oracle::default();
    for (listing, spec) in market.listings().to_vec().into_iter().zip(specs()) {
        let params = ReserveParams {
            asset: listing.asset,
            a_token: listing.a_token,
            stable_debt: listing.stable_debt,
            variable_debt: listing.variable_debt,
            treasury: TREASURY,
        };
        let strategy = InterestRateStrategy {
            optimal_utilization_rate: ray(spec.rates.optimal_usage.into()),
            base_variable_borrow_rate: ray(spec.rates.base),
            variable_rate_slope1: ray(spec.rates.slope1),
            variable_rate_slope2: ray(spec.rates.slope2),
            stable_rate_slope1: ray(spec.stable_slopes[0]),
            stable_rate_slope2: ray(spec.stable_slopes[1]),
        };
        let mut reserve = Reserve::new(params, 0, spec.decimals, strategy);
        reserve.market_borrow_rate = ray(spec.market_borrow_rate);
        let word = market.reserve(listing.asset).expect("a view").configuration;
        reserve.configuration = ReserveConfiguration(word);
        pool.list(reserve).expect("a few");
        let source = PriceSource::Feed {
            aggregator: listing.price_source,
            scale: 0,
        };
        oracle.set_source(listing.asset, source);
    }
    let replay = AaveV2Replay::new(Network::DEVNET, pool, AaveV2Contracts::default(), oracle);
    let mut listener = Listener::new(LendingMarket::AaveV2(replay));
    for (listing, spec) in market.listings().iter().zip(specs()) {
        let answer = Answer {
            value: I256::try_from(spec.price).expect("small"),
            round_id: U256::ONE,
            updated_at: market.now(),
        };
        listener.market.set_answer(listing.price_source, answer);
    }
    listener
}

impl Stage {
    fn hear(&mut self, listener: &mut Listener) {
        let at = (self.market.now(), self.market.chain().block_number());
        listener.hear(self.market.logs(), at);
    }

    /// Supplied, owed at the variable rate.
    fn balances(&mut self, token: usize, user: Address) -> [U256; 2] {
        let asset = self.market.assets()[token];
        let [supplied, variable, _] = self.market.balances(user, asset).expect("views");
        [supplied, variable]
    }

    fn worth(&mut self, token: usize, amount: U256) -> U256 {
        amount * self.price(token) / ten_to(TOKENS[token].0)
    }

    fn place(&self, asset: Address) -> usize {
        let assets = self.market.assets();
        assets.iter().position(|known| *known == asset).expect("listed")
    }
}

impl Genuine for Stage {
    fn chain(&mut self) -> &mut Evm {
        self.market.chain()
    }

    fn address(&self) -> Address {
        self.market.pool()
    }

    fn tokens(&self) -> [Address; 3] {
        self.market.assets().try_into().expect("three")
    }

    fn pools(&self) -> [PoolOfTokens; 2] {
        self.pools
    }

    fn price(&mut self, token: usize) -> U256 {
        let source = self.market.listings()[token].price_source;
        let answer = self.market.read_at(source, &PriceSourceCalls::latestAnswerCall {});
        answer.expect("a view").into_raw()
    }

    fn set_price(&mut self, token: usize, price: U256) {
        let asset = self.market.assets()[token];
        self.market.set_price(asset, price).expect("a feed");
    }

    fn price_of(&self, _: usize, worth: U256, dollar: U256) -> U256 {
        worth * dollar / ten_to(TOKENS[DOLLAR].0)
    }

    fn loan_to_value(&self, token: usize) -> u64 {
        specs()[token].ltv.into()
    }

    fn gas_in(&mut self, reserve: Address, wei: U256) -> U256 {
        let token = self.place(reserve);
        (wei * self.price(ETHER) * ten_to(TOKENS[token].0)).div_ceil(self.price(token) * ten_to(18))
    }

    fn open(&mut self, listener: &mut Listener) {
        for (token, whole) in [(ETHER, 60_000u64), (DOLLAR, 150_000_000), (BITCOIN, 3_000)] {
            let asset = self.market.assets()[token];
            let amount = U256::from(whole) * ten_to(TOKENS[token].0);
            self.market.deposit(LENDER, asset, amount, LENDER).expect("supplies");
            self.hear(listener);
            mint(self.market.chain(), asset, LIQUIDATOR, U256::ONE << 150);
        }
    }

    fn borrow(&mut self, who: Address, pledged: &[(usize, u64)], owed: &[(usize, u64)], listener: &mut Listener) {
        for asset in self.market.assets() {
            mint(self.market.chain(), asset, who, U256::ONE << 120);
            let approve = AssetCalls::approveCall {
                spender: self.market.pool(),
                amount: U256::MAX,
            };
            self.market.call_at(who, asset, &approve).expect("approves");
        }
        let amount = |(token, dollars): (usize, u64)| {
            let (decimals, price) = TOKENS[token];
            U256::from(dollars) * ten_to(decimals) / U256::from(price)
        };
        for &part in pledged {
            let asset = self.market.assets()[part.0];
            self.market.deposit(who, asset, amount(part), who).expect("supplies");
            self.hear(listener);
        }
        for &part in owed {
            let asset = self.market.assets()[part.0];
            let amount = amount(part);
            self.market
                .borrow(who, asset, amount, Mode::Variable, who)
                .expect("borrows");
            self.hear(listener);
        }
    }

    fn health(&mut self, who: Address) -> Option<U256> {
        let data = self.market.user_account_data(who).expect("a view");
        (!data.totalDebtETH.is_zero()).then_some(data.healthFactor)
    }

    fn pairs(&mut self, who: Address) -> Vec<[Address; 2]> {
        let word = self.market.user_configuration(who).expect("a view");
        let (mut debts, mut collaterals) = (Vec::new(), Vec::new());
        for (token, listing) in self.market.listings().to_vec().into_iter().enumerate() {
            let [held, owed] = self.balances(token, who);
            if !owed.is_zero() {
                debts.push((listing.asset, self.worth(token, owed)));
            }
            if word.bit(2 * token + 1) && !held.is_zero() {
                collaterals.push((listing.asset, self.worth(token, held)));
            }
        }
        against(debts, collaterals)
    }

    fn liquidate(&mut self, who: Address, [debt, collateral]: [Address; 2]) -> Option<Moved> {
        let called = self
            .market
            .liquidate(LIQUIDATOR, collateral, debt, who, U256::MAX, false);
        called.ok()?;
        let logs = self.market.logs().iter();
        let mut told = logs.filter_map(|log| LiquidationCall::decode_log(log).ok());
        let told = told.next().expect("told");
        Some(Moved {
            repaid: told.debtToCover,
            seized: told.liquidatedCollateralAmount,
        })
    }

    fn bad_debt(&mut self, reserve: Address, borrowers: &[Address]) -> [U256; 3] {
        let (mut stranded, mut uncovered) = (U256::ZERO, U256::ZERO);
        for &who in borrowers {
            let (mut held, mut owed, mut here) = (U256::ZERO, U256::ZERO, U256::ZERO);
            for (token, listing) in self.market.listings().to_vec().into_iter().enumerate() {
                let [supplied, variable] = self.balances(token, who);
                held += self.worth(token, supplied);
                owed += self.worth(token, variable);
                if listing.asset == reserve {
                    here = variable;
                }
            }
            if owed > held {
                uncovered += here;
                if held.is_zero() {
                    stranded += here;
                }
            }
        }
        [U256::ZERO, stranded, uncovered]
    }

    fn compare(&mut self, state: &Lending) {
        let pool = state.aave_v2().expect("Aave v2");
        for asset in self.market.assets() {
            let (ours, genuine) = (
                pool.reserve(asset).expect("listed"),
                self.market.reserve(asset).expect("views"),
            );
            assert_eq!(
                [
                    ours.liquidity_index,
                    ours.current_liquidity_rate,
                    ours.variable_borrow_index,
                    ours.current_variable_borrow_rate,
                    ours.current_stable_borrow_rate,
                    ours.last_update.into(),
                ],
                [
                    genuine.liquidity_index,
                    genuine.liquidity_rate,
                    genuine.variable_borrow_index,
                    genuine.variable_borrow_rate,
                    genuine.stable_borrow_rate,
                    genuine.last_update.into(),
                ],
                "{asset}"
            );
            assert_eq!(
                [ours.scaled_supply, ours.scaled_variable_debt, ours.available_liquidity],
                [
                    genuine.scaled_a_token,
                    genuine.scaled_variable_debt,
                    genuine.underlying_balance
                ],
                "{asset}"
            );
        }
    }
}
