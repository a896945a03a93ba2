//! Cross-crate tests, one module a subject.

mod architecture;
mod bad_input;
mod bad_requests;
mod chain_history;
mod cli;
mod differential_uniswap_v2;
mod differential_uniswap_v3;
mod harness;
mod ingest;
mod ingest_refusals;
mod real_data;
mod sample;
mod snapshots;
