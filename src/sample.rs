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
}

pub(crate) fn run(args: &Args, _terminal: Terminal) -> Result<(), Failure> {
    for sample in &SAMPLES {
        let folder = args.out.join(sample.name);
        for file in sample.make(&folder)? {
            print(&format!("{}", file.display()))?;
        }
    }
    Ok(())
}
