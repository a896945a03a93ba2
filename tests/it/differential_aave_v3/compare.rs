//! Every number on both sides, and of the market that heard the logs alone.

use super::{Both, USERS};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::aave_v3::{
    Failure, OWNER, ReserveState, TREASURY, Version,
    calls::{LaterConfiguratorCalls, PoolCalls, ScaledTokenCalls},
};
use plimsoll_protocols::aave_v3::{BorrowAllowance, Pool, Reserve, TokenKind};

/// Everyone who may hold something.
fn holders(both: &Both) -> Vec<Address> {
    let tokens = both.engine.reserves().map(|reserve| reserve.a_token);
    USERS.into_iter().chain([OWNER, TREASURY]).chain(tokens).collect()
}

impl Both {
    pub(super) fn compare_everything(&mut self) {
        for asset in self.assets.clone() {
            self.compare_reserve(asset);
        }
        for user in holders(self) {
            self.compare_user(user);
        }
        self.compare_categories();
    }

    fn compare_reserve(&mut self, asset: Address) {
        let doing = self.doing("compare");
        let genuine = self.genuine.reserve(asset).expect("views");
        let Some(reserve) = self.engine.reserve(asset).copied() else {
            panic!("{doing}: {asset} is listed");
        };
        assert_eq!(state(&reserve, &genuine), genuine, "{doing}");
        let later = self.genuine.version() == Version::V3_6_0;
        let available = if later {
            U256::from(genuine.virtual_balance)
        } else {
            genuine.underlying_balance
        };
        assert_eq!(reserve.available_liquidity, available, "{doing}");
        let now = self.genuine.now();
        let income = self.genuine.read(&PoolCalls::getReserveNormalizedIncomeCall { asset });
        assert_eq!(reserve.normalized_income(now), Ok(income.expect("a view")), "{doing}");
        let debt = self
            .genuine
            .read(&PoolCalls::getReserveNormalizedVariableDebtCall { asset });
        let ours = reserve.normalized_debt(self.engine.revision(), now);
        assert_eq!(ours, Ok(debt.expect("a view")), "{doing}");
        if later {
            let grace = self.genuine.read(&PoolCalls::getLiquidationGracePeriodCall { asset });
            let grace: u64 = grace.expect("a view").to();
            assert_eq!(reserve.liquidation_grace_period_until, grace, "{doing}");
            let configurator = self.genuine.configurator();
            let pending = LaterConfiguratorCalls::getPendingLtvCall { asset };
            let pending = self.genuine.read_at(configurator, &pending).expect("a view");
            assert_eq!(U256::from(reserve.pending_ltv), pending, "{doing}");
        }
    }

    pub(super) fn compare_user(&mut self, user: Address) {
        let doing = self.doing("compare");
        let word = self.genuine.user_configuration(user).expect("a view");
        assert_eq!(self.engine.user_configuration(user).0, word, "{doing}: {user}");
        let category = self.genuine.user_e_mode(user).expect("a view");
        assert_eq!(self.engine.user_e_mode(user), category, "{doing}: {user}");
        for listing in self.genuine.listings().to_vec() {
            let id = self.engine.id(listing.asset).expect("listed");
            for (token, kind) in [
                (listing.a_token, TokenKind::AToken),
                (listing.variable_debt, TokenKind::VariableDebt),
            ] {
                let ours = self
                    .engine
                    .user(user)
                    .map(|user| user.balance(id, kind))
                    .unwrap_or_default();
                let scaled = self
                    .genuine
                    .read_at(token, &ScaledTokenCalls::scaledBalanceOfCall { user });
                assert_eq!(
                    U256::from(ours.amount),
                    scaled.expect("a view"),
                    "{doing}: {user}, {token}"
                );
                // An index without a balance tells nothing, and the engine forgets it.
                if ours.amount != 0 {
                    let index = self
                        .genuine
                        .read_at(token, &ScaledTokenCalls::getPreviousIndexCall { user });
                    assert_eq!(
                        U256::from(ours.last_index),
                        index.expect("a view"),
                        "{doing}: {user}, {token}"
                    );
                }
            }
        }
        self.compare_account(user);
    }

    /// All six numbers of an account.
    pub(super) fn compare_account(&mut self, user: Address) {
        let doing = self.doing("account");
        let genuine = self.genuine.user_account_data(user);
        let ours = self.engine.user_account_data(user, &self.prices, self.genuine.now());
        match (genuine, ours) {
            (Ok(genuine), Ok(ours)) => {
                let ours = [
                    ours.total_collateral_base,
                    ours.total_debt_base,
                    ours.available_borrows_base,
                    ours.current_liquidation_threshold,
                    ours.ltv,
                    ours.health_factor,
                ];
                let genuine = [
                    genuine.totalCollateralBase,
                    genuine.totalDebtBase,
                    genuine.availableBorrowsBase,
                    genuine.currentLiquidationThreshold,
                    genuine.ltv,
                    genuine.healthFactor,
                ];
                assert_eq!(ours, genuine, "{doing}: {user}");
            }
            (Err(Failure::Reverted(reason)), Err(revert)) => {
                assert_eq!(super::text(&revert, &self.engine), reason, "{doing}: {user}: {revert}");
            }
            (genuine, ours) => panic!("{doing}: {user}: the bytecode {genuine:?}, the engine {ours:?}"),
        }
    }

    fn compare_categories(&mut self) {
        if self.genuine.version() == Version::V3_0_2 {
            return;
        }
        let doing = self.doing("categories");
        for id in 1..=4 {
            let ours = self.engine.e_mode_category(id).cloned().unwrap_or_default();
            let genuine = &mut self.genuine;
            let config = genuine
                .read(&PoolCalls::getEModeCategoryCollateralConfigCall { id })
                .expect("a view");
            let numbers = (config.ltv, config.liquidationThreshold, config.liquidationBonus);
            assert_eq!(
                (ours.ltv, ours.liquidation_threshold, ours.liquidation_bonus),
                numbers,
                "{doing}"
            );
            let collateral = genuine.read(&PoolCalls::getEModeCategoryCollateralBitmapCall { id });
            assert_eq!(ours.collateral_bitmap, collateral.expect("a view"), "{doing}");
            let borrowable = genuine.read(&PoolCalls::getEModeCategoryBorrowableBitmapCall { id });
            assert_eq!(ours.borrowable_bitmap, borrowable.expect("a view"), "{doing}");
            let ltv_zero = genuine.read(&PoolCalls::getEModeCategoryLtvzeroBitmapCall { id });
            assert_eq!(ours.ltv_zero_bitmap, ltv_zero.expect("a view"), "{doing}");
        }
    }

    /// The market whose calls were carried out again against the engine's: all of its numbers, and little taken on the logs' word.
    pub(super) fn compare_replay(&mut self) {
        let doing = self.doing("the market from its calls");
        for reserve in self.engine.reserves() {
            let mut replayed = *self.replay.pool().reserve(reserve.asset).expect("listed");
            if self.genuine.version() == Version::V3_0_2 {
                // No log says what curve a new contract has.
                replayed.strategy = reserve.strategy;
            }
            assert_eq!(replayed, *reserve, "{doing}");
        }
        for user in holders(self) {
            assert_eq!(
                known(self.replay.pool(), user),
                known(&self.engine, user),
                "{doing}: {user}"
            );
        }
        let counts = self.replay.counts();
        // What a new contract's curve gives (3.0.2), and what parameters bring about, is taken on the logs' word.
        let most = match self.genuine.version() {
            Version::V3_0_2 => counts.logs,
            Version::V3_6_0 => counts.logs / 10,
        };
        assert!(counts.unverifiable <= most, "{doing}: {counts:?}");
    }

    /// The market from logs alone against the engine's, which equals the bytecode's.
    pub(super) fn compare_book(&mut self) {
        let doing = self.doing("the market from its logs");
        for reserve in self.engine.reserves() {
            let mut heard = *self.book.reserve(reserve.asset).expect("listed");
            if self.genuine.version() == Version::V3_0_2 {
                // No log says what curve a new contract has.
                assert_eq!(heard.strategy.address, reserve.strategy.address, "{doing}");
                heard.strategy = reserve.strategy;
            }
            assert_eq!(heard, *reserve, "{doing}");
        }
        for user in holders(self) {
            assert_eq!(known(&self.book, user), known(&self.engine, user), "{doing}: {user}");
        }
        for reserve in self.engine.reserves().map(|reserve| reserve.id) {
            for (from, to) in USERS.into_iter().flat_map(|from| USERS.map(|to| (from, to))) {
                let between = BorrowAllowance { reserve, from, to };
                let [heard, told] = [&self.book, &self.engine].map(|pool| pool.borrow_allowance(between));
                assert_eq!(heard, told, "{doing}: {between:?}");
            }
        }
        let categories = |pool: &Pool| {
            pool.e_mode_categories()
                .map(|(id, known)| (id, known.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(categories(&self.book), categories(&self.engine), "{doing}");
        assert_eq!(
            self.book.flash_loan_premium_total(),
            self.engine.flash_loan_premium_total()
        );
        assert_eq!(
            self.book.flash_loan_premium_to_protocol(),
            self.engine.flash_loan_premium_to_protocol()
        );
    }
}

fn known(pool: &Pool, user: Address) -> plimsoll_protocols::aave_v3::User {
    pool.user(user).cloned().unwrap_or_default()
}

/// A reserve as the bytecode's reads have it; what the engine does not tell apart is the bytecode's.
fn state(reserve: &Reserve, genuine: &ReserveState) -> ReserveState {
    ReserveState {
        configuration: reserve.configuration.0,
        liquidity_index: reserve.liquidity_index,
        liquidity_rate: reserve.liquidity_rate,
        variable_borrow_index: reserve.variable_borrow_index,
        variable_borrow_rate: reserve.variable_borrow_rate,
        stable_borrow_rate: reserve.stable_borrow_rate,
        last_update: reserve.last_update,
        id: reserve.id,
        accrued_to_treasury: reserve.accrued_to_treasury,
        unbacked: reserve.unbacked,
        isolation_mode_total_debt: reserve.isolation_mode_total_debt,
        scaled_a_token: reserve.scaled_supply,
        scaled_variable_debt: reserve.scaled_variable_debt,
        underlying_balance: genuine.underlying_balance,
        virtual_balance: genuine.virtual_balance,
        deficit: U256::from(reserve.deficit),
    }
}
