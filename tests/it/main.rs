//! Cross-crate tests, one module a subject.

mod architecture;
mod bad_input;
mod bad_requests;
mod cli;
mod differential_uniswap_v3;
mod harness;
mod real_data;
#[path = "../../examples/record_storm/recording.rs"]
mod recording;
mod sample;
