//! The view functions that markets are asked. Numbers are taken at full width: what is narrower is checked, not cut.

use alloy_sol_types::sol;

sol! {
    /// Aave's pools (`IPool`); each revision lacks some of them.
    interface AavePool {
        struct EModeCategoryData { uint256 ltv; uint256 liquidationThreshold; uint256 liquidationBonus; address priceSource; string label; }
        function ADDRESSES_PROVIDER() external view returns (address);
        function POOL_REVISION() external view returns (uint256);
        function getReservesList() external view returns (address[]);
        function getReserveData(address asset) external view returns (uint256 configuration, uint256 liquidityIndex, uint256 liquidityRate, uint256 variableBorrowIndex, uint256 variableBorrowRate, uint256 stableBorrowRate, uint256 lastUpdate, uint256 id, address aToken, address stableDebtToken, address variableDebtToken, address strategy, uint256 accruedToTreasury, uint256 unbacked, uint256 isolationModeTotalDebt);
        function getVirtualUnderlyingBalance(address asset) external view returns (uint256);
        function getReserveDeficit(address asset) external view returns (uint256);
        function getLiquidationGracePeriod(address asset) external view returns (uint256);
        function FLASHLOAN_PREMIUM_TOTAL() external view returns (uint256);
        function FLASHLOAN_PREMIUM_TO_PROTOCOL() external view returns (uint256);
        function getEModeCategoryData(uint8 id) external view returns (EModeCategoryData);
        function getEModeCategoryLabel(uint8 id) external view returns (string);
        function getEModeCategoryCollateralConfig(uint8 id) external view returns (uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus);
        function getEModeCategoryCollateralBitmap(uint8 id) external view returns (uint256);
        function getEModeCategoryBorrowableBitmap(uint8 id) external view returns (uint256);
        function getEModeCategoryLtvzeroBitmap(uint8 id) external view returns (uint256);
        function getUserConfiguration(address user) external view returns (uint256);
        function getUserEMode(address user) external view returns (uint256);
    }

    /// Aave v2's pool (`ILendingPool`), where it is another than v3's.
    interface AaveFirstPool {
        function LENDINGPOOL_REVISION() external view returns (uint256);
        function getAddressesProvider() external view returns (address);
        function getReservesList() external view returns (address[]);
        function getReserveData(address asset) external view returns (uint256 configuration, uint256 liquidityIndex, uint256 variableBorrowIndex, uint256 liquidityRate, uint256 variableBorrowRate, uint256 stableBorrowRate, uint256 lastUpdate, address aToken, address stableDebtToken, address variableDebtToken, address strategy, uint256 id);
        function paused() external view returns (bool);
    }

    /// Aave v2's registry (`ILendingPoolAddressesProvider`).
    interface AaveFirstProvider {
        function getLendingPool() external view returns (address);
        function getLendingPoolConfigurator() external view returns (address);
        function getPriceOracle() external view returns (address);
        function getLendingRateOracle() external view returns (address);
    }

    /// Where Aave v2's stable rates begin.
    interface AaveRateOracle {
        function getMarketBorrowRate(address asset) external view returns (uint256);
    }

    /// Aave v2's rate strategies.
    interface AaveV2Strategy {
        function OPTIMAL_UTILIZATION_RATE() external view returns (uint256);
        function baseVariableBorrowRate() external view returns (uint256);
        function variableRateSlope1() external view returns (uint256);
        function variableRateSlope2() external view returns (uint256);
        function stableRateSlope1() external view returns (uint256);
        function stableRateSlope2() external view returns (uint256);
    }

    /// Aave's stable debt tokens.
    interface AaveStableDebt {
        function getSupplyData() external view returns (uint256 principal, uint256 total, uint256 averageRate, uint256 lastUpdate);
        function principalBalanceOf(address user) external view returns (uint256);
        function getUserStableRate(address user) external view returns (uint256);
        function getUserLastUpdated(address user) external view returns (uint256);
    }

    /// Aave's registry (`IPoolAddressesProvider`).
    interface AaveProvider {
        function getPool() external view returns (address);
        function getPoolConfigurator() external view returns (address);
        function getPriceOracle() external view returns (address);
    }

    /// Aave's configurator, from 3.1 on.
    interface AaveConfigurator {
        function getPendingLtv(address asset) external view returns (uint256);
    }

    /// aTokens and debt tokens.
    interface AaveToken {
        function scaledTotalSupply() external view returns (uint256);
        function scaledBalanceOf(address user) external view returns (uint256);
        function getPreviousIndex(address user) external view returns (uint256);
        function RESERVE_TREASURY_ADDRESS() external view returns (address);
    }

    /// A reserve's own rate strategy, up to 3.0.2.
    interface AaveFirstStrategy {
        function OPTIMAL_USAGE_RATIO() external view returns (uint256);
        function getBaseVariableBorrowRate() external view returns (uint256);
        function getVariableRateSlope1() external view returns (uint256);
        function getVariableRateSlope2() external view returns (uint256);
        function getBaseStableBorrowRate() external view returns (uint256);
        function getStableRateSlope1() external view returns (uint256);
        function getStableRateSlope2() external view returns (uint256);
    }

    /// The rate strategy that all reserves share, from 3.1 on.
    interface AaveLaterStrategy {
        function getInterestRateDataBps(address reserve) external view returns (uint256 optimalUsageRatio, uint256 baseVariableBorrowRate, uint256 variableRateSlope1, uint256 variableRateSlope2);
    }

    /// Aave's oracle.
    interface AaveOracle {
        function getSourceOfAsset(address asset) external view returns (address);
        function getAssetPrice(address asset) external view returns (uint256);
        function BASE_CURRENCY() external view returns (address);
        function WETH() external view returns (address);
    }

    /// An ERC-20 token, as far as reserves need it.
    interface Token {
        function decimals() external view returns (uint256);
        function balanceOf(address account) external view returns (uint256);
        function totalSupply() external view returns (uint256);
    }

    /// Price sources: proxies, aggregators, adapters.
    interface Feed {
        function aggregator() external view returns (address);
        function decimals() external view returns (uint256);
        function latestAnswer() external view returns (int256);
        function latestRoundData() external view returns (uint256 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint256 answeredInRound);
    }

    /// Compound v2's comptroller; older ones lack some of these.
    interface Comptroller {
        function getAllMarkets() external view returns (address[]);
        function admin() external view returns (address);
        function oracle() external view returns (address);
        function closeFactorMantissa() external view returns (uint256);
        function liquidationIncentiveMantissa() external view returns (uint256);
        function transferGuardianPaused() external view returns (bool);
        function seizeGuardianPaused() external view returns (bool);
        function markets(address cToken) external view returns (bool isListed, uint256 collateralFactor);
        function borrowCaps(address cToken) external view returns (uint256);
        function mintGuardianPaused(address cToken) external view returns (bool);
        function borrowGuardianPaused(address cToken) external view returns (bool);
        function getAssetsIn(address account) external view returns (address[]);
    }

    /// A cToken.
    interface CToken {
        function comptroller() external view returns (address);
        function underlying() external view returns (address);
        function interestRateModel() external view returns (address);
        function getCash() external view returns (uint256);
        function totalBorrows() external view returns (uint256);
        function totalReserves() external view returns (uint256);
        function totalSupply() external view returns (uint256);
        function borrowIndex() external view returns (uint256);
        function accrualBlockNumber() external view returns (uint256);
        function reserveFactorMantissa() external view returns (uint256);
        function exchangeRateStored() external view returns (uint256);
        function balanceOf(address account) external view returns (uint256);
        function borrowBalanceStored(address account) external view returns (uint256);
    }

    /// A model of Compound's interest rates.
    interface RateModel {
        function baseRatePerBlock() external view returns (uint256);
        function multiplierPerBlock() external view returns (uint256);
        function jumpMultiplierPerBlock() external view returns (uint256);
        function kink() external view returns (uint256);
        function getBorrowRate(uint256 cash, uint256 borrows, uint256 reserves) external view returns (uint256);
    }

    /// Compound's price oracles.
    interface CompoundOracle {
        function getUnderlyingPrice(address cToken) external view returns (uint256);
    }

    /// Compound v3's Comet, and its extension behind it.
    interface Comet {
        function governor() external view returns (address);
        function pauseGuardian() external view returns (address);
        function baseToken() external view returns (address);
        function baseTokenPriceFeed() external view returns (address);
        function baseScale() external view returns (uint256);
        function supplyKink() external view returns (uint256);
        function supplyPerSecondInterestRateBase() external view returns (uint256);
        function supplyPerSecondInterestRateSlopeLow() external view returns (uint256);
        function supplyPerSecondInterestRateSlopeHigh() external view returns (uint256);
        function borrowKink() external view returns (uint256);
        function borrowPerSecondInterestRateBase() external view returns (uint256);
        function borrowPerSecondInterestRateSlopeLow() external view returns (uint256);
        function borrowPerSecondInterestRateSlopeHigh() external view returns (uint256);
        function storeFrontPriceFactor() external view returns (uint256);
        function baseBorrowMin() external view returns (uint256);
        function targetReserves() external view returns (uint256);
        function numAssets() external view returns (uint256);
        function getAssetInfo(uint8 i) external view returns (uint256 offset, address asset, address priceFeed, uint256 scale, uint256 borrowCollateralFactor, uint256 liquidateCollateralFactor, uint256 liquidationFactor, uint256 supplyCap);
        function isSupplyPaused() external view returns (bool);
        function isTransferPaused() external view returns (bool);
        function isWithdrawPaused() external view returns (bool);
        function isAbsorbPaused() external view returns (bool);
        function isBuyPaused() external view returns (bool);
        function getPrice(address priceFeed) external view returns (uint256);
        function getUtilization() external view returns (uint256);
        function getSupplyRate(uint256 utilization) external view returns (uint256);
        function getBorrowRate(uint256 utilization) external view returns (uint256);
        function totalsCollateral(address asset) external view returns (uint256 totalSupplyAsset, uint256 reserved);
        function userBasic(address account) external view returns (int256 principal, uint256 baseTrackingIndex, uint256 baseTrackingAccrued, uint256 assetsIn, uint256 reserved);
        function userCollateral(address account, address asset) external view returns (uint256 balance, uint256 reserved);
        function totalsBasic() external view returns (uint256 baseSupplyIndex, uint256 baseBorrowIndex, uint256 trackingSupplyIndex, uint256 trackingBorrowIndex, uint256 totalSupplyBase, uint256 totalBorrowBase, uint256 lastAccrualTime, uint256 pauseFlags);
        function baseIndexScale() external view returns (uint256);
        function factorScale() external view returns (uint256);
        function priceScale() external view returns (uint256);
        function maxAssets() external view returns (uint256);
    }
}
