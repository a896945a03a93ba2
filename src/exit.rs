use plimsoll_chain::{ChainError, NodeErrorKind};
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
    /// A node's answers diverge from the chain's record: exit code 3.
    Untrue(anyhow::Error),
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
            Self::Untrue(error) => (format!("{error:#}"), 3),
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

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Self {
        match &error {
            ChainError::Asked(_) => Self::Usage(error.into()),
            ChainError::Node(node) => match node.kind {
                NodeErrorKind::WrongChain { .. } | NodeErrorKind::NoContract { .. } | NodeErrorKind::NoPool { .. } => {
                    Self::Usage(error.into())
                }
                NodeErrorKind::Lie { .. } => Self::Untrue(error.into()),
                _ => Self::Failed(error.into()),
            },
            ChainError::FinalityBroken { .. } => Self::Untrue(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<MarketError> for Failure {
    fn from(error: MarketError) -> Self {
        match error {
            MarketError::Divergence(divergence) => Self::Diverged(divergence),
            other => Self::Failed(other.into()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Market(error) => error.into(),
            RunError::GasWithoutPrice | RunError::NothingToRun | RunError::Ledger(_) => Self::Usage(error.into()),
            RunError::Source(_) => Self::Failed(error.into()),
        }
    }
}

/// Says what is wrong with the flags, or shows the help that was asked for, and ends the program.
///
/// A node's URL among misplaced arguments is shown up to its host: it may hold a key.
pub(crate) fn refuse_flags(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let _ = write!(io::stderr(), "{}", without_secrets(&error.render().to_string()));
    std::process::exit(error.exit_code());
}

/// A text with everything behind the host taken out of each URL.
fn without_secrets(text: &str) -> String {
    let mut parts = text.split("://");
    let mut safe = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|letter: char| letter.is_whitespace() || matches!(letter, '\'' | '"'))
            .unwrap_or(part.len());
        let (url, rest) = part.split_at(end);
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let cut = if host.len() < url.len() { "/…" } else { "" };
        safe.extend(["://", host, cut, rest]);
    }
    safe
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

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn a_url_is_shown_up_to_its_host() {
        let said = "error: unexpected argument 'https://user:key@node.example:1/v3/0123?k=9' found";
        assert_eq!(
            without_secrets(said),
            "error: unexpected argument 'https://node.example:1/…' found"
        );
        assert_eq!(
            without_secrets("see http://127.0.0.1:8545 there"),
            "see http://127.0.0.1:8545 there"
        );
    }
}
