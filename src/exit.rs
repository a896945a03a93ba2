use plimsoll_data::DataError;
use plimsoll_market::{Divergence, MarketError};
use plimsoll_runtime::RunError;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Why a command did not succeed, by what its user can do about it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be done: exit code 1.
    Failed(anyhow::Error),
    /// It was asked wrongly: exit code 2.
    Usage(anyhow::Error),
    /// The data diverge from the chain's rules: exit code 3.
    Diverged(Box<Divergence>),
}

impl Failure {
    /// A usage error with a message.
    pub(crate) fn usage(message: impl std::fmt::Display) -> Self {
        Self::Usage(anyhow::anyhow!("{message}"))
    }

    /// Any other error with a message.
    pub(crate) fn failed(message: impl std::fmt::Display) -> Self {
        Self::Failed(anyhow::anyhow!("{message}"))
    }

    /// Says why on stderr, in one line.
    pub(crate) fn report(self) -> ExitCode {
        let (error, code) = match self {
            Self::Failed(error) => (format!("{error:#}"), 1),
            Self::Usage(error) => (format!("{error:#}"), 2),
            Self::Diverged(divergence) => (divergence.to_string(), 3),
        };
        let _ = writeln!(io::stderr(), "error: {error}");
        ExitCode::from(code)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::MissingAddress { .. }
            | DataError::Asked(_)
            | DataError::NotInLake { .. }
            | DataError::Gap { .. } => Self::Usage(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Market(MarketError::Divergence(divergence)) => Self::Diverged(divergence),
            RunError::GasWithoutPrice | RunError::NothingToRun | RunError::Ledger(_) => Self::Usage(error.into()),
            RunError::Source(_) | RunError::Market(_) => Self::Failed(error.into()),
        }
    }
}

/// Prints a result on stdout; a reader who has gone away is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Failed(error.into())),
        _ => Ok(()),
    }
}

/// Prints a JSON document on stdout.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value).map_err(|error| Failure::Failed(error.into()))?)
}
