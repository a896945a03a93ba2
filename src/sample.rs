use crate::{
    Terminal,
    exit::{Failure, print},
};
use plimsoll_data::samples::SAMPLES;
use std::path::PathBuf;

/// Makes the bundled synthetic sample again: the same bytes from the same seed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to put it, a folder for each sample.
    #[arg(long, value_name = "DIR", default_value = "data/samples")]
    out: PathBuf,
    /// Another seed makes another flow.
    #[arg(long)]
    seed: Option<u64>,
    /// Days of 12-second blocks.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=366))]
    days: Option<u64>,
    /// How busy it is: 1 makes about 2,300 logs a day.
    #[arg(long, default_value_t = 1.0)]
    activity: f64,
}

pub(crate) fn run(args: &Args, _terminal: Terminal) -> Result<(), Failure> {
    for sample in &SAMPLES {
        let folder = args.out.join(sample.name);
        for file in sample.make(
            &folder,
            args.seed.unwrap_or(sample.seed),
            args.days.unwrap_or(sample.days),
            args.activity,
        )? {
            print(&format!("{}", file.display()))?;
        }
    }
    Ok(())
}
