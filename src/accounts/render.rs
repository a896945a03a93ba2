use super::Standing;
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    followed::Followed,
    report::{UNDEFINED, decimal},
};
use alloy_primitives::{Address, U256};
use plimsoll_market::{AccountPosition, LendingMarket};
use plimsoll_units::format_amount;
use serde_json::{Value, json};

pub(super) fn show(
    followed: &Followed,
    standings: &[Standing<'_>],
    found: usize,
    terminal: Terminal,
) -> Result<(), Failure> {
    match terminal.format {
        Format::Json => print_json(&document(followed, standings, found)),
        Format::Table => print(&table(followed, standings, found)),
    }
}

fn document(followed: &Followed, standings: &[Standing<'_>], found: usize) -> Value {
    let accounts: Vec<Value> = standings.iter().map(account).collect();
    json!({
        "network": followed.network.to_string(),
        "chain_id": followed.network.chain_id,
        "data": followed.data,
        "synthetic": followed.sample.is_some(),
        "block": followed.block.number,
        "block_hash": followed.block.hash.map(|hash| hash.to_string()),
        "block_timestamp_s": followed.block.timestamp,
        "markets": followed.market.lending_markets().map(|market| described(followed, market)).collect::<Vec<_>>(),
        "accounts_found": found,
        "accounts": accounts,
    })
}

/// A market with what its replay has proven and the prices that its figures rest on.
fn described(followed: &Followed, market: &LendingMarket) -> Value {
    let counts = market.counts();
    let prices = market.prices(followed.market.feeds());
    let prices: Vec<Value> = prices
        .into_iter()
        .map(|(asset, price)| {
            json!({
                "asset": asset.to_string(),
                "symbol": followed.symbol(asset),
                "price_usd": price.ok().and_then(|price| price_usd(market, asset, price.value)),
                "price": price.ok().map(|price| price.value.to_string()),
                "source": market.price_source(asset).map(|source| source.to_string()),
                "updated_at_s": price.ok().and_then(|price| price.updated_at),
                "age_s": price.ok().and_then(|price| price.age_seconds(followed.block.timestamp)),
                "missing": price.err().map(|error| error.to_string()),
            })
        })
        .collect();
    json!({
        "protocol": market.protocol().name(),
        "market": market.address().to_string(),
        "logs": counts.logs,
        "proven": counts.proven,
        "unverifiable": counts.unverifiable,
        "prices": prices,
    })
}

fn account(standing: &Standing<'_>) -> Value {
    let (market, health) = (standing.market, &standing.health);
    let factor = health.health_factor_wad;
    let positions: Vec<Value> = health.positions.iter().map(position).collect();
    json!({
        "account": health.account.to_string(),
        "protocol": market.protocol().name(),
        "market": market.address().to_string(),
        "health_factor": factor.map(|factor| f64::from(factor) / 1e18),
        "health_factor_wad": factor.map(|factor| factor.to_string()),
        "collateral_usd": usd(market, health.collateral_value),
        "debt_usd": usd(market, health.debt_value),
        "positions": positions,
    })
}

fn position(position: &AccountPosition) -> Value {
    json!({
        "asset": position.asset.to_string(),
        "collateral_amount": position.collateral_amount.to_string(),
        "is_collateral": position.is_collateral,
        "debt_amount": position.debt_amount.to_string(),
    })
}

/// A value of the market's oracle in dollars; `None` where that counts in something else.
fn usd(market: &LendingMarket, value: U256) -> Option<f64> {
    let decimals = market.usd_decimals()?;
    Some(f64::from(value) / 10f64.powi(decimals.into()))
}

/// The price of a whole token in dollars.
fn price_usd(market: &LendingMarket, asset: Address, price: U256) -> Option<f64> {
    let decimals = market.price_decimals(market.decimals(asset)?)?;
    Some(f64::from(price) / 10f64.powi(decimals.into()))
}

fn table(followed: &Followed, standings: &[Standing<'_>], found: usize) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header([
        "health",
        "account",
        "protocol",
        "collateral USD",
        "debt USD",
        "positions",
    ]);
    for column in [0, 3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    for standing in standings {
        let health = &standing.health;
        let dollars = |value| usd(standing.market, value).map_or_else(|| UNDEFINED.to_owned(), |usd| decimal(usd, 2));
        table.add_row([
            health.health_factor_wad.map_or_else(|| "–".to_owned(), factor),
            health.account.to_string(),
            standing.market.protocol().name().to_owned(),
            dollars(health.collateral_value),
            dollars(health.debt_value),
            health
                .positions
                .iter()
                .map(|position| words(followed, standing.market, position))
                .collect::<Vec<_>>()
                .join(", "),
        ]);
    }
    let hash = followed.block.hash.map(|hash| format!(" ({hash})")).unwrap_or_default();
    let shown = if standings.len() < found {
        format!("{} of {found} accounts", standings.len())
    } else {
        format!("{found} accounts")
    };
    let origin = match followed.sample {
        Some(sample) => format!(
            "Synthetic data: sample \"{}\" was recorded on a local chain.",
            sample.name
        ),
        None => followed.data.clone(),
    };
    format!(
        "{}, block {}{hash}: {shown}\n{origin}\n\n{table}",
        followed.network, followed.block.number
    )
}

/// `1.0312`, cut and not rounded: 0.99999 is below one.
fn factor(wad: U256) -> String {
    let cut = wad / U256::from(10u64.pow(14));
    let (whole, places) = (cut / U256::from(10_000u64), cut % U256::from(10_000u64));
    format!("{whole}.{:0>4}", places.to_string())
}

/// `+12.5 WETH` for what is supplied, `−3,000 USDC` for what is owed; parentheses where a supply is no collateral.
fn words(followed: &Followed, market: &LendingMarket, position: &AccountPosition) -> String {
    let name = || {
        let short = || format!("{:#x}", position.asset).chars().take(10).collect();
        followed.symbol(position.asset).map_or_else(short, str::to_owned)
    };
    let amount = |amount: U256| match market.decimals(position.asset) {
        Some(decimals) => format!("{} {}", short(amount, decimals), name()),
        None => format!("{amount} of {}", name()),
    };
    let mut parts = Vec::new();
    if !position.collateral_amount.is_zero() {
        let supplied = format!("+{}", amount(position.collateral_amount));
        parts.push(if position.is_collateral {
            supplied
        } else {
            format!("({supplied})")
        });
    }
    if !position.debt_amount.is_zero() {
        parts.push(format!("−{}", amount(position.debt_amount)));
    }
    parts.join(" ")
}

/// Six digits or more, cut.
fn short(amount: U256, decimals: u8) -> String {
    let text = format_amount(amount, decimals);
    match text.split_once('.') {
        Some((whole, fraction)) => {
            let places = 6usize.saturating_sub(whole.len()).min(fraction.len());
            match fraction[..places].trim_end_matches('0') {
                "" => whole.to_owned(),
                fraction => format!("{whole}.{fraction}"),
            }
        }
        None => text,
    }
}
