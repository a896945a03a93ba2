//! What is wrong with a yield source, by source and field.

use thiserror::Error;

/// Above it a number's cube, and the products of cubes, would leave what a float holds.
const LARGEST: f64 = 1e30;
/// Below it what divides by a number would.
const SMALLEST: f64 = 1e-12;

/// A field of a yield source that no source can have.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("source `{id}`: `{field}` {problem}")]
pub struct SourceError {
    /// The source's own name.
    pub id: String,
    /// The field at fault, named as in the configuration.
    pub field: &'static str,
    /// What is wrong with it, with the value that was given.
    pub problem: String,
}

/// The checks of one source's fields, each an error that names both.
pub(crate) struct Fields<'a> {
    pub(crate) id: &'a str,
}

impl Fields<'_> {
    pub(crate) fn error(&self, field: &'static str, problem: String) -> SourceError {
        SourceError {
            id: self.id.to_owned(),
            field,
            problem,
        }
    }

    /// A finite number that is at least 0.
    pub(crate) fn not_negative(&self, field: &'static str, value: f64) -> Result<f64, SourceError> {
        if !value.is_finite() {
            return Err(self.error(field, format!("is {value}, not a finite number")));
        }
        if value < 0.0 {
            return Err(self.error(field, format!("is {value}, below 0")));
        }
        if value > LARGEST {
            return Err(self.error(field, format!("is {value}, above {LARGEST}")));
        }
        Ok(value)
    }

    /// A finite number above 0.
    pub(crate) fn positive(&self, field: &'static str, value: f64) -> Result<f64, SourceError> {
        if self.not_negative(field, value)? == 0.0 {
            return Err(self.error(field, "is 0".to_owned()));
        }
        if value < SMALLEST {
            return Err(self.error(field, format!("is {value}, below {SMALLEST}")));
        }
        Ok(value)
    }

    /// A share from 0 to 1.
    pub(crate) fn share(&self, field: &'static str, value: f64) -> Result<f64, SourceError> {
        if self.not_negative(field, value)? > 1.0 {
            return Err(self.error(field, format!("is {value}, above 1")));
        }
        Ok(value)
    }

    /// A ceiling in USD: at least 0, and infinite where there is none.
    pub(crate) fn ceiling(&self, field: &'static str, value: f64) -> Result<f64, SourceError> {
        if value == f64::INFINITY {
            Ok(value)
        } else {
            self.not_negative(field, value)
        }
    }

    /// A pool's supply and what is borrowed of it: a supply above 0, and no more borrowed than supplied.
    pub(crate) fn pool(&self, supplied_usd: f64, borrowed_usd: f64) -> Result<(), SourceError> {
        self.positive("supplied_usd", supplied_usd)?;
        self.not_negative("borrowed_usd", borrowed_usd)?;
        if borrowed_usd > supplied_usd {
            return Err(self.error(
                "borrowed_usd",
                format!("is {borrowed_usd}, more than the {supplied_usd} supplied: a utilization over 100 %"),
            ));
        }
        Ok(())
    }
}
