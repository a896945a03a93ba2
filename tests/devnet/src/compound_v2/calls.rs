use alloy_sol_types::sol;

sol! {
    /// The functions of a cToken, those of one that lends a token among them.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface CErc20Calls {
        function mint(uint256 amount) external returns (uint256 error);
        function redeem(uint256 tokens) external returns (uint256 error);
        function redeemUnderlying(uint256 amount) external returns (uint256 error);
        function borrow(uint256 amount) external returns (uint256 error);
        function repayBorrow(uint256 amount) external returns (uint256 error);
        function repayBorrowBehalf(address borrower, uint256 amount) external returns (uint256 error);
        function liquidateBorrow(address borrower, uint256 amount, address collateral) external returns (uint256 error);
        function seize(address liquidator, address borrower, uint256 tokens) external returns (uint256 error);
        function transfer(address to, uint256 tokens) external returns (bool done);
        function transferFrom(address from, address to, uint256 tokens) external returns (bool done);
        function approve(address spender, uint256 tokens) external returns (bool done);
        function accrueInterest() external returns (uint256 error);
        function _addReserves(uint256 amount) external returns (uint256 error);
        function _reduceReserves(uint256 amount) external returns (uint256 error);
        function _setReserveFactor(uint256 mantissa) external returns (uint256 error);
        function _setInterestRateModel(address model) external returns (uint256 error);
        function getCash() external view returns (uint256 cash);
        function totalBorrows() external view returns (uint256 borrows);
        function totalReserves() external view returns (uint256 reserves);
        function totalSupply() external view returns (uint256 tokens);
        function borrowIndex() external view returns (uint256 index);
        function accrualBlockNumber() external view returns (uint256 block);
        function reserveFactorMantissa() external view returns (uint256 mantissa);
        function exchangeRateStored() external view returns (uint256 mantissa);
        function borrowRatePerBlock() external view returns (uint256 mantissa);
        function supplyRatePerBlock() external view returns (uint256 mantissa);
        function borrowBalanceStored(address account) external view returns (uint256 amount);
        function balanceOf(address owner) external view returns (uint256 tokens);
        function getAccountSnapshot(address account) external view returns (uint256 error, uint256 tokens, uint256 borrow, uint256 exchangeRate);
    }
    /// The functions of the cToken that lends ether, where they differ.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface CEtherCalls {
        function mint() external payable;
        function repayBorrow() external payable;
        function repayBorrowBehalf(address borrower) external payable;
        function liquidateBorrow(address borrower, address collateral) external payable;
        function _addReserves() external payable returns (uint256 error);
    }
    /// The comptroller's functions.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ComptrollerCalls {
        function _setPendingImplementation(address implementation) external returns (uint256 error);
        function _become(address unitroller) external;
        function _setPriceOracle(address oracle) external returns (uint256 error);
        function _setCloseFactor(uint256 mantissa) external returns (uint256 error);
        function _setLiquidationIncentive(uint256 mantissa) external returns (uint256 error);
        function _setCollateralFactor(address cToken, uint256 mantissa) external returns (uint256 error);
        function _supportMarket(address cToken) external returns (uint256 error);
        function _setMarketBorrowCaps(address[] cTokens, uint256[] caps) external;
        function _setMintPaused(address cToken, bool state) external returns (bool paused);
        function _setBorrowPaused(address cToken, bool state) external returns (bool paused);
        function _setTransferPaused(bool state) external returns (bool paused);
        function _setSeizePaused(bool state) external returns (bool paused);
        function enterMarkets(address[] markets) external returns (uint256[] errors);
        function exitMarket(address market) external returns (uint256 error);
        function getAssetsIn(address account) external view returns (address[] markets);
        function getAccountLiquidity(address account) external view returns (uint256 error, uint256 liquidity, uint256 shortfall);
        function getHypotheticalAccountLiquidity(address account, address cToken, uint256 redeemTokens, uint256 borrowAmount) external view returns (uint256 error, uint256 liquidity, uint256 shortfall);
        function liquidateCalculateSeizeTokens(address borrowed, address collateral, uint256 amount) external view returns (uint256 error, uint256 tokens);
        function closeFactorMantissa() external view returns (uint256 mantissa);
        function liquidationIncentiveMantissa() external view returns (uint256 mantissa);
        function markets(address cToken) external view returns (bool isListed, uint256 collateralFactorMantissa, bool isComped);
        function borrowCaps(address cToken) external view returns (uint256 cap);
        function mintGuardianPaused(address cToken) external view returns (bool paused);
        function borrowGuardianPaused(address cToken) external view returns (bool paused);
        function transferGuardianPaused() external view returns (bool paused);
        function seizeGuardianPaused() external view returns (bool paused);
        function isDeprecated(address cToken) external view returns (bool deprecated);
    }
    /// The price oracle's functions.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface OracleCalls {
        function setUnderlyingPrice(address cToken, uint256 mantissa) external;
        function getUnderlyingPrice(address cToken) external view returns (uint256 mantissa);
    }
    /// An interest rate model's functions.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ModelCalls {
        function getBorrowRate(uint256 cash, uint256 borrows, uint256 reserves) external view returns (uint256 mantissa);
        function getSupplyRate(uint256 cash, uint256 borrows, uint256 reserves, uint256 reserveFactor) external view returns (uint256 mantissa);
        function utilizationRate(uint256 cash, uint256 borrows, uint256 reserves) external pure returns (uint256 mantissa);
    }
    /// A test token's functions.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface TokenCalls {
        function mint(address to, uint256 amount) external returns (bool done);
        function approve(address spender, uint256 amount) external returns (bool done);
        function transfer(address to, uint256 amount) external returns (bool done);
    }
}
