//! Why a pool refuses.

use alloy_primitives::Address;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// The names of the contracts' `Errors` library that the engine gives.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Errors {
            $($(#[$doc])* $name,)*
        }

        impl Errors {
            /// Every name, by code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The code, which is the reason that the bytecode gives.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

errors! {
    /// An amount of zero.
    InvalidAmount = "1",
    /// The reserve is not active.
    NoActiveReserve = "2",
    /// The reserve is frozen.
    ReserveFrozen = "3",
    /// More than the user has deposited.
    NotEnoughAvailableUserBalance = "5",
    /// The health factor would fall too low.
    TransferNotAllowed = "6",
    /// Nobody may borrow from the reserve.
    BorrowingNotEnabled = "7",
    /// The user has no collateral.
    CollateralBalanceIsZero = "9",
    /// The health factor is too low.
    HealthFactorLowerThanLiquidationThreshold = "10",
    /// The collateral's LTV does not carry the debt.
    CollateralCannotCoverNewBorrow = "11",
    /// Nobody may borrow from the reserve at a stable rate.
    StableBorrowingNotEnabled = "12",
    /// A stable debt that the user's own deposit of the same asset would pay.
    CollateralSameAsBorrowingCurrency = "13",
    /// A stable debt of more than a quarter of what is there.
    AmountBiggerThanMaxLoanSizeStable = "14",
    /// The user owes nothing of the kind.
    NoDebtOfSelectedType = "15",
    /// Only the debtor may ask to repay all.
    NoExplicitAmountToRepayOnBehalf = "16",
    /// The user has no stable debt.
    NoStableRateLoanInReserve = "17",
    /// The user has no variable debt.
    NoVariableRateLoanInReserve = "18",
    /// The user has deposited nothing.
    UnderlyingBalanceNotGreaterThanZero = "19",
    /// The deposit secures debt.
    DepositAlreadyInUse = "20",
    /// The reserve is not used enough, or its deposits earn enough.
    InterestRateRebalanceConditionsNotMet = "22",
    /// Whatever a liquidation reverts with on its way.
    LiquidationCallFailed = "23",
    /// The reserve holds or earns something.
    ReserveLiquidityNotZero = "34",
    /// The health factor is high enough.
    HealthFactorNotBelowThreshold = "42",
    /// The user does not use it as collateral.
    CollateralCannotBeLiquidated = "43",
    /// The user owes nothing in that currency.
    SpecifiedCurrencyNotBorrowedByUser = "44",
    /// The reserve does not hold the collateral that is to be seized.
    NotEnoughLiquidityToLiquidate = "45",
    /// A product over 256 bits.
    MathMultiplicationOverflow = "48",
    /// A division by zero.
    MathDivisionByZero = "50",
    /// A liquidity index over 128 bits.
    LiquidityIndexOverflow = "51",
    /// A variable borrow index over 128 bits.
    VariableBorrowIndexOverflow = "52",
    /// A liquidity rate over 128 bits.
    LiquidityRateOverflow = "53",
    /// A variable borrow rate over 128 bits.
    VariableBorrowRateOverflow = "54",
    /// A stable borrow rate over 128 bits.
    StableBorrowRateOverflow = "55",
    /// The amount scales down to nothing.
    InvalidMintAmount = "56",
    /// The amount scales down to nothing.
    InvalidBurnAmount = "58",
    /// Less may be borrowed on another's behalf.
    BorrowAllowanceNotEnough = "59",
    /// The pool is paused.
    IsPaused = "64",
    /// There are 128 reserves already.
    NoMoreReservesAllowed = "65",
    /// The receiver of a flash loan says that it failed.
    InvalidFlashLoanExecutorReturn = "66",
    /// An LTV over 16 bits.
    InvalidLtv = "67",
    /// A threshold over 16 bits.
    InvalidLiquidationThreshold = "68",
    /// A bonus over 16 bits.
    InvalidLiquidationBonus = "69",
    /// A reserve factor over 16 bits.
    InvalidReserveFactor = "71",
    /// LTV, threshold and bonus contradict each other.
    InvalidConfiguration = "75",
    /// A stable rate over 128 bits.
    StableDebtOverflow = "79",
    /// More stable debt than there is.
    BurnExceedsBalance = "80",
}

/// A transaction that the pool refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Revert {
    /// A rule of the protocol's.
    #[error("reverted: {} ({})", .0.name(), .0.code())]
    Rule(Errors),
    /// What SafeMath, ERC-20 or SafeERC20 say.
    #[error("reverted: {0}")]
    Text(&'static str),
    /// No reason: no reserve has such an asset.
    #[error("reverted")]
    WithoutReason,
    /// The oracle has no price for an asset; the contract gives no reason.
    #[error("no price for {0}")]
    NoPrice(Address),
    /// Something that the contracts can do and the engine does not.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
}

impl From<Errors> for Revert {
    fn from(error: Errors) -> Self {
        Self::Rule(error)
    }
}

impl Revert {
    /// The reason that the bytecode gives, empty where it gives none; `None` where the engine does not know what it does.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Rule(error) => Some(error.code()),
            Self::Text(text) => Some(text),
            Self::WithoutReason | Self::NoPrice(_) => Some(""),
            Self::Unsupported(_) => None,
        }
    }
}
