//! A pool that follows a chain's logs: balances, flags, indexes and parameters from events alone.

use super::{
    Contract, Errors, Event, Mode, Pool, Reserve, Revert, StableDebt, StableSupply, User,
    abi::{ATokenEvent, ConfiguratorEvent, PoolEvent, StableDebtEvent, VariableDebtEvent, stable_debt},
    draft::Draft,
    reserve::fits,
    safe_math::{add, ray_div},
};
use alloy_primitives::{Address, U256};

/// An event that does not fit what the pool knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// It comes from a contract that is none of the pool's.
    #[error("{0} is no contract of the market's")]
    Stranger(Address),
    /// It is about an asset without a reserve.
    #[error("{0} has no reserve")]
    NotListed(Address),
    /// It takes more from a balance than there is: earlier events are missing.
    #[error("{user} has less than the event takes away")]
    Missing {
        /// Whose balance.
        user: Address,
    },
    /// A number that does not fit.
    #[error(transparent)]
    Number(#[from] Revert),
}

impl Pool {
    /// Takes one event of the market's into account; `timestamp` is its block's, in seconds since the Unix epoch.
    ///
    /// Scaled balances follow from values over the event's index, as v2 rounds them; `BalanceTransfer` is unscaled. Whether a
    /// user owes a reserve has no event: it follows from `Borrow` and `Repay`. What a reserve holds follows from what came in
    /// and went out; donations are not seen. A strategy is known by its address alone, so that rates are the events', not
    /// computed. A reserve that `ReserveInitialized` adds must have been listed ([`Pool::list`]) with its token's decimals.
    ///
    /// # Errors
    /// An event that does not fit what the pool knows; balances, flags and numbers are then left as they were.
    pub fn record(&mut self, contract: Address, event: &Event, timestamp: u64) -> Result<(), BookError> {
        let borrowed = self.recording.borrowed.take();
        match (self.contract(contract), event) {
            (Some(Contract::Pool), Event::PoolEvent(event)) => self.record_pool(event, borrowed, timestamp),
            (Some(Contract::Configurator), Event::ConfiguratorEvent(event)) => self.record_configurator(event),
            (Some(Contract::AToken(id)), Event::ATokenEvent(event)) => self.record_a_token(id, event),
            (Some(Contract::VariableDebt(id)), Event::VariableDebtEvent(event)) => {
                self.record_variable_debt(id, event, timestamp)
            }
            (Some(Contract::StableDebt(id)), Event::StableDebtEvent(event)) => {
                self.record_stable_debt(id, event, timestamp)
            }
            _ => Err(BookError::Stranger(contract)),
        }
    }

    fn known(&mut self, asset: Address) -> Result<&mut Reserve, BookError> {
        let id = self.reserve(asset).map(|reserve| reserve.id);
        let id = id.ok_or(BookError::NotListed(asset))?;
        self.by_id(id)
    }

    fn by_id(&mut self, id: u8) -> Result<&mut Reserve, BookError> {
        let reserve = self.reserves.get_mut(usize::from(id));
        reserve.ok_or(BookError::Number(Revert::WithoutReason))
    }

    fn change(&mut self, address: Address, change: impl FnOnce(&mut User)) {
        let mut user = self.users.remove(&address).unwrap_or_default();
        change(&mut user);
        self.set_user(address, user);
    }

    /// Adds to what a reserve holds, or takes away.
    fn holds(&mut self, asset: Address, amount: U256, more: bool) -> Result<(), BookError> {
        let reserve = self.known(asset)?;
        let held = reserve.available_liquidity;
        // What was donated before the first event leaves with nobody having seen it come.
        reserve.available_liquidity = if more {
            held.saturating_add(amount)
        } else {
            held.saturating_sub(amount)
        };
        Ok(())
    }

    fn record_pool(&mut self, event: &PoolEvent, borrowed: Option<Address>, timestamp: u64) -> Result<(), BookError> {
        match event {
            PoolEvent::Deposit(e) => self.holds(e.reserve, e.amount, true),
            PoolEvent::Withdraw(e) => {
                if self.known(e.reserve)?.params.a_token == e.to {
                    return Ok(());
                }
                self.holds(e.reserve, e.amount, false)
            }
            PoolEvent::Borrow(e) => {
                let id = self.known(e.reserve)?.id;
                self.change(e.onBehalfOf, |user| user.configuration.set_borrowing(id, true));
                self.recording.borrowed = Some(e.reserve);
                self.holds(e.reserve, e.amount, false)
            }
            PoolEvent::Repay(e) => {
                let id = self.known(e.reserve)?.id;
                if self.recording.owed.take() == Some((e.user, id, e.amount)) {
                    self.change(e.user, |user| user.configuration.set_borrowing(id, false));
                }
                self.holds(e.reserve, e.amount, true)
            }
            PoolEvent::FlashLoan(e) if borrowed == Some(e.asset) => Ok(()),
            PoolEvent::FlashLoan(e) => self.holds(e.asset, e.premium, true),
            PoolEvent::LiquidationCall(e) => {
                self.known(e.collateralAsset)?;
                self.holds(e.debtAsset, e.debtToCover, true)?;
                if e.receiveAToken {
                    return Ok(());
                }
                self.holds(e.collateralAsset, e.liquidatedCollateralAmount, false)
            }
            PoolEvent::ReserveDataUpdated(e) => {
                let reserve = self.known(e.reserve)?;
                let updated = Reserve {
                    current_liquidity_rate: fits(e.liquidityRate, Errors::LiquidityRateOverflow)?,
                    current_stable_borrow_rate: fits(e.stableBorrowRate, Errors::StableBorrowRateOverflow)?,
                    current_variable_borrow_rate: fits(e.variableBorrowRate, Errors::VariableBorrowRateOverflow)?,
                    liquidity_index: fits(e.liquidityIndex, Errors::LiquidityIndexOverflow)?,
                    variable_borrow_index: fits(e.variableBorrowIndex, Errors::VariableBorrowIndexOverflow)?,
                    last_update: timestamp,
                    ..*reserve
                };
                *reserve = updated;
                Ok(())
            }
            PoolEvent::ReserveUsedAsCollateralEnabled(e) => {
                let id = self.known(e.reserve)?.id;
                self.change(e.user, |user| user.configuration.set_using_as_collateral(id, true));
                Ok(())
            }
            PoolEvent::ReserveUsedAsCollateralDisabled(e) => {
                let id = self.known(e.reserve)?.id;
                self.change(e.user, |user| user.configuration.set_using_as_collateral(id, false));
                Ok(())
            }
            PoolEvent::Paused(_) => {
                self.paused = true;
                Ok(())
            }
            PoolEvent::Unpaused(_) => {
                self.paused = false;
                Ok(())
            }
            // Their debts' own events have told it all.
            PoolEvent::Swap(_) | PoolEvent::RebalanceStableBorrowRate(_) => Ok(()),
        }
    }

    /// Remembers what a debtor owes in all: a repayment of just that ends his debt, whatever rounding leaves of it.
    fn remember_debt(&mut self, id: u8, address: Address, timestamp: u64) -> Result<(), BookError> {
        let draft = Draft::new(self, timestamp);
        let owed = add(draft.stable_debt(id, address)?, draft.variable_debt(id, address)?)?;
        self.recording.owed = Some((address, id, owed));
        Ok(())
    }

    /// Changes a scaled supply, and the reserve's with it where `total` says so.
    fn supply(&mut self, id: u8, address: Address, scaled: U256, more: bool, total: bool) -> Result<(), BookError> {
        let mut position = self.user(address).map(|user| user.position(id)).unwrap_or_default();
        position.reserve = id;
        let missing = BookError::Missing { user: address };
        position.scaled_supply = moved(position.scaled_supply, scaled, more, missing)?;
        if total {
            let reserve = self.by_id(id)?;
            let supply = if more {
                reserve.scaled_supply.checked_add(scaled)
            } else {
                reserve.scaled_supply.checked_sub(scaled)
            };
            reserve.scaled_supply = supply.ok_or(missing)?;
        }
        self.change(address, |user| user.set_position(position));
        Ok(())
    }

    fn record_a_token(&mut self, id: u8, event: &ATokenEvent) -> Result<(), BookError> {
        match event {
            ATokenEvent::Mint(e) => self.supply(id, e.from, ray_div(e.value, e.index)?, true, true),
            ATokenEvent::Burn(e) => self.supply(id, e.from, ray_div(e.value, e.index)?, false, true),
            ATokenEvent::BalanceTransfer(e) => {
                let scaled = ray_div(e.value, e.index)?;
                self.supply(id, e.from, scaled, false, false)?;
                let received = self.supply(id, e.to, scaled, true, false);
                if received.is_err() {
                    self.supply(id, e.from, scaled, true, false)?;
                }
                received
            }
            ATokenEvent::Transfer(_) | ATokenEvent::Approval(_) => Ok(()),
        }
    }

    fn record_variable_debt(&mut self, id: u8, event: &VariableDebtEvent, timestamp: u64) -> Result<(), BookError> {
        let (address, scaled, more) = match event {
            VariableDebtEvent::Mint(e) => (e.onBehalfOf, ray_div(e.value, e.index)?, true),
            VariableDebtEvent::Burn(e) => {
                self.remember_debt(id, e.user, timestamp)?;
                (e.user, ray_div(e.amount, e.index)?, false)
            }
            VariableDebtEvent::Transfer(_) => return Ok(()),
            VariableDebtEvent::BorrowAllowanceDelegated(e) => {
                self.set_delegation((e.fromUser, e.toUser, id, Mode::Variable), e.amount);
                return Ok(());
            }
        };
        let mut position = self.user(address).map(|user| user.position(id)).unwrap_or_default();
        position.reserve = id;
        let missing = BookError::Missing { user: address };
        position.scaled_variable_debt = moved(position.scaled_variable_debt, scaled, more, missing)?;
        let reserve = self.by_id(id)?;
        let debt = if more {
            reserve.scaled_variable_debt.checked_add(scaled)
        } else {
            reserve.scaled_variable_debt.checked_sub(scaled)
        };
        reserve.scaled_variable_debt = debt.ok_or(missing)?;
        self.change(address, |user| user.set_position(position));
        Ok(())
    }

    fn record_stable_debt(&mut self, id: u8, event: &StableDebtEvent, timestamp: u64) -> Result<(), BookError> {
        match event {
            StableDebtEvent::Mint(e) => {
                // Interest that outgrew a repayment is called a mint as well; the total shows which it was.
                let before = self.by_id(id)?.stable.total(timestamp)?;
                let borrowed = e.newTotalSupply > before;
                self.remember_debt(id, e.onBehalfOf, timestamp)?;
                self.stable_mint(id, e, borrowed, timestamp)
            }
            StableDebtEvent::Burn(e) => {
                self.remember_debt(id, e.user, timestamp)?;
                let missing = BookError::Missing { user: e.user };
                let principal = e.currentBalance.checked_sub(e.balanceIncrease);
                let principal = principal.and_then(|principal| principal.checked_sub(e.amount));
                let principal = principal.ok_or(missing)?;
                let rate = self.user(e.user).map(|user| user.stable_debt(id).rate);
                let debt = StableDebt {
                    reserve: id,
                    principal,
                    rate: rate.unwrap_or_default(),
                    last_update: timestamp,
                };
                self.change(e.user, |user| user.set_stable_debt(debt));
                self.stable_total(id, e.newTotalSupply, e.avgStableRate, timestamp)
            }
            StableDebtEvent::Transfer(_) => Ok(()),
            StableDebtEvent::BorrowAllowanceDelegated(e) => {
                self.set_delegation((e.fromUser, e.toUser, id, Mode::Stable), e.amount);
                Ok(())
            }
        }
    }

    fn stable_mint(&mut self, id: u8, e: &stable_debt::Mint, borrowed: bool, timestamp: u64) -> Result<(), BookError> {
        let address = e.onBehalfOf;
        let grown = if borrowed {
            Some(e.currentBalance)
        } else {
            e.currentBalance.checked_sub(e.balanceIncrease)
        };
        let principal = grown.and_then(|grown| grown.checked_add(e.amount));
        let principal = principal.ok_or(BookError::Missing { user: address })?;
        let rate = fits(e.newRate, Errors::StableDebtOverflow)?;
        let debt = StableDebt {
            reserve: id,
            principal,
            rate,
            last_update: timestamp,
        };
        self.change(address, |user| user.set_stable_debt(debt));
        if borrowed {
            self.by_id(id)?.stable = StableSupply {
                principal: e.newTotalSupply,
                average_rate: e.avgStableRate,
                last_update: timestamp,
            };
            return Ok(());
        }
        self.stable_total(id, e.newTotalSupply, e.avgStableRate, timestamp)
    }

    /// The total after a repayment.
    fn stable_total(&mut self, id: u8, principal: U256, average_rate: U256, timestamp: u64) -> Result<(), BookError> {
        let stable = &mut self.by_id(id)?.stable;
        // Where rounding leaves no average, the contract keeps no total either.
        stable.principal = if average_rate.is_zero() { U256::ZERO } else { principal };
        (stable.average_rate, stable.last_update) = (average_rate, timestamp);
        Ok(())
    }

    fn record_configurator(&mut self, event: &ConfiguratorEvent) -> Result<(), BookError> {
        match event {
            ConfiguratorEvent::ReserveInitialized(e) => self.known(e.asset).map(|_| ()),
            ConfiguratorEvent::BorrowingEnabledOnReserve(e) => {
                let word = &mut self.known(e.asset)?.configuration;
                word.set_borrowing_enabled(true);
                word.set_stable_rate_borrowing_enabled(e.stableRateEnabled);
                Ok(())
            }
            ConfiguratorEvent::BorrowingDisabledOnReserve(e) => {
                self.known(e.asset)?.configuration.set_borrowing_enabled(false);
                Ok(())
            }
            ConfiguratorEvent::CollateralConfigurationChanged(e) => {
                let word = &mut self.known(e.asset)?.configuration;
                Ok(word.set_collateral(e.ltv, e.liquidationThreshold, e.liquidationBonus)?)
            }
            ConfiguratorEvent::StableRateEnabledOnReserve(e) => {
                self.known(e.asset)?
                    .configuration
                    .set_stable_rate_borrowing_enabled(true);
                Ok(())
            }
            ConfiguratorEvent::StableRateDisabledOnReserve(e) => {
                self.known(e.asset)?
                    .configuration
                    .set_stable_rate_borrowing_enabled(false);
                Ok(())
            }
            ConfiguratorEvent::ReserveActivated(e) => {
                self.known(e.asset)?.configuration.set_active(true);
                Ok(())
            }
            ConfiguratorEvent::ReserveDeactivated(e) => {
                self.known(e.asset)?.configuration.set_active(false);
                Ok(())
            }
            ConfiguratorEvent::ReserveFrozen(e) => {
                self.known(e.asset)?.configuration.set_frozen(true);
                Ok(())
            }
            ConfiguratorEvent::ReserveUnfrozen(e) => {
                self.known(e.asset)?.configuration.set_frozen(false);
                Ok(())
            }
            ConfiguratorEvent::ReserveFactorChanged(e) => {
                Ok(self.known(e.asset)?.configuration.set_reserve_factor(e.factor)?)
            }
            ConfiguratorEvent::ReserveDecimalsChanged(_)
            | ConfiguratorEvent::ReserveInterestRateStrategyChanged(_)
            | ConfiguratorEvent::ATokenUpgraded(_)
            | ConfiguratorEvent::StableDebtTokenUpgraded(_)
            | ConfiguratorEvent::VariableDebtTokenUpgraded(_) => Ok(()),
        }
    }
}

/// A balance after more or less came to it.
fn moved(balance: U256, scaled: U256, more: bool, missing: BookError) -> Result<U256, BookError> {
    let moved = if more {
        balance.checked_add(scaled)
    } else {
        balance.checked_sub(scaled)
    };
    moved.ok_or(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aave_v2::{InterestRateStrategy, PoolParams, ReserveParams, abi};
    use plimsoll_units::wad_ray_math::RAY;

    const POOL: Address = Address::with_last_byte(1);
    const CONFIGURATOR: Address = Address::with_last_byte(2);
    const ASSET: Address = Address::with_last_byte(3);
    const A_TOKEN: Address = Address::with_last_byte(4);
    const STABLE: Address = Address::with_last_byte(5);
    const VARIABLE: Address = Address::with_last_byte(6);
    const ALICE: Address = Address::with_last_byte(7);
    const BOB: Address = Address::with_last_byte(8);

    fn pool() -> Pool {
        let mut pool = Pool::new(PoolParams {
            pool: POOL,
            configurator: CONFIGURATOR,
        });
        let params = ReserveParams {
            asset: ASSET,
            a_token: A_TOKEN,
            stable_debt: STABLE,
            variable_debt: VARIABLE,
            treasury: Address::ZERO,
        };
        let reserve = Reserve::new(params, 0, 18, InterestRateStrategy::default());
        pool.list(reserve).expect("the first");
        pool
    }

    #[test]
    fn values_are_unscaled_by_their_index() {
        let (mut pool, index) = (pool(), RAY * U256::from(2));
        let minted = abi::a_token::Mint {
            from: ALICE,
            value: U256::from(10),
            index,
        };
        let moved = abi::a_token::BalanceTransfer {
            from: ALICE,
            to: BOB,
            value: U256::from(4),
            index,
        };
        let burnt = abi::a_token::Burn {
            from: ALICE,
            target: ALICE,
            value: U256::from(6),
            index,
        };
        for event in [minted.into(), moved.into(), burnt.into()] {
            pool.record(A_TOKEN, &event, 1).expect("fits");
        }
        // 10 at 2 are 5; 2 of them went to Bob, 3 were burnt.
        assert_eq!(pool.user(ALICE), None);
        assert_eq!(
            pool.user(BOB).map(|bob| bob.position(0).scaled_supply),
            Some(U256::from(2))
        );
        assert_eq!(pool.reserves()[0].scaled_supply, U256::from(2));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut pool = pool();
        let before = pool.clone();
        let burnt: Event = abi::a_token::Burn {
            from: ALICE,
            target: ALICE,
            value: U256::from(6),
            index: RAY,
        }
        .into();
        assert_eq!(pool.record(A_TOKEN, &burnt, 1), Err(BookError::Missing { user: ALICE }));
        assert_eq!(pool.record(VARIABLE, &burnt, 1), Err(BookError::Stranger(VARIABLE)));
        let (reserve, user) = (BOB, ALICE);
        let enabled: Event = abi::pool::ReserveUsedAsCollateralEnabled { reserve, user }.into();
        assert_eq!(pool.record(POOL, &enabled, 1), Err(BookError::NotListed(BOB)));
        assert_eq!(pool, before);
    }

    #[test]
    fn interest_that_outgrows_a_repayment_is_no_borrowing() {
        let mut pool = pool();
        let mint = |amount: u64, balance: u64, increase: u64, total: u64| -> Event {
            abi::stable_debt::Mint {
                user: ALICE,
                onBehalfOf: ALICE,
                amount: U256::from(amount),
                currentBalance: U256::from(balance),
                balanceIncrease: U256::from(increase),
                newRate: RAY,
                avgStableRate: RAY,
                newTotalSupply: U256::from(total),
            }
            .into()
        };
        pool.record(STABLE, &mint(100, 0, 0, 100), 0).expect("fits");
        // A year at 100 % makes 266 of 100 by three terms; 10 are repaid, of 166 that came to it.
        pool.record(STABLE, &mint(156, 266, 166, 256), 31_536_000)
            .expect("fits");
        let debt = pool.user(ALICE).expect("a debtor").stable_debt(0);
        assert_eq!(
            (debt.principal, debt.rate, debt.last_update),
            (U256::from(256), 10_u128.pow(27), 31_536_000)
        );
        assert_eq!(pool.reserves()[0].stable.principal, U256::from(256));
    }
}
