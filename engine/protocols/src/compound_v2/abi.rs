//! The events of cTokens and of the comptroller, and their decoding.

use crate::{
    DecodeError, RawLog,
    decode::{fields, malformed, unknown_topic},
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;

/// The events of a cToken (`CTokenInterfaces`, `ErrorReporter`), those of cTokens as a token among them.
#[allow(missing_docs)]
pub mod c_token {
    alloy_sol_types::sol! {
        event AccrueInterest(uint256 cashPrior, uint256 interestAccumulated, uint256 borrowIndex, uint256 totalBorrows);
        event Mint(address minter, uint256 mintAmount, uint256 mintTokens);
        event Redeem(address redeemer, uint256 redeemAmount, uint256 redeemTokens);
        event Borrow(address borrower, uint256 borrowAmount, uint256 accountBorrows, uint256 totalBorrows);
        event RepayBorrow(address payer, address borrower, uint256 repayAmount, uint256 accountBorrows, uint256 totalBorrows);
        event LiquidateBorrow(address liquidator, address borrower, uint256 repayAmount, address cTokenCollateral, uint256 seizeTokens);
        event NewPendingAdmin(address oldPendingAdmin, address newPendingAdmin);
        event NewAdmin(address oldAdmin, address newAdmin);
        event NewComptroller(address oldComptroller, address newComptroller);
        event NewMarketInterestRateModel(address oldInterestRateModel, address newInterestRateModel);
        event NewReserveFactor(uint256 oldReserveFactorMantissa, uint256 newReserveFactorMantissa);
        event ReservesAdded(address benefactor, uint256 addAmount, uint256 newTotalReserves);
        event ReservesReduced(address admin, uint256 reduceAmount, uint256 newTotalReserves);
        event Transfer(address indexed from, address indexed to, uint256 amount);
        event Approval(address indexed owner, address indexed spender, uint256 amount);
        event NewImplementation(address oldImplementation, address newImplementation);
        event Failure(uint256 error, uint256 info, uint256 detail);
    }
}

/// The accrual's event of the first cTokens, before it told the cash.
#[allow(missing_docs)]
mod first_c_token {
    alloy_sol_types::sol! {
        event AccrueInterest(uint256 interestAccumulated, uint256 borrowIndex, uint256 totalBorrows);
    }
}

/// The events of the comptroller and its Unitroller.
#[allow(missing_docs)]
pub mod comptroller {
    alloy_sol_types::sol! {
        event MarketListed(address cToken);
        event MarketEntered(address cToken, address account);
        event MarketExited(address cToken, address account);
        event NewCloseFactor(uint256 oldCloseFactorMantissa, uint256 newCloseFactorMantissa);
        event NewCollateralFactor(address cToken, uint256 oldCollateralFactorMantissa, uint256 newCollateralFactorMantissa);
        event NewLiquidationIncentive(uint256 oldLiquidationIncentiveMantissa, uint256 newLiquidationIncentiveMantissa);
        event NewPriceOracle(address oldPriceOracle, address newPriceOracle);
        event NewPauseGuardian(address oldPauseGuardian, address newPauseGuardian);
        event NewBorrowCap(address indexed cToken, uint256 newBorrowCap);
        event NewBorrowCapGuardian(address oldBorrowCapGuardian, address newBorrowCapGuardian);
        event CompSpeedUpdated(address indexed cToken, uint256 newSpeed);
        event CompBorrowSpeedUpdated(address indexed cToken, uint256 newSpeed);
        event CompSupplySpeedUpdated(address indexed cToken, uint256 newSpeed);
        event ContributorCompSpeedUpdated(address indexed contributor, uint256 newSpeed);
        event DistributedSupplierComp(address indexed cToken, address indexed supplier, uint256 compDelta, uint256 compSupplyIndex);
        event DistributedBorrowerComp(address indexed cToken, address indexed borrower, uint256 compDelta, uint256 compBorrowIndex);
        event CompGranted(address recipient, uint256 amount);
        event NewPendingImplementation(address oldPendingImplementation, address newPendingImplementation);
        /// Of all markets at once.
        event ActionPaused(string action, bool pauseState);
    }
}

/// The comptroller's event for one paused market, which has the other's name.
#[allow(missing_docs)]
mod comptroller_market {
    alloy_sol_types::sol! {
        event ActionPaused(address cToken, string action, bool pauseState);
    }
}

/// What can be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paused {
    /// Supplying to one market.
    Mint(Address),
    /// Borrowing from one market.
    Borrow(Address),
    /// Transfers of all cTokens.
    Transfer,
    /// Seizures of all cTokens.
    Seize,
}

/// An event and who emitted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// The cToken or the comptroller.
    pub emitter: Address,
    /// What it says.
    pub event: Event,
}

/// What a cToken or the comptroller says it did. Amounts are base units, scaled numbers are by 1e18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are the contracts' own
pub enum Event {
    /// Interest up to this block is in; the first cTokens do not tell their cash.
    AccrueInterest {
        cash_prior: Option<U256>,
        interest_accumulated: U256,
        borrow_index: U256,
        total_borrows: U256,
    },
    /// Underlying was supplied; the `Transfer` from the cToken follows.
    Mint {
        minter: Address,
        amount: U256,
        tokens: U256,
    },
    /// Underlying was redeemed; the `Transfer` to the cToken came before.
    Redeem {
        redeemer: Address,
        amount: U256,
        tokens: U256,
    },
    /// Underlying was borrowed.
    Borrow {
        borrower: Address,
        amount: U256,
        account_borrows: U256,
        total_borrows: U256,
    },
    /// A borrow was repaid, by a liquidator too.
    RepayBorrow {
        payer: Address,
        borrower: Address,
        amount: U256,
        account_borrows: U256,
        total_borrows: U256,
    },
    /// A borrow was liquidated; the repayment and the seizure came before.
    LiquidateBorrow {
        liquidator: Address,
        borrower: Address,
        repay_amount: U256,
        collateral: Address,
        seize_tokens: U256,
    },
    /// cTokens changed hands.
    Transfer { from: Address, to: Address, tokens: U256 },
    /// The reserves grew, by a gift or, from the cToken itself, by a seizure.
    ReservesAdded {
        benefactor: Address,
        amount: U256,
        total_reserves: U256,
    },
    /// The administrator took out of the reserves.
    ReservesReduced {
        admin: Address,
        amount: U256,
        total_reserves: U256,
    },
    /// The reserves' share of interest changed.
    NewReserveFactor { old: U256, new: U256 },
    /// Another model sets the rates.
    NewInterestRateModel { old: Address, new: Address },
    /// A call returned an error code and changed nothing more.
    Failure { error: U256, info: U256, detail: U256 },
    /// The comptroller lists a market.
    MarketListed { c_token: Address },
    /// An account's supply to a market counts, and may be seized.
    MarketEntered { c_token: Address, account: Address },
    /// It does no longer.
    MarketExited { c_token: Address, account: Address },
    /// How much of a borrow one liquidation may repay changed.
    NewCloseFactor { old: U256, new: U256 },
    /// How much of a market's supply may be borrowed changed.
    NewCollateralFactor { c_token: Address, old: U256, new: U256 },
    /// What a liquidator gets for one unit of value repaid changed.
    NewLiquidationIncentive { old: U256, new: U256 },
    /// Prices come from another contract.
    NewPriceOracle { old: Address, new: Address },
    /// Borrows in all must stay below this; zero is no cap.
    NewBorrowCap { c_token: Address, cap: U256 },
    /// Something is paused or no longer.
    ActionPaused { what: Paused, paused: bool },
    /// A reward in COMP, an allowance, a change of an office: no number of the pool's changed.
    Other,
}

impl Event {
    /// Reads one log of a cToken or of the comptroller.
    ///
    /// # Errors
    /// A topic that neither emits, or fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Self, DecodeError> {
        match Self::of_c_token(log)? {
            Some(event) => Ok(event),
            None => Self::of_comptroller(log),
        }
    }

    fn of_c_token(log: &RawLog) -> Result<Option<Self>, DecodeError> {
        use c_token::*;
        Ok(Some(match log.topics.first().copied().unwrap_or_default() {
            AccrueInterest::SIGNATURE_HASH => {
                let e: AccrueInterest = fields(log, "AccrueInterest")?;
                Self::AccrueInterest {
                    cash_prior: Some(e.cashPrior),
                    interest_accumulated: e.interestAccumulated,
                    borrow_index: e.borrowIndex,
                    total_borrows: e.totalBorrows,
                }
            }
            first_c_token::AccrueInterest::SIGNATURE_HASH => {
                let e: first_c_token::AccrueInterest = fields(log, "AccrueInterest")?;
                Self::AccrueInterest {
                    cash_prior: None,
                    interest_accumulated: e.interestAccumulated,
                    borrow_index: e.borrowIndex,
                    total_borrows: e.totalBorrows,
                }
            }
            Mint::SIGNATURE_HASH => {
                let e: Mint = fields(log, "Mint")?;
                Self::Mint {
                    minter: e.minter,
                    amount: e.mintAmount,
                    tokens: e.mintTokens,
                }
            }
            Redeem::SIGNATURE_HASH => {
                let e: Redeem = fields(log, "Redeem")?;
                Self::Redeem {
                    redeemer: e.redeemer,
                    amount: e.redeemAmount,
                    tokens: e.redeemTokens,
                }
            }
            Borrow::SIGNATURE_HASH => {
                let e: Borrow = fields(log, "Borrow")?;
                Self::Borrow {
                    borrower: e.borrower,
                    amount: e.borrowAmount,
                    account_borrows: e.accountBorrows,
                    total_borrows: e.totalBorrows,
                }
            }
            RepayBorrow::SIGNATURE_HASH => {
                let e: RepayBorrow = fields(log, "RepayBorrow")?;
                Self::RepayBorrow {
                    payer: e.payer,
                    borrower: e.borrower,
                    amount: e.repayAmount,
                    account_borrows: e.accountBorrows,
                    total_borrows: e.totalBorrows,
                }
            }
            LiquidateBorrow::SIGNATURE_HASH => {
                let e: LiquidateBorrow = fields(log, "LiquidateBorrow")?;
                Self::LiquidateBorrow {
                    liquidator: e.liquidator,
                    borrower: e.borrower,
                    repay_amount: e.repayAmount,
                    collateral: e.cTokenCollateral,
                    seize_tokens: e.seizeTokens,
                }
            }
            Transfer::SIGNATURE_HASH => {
                let e: Transfer = fields(log, "Transfer")?;
                Self::Transfer {
                    from: e.from,
                    to: e.to,
                    tokens: e.amount,
                }
            }
            ReservesAdded::SIGNATURE_HASH => {
                let e: ReservesAdded = fields(log, "ReservesAdded")?;
                Self::ReservesAdded {
                    benefactor: e.benefactor,
                    amount: e.addAmount,
                    total_reserves: e.newTotalReserves,
                }
            }
            ReservesReduced::SIGNATURE_HASH => {
                let e: ReservesReduced = fields(log, "ReservesReduced")?;
                Self::ReservesReduced {
                    admin: e.admin,
                    amount: e.reduceAmount,
                    total_reserves: e.newTotalReserves,
                }
            }
            NewReserveFactor::SIGNATURE_HASH => {
                let e: NewReserveFactor = fields(log, "NewReserveFactor")?;
                Self::NewReserveFactor {
                    old: e.oldReserveFactorMantissa,
                    new: e.newReserveFactorMantissa,
                }
            }
            NewMarketInterestRateModel::SIGNATURE_HASH => {
                let e: NewMarketInterestRateModel = fields(log, "NewMarketInterestRateModel")?;
                Self::NewInterestRateModel {
                    old: e.oldInterestRateModel,
                    new: e.newInterestRateModel,
                }
            }
            Failure::SIGNATURE_HASH => {
                let e: Failure = fields(log, "Failure")?;
                Self::Failure {
                    error: e.error,
                    info: e.info,
                    detail: e.detail,
                }
            }
            Approval::SIGNATURE_HASH => other::<Approval>(log, "Approval")?,
            NewAdmin::SIGNATURE_HASH => other::<NewAdmin>(log, "NewAdmin")?,
            NewPendingAdmin::SIGNATURE_HASH => other::<NewPendingAdmin>(log, "NewPendingAdmin")?,
            NewComptroller::SIGNATURE_HASH => other::<NewComptroller>(log, "NewComptroller")?,
            NewImplementation::SIGNATURE_HASH => other::<NewImplementation>(log, "NewImplementation")?,
            _ => return Ok(None),
        }))
    }

    fn of_comptroller(log: &RawLog) -> Result<Self, DecodeError> {
        use comptroller::*;
        Ok(match log.topics.first().copied().unwrap_or_default() {
            MarketListed::SIGNATURE_HASH => {
                let e: MarketListed = fields(log, "MarketListed")?;
                Self::MarketListed { c_token: e.cToken }
            }
            MarketEntered::SIGNATURE_HASH => {
                let e: MarketEntered = fields(log, "MarketEntered")?;
                Self::MarketEntered {
                    c_token: e.cToken,
                    account: e.account,
                }
            }
            MarketExited::SIGNATURE_HASH => {
                let e: MarketExited = fields(log, "MarketExited")?;
                Self::MarketExited {
                    c_token: e.cToken,
                    account: e.account,
                }
            }
            NewCloseFactor::SIGNATURE_HASH => {
                let e: NewCloseFactor = fields(log, "NewCloseFactor")?;
                Self::NewCloseFactor {
                    old: e.oldCloseFactorMantissa,
                    new: e.newCloseFactorMantissa,
                }
            }
            NewCollateralFactor::SIGNATURE_HASH => {
                let e: NewCollateralFactor = fields(log, "NewCollateralFactor")?;
                Self::NewCollateralFactor {
                    c_token: e.cToken,
                    old: e.oldCollateralFactorMantissa,
                    new: e.newCollateralFactorMantissa,
                }
            }
            NewLiquidationIncentive::SIGNATURE_HASH => {
                let e: NewLiquidationIncentive = fields(log, "NewLiquidationIncentive")?;
                Self::NewLiquidationIncentive {
                    old: e.oldLiquidationIncentiveMantissa,
                    new: e.newLiquidationIncentiveMantissa,
                }
            }
            NewPriceOracle::SIGNATURE_HASH => {
                let e: NewPriceOracle = fields(log, "NewPriceOracle")?;
                Self::NewPriceOracle {
                    old: e.oldPriceOracle,
                    new: e.newPriceOracle,
                }
            }
            NewBorrowCap::SIGNATURE_HASH => {
                let e: NewBorrowCap = fields(log, "NewBorrowCap")?;
                Self::NewBorrowCap {
                    c_token: e.cToken,
                    cap: e.newBorrowCap,
                }
            }
            ActionPaused::SIGNATURE_HASH => {
                let e: ActionPaused = fields(log, "ActionPaused")?;
                let what = match e.action.as_str() {
                    "Transfer" => Paused::Transfer,
                    "Seize" => Paused::Seize,
                    _ => return Err(no_action(log, &e.action)),
                };
                Self::ActionPaused {
                    what,
                    paused: e.pauseState,
                }
            }
            comptroller_market::ActionPaused::SIGNATURE_HASH => {
                let e: comptroller_market::ActionPaused = fields(log, "ActionPaused")?;
                let what = match e.action.as_str() {
                    "Mint" => Paused::Mint(e.cToken),
                    "Borrow" => Paused::Borrow(e.cToken),
                    _ => return Err(no_action(log, &e.action)),
                };
                Self::ActionPaused {
                    what,
                    paused: e.pauseState,
                }
            }
            NewPauseGuardian::SIGNATURE_HASH => other::<NewPauseGuardian>(log, "NewPauseGuardian")?,
            NewBorrowCapGuardian::SIGNATURE_HASH => other::<NewBorrowCapGuardian>(log, "NewBorrowCapGuardian")?,
            NewPendingImplementation::SIGNATURE_HASH => {
                other::<NewPendingImplementation>(log, "NewPendingImplementation")?
            }
            CompSpeedUpdated::SIGNATURE_HASH => other::<CompSpeedUpdated>(log, "CompSpeedUpdated")?,
            CompBorrowSpeedUpdated::SIGNATURE_HASH => other::<CompBorrowSpeedUpdated>(log, "CompBorrowSpeedUpdated")?,
            CompSupplySpeedUpdated::SIGNATURE_HASH => other::<CompSupplySpeedUpdated>(log, "CompSupplySpeedUpdated")?,
            ContributorCompSpeedUpdated::SIGNATURE_HASH => {
                other::<ContributorCompSpeedUpdated>(log, "ContributorCompSpeedUpdated")?
            }
            DistributedSupplierComp::SIGNATURE_HASH => {
                other::<DistributedSupplierComp>(log, "DistributedSupplierComp")?
            }
            DistributedBorrowerComp::SIGNATURE_HASH => {
                other::<DistributedBorrowerComp>(log, "DistributedBorrowerComp")?
            }
            CompGranted::SIGNATURE_HASH => other::<CompGranted>(log, "CompGranted")?,
            _ => return Err(unknown_topic(log, "Compound v2 market or comptroller")),
        })
    }
}

/// An event whose fields fit, and which changes no number of the pool's.
fn other<E: SolEvent>(log: &RawLog, event: &'static str) -> Result<Event, DecodeError> {
    fields::<E>(log, event)?;
    Ok(Event::Other)
}

fn no_action(log: &RawLog, action: &str) -> DecodeError {
    malformed(log, "ActionPaused", format!("{action:?} is nothing that can be paused"))
}
