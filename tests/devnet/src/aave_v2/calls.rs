use alloy_sol_types::sol;

sol! {
    /// The pool's functions.
    #[allow(missing_docs, clippy::too_many_arguments)]
    #[derive(Debug, PartialEq, Eq)]
    interface PoolCalls {
        function deposit(address asset, uint256 amount, address onBehalfOf, uint16 referralCode) external;
        function withdraw(address asset, uint256 amount, address to) external returns (uint256 withdrawn);
        function borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, address onBehalfOf) external;
        function repay(address asset, uint256 amount, uint256 rateMode, address onBehalfOf) external returns (uint256 repaid);
        function swapBorrowRateMode(address asset, uint256 rateMode) external;
        function rebalanceStableBorrowRate(address asset, address user) external;
        function setUserUseReserveAsCollateral(address asset, bool useAsCollateral) external;
        function liquidationCall(address collateralAsset, address debtAsset, address user, uint256 debtToCover, bool receiveAToken) external;
        function flashLoan(address receiverAddress, address[] assets, uint256[] amounts, uint256[] modes, address onBehalfOf, bytes params, uint16 referralCode) external;
        function getReserveData(address asset) external view returns (uint256 configuration, uint128 liquidityIndex, uint128 variableBorrowIndex, uint128 currentLiquidityRate, uint128 currentVariableBorrowRate, uint128 currentStableBorrowRate, uint40 lastUpdateTimestamp, address aTokenAddress, address stableDebtTokenAddress, address variableDebtTokenAddress, address interestRateStrategyAddress, uint8 id);
        function getUserAccountData(address user) external view returns (uint256 totalCollateralETH, uint256 totalDebtETH, uint256 availableBorrowsETH, uint256 currentLiquidationThreshold, uint256 ltv, uint256 healthFactor);
        function getUserConfiguration(address user) external view returns (uint256 data);
        function getReserveNormalizedIncome(address asset) external view returns (uint256 index);
        function getReserveNormalizedVariableDebt(address asset) external view returns (uint256 index);
        function paused() external view returns (bool paused);
    }
    /// The configurator's functions.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ConfiguratorCalls {
        function initReserve(address aTokenImpl, address stableDebtTokenImpl, address variableDebtTokenImpl, uint8 underlyingAssetDecimals, address interestRateStrategyAddress) external;
        function enableBorrowingOnReserve(address asset, bool stableBorrowRateEnabled) external;
        function disableBorrowingOnReserve(address asset) external;
        function configureReserveAsCollateral(address asset, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus) external;
        function enableReserveStableRate(address asset) external;
        function disableReserveStableRate(address asset) external;
        function activateReserve(address asset) external;
        function deactivateReserve(address asset) external;
        function freezeReserve(address asset) external;
        function unfreezeReserve(address asset) external;
        function setReserveFactor(address asset, uint256 reserveFactor) external;
        function setReserveInterestRateStrategyAddress(address asset, address rateStrategyAddress) external;
        function setPoolPause(bool val) external;
    }
    /// What aTokens and variable-debt tokens have.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ScaledTokenCalls {
        function transfer(address to, uint256 amount) external returns (bool done);
        function balanceOf(address user) external view returns (uint256 balance);
        function scaledBalanceOf(address user) external view returns (uint256 scaled);
        function scaledTotalSupply() external view returns (uint256 scaled);
        function approveDelegation(address delegatee, uint256 amount) external;
    }
    /// What stable-debt tokens have.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface StableTokenCalls {
        function balanceOf(address user) external view returns (uint256 balance);
        function principalBalanceOf(address user) external view returns (uint256 principal);
        function getUserStableRate(address user) external view returns (uint256 rate);
        function getUserLastUpdated(address user) external view returns (uint40 timestamp);
        function totalSupply() external view returns (uint256 total);
        function getAverageStableRate() external view returns (uint256 rate);
        function getTotalSupplyLastUpdated() external view returns (uint40 timestamp);
        function getSupplyData() external view returns (uint256 principal, uint256 total, uint256 averageRate, uint40 timestamp);
    }
    /// What deployment calls.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface SetupCalls {
        function setPoolAdmin(address admin) external;
        function setEmergencyAdmin(address emergencyAdmin) external;
        function setLendingPoolImpl(address pool) external;
        function setLendingPoolConfiguratorImpl(address configurator) external;
        function setLendingPoolCollateralManager(address manager) external;
        function setPriceOracle(address priceOracle) external;
        function setLendingRateOracle(address lendingRateOracle) external;
        function setMarketBorrowRate(address asset, uint256 rate) external;
        function getLendingPool() external view returns (address pool);
        function getLendingPoolConfigurator() external view returns (address configurator);
    }
}
