mod history;
mod lending;
mod plan;
mod strategy;

use crate::{
    Format, Terminal,
    config::Config,
    exit::{Failure, print, print_json},
    report::{RunReport, html, result_json, table},
};
use plan::Plan;
use plimsoll_data::run_folder;
use std::{
    fs,
    io::IsTerminal,
    path::{Path, PathBuf},
};

/// The run that needs no flags: the bundled sample.
const DEFAULT: &str = include_str!("../../data/samples/storm/backtest.toml");

/// Runs a strategy over history and says what it made, where it came from, and what is proven.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to run; without it, range liquidity over the bundled sample.
    #[arg(value_name = "CONFIG.toml")]
    config: Option<PathBuf>,
    /// Writes result.json, equity.parquet, actions.parquet, config.toml and report.html there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let (text, name) = match &args.config {
        Some(path) => {
            let text =
                fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            (text, path.display().to_string())
        }
        None => (DEFAULT.to_owned(), "the bundled configuration".to_owned()),
    };
    let config = Config::parse(&text, &name)?;
    let base = args.config.as_deref().and_then(Path::parent);
    if let Some(out) = &args.out {
        prepare(out)?;
    }
    let plan = Plan::new(&config, &name, base)?;
    let outputs = plan.run_all(terminal)?;
    let report = plan.report(&text, &outputs)?;
    if let Some(out) = &args.out {
        write_folder(out, &report)?;
        if !terminal.quiet {
            eprintln!("wrote {}", out.join("report.html").display());
        }
    }
    match terminal.format {
        Format::Json => print_json(&result_json(&report)),
        Format::Table => print(&table(
            &report,
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        )),
    }
}

fn prepare(out: &Path) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("--out {}: cannot write there: {error}", out.display()));
    fs::create_dir_all(out).map_err(failed)?;
    let probe = out.join(".plimsoll-probe");
    fs::write(&probe, []).map_err(failed)?;
    fs::remove_file(&probe).map_err(failed)
}

fn write_folder(out: &Path, report: &RunReport<'_>) -> Result<(), Failure> {
    let write = |name: &str, text: &str| -> Result<(), Failure> {
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| Failure::failed(format!("{}: cannot write: {error}", path.display())))
    };
    let json = serde_json::to_string_pretty(&result_json(report)).map_err(|error| Failure::Failed(error.into()))?;
    write("result.json", &format!("{json}\n"))?;
    write("config.toml", report.config)?;
    write("report.html", &html(report))?;
    run_folder::write_equity(&out.join("equity.parquet"), &report.output.equity)?;
    run_folder::write_actions(&out.join("actions.parquet"), &report.output.receipts)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_configuration_is_valid() {
        assert!(Config::parse(DEFAULT, "bundled").is_ok());
    }
}
