//! The pool's events (`IPool`), those of its libraries and of every revision among them.

use super::{Event, events};

/// The pool's events.
#[allow(missing_docs)] // What a field means is said by the variants of `PoolEvent`; the names are the contracts'.
pub mod pool {
    alloy_sol_types::sol! {
        #![sol(all_derives)]
        event Supply(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint16 indexed referralCode);
        event Withdraw(address indexed reserve, address indexed user, address indexed to, uint256 amount);
        event Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint8 interestRateMode, uint256 borrowRate, uint16 indexed referralCode);
        event Repay(address indexed reserve, address indexed user, address indexed repayer, uint256 amount, bool useATokens);
        event SwapBorrowRateMode(address indexed reserve, address indexed user, uint8 interestRateMode);
        event RebalanceStableBorrowRate(address indexed reserve, address indexed user);
        event IsolationModeTotalDebtUpdated(address indexed asset, uint256 totalDebt);
        event UserEModeSet(address indexed user, uint8 categoryId);
        event ReserveUsedAsCollateralEnabled(address indexed reserve, address indexed user);
        event ReserveUsedAsCollateralDisabled(address indexed reserve, address indexed user);
        event FlashLoan(address indexed target, address initiator, address indexed asset, uint256 amount, uint8 interestRateMode, uint256 premium, uint16 indexed referralCode);
        event LiquidationCall(address indexed collateralAsset, address indexed debtAsset, address indexed user, uint256 debtToCover, uint256 liquidatedCollateralAmount, address liquidator, bool receiveAToken);
        event ReserveDataUpdated(address indexed reserve, uint256 liquidityRate, uint256 stableBorrowRate, uint256 variableBorrowRate, uint256 liquidityIndex, uint256 variableBorrowIndex);
        event MintedToTreasury(address indexed reserve, uint256 amountMinted);
        event MintUnbacked(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint16 indexed referralCode);
        event BackUnbacked(address indexed reserve, address indexed backer, uint256 amount, uint256 fee);
        event DeficitCreated(address indexed user, address indexed debtAsset, uint256 amountCreated);
        event DeficitCovered(address indexed reserve, address caller, uint256 amountCovered);
        event PositionManagerApproved(address indexed user, address indexed positionManager);
        event PositionManagerRevoked(address indexed user, address indexed positionManager);
        event Upgraded(address indexed implementation);
    }
}

events! {
    /// What the pool says it did. Amounts are base units of the underlying, rates and indexes rays.
    PoolEvent, "Aave v3 pool", pool {
        /// Underlying was supplied.
        Supply,
        /// Underlying was withdrawn.
        Withdraw,
        /// Underlying was borrowed.
        Borrow,
        /// Debt was repaid.
        Repay,
        /// Debt changed between stable and variable (up to 3.1).
        SwapBorrowRateMode,
        /// A stable rate was set anew (up to 3.1).
        RebalanceStableBorrowRate,
        /// Debt against an isolated collateral, with two decimals.
        IsolationModeTotalDebtUpdated,
        /// A user chose a category of efficiency mode.
        UserEModeSet,
        /// A user's supply counts as collateral.
        ReserveUsedAsCollateralEnabled,
        /// A user's supply counts as collateral no more.
        ReserveUsedAsCollateralDisabled,
        /// A flash loan was given and repaid, or became debt.
        FlashLoan,
        /// A position was liquidated.
        LiquidationCall,
        /// A reserve's rates and indexes after an action.
        ReserveDataUpdated,
        /// What was accrued to the treasury became its aTokens.
        MintedToTreasury,
        /// A bridge minted aTokens without underlying (up to 3.3).
        MintUnbacked,
        /// A bridge brought the underlying (up to 3.3).
        BackUnbacked,
        /// Debt without collateral was burnt (from 3.3).
        DeficitCreated,
        /// A deficit was covered with aTokens (from 3.3).
        DeficitCovered,
        /// A user lets another settle flags and category (from 3.4).
        PositionManagerApproved,
        /// A user lets another no more (from 3.4).
        PositionManagerRevoked,
        /// The proxy runs another implementation.
        Upgraded,
    }
}

impl From<PoolEvent> for Event {
    fn from(event: PoolEvent) -> Self {
        Self::Pool(event)
    }
}
