//! Cross-crate tests, one module a subject.

mod accounts;
mod architecture;
mod bad_input;
mod bad_requests;
mod cascade_on_bytecode;
mod chain_history;
mod cli;
mod comet;
mod differential_aave_v2;
mod differential_aave_v3;
mod differential_compound_v2;
mod differential_uniswap_v2;
mod differential_uniswap_v3;
mod differential_uniswap_v4;
mod harness;
mod ingest;
mod ingest_refusals;
mod lending_commands;
mod lending_gas;
mod lending_health;
mod lending_replay;
mod lending_snapshots;
mod lending_strategies;
mod own_account;
mod random_sequences;
mod real_aave_v3;
mod real_data;
mod real_liquidations;
mod real_liquidations_compound;
mod real_uniswap_v4;
#[path = "../../examples/record_storm/recording.rs"]
mod recording;
mod risk_from_market;
mod sample;
mod sample_lending;
mod snapshots;
