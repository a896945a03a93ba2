//! Reads and keeps chain data: log files of every common shape, pool snapshots, and the lake.
//!
//! Nothing here decodes an event. Every reader streams, checks each row, and answers a bad one with a
//! [`DataError`] of one line that names the file, the row and what is wrong.

pub mod blocks;
pub mod book;
mod error;
mod input;
pub mod lake;
pub mod lending_state;
pub mod logs;
mod parquet_file;
pub mod run_folder;
pub mod samples;
pub mod snapshot;
mod table_file;

pub use error::{DataError, Place};

#[cfg(test)]
mod fixture;
