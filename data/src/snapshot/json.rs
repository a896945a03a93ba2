use super::{SCHEMA, Snapshot, SnapshotTick, Wrong};
use crate::{error::excerpt, logs::field};
use alloy_primitives::U256;
use plimsoll_units::{SqrtPriceX96, Tick};
use serde::{Deserialize, Serialize};

/// A [`Snapshot`] as JSON spells it: what may exceed 53 bits is a decimal string.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    schema: String,
    chain_id: u64,
    pool: String,
    block_number: u64,
    block_hash: Option<String>,
    fee_pips: u32,
    tick_spacing: i32,
    sqrt_price_x96: String,
    tick: i32,
    liquidity: String,
    fee_protocol: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_growth_global0_x128: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_growth_global1_x128: Option<String>,
    ticks: Vec<TickRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TickRecord {
    tick: i32,
    liquidity_gross: String,
    liquidity_net: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_growth_outside0_x128: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_growth_outside1_x128: Option<String>,
}

impl From<&Snapshot> for Document {
    fn from(snapshot: &Snapshot) -> Self {
        let text = |value: Option<U256>| value.map(|value| value.to_string());
        let record = |tick: &SnapshotTick| TickRecord {
            tick: tick.tick.get(),
            liquidity_gross: tick.liquidity_gross.to_string(),
            liquidity_net: tick.liquidity_net.to_string(),
            fee_growth_outside0_x128: text(tick.fee_growth_outside0_x128),
            fee_growth_outside1_x128: text(tick.fee_growth_outside1_x128),
        };
        Self {
            schema: SCHEMA.to_owned(),
            chain_id: snapshot.chain_id,
            pool: snapshot.pool.to_string(),
            block_number: snapshot.block_number,
            block_hash: snapshot.block_hash.map(|hash| hash.to_string()),
            fee_pips: snapshot.fee_pips,
            tick_spacing: snapshot.tick_spacing,
            sqrt_price_x96: snapshot.sqrt_price_x96.to_string(),
            tick: snapshot.tick.get(),
            liquidity: snapshot.liquidity.to_string(),
            fee_protocol: snapshot.fee_protocol,
            fee_growth_global0_x128: text(snapshot.fee_growth_global0_x128),
            fee_growth_global1_x128: text(snapshot.fee_growth_global1_x128),
            ticks: snapshot.ticks.iter().map(record).collect(),
        }
    }
}

impl Document {
    pub(super) fn snapshot(self) -> Result<Snapshot, Wrong> {
        if self.schema != SCHEMA {
            let reason = format!("'{}', this program reads '{SCHEMA}'", self.schema.escape_debug());
            return Err(("schema".to_owned(), reason));
        }
        let at = |key: &str| {
            let key = key.to_owned();
            move |reason| (key, reason)
        };
        let growth = |key: &str, text: Option<String>| text.map(|text| wide(&text)).transpose().map_err(at(key));
        Ok(Snapshot {
            chain_id: self.chain_id,
            pool: field::address(&self.pool).map_err(at("pool"))?,
            block_number: self.block_number,
            block_hash: self
                .block_hash
                .map(|hash| field::hash(&hash))
                .transpose()
                .map_err(at("block_hash"))?,
            fee_pips: self.fee_pips,
            tick_spacing: self.tick_spacing,
            sqrt_price_x96: price(&self.sqrt_price_x96).map_err(at("sqrt_price_x96"))?,
            tick: tick(self.tick).map_err(at("tick"))?,
            liquidity: unsigned(&self.liquidity).map_err(at("liquidity"))?,
            fee_protocol: self.fee_protocol,
            fee_growth_global0_x128: growth("fee_growth_global0_x128", self.fee_growth_global0_x128)?,
            fee_growth_global1_x128: growth("fee_growth_global1_x128", self.fee_growth_global1_x128)?,
            ticks: self
                .ticks
                .into_iter()
                .enumerate()
                .map(TickRecord::tick)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl TickRecord {
    fn tick((index, record): (usize, Self)) -> Result<SnapshotTick, Wrong> {
        let at = |key: &'static str| move |reason| (format!("ticks[{index}].{key}"), reason);
        let growth =
            |key: &'static str, text: Option<String>| text.map(|text| wide(&text)).transpose().map_err(at(key));
        Ok(SnapshotTick {
            tick: tick(record.tick).map_err(at("tick"))?,
            liquidity_gross: unsigned(&record.liquidity_gross).map_err(at("liquidity_gross"))?,
            liquidity_net: signed(&record.liquidity_net).map_err(at("liquidity_net"))?,
            fee_growth_outside0_x128: growth("fee_growth_outside0_x128", record.fee_growth_outside0_x128)?,
            fee_growth_outside1_x128: growth("fee_growth_outside1_x128", record.fee_growth_outside1_x128)?,
        })
    }
}

fn digits(text: &str) -> Result<&str, String> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        Ok(text)
    } else {
        Err(format!("expected decimal digits, got {}", excerpt(text.as_bytes())))
    }
}

fn too_wide(text: &str, bits: u32) -> String {
    format!("{} does not fit {bits} bits", excerpt(text.as_bytes()))
}

fn unsigned(text: &str) -> Result<u128, String> {
    digits(text)?.parse().map_err(|_| too_wide(text, 128))
}

fn signed(text: &str) -> Result<i128, String> {
    digits(text.strip_prefix('-').unwrap_or(text))?;
    text.parse().map_err(|_| too_wide(text, 128))
}

fn wide(text: &str) -> Result<U256, String> {
    U256::from_str_radix(digits(text)?, 10).map_err(|_| too_wide(text, 256))
}

pub(super) fn price(text: &str) -> Result<SqrtPriceX96, String> {
    SqrtPriceX96::new(wide(text)?).ok_or_else(|| too_wide(text, 160))
}

pub(super) fn tick(tick: i32) -> Result<Tick, String> {
    Tick::new(tick).ok_or_else(|| format!("{tick} lies outside of {} to {}", Tick::MIN, Tick::MAX))
}
