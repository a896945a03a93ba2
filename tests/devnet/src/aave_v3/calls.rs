use alloy_sol_types::sol;

sol! {
    /// The pool's functions; those that 3.0.2 lacks come last.
    #[allow(missing_docs, clippy::too_many_arguments)]
    #[derive(Debug, PartialEq, Eq)]
    interface PoolCalls {
        function POOL_REVISION() external view returns (uint256 revision);
        function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode) external;
        function withdraw(address asset, uint256 amount, address to) external returns (uint256 withdrawn);
        function borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, address onBehalfOf) external;
        function repay(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf) external returns (uint256 repaid);
        function repayWithATokens(address asset, uint256 amount, uint256 interestRateMode) external returns (uint256 repaid);
        function setUserUseReserveAsCollateral(address asset, bool useAsCollateral) external;
        function setUserEMode(uint8 categoryId) external;
        function liquidationCall(address collateralAsset, address debtAsset, address user, uint256 debtToCover, bool receiveAToken) external;
        function flashLoan(address receiverAddress, address[] assets, uint256[] amounts, uint256[] interestRateModes, address onBehalfOf, bytes params, uint16 referralCode) external;
        function flashLoanSimple(address receiverAddress, address asset, uint256 amount, bytes params, uint16 referralCode) external;
        function mintToTreasury(address[] assets) external;
        function getConfiguration(address asset) external view returns (uint256 data);
        function getUserConfiguration(address user) external view returns (uint256 data);
        function getReserveNormalizedIncome(address asset) external view returns (uint256 index);
        function getReserveNormalizedVariableDebt(address asset) external view returns (uint256 index);
        function getReserveData(address asset) external view returns (uint256 configuration, uint128 liquidityIndex, uint128 currentLiquidityRate, uint128 variableBorrowIndex, uint128 currentVariableBorrowRate, uint128 currentStableBorrowRate, uint40 lastUpdateTimestamp, uint16 id, address aTokenAddress, address stableDebtTokenAddress, address variableDebtTokenAddress, address interestRateStrategyAddress, uint128 accruedToTreasury, uint128 unbacked, uint128 isolationModeTotalDebt);
        function getUserAccountData(address user) external view returns (uint256 totalCollateralBase, uint256 totalDebtBase, uint256 availableBorrowsBase, uint256 currentLiquidationThreshold, uint256 ltv, uint256 healthFactor);
        function getUserEMode(address user) external view returns (uint256 categoryId);
        function FLASHLOAN_PREMIUM_TOTAL() external view returns (uint128 premium);
        function FLASHLOAN_PREMIUM_TO_PROTOCOL() external view returns (uint128 premium);
        function getVirtualUnderlyingBalance(address asset) external view returns (uint128 balance);
        function getReserveDeficit(address asset) external view returns (uint256 deficit);
        function getLiquidationGracePeriod(address asset) external view returns (uint40 until);
        function getEModeCategoryCollateralConfig(uint8 id) external view returns (uint16 ltv, uint16 liquidationThreshold, uint16 liquidationBonus);
        function getEModeCategoryCollateralBitmap(uint8 id) external view returns (uint128 bitmap);
        function getEModeCategoryBorrowableBitmap(uint8 id) external view returns (uint128 bitmap);
        function getEModeCategoryLtvzeroBitmap(uint8 id) external view returns (uint128 bitmap);
        function eliminateReserveDeficit(address asset, uint256 amount) external returns (uint256 eliminated);
    }
    /// The configurator's functions that all versions have.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ConfiguratorCalls {
        function configureReserveAsCollateral(address asset, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus) external;
        function setReserveBorrowing(address asset, bool enabled) external;
        function setReserveFlashLoaning(address asset, bool enabled) external;
        function setReserveActive(address asset, bool active) external;
        function setReserveFreeze(address asset, bool freeze) external;
        function setReservePause(address asset, bool paused) external;
        function setReserveFactor(address asset, uint256 newReserveFactor) external;
        function setBorrowCap(address asset, uint256 newBorrowCap) external;
        function setSupplyCap(address asset, uint256 newSupplyCap) external;
        function setLiquidationProtocolFee(address asset, uint256 newFee) external;
        function setDebtCeiling(address asset, uint256 newDebtCeiling) external;
        function setSiloedBorrowing(address asset, bool siloed) external;
        function setBorrowableInIsolation(address asset, bool borrowable) external;
        function setPoolPause(bool paused) external;
        function dropReserve(address asset) external;
    }
    /// What the configurator of 3.0.2 has of its own.
    #[allow(missing_docs, clippy::too_many_arguments)]
    #[derive(Debug, PartialEq, Eq)]
    interface FirstConfiguratorCalls {
        struct InitReserveInput {
            address aTokenImpl;
            address stableDebtTokenImpl;
            address variableDebtTokenImpl;
            uint8 underlyingAssetDecimals;
            address interestRateStrategyAddress;
            address underlyingAsset;
            address treasury;
            address incentivesController;
            string aTokenName;
            string aTokenSymbol;
            string variableDebtTokenName;
            string variableDebtTokenSymbol;
            string stableDebtTokenName;
            string stableDebtTokenSymbol;
            bytes params;
        }
        function initReserves(InitReserveInput[] input) external;
        function setEModeCategory(uint8 categoryId, uint16 ltv, uint16 liquidationThreshold, uint16 liquidationBonus, address oracle, string label) external;
        function setAssetEModeCategory(address asset, uint8 newCategoryId) external;
        function setReserveStableRateBorrowing(address asset, bool enabled) external;
        function setReserveInterestRateStrategyAddress(address asset, address newRateStrategyAddress) external;
        function setUnbackedMintCap(address asset, uint256 newUnbackedMintCap) external;
        function updateFlashloanPremiumTotal(uint128 newFlashloanPremiumTotal) external;
        function updateFlashloanPremiumToProtocol(uint128 newFlashloanPremiumToProtocol) external;
    }
    /// What the configurator of 3.6 has of its own.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface LaterConfiguratorCalls {
        struct InitReserveInput {
            address aTokenImpl;
            address variableDebtTokenImpl;
            address underlyingAsset;
            string aTokenName;
            string aTokenSymbol;
            string variableDebtTokenName;
            string variableDebtTokenSymbol;
            bytes params;
            bytes interestRateData;
        }
        function initReserves(InitReserveInput[] input) external;
        function setEModeCategory(uint8 categoryId, uint16 ltv, uint16 liquidationThreshold, uint16 liquidationBonus, string label) external;
        function setAssetCollateralInEMode(address asset, uint8 categoryId, bool collateral) external;
        function setAssetBorrowableInEMode(address asset, uint8 categoryId, bool borrowable) external;
        function setAssetLtvzeroInEMode(address asset, uint8 categoryId, bool ltvzero) external;
        function setReserveLtvzero(address asset, bool ltvzero) external;
        function setReserveInterestRateData(address asset, bytes rateData) external;
        function setReservePause(address asset, bool paused, uint40 gracePeriod) external;
        function setPoolPause(bool paused, uint40 gracePeriod) external;
        function disableLiquidationGracePeriod(address asset) external;
        function updateFlashloanPremium(uint128 newFlashloanPremium) external;
        function getPendingLtv(address asset) external view returns (uint256 ltv);
    }
    /// What aTokens and debt tokens have.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ScaledTokenCalls {
        function transfer(address to, uint256 amount) external returns (bool done);
        function balanceOf(address user) external view returns (uint256 balance);
        function totalSupply() external view returns (uint256 supply);
        function scaledBalanceOf(address user) external view returns (uint256 scaled);
        function scaledTotalSupply() external view returns (uint256 scaled);
        function getPreviousIndex(address user) external view returns (uint256 index);
        function approveDelegation(address delegatee, uint256 amount) external;
    }
    /// The underlying tokens' functions.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface AssetCalls {
        function mint(address account, uint256 value) external returns (bool done);
        function approve(address spender, uint256 amount) external returns (bool done);
        function transfer(address to, uint256 amount) external returns (bool done);
        function balanceOf(address account) external view returns (uint256 balance);
    }
    /// A price feed.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface PriceSourceCalls {
        function submit(int256 answer) external;
        function latestAnswer() external view returns (int256 answer);
        event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    }
    /// The receivers of flash loans.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ReceiverCalls {
        function setFailExecutionTransfer(bool fail) external;
        function setAmountToApprove(uint256 amountToApprove) external;
        function setSimulateEOA(bool flag) external;
    }
    /// What deployment calls.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface SetupCalls {
        function initialize(address provider) external;
        function setACLAdmin(address newAclAdmin) external;
        function setACLManager(address newAclManager) external;
        function setPoolImpl(address newPoolImpl) external;
        function setPoolConfiguratorImpl(address newPoolConfiguratorImpl) external;
        function setPoolDataProvider(address newDataProvider) external;
        function setPriceOracle(address newPriceOracle) external;
        function setAddress(bytes32 id, address newAddress) external;
        function getPool() external view returns (address pool);
        function getPoolConfigurator() external view returns (address configurator);
        function addPoolAdmin(address admin) external;
        function addEmergencyAdmin(address admin) external;
        function addAssetListingAdmin(address admin) external;
        function addRiskAdmin(address admin) external;
    }
}
