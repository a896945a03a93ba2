//! Quantiles, expected shortfall and tail probabilities of a simulated sample, each with its simulation error, weighted or not.

mod sample;
#[cfg(test)]
mod stated_errors;

pub use sample::{Estimate, Sample, SampleError};
