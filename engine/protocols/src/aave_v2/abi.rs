//! The events of pool, tokens and configurator, and their decoding.

use crate::{
    DecodeError, RawLog,
    decode::{fields, unknown_topic},
};
use alloy_primitives::Address;
use alloy_sol_types::SolEvent;

/// The pool's events (`ILendingPool`).
#[allow(missing_docs)]
pub mod pool {
    alloy_sol_types::sol! {
        #![sol(extra_derives(Debug, PartialEq, Eq))]
        event Deposit(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint16 indexed referral);
        event Withdraw(address indexed reserve, address indexed user, address indexed to, uint256 amount);
        event Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint256 borrowRateMode, uint256 borrowRate, uint16 indexed referral);
        event Repay(address indexed reserve, address indexed user, address indexed repayer, uint256 amount);
        event Swap(address indexed reserve, address indexed user, uint256 rateMode);
        event ReserveUsedAsCollateralEnabled(address indexed reserve, address indexed user);
        event ReserveUsedAsCollateralDisabled(address indexed reserve, address indexed user);
        event RebalanceStableBorrowRate(address indexed reserve, address indexed user);
        event FlashLoan(address indexed target, address indexed initiator, address indexed asset, uint256 amount, uint256 premium, uint16 referralCode);
        event Paused();
        event Unpaused();
        event LiquidationCall(address indexed collateralAsset, address indexed debtAsset, address indexed user, uint256 debtToCover, uint256 liquidatedCollateralAmount, address liquidator, bool receiveAToken);
        event ReserveDataUpdated(address indexed reserve, uint256 liquidityRate, uint256 stableBorrowRate, uint256 variableBorrowRate, uint256 liquidityIndex, uint256 variableBorrowIndex);
    }
}

/// An aToken's events (`IAToken`).
#[allow(missing_docs)]
pub mod a_token {
    alloy_sol_types::sol! {
        #![sol(extra_derives(Debug, PartialEq, Eq))]
        event Approval(address indexed owner, address indexed spender, uint256 value);
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Mint(address indexed from, uint256 value, uint256 index);
        event Burn(address indexed from, address indexed target, uint256 value, uint256 index);
        event BalanceTransfer(address indexed from, address indexed to, uint256 value, uint256 index);
    }
}

/// A variable-debt token's events (`IVariableDebtToken`).
#[allow(missing_docs)]
pub mod variable_debt {
    alloy_sol_types::sol! {
        #![sol(extra_derives(Debug, PartialEq, Eq))]
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Mint(address indexed from, address indexed onBehalfOf, uint256 value, uint256 index);
        event Burn(address indexed user, uint256 amount, uint256 index);
        event BorrowAllowanceDelegated(address indexed fromUser, address indexed toUser, address asset, uint256 amount);
    }
}

/// A stable-debt token's events (`IStableDebtToken`).
#[allow(missing_docs)]
pub mod stable_debt {
    alloy_sol_types::sol! {
        #![sol(extra_derives(Debug, PartialEq, Eq))]
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Mint(address indexed user, address indexed onBehalfOf, uint256 amount, uint256 currentBalance, uint256 balanceIncrease, uint256 newRate, uint256 avgStableRate, uint256 newTotalSupply);
        event Burn(address indexed user, uint256 amount, uint256 currentBalance, uint256 balanceIncrease, uint256 avgStableRate, uint256 newTotalSupply);
        event BorrowAllowanceDelegated(address indexed fromUser, address indexed toUser, address asset, uint256 amount);
    }
}

/// The configurator's events (`ILendingPoolConfigurator`).
#[allow(missing_docs)]
pub mod configurator {
    alloy_sol_types::sol! {
        #![sol(extra_derives(Debug, PartialEq, Eq))]
        event ReserveInitialized(address indexed asset, address indexed aToken, address stableDebtToken, address variableDebtToken, address interestRateStrategyAddress);
        event BorrowingEnabledOnReserve(address indexed asset, bool stableRateEnabled);
        event BorrowingDisabledOnReserve(address indexed asset);
        event CollateralConfigurationChanged(address indexed asset, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus);
        event StableRateEnabledOnReserve(address indexed asset);
        event StableRateDisabledOnReserve(address indexed asset);
        event ReserveActivated(address indexed asset);
        event ReserveDeactivated(address indexed asset);
        event ReserveFrozen(address indexed asset);
        event ReserveUnfrozen(address indexed asset);
        event ReserveFactorChanged(address indexed asset, uint256 factor);
        event ReserveDecimalsChanged(address indexed asset, uint256 decimals);
        event ReserveInterestRateStrategyChanged(address indexed asset, address strategy);
        event ATokenUpgraded(address indexed asset, address indexed proxy, address indexed implementation);
        event StableDebtTokenUpgraded(address indexed asset, address indexed proxy, address indexed implementation);
        event VariableDebtTokenUpgraded(address indexed asset, address indexed proxy, address indexed implementation);
    }
}

macro_rules! events {
    ($(#[$doc:meta])* $name:ident from $module:ident ($role:literal): $($event:ident),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $(
                #[doc = concat!("`", stringify!($event), "`.")]
                $event($module::$event),
            )+
        }

        impl $name {
            /// Reads one log of the contract.
            ///
            /// # Errors
            /// A topic that the contract does not emit, or fields that do not fit their types.
            pub fn decode(log: &RawLog) -> Result<Self, DecodeError> {
                Ok(match log.topics.first().copied().unwrap_or_default() {
                    $($module::$event::SIGNATURE_HASH => Self::$event(fields(log, stringify!($event))?),)+
                    _ => return Err(unknown_topic(log, $role)),
                })
            }
        }

        $(
            impl From<$module::$event> for Event {
                fn from(event: $module::$event) -> Self {
                    $name::$event(event).into()
                }
            }
        )+

        impl From<$name> for Event {
            fn from(event: $name) -> Self {
                Self::$name(event)
            }
        }
    };
}

events! {
    /// What the pool says it did.
    PoolEvent from pool ("Aave v2 pool"):
    Deposit, Withdraw, Borrow, Repay, Swap, ReserveUsedAsCollateralEnabled, ReserveUsedAsCollateralDisabled,
    RebalanceStableBorrowRate, FlashLoan, Paused, Unpaused, LiquidationCall, ReserveDataUpdated
}

events! {
    /// What an aToken says it did. Values are base units of the underlying, indexes rays; nothing is scaled.
    ATokenEvent from a_token ("Aave v2 aToken"):
    Approval, Transfer, Mint, Burn, BalanceTransfer
}

events! {
    /// What a variable-debt token says it did. Values are base units of the underlying, indexes rays; nothing is scaled.
    VariableDebtEvent from variable_debt ("Aave v2 variable-debt token"):
    Transfer, Mint, Burn, BorrowAllowanceDelegated
}

events! {
    /// What a stable-debt token says it did. Amounts are base units of the underlying, rates ray a year.
    StableDebtEvent from stable_debt ("Aave v2 stable-debt token"):
    Transfer, Mint, Burn, BorrowAllowanceDelegated
}

events! {
    /// What the configurator says it did. Numbers are basis points.
    ConfiguratorEvent from configurator ("Aave v2 configurator"):
    ReserveInitialized, BorrowingEnabledOnReserve, BorrowingDisabledOnReserve, CollateralConfigurationChanged,
    StableRateEnabledOnReserve, StableRateDisabledOnReserve, ReserveActivated, ReserveDeactivated, ReserveFrozen,
    ReserveUnfrozen, ReserveFactorChanged, ReserveDecimalsChanged, ReserveInterestRateStrategyChanged, ATokenUpgraded,
    StableDebtTokenUpgraded, VariableDebtTokenUpgraded
}

/// An event of a market's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The pool's.
    PoolEvent(PoolEvent),
    /// An aToken's.
    ATokenEvent(ATokenEvent),
    /// A variable-debt token's.
    VariableDebtEvent(VariableDebtEvent),
    /// A stable-debt token's.
    StableDebtEvent(StableDebtEvent),
    /// The configurator's.
    ConfiguratorEvent(ConfiguratorEvent),
}

/// An event and who emitted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// The contract.
    pub contract: Address,
    /// What it said.
    pub event: Event,
}
