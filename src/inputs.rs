//! What commands are given: log files with their emitters, start states, pools' parameters.

use crate::exit::Failure;
use alloy_primitives::{Address, address};
use plimsoll_data::{
    logs,
    snapshot::{Snapshot, read_snapshot},
};
use plimsoll_market::Start;
use plimsoll_protocols::DecodeError;
use plimsoll_protocols::uniswap_v3::{
    FeeGrowth, FeeProtocol, KnownPool, Pool, PoolParams, TickInfo, known_pool, tick_math,
};
use plimsoll_runtime::SourceError;
use plimsoll_units::Network;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// The address of Uniswap's NonfungiblePositionManager on Ethereum, Polygon, Arbitrum and Optimism.
pub(crate) const POSITION_MANAGER: Address = address!("C36442b4a4522E871399CD717aBDD847Ab11FE88");

/// `[ADDR=]FILE`: a file of logs, with the contract that emitted them where the file does not say.
#[derive(Debug, Clone)]
pub(crate) struct LogFile {
    pub(crate) emitter: Option<Address>,
    pub(crate) path: PathBuf,
}

impl LogFile {
    /// The file's name without its folder, so that results do not depend on where it lies.
    pub(crate) fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or(self.path.as_os_str())
            .to_string_lossy()
            .into_owned()
    }
}

impl FromStr for LogFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((address, path)) if address.starts_with("0x") => {
                let emitter = address
                    .parse()
                    .map_err(|_| format!("'{address}' is no address (20 bytes of hex)"))?;
                Ok(Self {
                    emitter: Some(emitter),
                    path: path.into(),
                })
            }
            _ => Ok(Self {
                emitter: None,
                path: text.into(),
            }),
        }
    }
}

/// Opens the files and merges them into the order of the chain.
pub(crate) fn open(files: &[LogFile], network: Network) -> Result<logs::MergedLogs, Failure> {
    let open = |file: &LogFile| -> Result<logs::LogReader, Failure> {
        let mut reader = logs::open(&file.path, file.emitter)?;
        reader.expect_network(network);
        Ok(reader)
    };
    Ok(logs::merge(files.iter().map(open).collect::<Result<_, _>>()?))
}

/// The start of a pool's replay: the state, else the flags, else the known-pools table.
pub(crate) fn start(
    network: Network,
    pool: Address,
    state: Option<&PoolState>,
    flags: (Option<u32>, Option<i32>),
) -> Result<Start, Failure> {
    if let Some(state) = state {
        return Ok(Start::State(Box::new(state.pool.clone())));
    }
    let params = match (flags, known_pool(network, pool)) {
        ((Some(fee), Some(spacing)), _) => PoolParams::new(fee, spacing).ok_or_else(|| {
            Failure::usage(format!(
                "--fee {fee} --tick-spacing {spacing}: the fee must be below 1000000 pips, the spacing 1 to 16383"
            ))
        })?,
        ((None, None), Some(KnownPool { params, .. })) => *params,
        ((None, None), None) => {
            return Err(Failure::usage(format!(
                "pool {pool} on {network} is none of the known pools: give --fee and --tick-spacing, or a state with --state"
            )));
        }
        _ => return Err(Failure::usage("--fee and --tick-spacing go together")),
    };
    Ok(Start::Logs(params))
}

/// A pool's state, read and checked.
#[derive(Debug)]
pub(crate) struct PoolState {
    pub(crate) snapshot: Snapshot,
    pub(crate) pool: Pool,
}

impl PoolState {
    /// Reads a snapshot; errors name the file and the key.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let snapshot = read_snapshot(path)?;
        let wrong = |what: String| Failure::failed(format!("{}: {what}", path.display()));
        let params = PoolParams::new(snapshot.fee_pips, snapshot.tick_spacing)
            .ok_or_else(|| wrong("fee_pips must be below 1000000, tick_spacing within 1 and 16383".to_owned()))?;
        let price = snapshot.sqrt_price_x96;
        let own = tick_math::tick_at_sqrt_ratio(price)
            .ok_or_else(|| wrong(format!("sqrt_price_x96: {price} is no price of a pool")))?;
        if !tick_math::is_tick_of(snapshot.tick, price) {
            return Err(wrong(format!(
                "tick: {} is not the tick of sqrt_price_x96, {own}",
                snapshot.tick
            )));
        }
        let mut pool = Pool::new(params);
        for entry in &snapshot.ticks {
            let fee_growth_outside = FeeGrowth {
                token0: entry.fee_growth_outside0_x128.unwrap_or_default(),
                token1: entry.fee_growth_outside1_x128.unwrap_or_default(),
            };
            let (liquidity_gross, liquidity_net) = (entry.liquidity_gross, entry.liquidity_net);
            pool.set_tick(
                entry.tick,
                TickInfo {
                    liquidity_gross,
                    liquidity_net,
                    fee_growth_outside,
                },
            );
        }
        pool.set_state(price, snapshot.tick, snapshot.liquidity);
        pool.set_fee_protocol_unchecked(FeeProtocol::from_byte(snapshot.fee_protocol));
        pool.set_fee_growth_global(FeeGrowth {
            token0: snapshot.fee_growth_global0_x128.unwrap_or_default(),
            token1: snapshot.fee_growth_global1_x128.unwrap_or_default(),
        });
        Ok(Self { snapshot, pool })
    }
}

/// A source's failure; what a contract cannot have emitted is told with its place in the data.
pub(crate) fn located(error: SourceError, place: &dyn std::fmt::Display) -> Failure {
    match error.downcast_ref::<DecodeError>() {
        Some(decode) => Failure::failed(format!("{place}: {decode}")),
        None => Failure::Failed(error.into()),
    }
}
