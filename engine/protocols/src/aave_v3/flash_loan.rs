//! Flash loans to a receiver that repays, or that keeps the loan as debt (`FlashLoanLogic`).

use super::{
    Call, Context, Errors, Event, InterestRateMode, Pool, PoolEvent, Reserve, Revert, Revision,
    checked::{OrRevert, add, sub, to_u128},
    pool_abi,
    validation_logic::require,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::{
    percentage_math::{percent_mul, percent_mul_ceil},
    wad_ray_math::{RAY, ray_div, ray_mul},
};

/// A billion: between wads and rays.
const WAD_RAY_RATIO: U256 = U256::from_limbs([1_000_000_000, 0, 0, 0]);

/// One loan of a flash loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loan {
    /// What is lent.
    pub asset: Address,
    /// How much, in base units.
    pub amount: U256,
    /// What becomes of it: none is repaid, any other is the caller's debt.
    pub mode: InterestRateMode,
}

impl Pool {
    /// Lends several assets to a receiver until the call's end (`flashLoan`). The receiver is taken to do as it should.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn flash_loan(
        &mut self,
        context: &Context<'_>,
        receiver: Address,
        loans: &[Loan],
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| {
            for (place, loan) in loans.iter().enumerate() {
                let again = loans.iter().skip(place + 1).any(|other| other.asset == loan.asset);
                // What would count the same liquidity twice is refused where it is counted.
                require(
                    !again || call.revision() < Revision::V3_4,
                    Errors::InconsistentFlashloanParams,
                )?;
                call.validate_flash_loan(loan.asset, loan.amount)?;
            }
            for loan in loans {
                // A loan that becomes debt costs no premium.
                if loan.mode == InterestRateMode::None {
                    call.flash_loan_premium(loan.amount)?;
                }
                call.lend(loan.asset, receiver, loan.amount)?;
            }
            for loan in loans {
                if loan.mode == InterestRateMode::None {
                    call.take_back(loan.asset, receiver, loan.amount)?;
                } else {
                    call.borrow(loan.asset, loan.amount, loan.mode, call.caller, false)?;
                    call.emit_flash_loan(receiver, loan, U256::ZERO);
                }
            }
            Ok(())
        })
    }

    /// Lends one asset to a receiver until the call's end, in base units (`flashLoanSimple`). The receiver is taken to repay.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn flash_loan_simple(
        &mut self,
        context: &Context<'_>,
        receiver: Address,
        asset: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| {
            call.validate_flash_loan(asset, amount)?;
            call.flash_loan_premium(amount)?;
            call.lend(asset, receiver, amount)?;
            call.take_back(asset, receiver, amount)
        })
    }
}

impl Reserve {
    /// Spreads a premium over all that is supplied, in base units (`cumulateToLiquidityIndex`, up to 3.3).
    ///
    /// # Errors
    /// No reason where nothing is supplied or a number leaves 256 bits; the cast's own.
    pub fn cumulate_to_liquidity_index(&mut self, total_liquidity: U256, amount: U256) -> Result<(), Revert> {
        let ray = |amount: U256| amount.checked_mul(WAD_RAY_RATIO).or_revert();
        let growth = ray_div(ray(amount)?, ray(total_liquidity)?).or_revert()?;
        let index = ray_mul(add(growth, RAY)?, U256::from(self.liquidity_index)).or_revert()?;
        self.liquidity_index = to_u128(index)?;
        Ok(())
    }
}

impl Call<'_> {
    fn validate_flash_loan(&self, asset: Address, amount: U256) -> Result<(), Revert> {
        let Some(reserve) = self.pool.reserve(asset) else {
            return Err(Errors::ReserveInactive.into());
        };
        let configuration = reserve.configuration;
        require(!configuration.paused(), Errors::ReservePaused)?;
        require(configuration.active(), Errors::ReserveInactive)?;
        require(configuration.flash_loan_enabled(), Errors::FlashloanDisabled)?;
        if self.revision().virtual_balance() {
            require(self.total_supply(reserve)? >= amount, Errors::InvalidAmount)?;
        }
        Ok(())
    }

    /// What a loan costs, in base units.
    fn flash_loan_premium(&self, amount: U256) -> Result<U256, Revert> {
        let rate = U256::from(self.pool.flash_loan_premium_total());
        let premium = if self.revision() >= Revision::V3_5 {
            percent_mul_ceil(amount, rate)
        } else {
            percent_mul(amount, rate)
        };
        premium.or_revert()
    }

    pub(super) fn lend(&mut self, asset: Address, receiver: Address, amount: U256) -> Result<(), Revert> {
        let id = self.id(asset)?;
        if self.revision().virtual_balance() {
            self.reserve_mut(id)?.count_out(amount)
        } else {
            self.pay(id, receiver, amount)
        }
    }

    pub(super) fn take_back(&mut self, asset: Address, receiver: Address, amount: U256) -> Result<(), Revert> {
        let (id, revision) = (self.id(asset)?, self.revision());
        let premium = self.flash_loan_premium(amount)?;
        let back = add(amount, premium)?;
        let share = U256::from(self.pool.flash_loan_premium_to_protocol());
        self.update_state(id)?;
        if revision.premium_to_treasury() {
            self.reserve_mut(id)?.owe_treasury(revision, premium)?;
        } else {
            let to_protocol = percent_mul(premium, share).or_revert()?;
            let reserve = self.reserve(id)?;
            let accrued = ray_mul(
                U256::from(reserve.accrued_to_treasury),
                U256::from(reserve.liquidity_index),
            );
            let total = add(self.total_supply(reserve)?, accrued.or_revert()?)?;
            let to_suppliers = sub(premium, to_protocol)?;
            let reserve = self.reserve_mut(id)?;
            reserve.cumulate_to_liquidity_index(total, to_suppliers)?;
            reserve.owe_treasury(revision, to_protocol)?;
        }
        self.update_rates(id, back, U256::ZERO)?;
        self.receive(id, back)?;
        let loan = Loan {
            asset,
            amount,
            mode: InterestRateMode::None,
        };
        self.emit_flash_loan(receiver, &loan, premium);
        Ok(())
    }

    fn emit_flash_loan(&mut self, receiver: Address, loan: &Loan, premium: U256) {
        self.emit(PoolEvent::FlashLoan(pool_abi::FlashLoan {
            target: receiver,
            initiator: self.caller,
            asset: loan.asset,
            amount: loan.amount,
            interestRateMode: loan.mode as u8,
            premium,
            referralCode: 0,
        }));
    }
}
