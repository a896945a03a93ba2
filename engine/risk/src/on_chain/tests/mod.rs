//! Cascades on small markets.
