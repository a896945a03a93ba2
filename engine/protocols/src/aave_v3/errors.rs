//! Why a pool refuses: one name for both ways of saying it, string codes up to 3.3 and custom errors from 3.4 on.

use super::Revision;
use alloy_primitives::{Address, Bytes, U256, keccak256};

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

            /// The name, which is the custom error's from 3.4 on.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The string code up to 3.3; empty for what came later.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

errors! {
    /// No category of efficiency mode has the number zero.
    EModeCategoryReserved = "16",
    /// A category's threshold is not above the reserve's own (up to 3.1).
    InvalidEModeCategoryAssignment = "17",
    /// Somebody has supplied, or the treasury is owed something.
    ReserveLiquidityNotZero = "18",
    /// A premium over 100 %.
    FlashloanPremiumInvalid = "19",
    /// LTV, threshold and bonus contradict each other.
    InvalidReserveParams = "20",
    /// A category's LTV, threshold and bonus contradict each other.
    InvalidEmodeCategoryParams = "21",
    /// The amount scales down to nothing.
    InvalidMintAmount = "24",
    /// The amount scales down to nothing.
    InvalidBurnAmount = "25",
    /// An amount of zero, or more than there is.
    InvalidAmount = "26",
    /// The reserve is not active.
    ReserveInactive = "27",
    /// The reserve is frozen.
    ReserveFrozen = "28",
    /// The reserve is paused.
    ReservePaused = "29",
    /// Nobody may borrow from the reserve.
    BorrowingNotEnabled = "30",
    /// Nobody may borrow from the reserve at a stable rate (up to 3.1).
    StableBorrowingNotEnabled = "31",
    /// More than the user has supplied.
    NotEnoughAvailableUserBalance = "32",
    /// A rate that is not variable.
    InvalidInterestRateModeSelected = "33",
    /// The user has no collateral (up to 3.4).
    CollateralBalanceIsZero = "34",
    /// The health factor is too low, or would be.
    HealthFactorLowerThanLiquidationThreshold = "35",
    /// The collateral's LTV does not carry the debt.
    CollateralCannotCoverNewBorrow = "36",
    /// The user owes nothing of the kind.
    NoDebtOfSelectedType = "39",
    /// Only the debtor may ask to repay all.
    NoExplicitAmountToRepayOnBehalf = "40",
    /// The user has supplied nothing.
    UnderlyingBalanceZero = "43",
    /// The health factor is high enough.
    HealthFactorNotBelowThreshold = "45",
    /// The user does not use it as collateral.
    CollateralCannotBeLiquidated = "46",
    /// The user owes nothing in that currency.
    SpecifiedCurrencyNotBorrowedByUser = "47",
    /// The lists of a flash loan do not fit each other.
    InconsistentFlashloanParams = "49",
    /// More debt than the reserve's cap.
    BorrowCapExceeded = "50",
    /// More supply than the reserve's cap.
    SupplyCapExceeded = "51",
    /// More debt than the isolated collateral's ceiling.
    DebtCeilingExceeded = "53",
    /// Somebody has supplied, or the treasury is owed something.
    UnderlyingClaimableRightsNotZero = "54",
    /// Somebody owes something.
    VariableDebtSupplyNotZero = "56",
    /// Collateral whose LTV is zero must leave first, or there is no other.
    LtvValidationFailed = "57",
    /// The category does not exist or does not fit the user's debt.
    InconsistentEModeCategory = "58",
    /// Not to be borrowed against isolated collateral.
    AssetNotBorrowableInIsolation = "60",
    /// The user's collateral is isolated, or the reserve has no LTV.
    UserInIsolationModeOrLtvZero = "62",
    /// An LTV over 16 bits.
    InvalidLtv = "63",
    /// A threshold over 16 bits.
    InvalidLiquidationThreshold = "64",
    /// A bonus over 16 bits.
    InvalidLiquidationBonus = "65",
    /// A reserve factor over 100 %.
    InvalidReserveFactor = "67",
    /// A cap over 36 bits.
    InvalidBorrowCap = "68",
    /// A cap over 36 bits.
    InvalidSupplyCap = "69",
    /// A fee over 100 %.
    InvalidLiquidationProtocolFee = "70",
    /// A ceiling over 40 bits.
    InvalidDebtCeiling = "73",
    /// A reserve's number over 127.
    InvalidReserveIndex = "74",
    /// No such reserve.
    AssetNotListed = "82",
    /// A kink beyond its bounds.
    InvalidOptimalUsageRatio = "83",
    /// Debt in a siloed asset beside other debt.
    SiloedBorrowingViolation = "89",
    /// Somebody owes something.
    ReserveDebtNotZero = "90",
    /// Nobody may take a flash loan from the reserve.
    FlashloanDisabled = "91",
    /// Rates that sum up to more than 1000 % (from 3.1).
    InvalidMaxRate = "92",
    /// The aToken would receive its own underlying (from 3.1).
    WithdrawToAToken = "93",
    /// The aToken would hold itself (from 3.1).
    SupplyToAToken = "94",
    /// A second slope below the first (from 3.1).
    Slope2MustBeGteSlope1 = "95",
    /// A grace period has not ended (from 3.1).
    LiquidationGraceSentinelCheckFailed = "97",
    /// A grace period of over four hours (from 3.1).
    InvalidGracePeriod = "98",
    /// Frozen or thawed already (from 3.1).
    InvalidFreezeState = "99",
    /// Not to be borrowed in the user's category (from 3.2).
    NotBorrowableInEMode = "100",
    /// There is no deficit to cover (from 3.3).
    ReserveNotInDeficit = "102",
    /// A liquidation would leave less than 1,000 of the base currency on either side (from 3.3).
    MustNotLeaveDust = "103",
    /// Whoever covers a deficit must owe nothing (from 3.3).
    UserCannotHaveDebt = "104",
    /// Nobody liquidates themselves (from 3.4).
    SelfLiquidation = "",
    /// The LTV is zero already, or is not (from 3.6).
    InvalidLtvzeroState = "",
}

/// A transaction that the pool refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Revert {
    /// A rule of the protocol's.
    #[error("reverted: {}", .0.name())]
    Rule(Errors),
    /// Collateral that the category does not lend against (from 3.6).
    #[error("reverted: InvalidCollateralInEmode({reserve}, {category})")]
    InvalidCollateralInEmode {
        /// The reserve; zero where it was dropped.
        reserve: Address,
        /// The category.
        category: u8,
    },
    /// Debt that the category does not lend (from 3.6).
    #[error("reverted: InvalidDebtInEmode({reserve}, {category})")]
    InvalidDebtInEmode {
        /// The reserve; zero where it was dropped.
        reserve: Address,
        /// The category.
        category: u8,
    },
    /// The reserve is no collateral of the category (from 3.6).
    #[error("reverted: MustBeEmodeCollateral({reserve}, {category})")]
    MustBeEmodeCollateral {
        /// The reserve.
        reserve: Address,
        /// The category.
        category: u8,
    },
    /// Less may be borrowed on another's behalf (from 3.4; an arithmetic panic before).
    #[error("reverted: InsufficientBorrowAllowance({spender}, {allowance}, {needed})")]
    InsufficientBorrowAllowance {
        /// Who wants to borrow.
        spender: Address,
        /// What the debtor has allowed, in base units.
        allowance: U256,
        /// What is asked for, in base units.
        needed: U256,
    },
    /// A sum, difference or product left its type (panic 0x11).
    #[error("reverted: arithmetic overflow")]
    Overflow,
    /// A division by zero (panic 0x12).
    #[error("reverted: division by zero")]
    DivisionByZero,
    /// A number that its field cannot hold.
    #[error("reverted: {value} does not fit {bits} bits")]
    Cast {
        /// The field's width.
        bits: u8,
        /// The number.
        value: U256,
    },
    /// No reason: a ray or a percentage overflowed, or the asset has no reserve.
    #[error("reverted")]
    WithoutReason,
    /// The underlying token refuses the transfer, for a reason of its own.
    #[error("reverted: the underlying token refuses the transfer")]
    Underlying,
    /// The oracle has no price for an asset.
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
    /// What the bytecode of a revision returns with the revert; `None` where that is not the protocol's own.
    pub fn data(&self, revision: Revision) -> Option<Bytes> {
        let data = match *self {
            Self::Rule(error) if revision.custom_errors() => encoded(&format!("{}()", error.name()), &[]),
            Self::Rule(error) => reason(error.code()),
            Self::InvalidCollateralInEmode { reserve, category } => {
                in_e_mode("InvalidCollateralInEmode", reserve, category)
            }
            Self::InvalidDebtInEmode { reserve, category } => in_e_mode("InvalidDebtInEmode", reserve, category),
            Self::MustBeEmodeCollateral { reserve, category } => in_e_mode("MustBeEmodeCollateral", reserve, category),
            Self::InsufficientBorrowAllowance {
                spender,
                allowance,
                needed,
            } => {
                let fields = [word(spender), allowance, needed];
                encoded("InsufficientBorrowAllowance(address,uint256,uint256)", &fields)
            }
            Self::Overflow => panicked(0x11),
            Self::DivisionByZero => panicked(0x12),
            Self::Cast { bits, value } if revision.custom_errors() => encoded(
                "SafeCastOverflowedUintDowncast(uint8,uint256)",
                &[U256::from(bits), value],
            ),
            Self::Cast { bits, .. } => reason(&format!("SafeCast: value doesn't fit in {bits} bits")),
            Self::WithoutReason => Vec::new(),
            Self::Underlying | Self::NoPrice(_) | Self::Unsupported(_) => return None,
        };
        Some(data.into())
    }
}

fn in_e_mode(error: &str, reserve: Address, category: u8) -> Vec<u8> {
    let fields = [word(reserve), U256::from(category)];
    encoded(&format!("{error}(address,uint256)"), &fields)
}

fn panicked(code: u8) -> Vec<u8> {
    encoded("Panic(uint256)", &[U256::from(code)])
}

/// `Error(string)` with a text of up to 32 bytes, or longer.
fn reason(text: &str) -> Vec<u8> {
    let mut data = encoded("Error(string)", &[U256::from(32), U256::from(text.len())]);
    data.extend(text.as_bytes());
    data.resize(4 + 64 + text.len().next_multiple_of(32), 0);
    data
}

fn word(address: Address) -> U256 {
    U256::from_be_slice(address.as_slice())
}

fn encoded(signature: &str, words: &[U256]) -> Vec<u8> {
    let mut data = keccak256(signature)[..4].to_vec();
    for word in words {
        data.extend(word.to_be_bytes::<32>());
    }
    data
}
