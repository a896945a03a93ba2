//! The events of the pool configurator (`IPoolConfigurator`) and of the shared rate strategy (`IDefaultInterestRateStrategyV2`).

use super::{Event, events};

/// The configurator's events.
#[allow(missing_docs)] // What a field means is said by the variants of `ConfiguratorEvent`; the names are the contracts'.
pub mod configurator {
    alloy_sol_types::sol! {
        #![sol(all_derives)]
        event ReserveInitialized(address indexed asset, address indexed aToken, address stableDebtToken, address variableDebtToken, address interestRateStrategyAddress);
        event ReserveDropped(address indexed asset);
        event ReserveBorrowing(address indexed asset, bool enabled);
        event ReserveStableRateBorrowing(address indexed asset, bool enabled);
        event ReserveFlashLoaning(address indexed asset, bool enabled);
        event PendingLtvChanged(address indexed asset, uint256 ltv);
        event CollateralConfigurationChanged(address indexed asset, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus);
        event ReserveActive(address indexed asset, bool active);
        event ReserveFrozen(address indexed asset, bool frozen);
        event ReservePaused(address indexed asset, bool paused);
        event ReserveFactorChanged(address indexed asset, uint256 oldReserveFactor, uint256 newReserveFactor);
        event BorrowCapChanged(address indexed asset, uint256 oldBorrowCap, uint256 newBorrowCap);
        event SupplyCapChanged(address indexed asset, uint256 oldSupplyCap, uint256 newSupplyCap);
        event LiquidationProtocolFeeChanged(address indexed asset, uint256 oldFee, uint256 newFee);
        event UnbackedMintCapChanged(address indexed asset, uint256 oldUnbackedMintCap, uint256 newUnbackedMintCap);
        event LiquidationGracePeriodChanged(address indexed asset, uint40 gracePeriodUntil);
        event LiquidationGracePeriodDisabled(address indexed asset);
        event EModeAssetCategoryChanged(address indexed asset, uint8 oldCategoryId, uint8 newCategoryId);
        event AssetCollateralInEModeChanged(address indexed asset, uint8 categoryId, bool collateral);
        event AssetBorrowableInEModeChanged(address indexed asset, uint8 categoryId, bool borrowable);
        event AssetLtvzeroInEModeChanged(address indexed asset, uint8 categoryId, bool ltvzero);
        event EModeCategoryAdded(uint8 indexed categoryId, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus, address oracle, string label);
        event ReserveInterestRateStrategyChanged(address indexed asset, address oldStrategy, address newStrategy);
        event ReserveInterestRateDataChanged(address indexed asset, address indexed strategy, bytes data);
        event ATokenUpgraded(address indexed asset, address indexed proxy, address indexed implementation);
        event StableDebtTokenUpgraded(address indexed asset, address indexed proxy, address indexed implementation);
        event VariableDebtTokenUpgraded(address indexed asset, address indexed proxy, address indexed implementation);
        event DebtCeilingChanged(address indexed asset, uint256 oldDebtCeiling, uint256 newDebtCeiling);
        event SiloedBorrowingChanged(address indexed asset, bool oldState, bool newState);
        event BorrowableInIsolationChanged(address asset, bool borrowable);
        event BridgeProtocolFeeUpdated(uint256 oldBridgeProtocolFee, uint256 newBridgeProtocolFee);
        event FlashloanPremiumTotalUpdated(uint128 oldFlashloanPremiumTotal, uint128 newFlashloanPremiumTotal);
        event FlashloanPremiumToProtocolUpdated(uint128 oldFlashloanPremiumToProtocol, uint128 newFlashloanPremiumToProtocol);
    }
}

/// The shared rate strategy's event.
#[allow(missing_docs)] // As above.
pub mod rate_strategy {
    alloy_sol_types::sol! {
        #![sol(all_derives)]
        event RateDataUpdate(address indexed reserve, uint256 optimalUsageRatio, uint256 baseVariableBorrowRate, uint256 variableRateSlope1, uint256 variableRateSlope2);
    }
}

events! {
    /// What the configurator says it changed. LTVs, thresholds, bonuses, factors and fees are basis points, caps whole
    /// tokens, debt ceilings base currency with two decimals.
    ConfiguratorEvent, "Aave v3 pool configurator", configurator {
        /// A reserve was listed.
        ReserveInitialized,
        /// A reserve was taken off the list.
        ReserveDropped,
        /// Borrowing was allowed or forbidden.
        ReserveBorrowing,
        /// Borrowing at a stable rate was allowed or forbidden (up to 3.1).
        ReserveStableRateBorrowing,
        /// Flash loans were allowed or forbidden.
        ReserveFlashLoaning,
        /// The LTV that a frozen reserve will have again (from 3.1).
        PendingLtvChanged,
        /// LTV, liquidation threshold and bonus.
        CollateralConfigurationChanged,
        /// The reserve was activated or deactivated.
        ReserveActive,
        /// The reserve was frozen or thawed.
        ReserveFrozen,
        /// The reserve was paused or resumed.
        ReservePaused,
        /// The treasury's share of the interest.
        ReserveFactorChanged,
        /// The most that may be owed.
        BorrowCapChanged,
        /// The most that may be supplied.
        SupplyCapChanged,
        /// The treasury's share of the liquidation bonus.
        LiquidationProtocolFeeChanged,
        /// The most that bridges may mint (up to 3.3).
        UnbackedMintCapChanged,
        /// No liquidations until then (from 3.1).
        LiquidationGracePeriodChanged,
        /// Liquidations at once (from 3.1).
        LiquidationGracePeriodDisabled,
        /// The reserve's one category of efficiency mode (up to 3.1).
        EModeAssetCategoryChanged,
        /// A category takes the reserve as collateral (from 3.2).
        AssetCollateralInEModeChanged,
        /// A category lends the reserve (from 3.2).
        AssetBorrowableInEModeChanged,
        /// A category gives the reserve no LTV (from 3.6).
        AssetLtvzeroInEModeChanged,
        /// A category's LTV, threshold, bonus, price source and label.
        EModeCategoryAdded,
        /// Another contract sets the rates.
        ReserveInterestRateStrategyChanged,
        /// The rates' parameters, encoded as the strategy has them (from 3.1).
        ReserveInterestRateDataChanged,
        /// The aToken's proxy runs another implementation.
        ATokenUpgraded,
        /// The stable debt token's proxy runs another implementation.
        StableDebtTokenUpgraded,
        /// The variable debt token's proxy runs another implementation.
        VariableDebtTokenUpgraded,
        /// The most that may be owed against the reserve alone.
        DebtCeilingChanged,
        /// Whether debt in the reserve stands alone.
        SiloedBorrowingChanged,
        /// Whether it may be borrowed against isolated collateral.
        BorrowableInIsolationChanged,
        /// The treasury's share of a bridge's fee.
        BridgeProtocolFeeUpdated,
        /// The premium of flash loans.
        FlashloanPremiumTotalUpdated,
        /// The treasury's share of it (up to 3.3).
        FlashloanPremiumToProtocolUpdated,
    }
}

events! {
    /// What the shared rate strategy says it changed. Basis points.
    RateStrategyEvent, "Aave v3 rate strategy", rate_strategy {
        /// A reserve's kink, base rate and slopes.
        RateDataUpdate,
    }
}

impl From<ConfiguratorEvent> for Event {
    fn from(event: ConfiguratorEvent) -> Self {
        Self::Configurator(event)
    }
}
