//! Health, stress, liquidation cascades, and the parameters that would hold.
//!
//! Floats begin here: a [`Book`] is what a team brings or what chain state becomes, and everything on it is deterministic to the last
//! bit. What claims the wei runs in integers on a clone of the market.

mod book;
mod cascade;
mod depth;
#[cfg(test)]
mod fixture;
mod scenarios;
mod shock;
mod standing;
mod stress;

pub use book::{
    AccountRow, Asset, AssetRow, Book, BookError, BookErrorKind, BookNotes, Holding, LiquidityRow, Listing, Position,
    Table,
};
pub use cascade::{Cascade, CascadeError, CascadeOutcome, CascadeRules, Liquidation, Moved, Round, StoppedBy, cascade};
pub use depth::{BeyondDepth, Depth, DepthCurve, Sold};
pub use scenarios::{BookMatrix, Scenarios, ScenariosError};
pub use shock::{Shock, ShockError, factors};
pub use standing::Standing;
pub use stress::{Stress, stress};
