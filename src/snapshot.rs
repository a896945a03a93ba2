use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    lending::{self, AccountArgs},
    moment::Moment,
    node::{NodeArgs, wait_for},
};
use alloy_primitives::Address;
use plimsoll_chain::{AtBlock, LendingAddress, PoolSnapshot, ReadBy, TokenMetadata};
use plimsoll_data::snapshot::{Snapshot, SnapshotTick, format_snapshot, write_snapshot};
use plimsoll_protocols::uniswap_v3::PositionKey;
use plimsoll_units::Tick;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// Reads a pool's or a lending market's whole state at one block from a node, pinned to the block's hash.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["pool", "aave", "compound", "comet"])))]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
    /// A Uniswap v3 pool.
    #[arg(long, value_name = "ADDR")]
    pool: Option<Address>,
    /// The pool of an Aave market, of v2 or v3.
    #[arg(long, value_name = "POOL")]
    aave: Option<Address>,
    /// The comptroller of a Compound v2, or of a market made after it.
    #[arg(long, value_name = "COMPTROLLER")]
    compound: Option<Address>,
    /// A Comet of Compound v3.
    #[arg(long, value_name = "ADDR")]
    comet: Option<Address>,
    #[command(flatten)]
    accounts: AccountArgs,
    /// The block after which the state holds: a number, a date (its last block), a time, finalized or latest.
    #[arg(long, value_name = "BLOCK", default_value = "latest")]
    block: Moment,
    /// A position to tell of as well.
    #[arg(long = "position", value_name = "OWNER:LOWER:UPPER", allow_hyphen_values = true, conflicts_with_all = ["aave", "compound", "comet"])]
    positions: Vec<PositionArg>,
    /// Where to write the snapshot; without it, it goes to stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `OWNER:LOWER:UPPER`.
#[derive(Debug, Clone, Copy)]
struct PositionArg(PositionKey);

impl FromStr for PositionArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [owner, lower, upper] = parts.as_slice() else {
            return Err("expected OWNER:LOWER:UPPER".to_owned());
        };
        let tick = |text: &str| {
            let number = text.parse().ok().and_then(Tick::new);
            number.ok_or_else(|| format!("'{text}' is no tick"))
        };
        let owner = owner.parse().map_err(|_| format!("'{owner}' is no address"))?;
        let (lower, upper) = (tick(lower)?, tick(upper)?);
        Ok(Self(PositionKey { owner, lower, upper }))
    }
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let aave = args.aave.map(LendingAddress::Aave);
    let compound = args.compound.map(LendingAddress::Compound);
    let comet = args.comet.map(LendingAddress::Comet);
    if let Some(market) = aave.or(compound).or(comet) {
        return of_lending(args, market, terminal);
    }
    let unnamed = || Failure::usage("name a market: --pool, --aave, --compound or --comet");
    let pool = args.pool.ok_or_else(unnamed)?;
    if args.out.is_none() && !args.positions.is_empty() {
        return Err(Failure::usage(
            "--position goes with --out: the snapshot itself holds no positions",
        ));
    }
    let keys: Vec<PositionKey> = args.positions.iter().map(|position| position.0).collect();
    let (read, tokens) = wait_for(async {
        let nodes = args.node.connect().await?;
        let number = args.block.last_block(&nodes).await?;
        let read = nodes.pool_snapshot(pool, AtBlock::Number(number), &keys).await?;
        let tokens = match args.out {
            Some(_) => nodes.token_metadata(&[read.token0, read.token1]).await?,
            None => Vec::new(),
        };
        Ok((read, tokens))
    })?;
    let snapshot = kept(&read);
    let Some(out) = &args.out else {
        return print(&format_snapshot(Path::new("snapshot"), &snapshot)?);
    };
    write_snapshot(out, &snapshot)?;
    report(&read, &tokens, terminal)
}

fn of_lending(args: &Args, market: LendingAddress, terminal: Terminal) -> Result<(), Failure> {
    wait_for(async {
        let nodes = args.node.connect().await?;
        let block = args.block.last_block(&nodes).await?;
        lending::snapshot(&nodes, market, block, &args.accounts, args.out.as_deref(), terminal).await
    })
}

/// The snapshot as files hold it.
fn kept(read: &PoolSnapshot) -> Snapshot {
    let ticks = read.ticks.iter().map(|(tick, info)| SnapshotTick {
        tick: *tick,
        liquidity_gross: info.liquidity_gross,
        liquidity_net: info.liquidity_net,
        fee_growth_outside0_x128: Some(info.fee_growth_outside.token0),
        fee_growth_outside1_x128: Some(info.fee_growth_outside.token1),
    });
    Snapshot {
        chain_id: read.chain_id,
        pool: read.pool,
        block_number: read.block_number,
        block_hash: Some(read.block_hash),
        fee_pips: read.params.fee_pips,
        tick_spacing: read.params.tick_spacing,
        sqrt_price_x96: read.sqrt_price,
        tick: read.tick,
        liquidity: read.liquidity,
        fee_protocol: read.fee_protocol.to_byte(),
        fee_growth_global0_x128: Some(read.fee_growth_global.token0),
        fee_growth_global1_x128: Some(read.fee_growth_global.token1),
        ticks: ticks.collect(),
    }
}

fn report(read: &PoolSnapshot, tokens: &[TokenMetadata], terminal: Terminal) -> Result<(), Failure> {
    let symbol = |index: usize| {
        tokens
            .get(index)
            .and_then(|token| token.symbol.clone())
            .unwrap_or_else(|| "?".to_owned())
    };
    let read_by = match read.read_by {
        ReadBy::Lens => "lens",
        ReadBy::Multicall3 => "multicall3",
        ReadBy::CreationCode => "creation code",
    };
    if terminal.format == Format::Json {
        let positions: Vec<_> = read
            .positions
            .iter()
            .map(|(key, position)| {
                json!({
                    "owner": key.owner.to_string(),
                    "lower_tick": key.lower.get(),
                    "upper_tick": key.upper.get(),
                    "liquidity": position.liquidity.to_string(),
                    "tokens_owed0": position.tokens_owed0.to_string(),
                    "tokens_owed1": position.tokens_owed1.to_string(),
                    "fee_growth_inside0_last_x128": position.fee_growth_inside_last.token0.to_string(),
                    "fee_growth_inside1_last_x128": position.fee_growth_inside_last.token1.to_string(),
                })
            })
            .collect();
        return print_json(&json!({
            "pool": read.pool.to_string(),
            "token0": read.token0.to_string(),
            "token1": read.token1.to_string(),
            "symbol0": symbol(0),
            "symbol1": symbol(1),
            "block": read.block_number,
            "block_hash": read.block_hash.to_string(),
            "block_timestamp_s": read.block_timestamp,
            "ticks": read.ticks.len(),
            "liquidity": read.liquidity.to_string(),
            "tick": read.tick.get(),
            "read_by": read_by,
            "positions": positions,
        }));
    }
    let mut lines = vec![format!(
        "pool {} ({}/{}, {} pips) after block {}: {} ticks, read by {read_by}",
        read.pool,
        symbol(0),
        symbol(1),
        read.params.fee_pips,
        read.block_number,
        read.ticks.len()
    )];
    lines.extend(read.positions.iter().map(|(key, position)| {
        format!(
            "position {} {}..{}: liquidity {}, owed {} and {}",
            key.owner, key.lower, key.upper, position.liquidity, position.tokens_owed0, position.tokens_owed1
        )
    }));
    print(&lines.join("\n"))
}
