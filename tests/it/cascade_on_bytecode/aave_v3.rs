//! Aave v3, of either version that is published.

use super::genuine::{BITCOIN, DOLLAR, ETHER, Genuine, LENDER, LIQUIDATOR, Listener, Moved, TIERS, TOKENS, against};
use super::pools::{self, mint, ten_to};
use alloy_primitives::{Address, I256, U256, keccak256};
use alloy_sol_types::SolEvent;
use plimsoll_devnet::{
    Evm,
    aave_v3::{
        Failure, GenuineMarket, MarketSpec, Rates, ReserveSpec, TREASURY, Version,
        calls::{PoolCalls, PriceSourceCalls, ScaledTokenCalls},
    },
    uniswap_v3::PoolOfTokens,
};
use plimsoll_market::{AaveV3Contracts, AaveV3Replay, LendingMarket, Oracle, PriceSource};
use plimsoll_protocols::{
    aave_v3::{
        InterestRateStrategy, Pool, PoolParams, Reserve, ReserveConfiguration, Revision, StableRates, TokenKind,
        pool_abi::LiquidationCall,
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
        price: 100_000_000,
        rates: Rates {
            optimal_usage: 9_000,
            base: 100,
            slope1: 400,
            slope2: 6_000,
        },
        ltv: 7_700,
        liquidation_threshold: 8_000,
        liquidation_bonus: 10_450,
        reserve_factor: 1_000,
        ..ether
    };
    let bitcoin = ReserveSpec {
        symbol: "WBTC",
        decimals: 8,
        price: 40_000 * 100_000_000,
        ltv: 7_300,
        liquidation_threshold: 7_800,
        liquidation_bonus: 10_700,
        reserve_factor: 2_000,
        ..ether
    };
    [ether, dollar, bitcoin]
}

/// A market with lenders and pools, which nobody has borrowed from. Each thread deploys one: a chain in the process stays in its thread.
pub(super) fn stage(version: Version) -> (Stage, Listener) {
    thread_local!(static FRESH: RefCell<Option<(Stage, Listener)>> = const { RefCell::new(None) });
    let is_other = |kept: &(Stage, Listener)| kept.0.market.version() != version;
    FRESH.with_borrow_mut(|kept| {
        if kept.as_ref().is_some_and(is_other) {
            *kept = None;
        }
        kept.get_or_insert_with(|| fresh(version)).clone()
    })
}

fn fresh(version: Version) -> (Stage, Listener) {
    let spec = MarketSpec {
        version,
        reserves: specs().to_vec(),
        e_modes: Vec::new(),
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
    let revision = market.read(&PoolCalls::POOL_REVISIONCall {}).expect("a view");
    let mut pool = Pool::new(PoolParams {
        address: market.pool(),
        configurator: market.configurator(),
        revision: Revision::from_pool_revision(revision.to()).expect("known"),
    });
    let mut oracle = Oracle::default();
    for (listing, spec) in market.listings().to_vec().into_iter().zip(specs()) {
        let state = market.reserve(listing.asset).expect("views");
        let (a_token, debt) = (listing.a_token, listing.variable_debt);
        let mut reserve = Reserve::new(listing.asset, a_token, debt, TREASURY, spec.decimals);
        reserve.configuration = ReserveConfiguration(state.configuration);
        reserve.last_update = state.last_update;
        reserve.liquidity_rate = state.liquidity_rate;
        reserve.variable_borrow_rate = state.variable_borrow_rate;
        reserve.stable_borrow_rate = state.stable_borrow_rate;
        let asset = listing.asset;
        let data = market.read(&PoolCalls::getReserveDataCall { asset }).expect("a view");
        reserve.strategy = InterestRateStrategy {
            address: data.interestRateStrategyAddress,
            optimal_usage_ratio: ray(spec.rates.optimal_usage.into()),
            base_variable_borrow_rate: ray(spec.rates.base),
            variable_rate_slope1: ray(spec.rates.slope1),
            variable_rate_slope2: ray(spec.rates.slope2),
            stable: match market.version() {
                Version::V3_0_2 => StableRates {
                    base_offset: ray(200),
                    ..StableRates::default()
                },
                Version::V3_6_0 => StableRates::default(),
            },
        };
        pool.list(reserve).expect("there is room");
        let source = PriceSource::Feed {
            aggregator: listing.price_source,
            scale: 0,
        };
        oracle.set_source(asset, source);
    }
    let replay = AaveV3Replay::new(Network::DEVNET, pool, AaveV3Contracts::default(), oracle);
    let mut listener = Listener::new(LendingMarket::AaveV3(replay));
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

    fn balance(&mut self, token: Address, user: Address) -> U256 {
        let call = ScaledTokenCalls::balanceOfCall { user };
        self.market.read_at(token, &call).expect("a view")
    }

    fn worth(&mut self, token: usize, amount: U256) -> U256 {
        amount * self.price(token) / ten_to(TOKENS[token].0)
    }

    /// So much that both sides keep 1,001 dollars.
    fn without_dust(&mut self, who: Address, [debt, collateral]: [usize; 2]) -> Option<U256> {
        let listings = self.market.listings().to_vec();
        let owed = self.balance(listings[debt].variable_debt, who);
        let held = self.balance(listings[collateral].a_token, who);
        let kept = U256::from(1_001) * ten_to(8);
        let [of_debt, of_collateral] = [debt, collateral].map(|token| (ten_to(TOKENS[token].0), self.price(token)));
        let by_debt = owed.checked_sub((kept * of_debt.0).div_ceil(of_debt.1))?;
        let seizable = held.checked_sub((kept * of_collateral.0).div_ceil(of_collateral.1))?;
        let base = seizable * of_collateral.1 * of_debt.0 / (of_debt.1 * of_collateral.0);
        let bonus = U256::from(specs()[collateral].liquidation_bonus);
        let most = by_debt.min(base * U256::from(10_000) / bonus);
        (!most.is_zero()).then_some(most)
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
            self.market.supply(LENDER, asset, amount, LENDER).expect("supplies");
            self.hear(listener);
            mint(self.market.chain(), asset, LIQUIDATOR, U256::ONE << 150);
        }
    }

    fn borrow(&mut self, who: Address, pledged: &[(usize, u64)], owed: &[(usize, u64)], listener: &mut Listener) {
        self.market.endow(who).unwrap_or_else(|error| panic!("{error}"));
        let amount = |(token, dollars): (usize, u64)| {
            let (decimals, price) = TOKENS[token];
            U256::from(dollars) * ten_to(decimals) / U256::from(price)
        };
        for &part in pledged {
            let asset = self.market.assets()[part.0];
            self.market.supply(who, asset, amount(part), who).expect("supplies");
            self.hear(listener);
        }
        for &part in owed {
            let asset = self.market.assets()[part.0];
            self.market.borrow(who, asset, amount(part), who).expect("borrows");
            self.hear(listener);
        }
    }

    fn health(&mut self, who: Address) -> Option<U256> {
        let data = self.market.user_account_data(who).expect("a view");
        (!data.totalDebtBase.is_zero()).then_some(data.healthFactor)
    }

    fn pairs(&mut self, who: Address) -> Vec<[Address; 2]> {
        let word = self.market.user_configuration(who).expect("a view");
        let (mut debts, mut collaterals) = (Vec::new(), Vec::new());
        for (token, listing) in self.market.listings().to_vec().into_iter().enumerate() {
            let owed = self.balance(listing.variable_debt, who);
            if !owed.is_zero() {
                debts.push((listing.asset, self.worth(token, owed)));
            }
            let held = self.balance(listing.a_token, who);
            if word.bit(2 * token + 1) && !held.is_zero() {
                collaterals.push((listing.asset, self.worth(token, held)));
            }
        }
        against(debts, collaterals)
    }

    fn liquidate(&mut self, who: Address, [debt, collateral]: [Address; 2]) -> Option<Moved> {
        let market = &mut self.market;
        let mut called = market.liquidate(LIQUIDATOR, collateral, debt, who, U256::MAX, false);
        let dust = alloy_primitives::hex::encode_prefixed(&keccak256("MustNotLeaveDust()")[..4]);
        if called == Err(Failure::Reverted(dust)) {
            let pair = [debt, collateral].map(|asset| self.place(asset));
            let most = self.without_dust(who, pair)?;
            called = self.market.liquidate(LIQUIDATOR, collateral, debt, who, most, false);
        }
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
        let deficit = match self.market.version() {
            Version::V3_0_2 => U256::ZERO,
            Version::V3_6_0 => {
                let call = PoolCalls::getReserveDeficitCall { asset: reserve };
                self.market.read(&call).expect("a view")
            }
        };
        let (mut stranded, mut uncovered) = (U256::ZERO, U256::ZERO);
        for &who in borrowers {
            let (mut held, mut owed, mut here) = (U256::ZERO, U256::ZERO, U256::ZERO);
            for (token, listing) in self.market.listings().to_vec().into_iter().enumerate() {
                let amount = self.balance(listing.a_token, who);
                held += self.worth(token, amount);
                let amount = self.balance(listing.variable_debt, who);
                owed += self.worth(token, amount);
                if listing.asset == reserve {
                    here = amount;
                }
            }
            if owed > held {
                uncovered += here;
                if held.is_zero() {
                    stranded += here;
                }
            }
        }
        [deficit, stranded, uncovered]
    }

    fn compare(&mut self, state: &Lending) {
        let pool = state.aave_v3().expect("Aave v3");
        for listing in self.market.listings().to_vec() {
            let asset = listing.asset;
            let (ours, genuine) = (
                pool.reserve(asset).expect("listed"),
                self.market.reserve(asset).expect("views"),
            );
            assert_eq!(
                [
                    ours.liquidity_index,
                    ours.liquidity_rate,
                    ours.variable_borrow_index,
                    ours.variable_borrow_rate,
                    ours.accrued_to_treasury,
                    ours.deficit,
                    ours.last_update.into(),
                ],
                [
                    genuine.liquidity_index,
                    genuine.liquidity_rate,
                    genuine.variable_borrow_index,
                    genuine.variable_borrow_rate,
                    genuine.accrued_to_treasury,
                    genuine.deficit.to(),
                    genuine.last_update.into(),
                ],
                "{asset}"
            );
            assert_eq!(ours.scaled_supply, genuine.scaled_a_token, "{asset}");
            assert_eq!(ours.scaled_variable_debt, genuine.scaled_variable_debt, "{asset}");
            let here = U256::from(
                pool.user(TREASURY)
                    .map_or(0, |user| user.balance(ours.id, TokenKind::AToken).amount),
            );
            let user = TREASURY;
            let scaled = self
                .market
                .read_at(listing.a_token, &ScaledTokenCalls::scaledBalanceOfCall { user });
            assert_eq!(here, scaled.expect("a view"), "the treasury's {asset}");
        }
    }
}
