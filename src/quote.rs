use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    inputs::PoolState,
};
use alloy_primitives::U256;
use plimsoll_protocols::uniswap_v3::{Amount, Pool, SwapOutcome};
use plimsoll_units::Side;
use serde_json::json;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// Quotes swaps against a pool's state, changing nothing. Amounts are base units.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The pool's state.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Which token goes in: 0 or 1.
    #[arg(
        long,
        value_name = "0|1",
        required_unless_present = "batch",
        conflicts_with = "batch"
    )]
    token_in: Option<String>,
    /// Exactly this much goes in.
    #[arg(long, value_name = "AMOUNT", group = "amount")]
    exact_in: Option<String>,
    /// Exactly this much comes out.
    #[arg(long, value_name = "AMOUNT", group = "amount")]
    exact_out: Option<String>,
    /// Lines of `token_in,kind,amount` (kind is exact-in or exact-out); prints a line of JSON each.
    #[arg(long, value_name = "FILE", conflicts_with = "amount")]
    batch: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let pool = PoolState::read(&args.state)?.pool;
    if let Some(batch) = &args.batch {
        return quote_batch(&pool, batch);
    }
    let side = side(args.token_in.as_deref().unwrap_or_default())
        .map_err(|error| Failure::usage(format!("--token-in: {error}")))?;
    let (kind, text) = match (&args.exact_in, &args.exact_out) {
        (Some(text), None) => ("exact-in", text),
        (None, Some(text)) => ("exact-out", text),
        _ => return Err(Failure::usage("give --exact-in AMOUNT or --exact-out AMOUNT")),
    };
    let amount = amount(kind, text).map_err(|error| Failure::usage(format!("--{kind}: {error}")))?;
    let outcome = pool
        .quote(side, amount, None)
        .map_err(|revert| Failure::failed(format!("the pool would revert: {revert}")))?;
    match terminal.format {
        Format::Json => print_json(&quote_json(&outcome)),
        Format::Table => print(&format!(
            "in    {} of token{}\nout   {} of token{}\nprice {} after (sqrtPriceX96), tick {}, {} initialized ticks crossed{}",
            outcome.amount_in(),
            u8::from(side == Side::Token1),
            outcome.amount_out(),
            u8::from(side == Side::Token0),
            outcome.sqrt_price,
            outcome.tick,
            outcome.crossings.len(),
            if outcome.exhausted {
                "\nliquidity ended first: the amounts are what was filled"
            } else {
                ""
            }
        )),
    }
}

fn quote_batch(pool: &Pool, path: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let reader = BufReader::new(std::fs::File::open(path).map_err(failed)?);
    let mut lines = String::new();
    for (number, line) in (1..).zip(reader.lines()) {
        let line = line.map_err(failed)?;
        if line.trim().is_empty() || (number == 1 && line.trim() == "token_in,kind,amount") {
            continue;
        }
        let wrong = |error: String| Failure::usage(format!("{}: line {number}: {error}", path.display()));
        let [token_in, kind, text] = line.split(',').map(str::trim).collect::<Vec<_>>()[..] else {
            return Err(wrong("expected token_in,kind,amount".to_owned()));
        };
        let (side, amount) = side(token_in)
            .and_then(|side| Ok((side, amount(kind, text)?)))
            .map_err(wrong)?;
        let value = match pool.quote(side, amount, None) {
            Ok(outcome) => quote_json(&outcome),
            Err(revert) => json!({ "error": revert.to_string() }),
        };
        lines.push_str(&format!("{value}\n"));
    }
    if lines.is_empty() { Ok(()) } else { print(&lines) }
}

fn side(text: &str) -> Result<Side, String> {
    match text {
        "0" => Ok(Side::Token0),
        "1" => Ok(Side::Token1),
        _ => Err(format!("'{text}' is neither 0 nor 1")),
    }
}

fn amount(kind: &str, text: &str) -> Result<Amount, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = digits
        .then(|| U256::from_str_radix(text, 10).ok())
        .flatten()
        .filter(|value| !value.is_zero() && value.bit_len() < 256);
    let value = value.ok_or_else(|| format!("'{text}' is no amount: base units from 1 to 2^255 - 1"))?;
    match kind {
        "exact-in" | "exact_in" => Ok(Amount::ExactIn(value)),
        "exact-out" | "exact_out" => Ok(Amount::ExactOut(value)),
        _ => Err(format!("'{kind}' is neither exact-in nor exact-out")),
    }
}

fn quote_json(outcome: &SwapOutcome) -> serde_json::Value {
    json!({
        "amount_in": outcome.amount_in().to_string(),
        "amount_out": outcome.amount_out().to_string(),
        "sqrt_price_x96_after": outcome.sqrt_price.to_string(),
        "tick_after": outcome.tick.get(),
        "ticks_crossed": outcome.crossings.len(),
        "exhausted": outcome.exhausted,
    })
}
