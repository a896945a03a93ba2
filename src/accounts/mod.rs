//! `plimsoll accounts`: who stands how near to liquidation, at one block.

mod render;

use crate::{
    Terminal,
    exit::Failure,
    followed::{DataArgs, Followed},
    progress::Progress,
};
use alloy_primitives::{Address, U256};
use clap::ValueEnum;
use plimsoll_market::{AccountHealth, LendingMarket, Protocol};
use plimsoll_units::parse_amount;
use std::str::FromStr;

/// Lists accounts of lending markets at a block by health factor, the nearest to liquidation first.
///
/// Without --lake, the markets of the bundled sample. Every balance, index and price is what the chain's own logs give, each held
/// against the contracts' rules on the way.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Only accounts whose health factor is below this; an account without debt has none.
    #[arg(long, value_name = "HEALTH")]
    below: Option<HealthFactor>,
    /// Only accounts of this protocol.
    #[arg(long, value_enum)]
    protocol: Option<ProtocolArg>,
    /// Only this account.
    #[arg(long = "account", value_name = "ADDR")]
    accounts: Vec<Address>,
    /// At most so many accounts; all by default.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// A health factor as a wad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HealthFactor(U256);

impl FromStr for HealthFactor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_amount(text, 18).map(Self).map_err(|error| error.to_string())
    }
}

/// A protocol by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProtocolArg {
    AaveV2,
    AaveV3,
    CompoundV2,
    CompoundV3,
}

impl From<ProtocolArg> for Protocol {
    fn from(protocol: ProtocolArg) -> Self {
        match protocol {
            ProtocolArg::AaveV2 => Self::AaveV2,
            ProtocolArg::AaveV3 => Self::AaveV3,
            ProtocolArg::CompoundV2 => Self::CompoundV2,
            ProtocolArg::CompoundV3 => Self::CompoundV3,
        }
    }
}

/// An account with its market.
struct Standing<'a> {
    market: &'a LendingMarket,
    health: AccountHealth,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let mut progress = Progress::new(terminal, None);
    let followed = args.data.follow(&mut progress)?;
    progress.finish();
    let mut standings = standings(&followed, args)?;
    standings.sort_by_key(order);
    let found = standings.len();
    standings.truncate(args.limit.unwrap_or(usize::MAX));
    render::show(&followed, &standings, found, terminal)
}

/// The accounts that are asked for, in no order.
fn standings<'a>(followed: &'a Followed, args: &Args) -> Result<Vec<Standing<'a>>, Failure> {
    let asked = args.protocol.map(Protocol::from);
    let mut standings = Vec::new();
    for market in followed.market.lending_markets() {
        if asked.is_some_and(|protocol| protocol != market.protocol()) {
            continue;
        }
        let accounts = market.accounts(followed.market.feeds(), followed.block.timestamp);
        let accounts = accounts.map_err(|error| {
            Failure::failed(format!(
                "{} {} at block {}: {error}",
                market.protocol(),
                market.address(),
                followed.block.number
            ))
        })?;
        let wanted = |health: &AccountHealth| {
            let below = |most: HealthFactor| health.health_factor_wad.is_some_and(|factor| factor < most.0);
            args.below.is_none_or(below) && (args.accounts.is_empty() || args.accounts.contains(&health.account))
        };
        let of_market = accounts.into_iter().filter(wanted);
        standings.extend(of_market.map(|health| Standing { market, health }));
    }
    Ok(standings)
}

/// The nearest to liquidation first, those without debt last; among equals by market and account.
fn order(standing: &Standing<'_>) -> (U256, Protocol, Address, Address) {
    let factor = standing.health.health_factor_wad.unwrap_or(U256::MAX);
    let market = standing.market;
    (factor, market.protocol(), market.address(), standing.health.account)
}
