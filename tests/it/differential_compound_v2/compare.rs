//! Every number of both sides beside each other.

use super::{Both, GenuineCompound, USERS};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::Chain;
use plimsoll_devnet::compound_v2::{CErc20Calls::*, ComptrollerCalls::*, Failure, GenuineMarket};
use plimsoll_protocols::compound_v2::{Account, Market, Refusal, Revert, Valuation};

impl<C: Chain> Both<C> {
    /// Every number of every market, every account's snapshot, markets entered and liquidity.
    pub(super) fn compare(&mut self) {
        let doing = self.doing("compare");
        let comptroller = self.genuine.comptroller();
        for (market, engine) in self.genuine.markets().to_vec().into_iter().zip(self.engine.markets()) {
            compare_market(&mut self.genuine, market, engine, &doing);
        }
        let genuine = &mut self.genuine;
        let [close_factor, incentive] = [
            genuine.ask(comptroller, &closeFactorMantissaCall {}),
            genuine.ask(comptroller, &liquidationIncentiveMantissaCall {}),
        ];
        assert_eq!(Ok(self.engine.close_factor()), close_factor, "{doing}");
        assert_eq!(Ok(self.engine.liquidation_incentive()), incentive, "{doing}");
        let paused = [
            genuine.ask(comptroller, &transferGuardianPausedCall {}),
            genuine.ask(comptroller, &seizeGuardianPausedCall {}),
        ];
        let engine = [self.engine.is_transfer_paused(), self.engine.is_seize_paused()];
        assert_eq!(engine.map(Ok), paused, "{doing}");
        let prices = |c_token: Address| self.prices.get(&c_token).copied().unwrap_or_default();
        let valuation = Valuation::new(&self.engine, &prices);
        for account in self.accounts() {
            self.compare_account(account, &valuation);
        }
    }

    /// Who may hold anything: users, the administrator, and the markets themselves.
    pub(super) fn accounts(&self) -> Vec<Address> {
        let markets = self.genuine.markets().iter().map(|market| market.c_token);
        USERS
            .into_iter()
            .chain([GenuineCompound::ADMIN])
            .chain(markets)
            .collect()
    }

    fn compare_account(&mut self, account: Address, valuation: &Valuation) {
        let doing = self.doing("compare");
        let comptroller = self.genuine.comptroller();
        for market in self.genuine.markets().to_vec() {
            let engine = self.engine.market(market.c_token).expect("a market");
            let id = self.engine.market_id(market.c_token).expect("a market");
            let position = self.engine.accounts().position(account, id);
            let snapshot = match (engine.borrow_balance_stored(&position), engine.exchange_rate_stored()) {
                (Ok(borrow), Ok(rate)) => [U256::ZERO, U256::from(position.tokens), borrow, rate],
                _ => [U256::from(9), U256::ZERO, U256::ZERO, U256::ZERO],
            };
            let call = getAccountSnapshotCall { account };
            let genuine = self.genuine.ask(market.c_token, &call).expect("a view");
            let genuine = [genuine.error, genuine.tokens, genuine.borrow, genuine.exchangeRate];
            assert_eq!(snapshot, genuine, "{doing}: {account} in {}", market.c_token);
        }
        let nothing = Account::default();
        let held = self.engine.accounts().get(account).unwrap_or(&nothing);
        let entered = held
            .entered()
            .iter()
            .map(|id| self.engine.markets()[usize::from(id.0)].c_token);
        let assets = self.genuine.ask(comptroller, &getAssetsInCall { account });
        assert_eq!(Ok(entered.collect::<Vec<_>>()), assets, "{doing}: {account}");
        let genuine = self.genuine.ask(comptroller, &getAccountLiquidityCall { account });
        let genuine = genuine.map(|answer| [answer.error, answer.liquidity, answer.shortfall]);
        let engine = valuation.liquidity(held).map(|answer| {
            let error = answer.error.map_or(0, |error| error.code());
            [U256::from(error), answer.liquidity, answer.shortfall]
        });
        assert_eq!(reasoned(engine), genuine, "{doing}: liquidity of {account}");
    }
}

/// Every number of one market.
fn compare_market<C: Chain>(genuine: &mut GenuineCompound<C>, market: GenuineMarket, engine: &Market, doing: &str) {
    let (c_token, comptroller) = (market.c_token, genuine.comptroller());
    let numbers = [
        genuine.ask(c_token, &getCashCall {}),
        genuine.ask(c_token, &totalBorrowsCall {}),
        genuine.ask(c_token, &totalReservesCall {}),
        genuine.ask(c_token, &totalSupplyCall {}),
        genuine.ask(c_token, &borrowIndexCall {}),
        genuine.ask(c_token, &accrualBlockNumberCall {}),
        genuine.ask(c_token, &reserveFactorMantissaCall {}),
        genuine.ask(comptroller, &borrowCapsCall { cToken: c_token }),
    ];
    let expected = [
        engine.cash,
        engine.total_borrows,
        engine.total_reserves,
        engine.total_supply,
        engine.borrow_index,
        U256::from(engine.accrual_block_number),
        engine.reserve_factor,
        engine.borrow_cap,
    ];
    assert_eq!(expected.map(Ok), numbers, "{doing}: {c_token}");
    let listed = genuine
        .ask(comptroller, &marketsCall { cToken: c_token })
        .expect("a view");
    let paused = [
        genuine.ask(comptroller, &mintGuardianPausedCall { cToken: c_token }),
        genuine.ask(comptroller, &borrowGuardianPausedCall { cToken: c_token }),
        genuine.ask(comptroller, &isDeprecatedCall { cToken: c_token }),
    ];
    let switches = [engine.mint_paused, engine.borrow_paused, engine.is_deprecated()];
    assert_eq!(switches.map(Ok), paused, "{doing}: {c_token}");
    assert_eq!(
        (engine.is_listed, engine.collateral_factor),
        (listed.isListed, listed.collateralFactorMantissa),
        "{doing}: {c_token}"
    );
    let rate = engine.exchange_rate_stored();
    let rate = rate.map_err(|_| Revert::Reason("exchangeRateStored: exchangeRateStoredInternal failed"));
    let stored = genuine.ask(c_token, &exchangeRateStoredCall {});
    assert_eq!(reasoned(rate), stored, "{doing}: {c_token}");
    let rates = [
        genuine.ask(c_token, &borrowRatePerBlockCall {}),
        genuine.ask(c_token, &supplyRatePerBlockCall {}),
    ];
    let expected = [engine.borrow_rate_per_block(), engine.supply_rate_per_block()];
    assert_eq!(expected.map(refused), rates, "{doing}: {c_token}");
}

/// An answer of the engine's as one of the bytecode's.
pub(super) fn reasoned<T>(answer: Result<T, Revert>) -> Result<T, Failure> {
    answer.map_err(|revert| Failure::Reverted(revert.reason().into_owned()))
}

/// An answer of the engine's as one of the bytecode's; the engine knows everything here.
pub(super) fn refused<T>(answer: Result<T, Refusal>) -> Result<T, Failure> {
    answer.map_err(|refusal| match refusal {
        Refusal::Revert(revert) => Failure::Reverted(revert.reason().into_owned()),
        other => panic!("{other}"),
    })
}
