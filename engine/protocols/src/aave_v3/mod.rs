//! Aave v3, by revision: one file a subject, named as the contracts' libraries are.
//!
//! Written from the protocol's rules; where a rounding or a reason matters, the published bytecode of 3.0.2 and of 3.6.0 decides.
//! What stands here for the revisions between and after them rests on written rules ([`Revision::judged_by_bytecode`]).

mod abi;
mod account_book;
mod borrow_logic;
mod call;
mod checked;
mod checkpoint;
mod collateral_terms;
mod configurator;
mod e_mode;
mod early_liquidation;
mod errors;
mod flash_loan;
mod generic_logic;
mod interest_rate_strategy;
mod liquidation_logic;
pub mod math_utils;
mod pool;
mod pool_logic;
mod price_oracle;
mod reenactment;
mod reserve;
mod reserve_configuration;
mod reserve_logic;
mod revision;
mod scaled_balance;
mod seizure;
mod supply_logic;
mod user;
mod user_configuration;
mod validation_logic;
mod valuation;

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod properties;

pub use abi::{
    AssetSourceUpdated, ConfiguratorEvent, Event, PoolEvent, RateStrategyEvent, TokenEvent,
    configurator as configurator_abi, is_of_proxy, is_upgrade, oracle as oracle_abi, pool as pool_abi,
    proxy as proxy_abi, rate_strategy as rate_strategy_abi, token as token_abi,
};
pub use account_book::BookError;
pub use borrow_logic::InterestRateMode;
pub use call::Context;
pub use checkpoint::Checkpoint;
pub use collateral_terms::CollateralTerms;
pub use configurator::{EModeParameters, InterestRateData, MAX_GRACE_PERIOD};
pub use e_mode::EModeCategory;
pub use errors::{Errors, Revert};
pub use flash_loan::Loan;
pub use generic_logic::UserAccountData;
pub use interest_rate_strategy::{InterestRateStrategy, Rates, StableRates, Utilization};
pub use liquidation_logic::{
    CLOSE_FACTOR_HF_THRESHOLD, DEFAULT_LIQUIDATION_CLOSE_FACTOR, Liquidation, MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD,
    MIN_LEFTOVER_BASE,
};
pub use pool::{BorrowAllowance, ListedToken, ListingError, Pool, PoolParams};
pub use price_oracle::PriceOracle;
pub use reenactment::{Action, NotAsRecorded};
pub use reserve::Reserve;
pub use reserve_configuration::{DEBT_CEILING_DECIMALS, MAX_RESERVES_COUNT, ReserveConfiguration};
pub use revision::{Revision, UnknownRevision};
pub use scaled_balance::{Scaling, TokenKind};
pub use seizure::{Seizure, Terms};
pub use user::{Position, ScaledBalance, User};
pub use user_configuration::UserConfiguration;
pub use valuation::Valuation;

use call::{Call, Change};
