//! Aave v2 (`protocol-v2` 1.0.1): one file a subject, named as the contracts' libraries are.
//!
//! Written from the formulas; where a rounding, an event or a reason matters, the published bytecode decides. The interest
//! of variable debt truncates the rate per second before it compounds, prices are wei of ether a whole token, half of a debt
//! may be liquidated at most, and nothing of a liquidation goes to the treasury.
//!
//! [`Pool`] re-executes calls, and follows a chain's logs ([`Pool::record`]).

mod a_token;
pub mod abi;
mod account_book;
mod borrow;
mod configurator;
mod draft;
mod errors;
mod flash_loan;
mod generic_logic;
mod interest_rate_strategy;
mod known_markets;
mod liquidation;
pub mod math_utils;
mod pool;
mod reserve;
mod reserve_configuration;
mod safe_math;
mod stable_debt_token;
mod supply;
mod user;
mod variable_debt_token;

#[cfg(test)]
mod known_answers;

pub use crate::aave_v3::PriceOracle;
pub use abi::{Emitted, Event};
pub use account_book::BookError;
pub use configurator::Setting;
pub use errors::{Errors, Revert};
pub use flash_loan::{FLASHLOAN_PREMIUM_TOTAL, FlashLoan, Repayment};
pub use generic_logic::{AccountData, HEALTH_FACTOR_LIQUIDATION_THRESHOLD};
pub use interest_rate_strategy::{InterestRateStrategy, RateInputs, Rates};
pub use known_markets::{ETHER, KnownMarket, OtherRules, known_market};
pub use liquidation::{LIQUIDATION_CLOSE_FACTOR_PERCENT, LiquidationCall, LiquidationTerms, Seizure};
pub use pool::{Contract, Mode, Outcome, Pool, PoolParams};
pub use reserve::{Reserve, ReserveParams, StableSupply};
pub use reserve_configuration::ReserveConfiguration;
pub use user::{Position, StableDebt, User, UserConfiguration};
