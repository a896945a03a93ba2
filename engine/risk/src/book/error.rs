use super::Table;
use std::fmt;

/// Why rows are no book: the table, the row, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookError {
    /// The table that the row is of.
    pub table: Table,
    /// The row, the first is 1; `None` where the whole table is meant.
    pub row: Option<usize>,
    /// What is wrong.
    pub kind: BookErrorKind,
}

/// What can be wrong with a book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookErrorKind {
    /// A name that is empty.
    #[error("{column} is empty")]
    Empty {
        /// The column.
        column: &'static str,
    },
    /// A number outside what it can be.
    #[error("{column} is {value}, expected {expected}")]
    OutOfRange {
        /// The column.
        column: &'static str,
        /// What is there.
        value: String,
        /// What may be there.
        expected: &'static str,
    },
    /// An account with an asset that its market does not list.
    #[error("account {account} in market {market}: asset {asset} has no row in assets, so no price")]
    NotListed {
        /// The account.
        account: String,
        /// The market.
        market: String,
        /// The asset.
        asset: String,
    },
    /// A holding of a listing that is not there.
    #[error("account {account} has a holding of listing {listing}, which is not there")]
    NoSuchListing {
        /// The account.
        account: String,
        /// The listing, by its place among the parts.
        listing: usize,
    },
    /// A row that is there twice.
    #[error("{what} is there already, in row {first}")]
    Duplicate {
        /// What the row is about.
        what: String,
        /// The earlier row, the first is 1.
        first: usize,
    },
    /// A depth or an amount that does not grow.
    #[error("{asset}/{quote}: depth_pct and sell_amount_usd must grow together, this row breaks it")]
    DepthNotGrowing {
        /// The asset that is sold.
        asset: String,
        /// What it is sold for.
        quote: String,
    },
    /// A table without rows.
    #[error("no rows")]
    NoRows,
    /// More rows than a book holds.
    #[error("more than {most} rows")]
    TooMany {
        /// The most.
        most: usize,
    },
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Some(row) => write!(f, "{} row {row}: {}", self.table.name(), self.kind),
            None => write!(f, "{}: {}", self.table.name(), self.kind),
        }
    }
}

impl std::error::Error for BookError {}
