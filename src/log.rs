use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How much is logged on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Nothing.
    Off,
    /// Failures.
    Error,
    /// And what was mended: another endpoint asked, a pause.
    Warn,
    /// And what changed.
    Info,
    /// And every second attempt.
    Debug,
    /// Everything.
    Trace,
}

/// Starts logging to stderr. Only our own words: a library's may hold a node's URL.
pub(crate) fn start(level: Level, quiet: bool) {
    let level = match level {
        _ if quiet => LevelFilter::OFF,
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let ours = Targets::new().with_target("plimsoll", level);
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false);
    tracing_subscriber::registry().with(ours).with(lines).init();
}
