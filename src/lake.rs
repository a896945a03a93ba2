use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
};
use clap::Subcommand;
use plimsoll_data::lake::Lake;
use serde_json::json;
use std::path::PathBuf;

/// Shows and checks what a lake holds.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists what is there: network, contract, blocks, rows.
    Ls(Dir),
    /// Reads every file and checks it against the manifest.
    Verify(Dir),
}

#[derive(Debug, clap::Args)]
struct Dir {
    /// The lake's folder.
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_LAKE", default_value = "lake")]
    lake: PathBuf,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    match &args.verb {
        Verb::Ls(dir) => list(&Lake::open(&dir.lake)?, terminal),
        Verb::Verify(dir) => verify(&Lake::open(&dir.lake)?, terminal),
    }
}

fn list(lake: &Lake, terminal: Terminal) -> Result<(), Failure> {
    if terminal.format == Format::Json {
        let entries: Vec<_> = lake
            .entries()
            .iter()
            .map(|entry| {
                json!({
                    "network": entry.network.to_string(),
                    "dataset": entry.dataset.to_string(),
                    "address": entry.address.map(|address| address.to_string()),
                    "from_block": entry.from_block,
                    "to_block": entry.to_block,
                    "rows": entry.rows,
                    "size_bytes": entry.bytes,
                    "file": entry.file,
                    "content_hash": entry.content_hash.to_string(),
                })
            })
            .collect();
        return print_json(&json!({ "lake": lake.dir().display().to_string(), "entries": entries }));
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["network", "data", "contract", "from block", "to block", "rows", "kB"]);
    for entry in lake.entries() {
        table.add_row([
            entry.network.to_string(),
            entry.dataset.to_string(),
            entry
                .address
                .map_or_else(|| "-".to_owned(), |address| address.to_string()),
            entry.from_block.to_string(),
            entry.to_block.to_string(),
            entry.rows.to_string(),
            entry.bytes.div_ceil(1000).to_string(),
        ]);
    }
    for column in 3..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    print(&table.to_string())
}

fn verify(lake: &Lake, terminal: Terminal) -> Result<(), Failure> {
    let report = lake.verify()?;
    let leftovers: Vec<String> = report.leftovers.iter().map(|path| path.display().to_string()).collect();
    let gaps: Vec<String> = report
        .gaps
        .iter()
        .map(|gap| format!("{}: blocks {} to {}", gap.what, gap.from_block, gap.to_block))
        .collect();
    match terminal.format {
        Format::Json => print_json(&json!({
            "files": report.files,
            "rows": report.rows,
            "problems": report.problems,
            "leftovers": leftovers,
            "gaps": gaps,
        }))?,
        Format::Table => {
            let mut lines = vec![format!("{} files, {} rows checked", report.files, report.rows)];
            lines.extend(report.problems.iter().map(|problem| format!("problem   {problem}")));
            lines.extend(
                leftovers
                    .iter()
                    .map(|path| format!("leftover  {path} (not in the manifest, never read)")),
            );
            lines.extend(gaps.iter().map(|gap| format!("gap       {gap}")));
            if report.is_sound() {
                lines.push("sound".to_owned());
            }
            print(&lines.join("\n"))?;
        }
    }
    if report.is_sound() {
        Ok(())
    } else {
        Err(Failure::failed(format!(
            "{}: {} problems",
            lake.dir().display(),
            report.problems.len()
        )))
    }
}
