//! One market's numbers, and what follows from them alone (`CToken`).

use super::{
    InterestRateModel, MathError, Position, Refusal, Revert, TokenInfo,
    exponential::{
        EXP_SCALE,
        careful::{add, div, get_exp, mul, mul_scalar_truncate, sub},
        grown,
    },
};
use alloy_primitives::{Address, U256};

/// The highest borrow rate a block that a market accepts, scaled by 1e18.
const BORROW_RATE_MAX: U256 = U256::from_limbs([5_000_000_000_000, 0, 0, 0]);

/// What a market is deployed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketParams {
    /// The cToken.
    pub c_token: Address,
    /// Whether it lends ether, and reverts where another market returns an error code.
    pub lends_ether: bool,
    /// The underlying for one cToken before the first supply, scaled by 1e18.
    pub initial_exchange_rate: U256,
    /// What sets its rates; `None` where that is not known.
    pub model: Option<InterestRateModel>,
    /// The block in which it was deployed.
    pub block_number: u64,
}

/// One market at one moment. Every number is the contracts' own; amounts are base units, scaled numbers are by 1e18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Market {
    /// The cToken.
    pub c_token: Address,
    /// Whether it lends ether.
    pub lends_ether: bool,
    /// The exchange rate while there are no cTokens.
    pub initial_exchange_rate: U256,
    /// What sets its rates; `None` where that is not known.
    pub model: Option<InterestRateModel>,
    /// The underlying that it holds, donations among it.
    pub cash: U256,
    /// What all borrowers owe, as of the accrual block.
    pub total_borrows: U256,
    /// What of its assets belongs to the protocol.
    pub total_reserves: U256,
    /// cTokens in all.
    pub total_supply: U256,
    /// The growth of a borrow since the market opened, scaled.
    pub borrow_index: U256,
    /// The block in which interest was last accrued.
    pub accrual_block_number: u64,
    /// The reserves' share of interest, scaled.
    pub reserve_factor: U256,
    /// Whether the comptroller lists it.
    pub is_listed: bool,
    /// The share of a supply's value that may be borrowed, scaled.
    pub collateral_factor: U256,
    /// What borrows in all must stay below; zero is no cap.
    pub borrow_cap: U256,
    /// Whether supplying is paused.
    pub mint_paused: bool,
    /// Whether borrowing is paused.
    pub borrow_paused: bool,
}

/// What an accrual makes of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accrual {
    pub(super) interest_accumulated: U256,
    pub(super) borrow_index: U256,
    pub(super) total_borrows: U256,
    pub(super) total_reserves: U256,
}

/// Why interest could not be accrued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccrualError {
    /// A sum has no result: the market returns an error code.
    Failed(TokenInfo, MathError),
    /// The market reverts, or its model is not known.
    Refused(Refusal),
}

impl Market {
    /// A market as it is deployed: not listed, nothing in it.
    pub const fn new(params: MarketParams) -> Self {
        Self {
            c_token: params.c_token,
            lends_ether: params.lends_ether,
            initial_exchange_rate: params.initial_exchange_rate,
            model: params.model,
            cash: U256::ZERO,
            total_borrows: U256::ZERO,
            total_reserves: U256::ZERO,
            total_supply: U256::ZERO,
            borrow_index: EXP_SCALE,
            accrual_block_number: params.block_number,
            reserve_factor: U256::ZERO,
            is_listed: false,
            collateral_factor: U256::ZERO,
            borrow_cap: U256::ZERO,
            mint_paused: false,
            borrow_paused: false,
        }
    }

    /// The underlying for one cToken as of the accrual block, scaled: ⌊(cash + borrows − reserves)·1e18 / supply⌋
    /// (`exchangeRateStored`).
    ///
    /// # Errors
    /// Reserves over what there is, or a sum over 256 bits.
    pub fn exchange_rate_stored(&self) -> Result<U256, MathError> {
        if self.total_supply.is_zero() {
            return Ok(self.initial_exchange_rate);
        }
        let suppliers = sub(add(self.cash, self.total_borrows)?, self.total_reserves)?;
        get_exp(suppliers, self.total_supply)
    }

    /// What a position owes as of the accrual block: ⌊principal · index / index then⌋ (`borrowBalanceStored`).
    ///
    /// # Errors
    /// A product over 256 bits, or a borrow without an index.
    pub fn borrow_balance_stored(&self, position: &Position) -> Result<U256, MathError> {
        if position.borrow_principal == 0 {
            return Ok(U256::ZERO);
        }
        if let Some(owed) = grown(position.borrow_principal, self.borrow_index, position.borrow_index) {
            return Ok(U256::from(owed));
        }
        let product = mul(U256::from(position.borrow_principal), self.borrow_index)?;
        div(product, U256::from(position.borrow_index))
    }

    /// The market as it is after interest is accrued in a block, for what the contract calls current (`exchangeRateCurrent`,
    /// `borrowBalanceCurrent`).
    ///
    /// # Errors
    /// `borrow rate is absurdly high`, `could not calculate block delta`, those of the model; `accrue interest failed` for a sum
    /// without a result. An unknown model is refused.
    pub fn accrued(&self, block_number: u64) -> Result<Self, Refusal> {
        let mut market = *self;
        match self.accrual(block_number) {
            Ok(accrual) => {
                if let Some(accrual) = accrual {
                    market.set(accrual, block_number);
                }
                Ok(market)
            }
            Err(AccrualError::Refused(refusal)) => Err(refusal),
            Err(AccrualError::Failed(..)) => Err(Refusal::Revert(Revert::Reason("accrue interest failed"))),
        }
    }

    /// What borrowers pay a block, scaled (`borrowRatePerBlock`).
    ///
    /// # Errors
    /// Those of the model; an unknown model is refused.
    pub fn borrow_rate_per_block(&self) -> Result<U256, Refusal> {
        let rate = self
            .known_model()?
            .borrow_rate(self.cash, self.total_borrows, self.total_reserves)?;
        Ok(rate)
    }

    /// What suppliers earn a block, scaled (`supplyRatePerBlock`).
    ///
    /// # Errors
    /// Those of the model; an unknown model is refused.
    pub fn supply_rate_per_block(&self) -> Result<U256, Refusal> {
        let [cash, borrows, reserves] = [self.cash, self.total_borrows, self.total_reserves];
        let rate = self
            .known_model()?
            .supply_rate(cash, borrows, reserves, self.reserve_factor)?;
        Ok(rate)
    }

    /// Whether its borrows may be repaid by anyone for collateral, whatever their health (`isDeprecated`).
    pub fn is_deprecated(&self) -> bool {
        self.collateral_factor.is_zero() && self.borrow_paused && self.reserve_factor == EXP_SCALE
    }

    /// What an accrual in a block changes; `None` where the block's interest is in already.
    pub(super) fn accrual(&self, block_number: u64) -> Result<Option<Accrual>, AccrualError> {
        if block_number == self.accrual_block_number {
            return Ok(None);
        }
        let rate = self.borrow_rate_per_block().map_err(AccrualError::Refused)?;
        let refused = |reason| AccrualError::Refused(Refusal::Revert(Revert::Reason(reason)));
        if rate > BORROW_RATE_MAX {
            return Err(refused("borrow rate is absurdly high"));
        }
        let blocks = block_number
            .checked_sub(self.accrual_block_number)
            .ok_or_else(|| refused("could not calculate block delta"))?;
        self.accrual_at(rate, blocks).map(Some)
    }

    /// What so many blocks at a rate change: one factor for all, then the interest, the reserves' share of it, the index.
    fn accrual_at(&self, rate: U256, blocks: u64) -> Result<Accrual, AccrualError> {
        let failed = |info| move |error| AccrualError::Failed(info, error);
        let factor = mul(rate, U256::from(blocks)).map_err(failed(TokenInfo::AccrueInterestSimpleInterestFactor))?;
        let interest_accumulated = mul_scalar_truncate(factor, self.total_borrows)
            .map_err(failed(TokenInfo::AccrueInterestAccumulatedInterest))?;
        let total_borrows =
            add(interest_accumulated, self.total_borrows).map_err(failed(TokenInfo::AccrueInterestNewTotalBorrows))?;
        let total_reserves = self
            .reserves_with(interest_accumulated)
            .map_err(failed(TokenInfo::AccrueInterestNewTotalReserves))?;
        let borrow_index = mul_scalar_truncate(factor, self.borrow_index)
            .and_then(|growth| add(growth, self.borrow_index))
            .map_err(failed(TokenInfo::AccrueInterestNewBorrowIndex))?;
        Ok(Accrual {
            interest_accumulated,
            borrow_index,
            total_borrows,
            total_reserves,
        })
    }

    /// The reserves with their share of so much interest.
    pub(super) fn reserves_with(&self, interest: U256) -> Result<U256, MathError> {
        add(mul_scalar_truncate(self.reserve_factor, interest)?, self.total_reserves)
    }

    pub(super) const fn set(&mut self, accrual: Accrual, block_number: u64) {
        self.borrow_index = accrual.borrow_index;
        self.total_borrows = accrual.total_borrows;
        self.total_reserves = accrual.total_reserves;
        self.accrual_block_number = block_number;
    }

    fn known_model(&self) -> Result<InterestRateModel, Refusal> {
        self.model.ok_or(Refusal::UnknownModel(self.c_token))
    }
}
