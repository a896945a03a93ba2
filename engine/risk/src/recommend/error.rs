use crate::CascadeError;

/// Why nothing can be recommended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RecommendError {
    /// A number that cannot be.
    #[error("{what} is {value}, expected {expected}")]
    OutOfRange {
        /// The number.
        what: &'static str,
        /// What is there.
        value: String,
        /// What may be there.
        expected: &'static str,
    },
    /// Scenarios of other assets than the book's.
    #[error("the scenarios are for {given} assets, the book has {assets}")]
    Assets {
        /// What is given.
        given: usize,
        /// What is there.
        assets: usize,
    },
    /// Too few scenarios to hold half of them out.
    #[error("{given} scenarios: at least one to fit to and one to hold out must weigh something")]
    TooFew {
        /// What is given.
        given: usize,
    },
    /// A listing that is not there, or twice.
    #[error("listing {place} is not in the book, or given twice; it has {listings}")]
    NoListing {
        /// The place.
        place: usize,
        /// What is there.
        listings: usize,
    },
    /// Terms that cannot be put right within the lattice.
    #[error("{listing}: no terms of the lattice keep threshold · (1 + bonus) below 1 and LTV within the threshold")]
    NoTerms {
        /// The listing: market and asset.
        listing: String,
    },
    /// A scenario's loss that cannot be computed.
    #[error("scenario {scenario}: {error}")]
    Cascade {
        /// The scenario, the first is 0.
        scenario: usize,
        /// Why not.
        error: CascadeError,
    },
}
