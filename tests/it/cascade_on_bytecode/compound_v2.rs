//! Compound v2, with prices posted in an oracle; a reserve is a cToken.

use super::genuine::{BITCOIN, DOLLAR, ETHER, Genuine, LENDER, LIQUIDATOR, Listener, Moved, TIERS, TOKENS, against};
use super::pools::{self, balance, mint, ten_to};
use alloy_primitives::{Address, U256, map::HashMap};
use plimsoll_devnet::{
    Evm,
    compound_v2::{
        CErc20Calls, Codes, ComptrollerCalls, GenuineCompound, GenuineMarket, Model, OracleCalls, Plan, TokenCalls,
    },
    uniswap_v3::PoolOfTokens,
};
use plimsoll_market::{CompoundV2Replay, CompoundV2Token, LendingMarket, Oracle};
use plimsoll_protocols::compound_v2::{InterestRateModel, MarketParams, Pool};
use plimsoll_risk::on_chain::Lending;
use plimsoll_units::Network;
use std::cell::RefCell;

#[derive(Clone)]
pub(super) struct Stage {
    compound: GenuineCompound,
    pools: [PoolOfTokens; 2],
}

/// A thousandth, scaled.
const PER_MILLE: u64 = 1_000_000_000_000_000;
/// What may be borrowed against anything, in thousandths.
const FACTOR: u64 = 750;

fn per_mille(number: u64) -> U256 {
    U256::from(number) * U256::from(PER_MILLE)
}

fn one() -> U256 {
    ten_to(18)
}

/// Yearly base, slope, slope beyond the kink, and the kink.
fn curve(token: usize) -> [U256; 4] {
    let kinked = [[0, 40, 1_090, 800], [20, 90, 2_000, 900], [10, 150, 3_000, 700]];
    kinked[token].map(per_mille)
}

/// A Compound with lenders and pools, which nobody has borrowed from. Each thread deploys one: a chain in the process stays in its thread.
pub(super) fn stage() -> (Stage, Listener) {
    thread_local!(static FRESH: RefCell<Option<(Stage, Listener)>> = const { RefCell::new(None) });
    FRESH.with_borrow_mut(|kept| kept.get_or_insert_with(fresh).clone())
}

fn fresh() -> (Stage, Listener) {
    let codes = Codes::load().unwrap_or_else(|error| panic!("{error}"));
    let plans: Vec<Plan> = TOKENS
        .into_iter()
        .enumerate()
        .map(|(token, (decimals, _))| {
            let [base, slope, jump, kink] = curve(token);
            Plan {
                decimals: Some(decimals),
                delegated: token == DOLLAR,
                initial_exchange_rate: U256::from(200_000_000) * ten_to(decimals),
                model: Model::JumpV2(base, slope, jump, kink),
            }
        })
        .collect();
    let chain = Evm::new(GenuineCompound::ADMIN);
    let mut compound = GenuineCompound::deploy_on(chain, &codes, &plans, &[LENDER, LIQUIDATOR]);
    let mut listener = listener(&mut compound);
    let tokens: Vec<Address> = compound
        .markets()
        .iter()
        .filter_map(|market| market.underlying)
        .collect();
    let side = |token: usize| (tokens[token], TOKENS[token].0, TOKENS[token].1);
    let pools = TIERS.map(|(token, tier)| {
        let depth = if token == ETHER { 30_000_000 } else { 12_000_000 };
        let (pool, logs) = pools::deploy(compound.chain(), [side(token), side(DOLLAR)], tier, depth);
        listener.add_pool(pool, tier, &logs);
        pool
    });
    let mut stage = Stage { compound, pools };
    stage.open(&mut listener);
    (stage, listener)
}

/// The engine's pool as the genuine one is deployed.
fn listener(compound: &mut GenuineCompound) -> Listener {
    let mut pool = Pool::new(compound.comptroller(), GenuineCompound::ADMIN);
    let mut tokens = HashMap::default();
    for (token, market) in compound.markets().to_vec().into_iter().enumerate() {
        let deployed = compound.ask(market.c_token, &CErc20Calls::accrualBlockNumberCall {});
        let [base, slope, jump, kink] = curve(token);
        let model = InterestRateModel::jump_v2(base, slope, jump, kink).expect("a curve");
        pool.know_model(market.model, model);
        let decimals = TOKENS[token].0;
        let params = MarketParams {
            c_token: market.c_token,
            lends_ether: false,
            initial_exchange_rate: U256::from(200_000_000) * ten_to(decimals),
            model: Some(model),
            block_number: deployed.expect("a view").to(),
        };
        pool.add_market(params).expect("a place");
        let underlying = market.underlying.expect("a token");
        tokens.insert(market.c_token, CompoundV2Token { underlying, decimals });
    }
    let poster = Some(compound.oracle());
    let replay = CompoundV2Replay::new(Network::DEVNET, pool, tokens, Oracle::default(), poster);
    let mut listener = Listener::new(LendingMarket::CompoundV2(replay));
    listener.price_poster = poster;
    listener
}

impl Stage {
    fn hear(&mut self, listener: &mut Listener) {
        let at = (self.compound.chain().now(), self.compound.block_number());
        listener.hear(&self.compound.logs().to_vec(), at);
    }

    fn market(&self, token: usize) -> GenuineMarket {
        self.compound.markets()[token]
    }

    fn place(&self, c_token: Address) -> usize {
        let mut markets = self.compound.markets().iter();
        markets.position(|market| market.c_token == c_token).expect("listed")
    }

    fn went(&mut self, code: Result<U256, plimsoll_devnet::compound_v2::Failure>, listener: &mut Listener) {
        assert_eq!(code, Ok(U256::ZERO));
        self.hear(listener);
    }

    /// cTokens, the underlying that they stand for, and what is owed, by the contract's own last accrual.
    fn snapshot(&mut self, token: usize, account: Address) -> [U256; 3] {
        let call = CErc20Calls::getAccountSnapshotCall { account };
        let told = self.compound.ask(self.market(token).c_token, &call).expect("a view");
        [told.tokens, told.tokens * told.exchangeRate / one(), told.borrow]
    }

    fn worth(&mut self, token: usize, amount: U256) -> U256 {
        amount * self.price(token) / one()
    }
}

impl Genuine for Stage {
    fn chain(&mut self) -> &mut Evm {
        self.compound.chain()
    }

    fn address(&self) -> Address {
        self.compound.comptroller()
    }

    fn tokens(&self) -> [Address; 3] {
        [ETHER, DOLLAR, BITCOIN].map(|token| self.market(token).underlying.expect("a token"))
    }

    fn pools(&self) -> [PoolOfTokens; 2] {
        self.pools
    }

    fn token(&self, reserve: Address) -> Address {
        self.tokens()[self.place(reserve)]
    }

    fn reserves(&self) -> [Address; 3] {
        [ETHER, DOLLAR, BITCOIN].map(|token| self.market(token).c_token)
    }

    fn price(&mut self, token: usize) -> U256 {
        let (oracle, c_token) = (self.compound.oracle(), self.market(token).c_token);
        let call = OracleCalls::getUnderlyingPriceCall { cToken: c_token };
        self.compound.ask(oracle, &call).expect("a view")
    }

    fn set_price(&mut self, token: usize, price: U256) {
        let market = self.market(token);
        self.compound.set_price(market, price).expect("an oracle");
    }

    fn price_of(&self, token: usize, worth: U256, dollar: U256) -> U256 {
        worth * dollar / ten_to(TOKENS[token].0)
    }

    fn loan_to_value(&self, _: usize) -> u64 {
        FACTOR * 10
    }

    fn gas_in(&mut self, reserve: Address, wei: U256) -> U256 {
        let token = self.place(reserve);
        (wei * self.price(ETHER)).div_ceil(self.price(token))
    }

    fn open(&mut self, listener: &mut Listener) {
        let comptroller = self.compound.comptroller();
        let admin = GenuineCompound::ADMIN;
        for (token, (decimals, dollars)) in TOKENS.into_iter().enumerate() {
            let market = self.market(token);
            self.set_price(token, U256::from(dollars) * ten_to(36 - decimals));
            self.hear(listener);
            let c_token = market.c_token;
            let code = self.compound.call(
                admin,
                comptroller,
                &ComptrollerCalls::_supportMarketCall { cToken: c_token },
            );
            self.went(code, listener);
            let factor = ComptrollerCalls::_setCollateralFactorCall {
                cToken: c_token,
                mantissa: per_mille(FACTOR),
            };
            let code = self.compound.call(admin, comptroller, &factor);
            self.went(code, listener);
            let mantissa = per_mille(100);
            let code = self
                .compound
                .call(admin, c_token, &CErc20Calls::_setReserveFactorCall { mantissa });
            self.went(code, listener);
        }
        let mantissa = per_mille(500);
        let code = self
            .compound
            .call(admin, comptroller, &ComptrollerCalls::_setCloseFactorCall { mantissa });
        self.went(code, listener);
        let mantissa = per_mille(1_080);
        let code = self.compound.call(
            admin,
            comptroller,
            &ComptrollerCalls::_setLiquidationIncentiveCall { mantissa },
        );
        self.went(code, listener);
        for (token, whole) in [(ETHER, 60_000u64), (DOLLAR, 150_000_000), (BITCOIN, 3_000)] {
            let amount = U256::from(whole) * ten_to(TOKENS[token].0);
            let code = self.compound.mint(LENDER, self.market(token), amount);
            self.went(code, listener);
        }
    }

    fn borrow(&mut self, who: Address, pledged: &[(usize, u64)], owed: &[(usize, u64)], listener: &mut Listener) {
        let amount = |(token, dollars): (usize, u64)| {
            let (decimals, price) = TOKENS[token];
            U256::from(dollars) * ten_to(decimals) / U256::from(price)
        };
        for &part in pledged {
            let market = self.market(part.0);
            let (token, spender) = (market.underlying.expect("a token"), market.c_token);
            mint(self.compound.chain(), token, who, amount(part));
            let amount = amount(part);
            let approve = TokenCalls::approveCall { spender, amount };
            self.compound.call(who, token, &approve).expect("approves");
            let code = self.compound.mint(who, market, amount);
            self.went(code, listener);
        }
        let entered = pledged.iter().map(|&(token, _)| self.market(token).c_token).collect();
        self.compound.enter_markets(who, entered).expect("enters");
        self.hear(listener);
        for &part in owed {
            let code = self.compound.borrow(who, self.market(part.0), amount(part));
            self.went(code, listener);
        }
    }

    fn accrue(&mut self) {
        for market in self.compound.markets().to_vec() {
            self.compound.accrue_interest(LENDER, market).expect("accrues");
        }
    }

    fn health(&mut self, who: Address) -> Option<U256> {
        let mut owed = U256::ZERO;
        for token in [ETHER, DOLLAR, BITCOIN] {
            let [_, _, borrow] = self.snapshot(token, who);
            owed += self.worth(token, borrow);
        }
        let comptroller = self.compound.comptroller();
        let call = ComptrollerCalls::getAccountLiquidityCall { account: who };
        let told = self.compound.ask(comptroller, &call).expect("a view");
        assert_eq!(told.error, U256::ZERO);
        (!owed.is_zero()).then(|| (owed + told.liquidity - told.shortfall) * one() / owed)
    }

    fn pairs(&mut self, who: Address) -> Vec<[Address; 2]> {
        let comptroller = self.compound.comptroller();
        let call = ComptrollerCalls::getAssetsInCall { account: who };
        let entered = self.compound.ask(comptroller, &call).expect("a view");
        let (mut debts, mut collaterals) = (Vec::new(), Vec::new());
        for token in [ETHER, DOLLAR, BITCOIN] {
            let c_token = self.market(token).c_token;
            if !entered.contains(&c_token) {
                continue;
            }
            let [tokens, amount, owed] = self.snapshot(token, who);
            if !owed.is_zero() {
                debts.push((c_token, self.worth(token, owed)));
            }
            if !tokens.is_zero() {
                collaterals.push((c_token, self.worth(token, amount)));
            }
        }
        against(debts, collaterals)
    }

    fn liquidate(&mut self, who: Address, [debt, collateral]: [Address; 2]) -> Option<Moved> {
        let comptroller = self.compound.comptroller();
        let [_, _, owed] = self.snapshot(self.place(debt), who);
        let [held, _, _] = self.snapshot(self.place(collateral), who);
        let factor = self
            .compound
            .ask(comptroller, &ComptrollerCalls::closeFactorMantissaCall {});
        let call = ComptrollerCalls::liquidateCalculateSeizeTokensCall {
            borrowed: debt,
            collateral,
            amount: one(),
        };
        let ratio = self.compound.ask(comptroller, &call).expect("a view").tokens;
        let payable = ((held + U256::ONE) * one() - U256::ONE) / ratio;
        let amount = (factor.expect("a view") * owed / one()).min(payable);
        if amount.is_zero() {
            return None;
        }
        let (market, other) = (self.market(self.place(debt)), self.market(self.place(collateral)));
        let code = self
            .compound
            .liquidate_borrow(LIQUIDATOR, who, market, amount, collateral);
        if code != Ok(U256::ZERO) {
            return None;
        }
        let token = other.underlying.expect("a token");
        let before = balance(self.compound.chain(), token, LIQUIDATOR);
        let [tokens, _, _] = self.snapshot(self.place(collateral), LIQUIDATOR);
        if !tokens.is_zero() && self.compound.redeem(LIQUIDATOR, other, tokens) != Ok(U256::ZERO) {
            return None;
        }
        let after = balance(self.compound.chain(), token, LIQUIDATOR);
        Some(Moved {
            repaid: amount,
            seized: after - before,
        })
    }

    fn bad_debt(&mut self, reserve: Address, borrowers: &[Address]) -> [U256; 3] {
        let place = self.place(reserve);
        let (mut stranded, mut uncovered) = (U256::ZERO, U256::ZERO);
        for &who in borrowers {
            let (mut held, mut owed, mut here) = (U256::ZERO, U256::ZERO, U256::ZERO);
            for token in [ETHER, DOLLAR, BITCOIN] {
                let [_, amount, borrow] = self.snapshot(token, who);
                held += self.worth(token, amount);
                owed += self.worth(token, borrow);
                if token == place {
                    here = borrow;
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
        let pool = state.compound_v2().expect("Compound v2");
        for market in self.compound.markets().to_vec() {
            let c_token = market.c_token;
            let ours = pool.market(c_token).expect("listed");
            let compound = &mut self.compound;
            let genuine = [
                compound.ask(c_token, &CErc20Calls::getCashCall {}),
                compound.ask(c_token, &CErc20Calls::totalBorrowsCall {}),
                compound.ask(c_token, &CErc20Calls::totalReservesCall {}),
                compound.ask(c_token, &CErc20Calls::totalSupplyCall {}),
                compound.ask(c_token, &CErc20Calls::borrowIndexCall {}),
                compound.ask(c_token, &CErc20Calls::accrualBlockNumberCall {}),
            ];
            let ours = [
                ours.cash,
                ours.total_borrows,
                ours.total_reserves,
                ours.total_supply,
                ours.borrow_index,
                U256::from(ours.accrual_block_number),
            ];
            assert_eq!(genuine, ours.map(Ok), "{c_token}");
        }
    }
}
