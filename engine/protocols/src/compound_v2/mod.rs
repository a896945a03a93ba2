//! Compound v2: markets (cTokens) under one comptroller, one file a subject, named as the contracts' parts are.
//!
//! Written from the protocol's formulas; where a rounding, a reason or the order of two checks matters, the published bytecode
//! decides. Transfers of the underlying are taken to succeed and to move just their amount: wallets are not modelled. Rewards
//! in COMP are not modelled either; their events are decoded and passed over.

mod abi;
mod account_book;
mod accounts;
mod administration;
mod c_token;
mod call;
mod checkpoint;
mod comptroller;
mod entered;
mod errors;
pub mod exponential;
mod follow;
mod interest_rate_model;
mod liquidation;
mod market;
mod model_events;
mod pool;
mod simple_price_oracle;
mod valuation;

#[cfg(test)]
mod known_answers;

pub use abi::{Event, Log, Paused, c_token as c_token_abi, comptroller as comptroller_abi};
pub use account_book::AccountBook;
pub use accounts::{Account, Accounts, BookError, MarketId, Position};
pub use call::{Moment, Outcome, PriceOracle};
pub use checkpoint::Checkpoint;
pub use comptroller::{Hypothetical, Liquidity, liquidate_calculate_seize_tokens};
pub use errors::{ComptrollerError, ComptrollerInfo, Refusal, Revert, TokenError, TokenInfo, TooWide};
pub use exponential::MathError;
pub use follow::FollowError;
pub use interest_rate_model::{BLOCKS_PER_YEAR, InterestRateModel};
pub use liquidation::{Liquidation, PROTOCOL_SEIZE_SHARE};
pub use market::{Market, MarketParams};
pub use model_events::{jump_rate_model as jump_rate_model_abi, white_paper_model as white_paper_model_abi};
pub use pool::Pool;
pub use simple_price_oracle::{PricePosted, price_oracle as price_oracle_abi};
pub use valuation::Valuation;
