//! Cascades on small markets, worked out by hand or held against what must never happen.

mod by_hand;
mod comet;
mod invariants;
mod limits;
mod scenes;
mod selling;
