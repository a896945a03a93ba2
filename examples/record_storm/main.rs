//! Records the bundled sample again: the same seed gives the same bytes.
//!
//! `cargo run --release --example record_storm [-- --seed N --days N --out DIR]`; npm fetches the contracts and the node.

mod recording;

use clap::Parser;
use plimsoll_data::samples::SAMPLES;
use plimsoll_devnet::storm::{BLOCKS_A_DAY, Storm};
use sha2::{Digest, Sha256};
use std::{fs, io::Write, path::PathBuf};

/// Plays a storm on a local chain through the published contracts, and ingests it as a sample.
#[derive(Debug, Parser)]
struct Args {
    /// Another seed makes another storm.
    #[arg(long, default_value_t = SAMPLES[0].seed)]
    seed: u64,
    /// Days of 12-second blocks.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=30))]
    days: u64,
    /// Where its files are put.
    #[arg(long, value_name = "DIR", default_value = "data/samples/storm")]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let storm = Storm {
        seed: args.seed,
        blocks: args.days * BLOCKS_A_DAY,
    };
    let recording = recording::record(storm, &args.out, |block| {
        if block % 1_000 == 0 {
            eprintln!("{block} of {} blocks played", storm.blocks);
        }
    })?;
    let mut out = std::io::stdout().lock();
    let course = &recording.course;
    let (from, to) = (course.blocks.start(), course.blocks.end());
    writeln!(out, "blocks {from} to {to}, {} logs", recording.logs)?;
    writeln!(out, "USDC {}, WETH {}", course.usdc.address, course.weth.address)?;
    for pool in &course.pools {
        writeln!(out, "pool {} of {} pips", pool.address, pool.fee_pips)?;
    }
    let aave = &course.aave;
    writeln!(out, "Aave v3, revision {}: pool {}", aave.revision, aave.pool)?;
    writeln!(
        out,
        "provider {}, configurator {}, oracle {}, rate strategy {}",
        aave.provider, aave.configurator, aave.oracle, aave.rate_strategy
    )?;
    for reserve in &aave.reserves {
        writeln!(
            out,
            "reserve {}: aToken {}, debt {}, feed {}",
            reserve.asset, reserve.a_token, reserve.variable_debt, reserve.price_source
        )?;
    }
    let compound = &course.compound;
    writeln!(
        out,
        "Compound v2: comptroller {}, oracle {}",
        compound.comptroller, compound.oracle
    )?;
    for market in &compound.markets {
        let underlying = market.underlying.unwrap_or_default();
        writeln!(
            out,
            "market {underlying}: cToken {}, model {}",
            market.c_token, market.model
        )?;
    }
    for file in &recording.files {
        let bytes = fs::read(file)?;
        let hash: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        writeln!(out, "{}: {} bytes, sha256 {hash}", file.display(), bytes.len())?;
    }
    Ok(())
}
