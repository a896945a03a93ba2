//! How a call ends that does not go through: a revert, or an error code with a `Failure` event and no revert
//! (`ErrorReporter`).

use alloy_primitives::{Address, U256};
use std::borrow::Cow;

/// Why a contract reverts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revert {
    /// With this text.
    Reason(&'static str),
    /// Where another market would return an error code, the ether market reverts with it in brackets.
    Code(&'static str, TokenError),
}

impl Revert {
    /// The text that the contract reverts with.
    pub fn reason(self) -> Cow<'static, str> {
        match self {
            Self::Reason(reason) => Cow::Borrowed(reason),
            Self::Code(what, error) => Cow::Owned(format!("{what} ({:02})", error.code())),
        }
    }
}

/// Why the engine does not carry a call out: the contract reverts, or the engine cannot say what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The contract reverts.
    #[error("reverted: {}", .0.reason())]
    Revert(Revert),
    /// A number that the contract can hold and an account's compact record cannot.
    #[error(transparent)]
    TooWide(#[from] TooWide),
    /// No market of the pool's.
    #[error("{0} is no market of this pool")]
    UnknownMarket(Address),
    /// A market whose interest rate model is not known, so that its interest cannot be computed.
    #[error("the interest rate model of {0} is not known")]
    UnknownModel(Address),
}

/// A number that does not fit an account's compact record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {value} is over 128 bits")]
pub struct TooWide {
    /// Whose number.
    pub what: &'static str,
    /// The number.
    pub value: U256,
}

impl From<Revert> for Refusal {
    fn from(revert: Revert) -> Self {
        Self::Revert(revert)
    }
}

/// Names with the numbers that the contracts give them.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`.")] $variant = $code,)*
        }

        impl $name {
            /// The contracts' number for it.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The contracts' name for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl From<$name> for u8 {
            fn from(error: $name) -> Self {
                error.code()
            }
        }
    };
}

codes! {
    /// The error codes of a market that can come up (`TokenErrorReporter.Error`).
    TokenError {
        Unauthorized = 1 "UNAUTHORIZED",
        BadInput = 2 "BAD_INPUT",
        ComptrollerRejection = 3 "COMPTROLLER_REJECTION",
        InvalidAccountPair = 6 "INVALID_ACCOUNT_PAIR",
        InvalidCloseAmountRequested = 7 "INVALID_CLOSE_AMOUNT_REQUESTED",
        MathError = 9 "MATH_ERROR",
        TokenInsufficientCash = 14 "TOKEN_INSUFFICIENT_CASH",
    }
}

codes! {
    /// What a market was doing when it failed, as far as it can come up (`TokenErrorReporter.FailureInfo`).
    TokenInfo {
        AccrueInterestAccumulatedInterest = 1 "ACCRUE_INTEREST_ACCUMULATED_INTEREST_CALCULATION_FAILED",
        AccrueInterestNewBorrowIndex = 3 "ACCRUE_INTEREST_NEW_BORROW_INDEX_CALCULATION_FAILED",
        AccrueInterestNewTotalBorrows = 4 "ACCRUE_INTEREST_NEW_TOTAL_BORROWS_CALCULATION_FAILED",
        AccrueInterestNewTotalReserves = 5 "ACCRUE_INTEREST_NEW_TOTAL_RESERVES_CALCULATION_FAILED",
        AccrueInterestSimpleInterestFactor = 6 "ACCRUE_INTEREST_SIMPLE_INTEREST_FACTOR_CALCULATION_FAILED",
        BorrowAccumulatedBalance = 7 "BORROW_ACCUMULATED_BALANCE_CALCULATION_FAILED",
        BorrowAccrueInterest = 8 "BORROW_ACCRUE_INTEREST_FAILED",
        BorrowCashNotAvailable = 9 "BORROW_CASH_NOT_AVAILABLE",
        BorrowNewTotalBalance = 11 "BORROW_NEW_TOTAL_BALANCE_CALCULATION_FAILED",
        BorrowNewAccountBalance = 12 "BORROW_NEW_ACCOUNT_BORROW_BALANCE_CALCULATION_FAILED",
        BorrowComptrollerRejection = 14 "BORROW_COMPTROLLER_REJECTION",
        LiquidateAccrueBorrowInterest = 15 "LIQUIDATE_ACCRUE_BORROW_INTEREST_FAILED",
        LiquidateAccrueCollateralInterest = 16 "LIQUIDATE_ACCRUE_COLLATERAL_INTEREST_FAILED",
        LiquidateComptrollerRejection = 18 "LIQUIDATE_COMPTROLLER_REJECTION",
        LiquidateCloseAmountIsUintMax = 20 "LIQUIDATE_CLOSE_AMOUNT_IS_UINT_MAX",
        LiquidateCloseAmountIsZero = 21 "LIQUIDATE_CLOSE_AMOUNT_IS_ZERO",
        LiquidateLiquidatorIsBorrower = 23 "LIQUIDATE_LIQUIDATOR_IS_BORROWER",
        LiquidateRepayBorrowFresh = 24 "LIQUIDATE_REPAY_BORROW_FRESH_FAILED",
        LiquidateSeizeComptrollerRejection = 27 "LIQUIDATE_SEIZE_COMPTROLLER_REJECTION",
        MintAccrueInterest = 30 "MINT_ACCRUE_INTEREST_FAILED",
        MintComptrollerRejection = 31 "MINT_COMPTROLLER_REJECTION",
        MintExchangeRateRead = 33 "MINT_EXCHANGE_RATE_READ_FAILED",
        RedeemAccrueInterest = 39 "REDEEM_ACCRUE_INTEREST_FAILED",
        RedeemComptrollerRejection = 40 "REDEEM_COMPTROLLER_REJECTION",
        RedeemExchangeTokens = 41 "REDEEM_EXCHANGE_TOKENS_CALCULATION_FAILED",
        RedeemExchangeAmount = 42 "REDEEM_EXCHANGE_AMOUNT_CALCULATION_FAILED",
        RedeemExchangeRateRead = 43 "REDEEM_EXCHANGE_RATE_READ_FAILED",
        RedeemNewAccountBalance = 45 "REDEEM_NEW_ACCOUNT_BALANCE_CALCULATION_FAILED",
        RedeemNewTotalSupply = 46 "REDEEM_NEW_TOTAL_SUPPLY_CALCULATION_FAILED",
        RedeemTransferOutNotPossible = 47 "REDEEM_TRANSFER_OUT_NOT_POSSIBLE",
        ReduceReservesAccrueInterest = 48 "REDUCE_RESERVES_ACCRUE_INTEREST_FAILED",
        ReduceReservesAdminCheck = 49 "REDUCE_RESERVES_ADMIN_CHECK",
        ReduceReservesCashNotAvailable = 50 "REDUCE_RESERVES_CASH_NOT_AVAILABLE",
        ReduceReservesValidation = 52 "REDUCE_RESERVES_VALIDATION",
        RepayBehalfAccrueInterest = 53 "REPAY_BEHALF_ACCRUE_INTEREST_FAILED",
        RepayBorrowAccrueInterest = 54 "REPAY_BORROW_ACCRUE_INTEREST_FAILED",
        RepayBorrowAccumulatedBalance = 55 "REPAY_BORROW_ACCUMULATED_BALANCE_CALCULATION_FAILED",
        RepayBorrowComptrollerRejection = 56 "REPAY_BORROW_COMPTROLLER_REJECTION",
        SetInterestRateModelAccrueInterest = 64 "SET_INTEREST_RATE_MODEL_ACCRUE_INTEREST_FAILED",
        SetInterestRateModelOwnerCheck = 66 "SET_INTEREST_RATE_MODEL_OWNER_CHECK",
        SetReserveFactorAccrueInterest = 70 "SET_RESERVE_FACTOR_ACCRUE_INTEREST_FAILED",
        SetReserveFactorAdminCheck = 71 "SET_RESERVE_FACTOR_ADMIN_CHECK",
        SetReserveFactorBoundsCheck = 73 "SET_RESERVE_FACTOR_BOUNDS_CHECK",
        TransferComptrollerRejection = 74 "TRANSFER_COMPTROLLER_REJECTION",
        TransferNotAllowed = 75 "TRANSFER_NOT_ALLOWED",
        TransferNotEnough = 76 "TRANSFER_NOT_ENOUGH",
        TransferTooMuch = 77 "TRANSFER_TOO_MUCH",
        AddReservesAccrueInterest = 78 "ADD_RESERVES_ACCRUE_INTEREST_FAILED",
    }
}

codes! {
    /// The error codes of the comptroller that can come up (`ComptrollerErrorReporter.Error`).
    ComptrollerError {
        Unauthorized = 1 "UNAUTHORIZED",
        InsufficientShortfall = 3 "INSUFFICIENT_SHORTFALL",
        InsufficientLiquidity = 4 "INSUFFICIENT_LIQUIDITY",
        InvalidCollateralFactor = 6 "INVALID_COLLATERAL_FACTOR",
        MarketNotListed = 9 "MARKET_NOT_LISTED",
        MarketAlreadyListed = 10 "MARKET_ALREADY_LISTED",
        NonzeroBorrowBalance = 12 "NONZERO_BORROW_BALANCE",
        PriceError = 13 "PRICE_ERROR",
        Rejection = 14 "REJECTION",
        SnapshotError = 15 "SNAPSHOT_ERROR",
        TooMuchRepay = 17 "TOO_MUCH_REPAY",
    }
}

codes! {
    /// What the comptroller was doing when it failed, as far as it can come up (`ComptrollerErrorReporter.FailureInfo`).
    ComptrollerInfo {
        ExitMarketBalanceOwed = 2 "EXIT_MARKET_BALANCE_OWED",
        ExitMarketRejection = 3 "EXIT_MARKET_REJECTION",
        SetCollateralFactorOwnerCheck = 6 "SET_COLLATERAL_FACTOR_OWNER_CHECK",
        SetCollateralFactorNoExists = 7 "SET_COLLATERAL_FACTOR_NO_EXISTS",
        SetCollateralFactorValidation = 8 "SET_COLLATERAL_FACTOR_VALIDATION",
        SetCollateralFactorWithoutPrice = 9 "SET_COLLATERAL_FACTOR_WITHOUT_PRICE",
        SetLiquidationIncentiveOwnerCheck = 11 "SET_LIQUIDATION_INCENTIVE_OWNER_CHECK",
        SupportMarketExists = 17 "SUPPORT_MARKET_EXISTS",
        SupportMarketOwnerCheck = 18 "SUPPORT_MARKET_OWNER_CHECK",
    }
}

/// How a step within a call stops short: with an error code whose event is out, or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop<E> {
    /// The call ends here and returns this code; what it has done so far stays.
    Failed(E),
    /// What the call has done is undone.
    Refused(Refusal),
}

impl<E> From<Refusal> for Stop<E> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E> From<Revert> for Stop<E> {
    fn from(revert: Revert) -> Self {
        Self::Refused(Refusal::Revert(revert))
    }
}
