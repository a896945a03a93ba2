use super::{Snapshot, SnapshotTick, Wrong, json};
use crate::logs::field;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// degenbot's dump of a v3 pool; the tokens and balances it also has are none of a snapshot's business.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    chain_id: u64,
    block: u64,
    pool: String,
    #[serde(borrow)]
    scalars: Scalars<'a>,
    /// Gross, net, and the block of the last look.
    tick_data: BTreeMap<String, (u128, i128, u64)>,
}

#[derive(Deserialize)]
struct Scalars<'a> {
    fee: u32,
    tick_spacing: i32,
    /// A JSON number of up to 160 bits.
    #[serde(borrow)]
    sqrt_price_x96: &'a RawValue,
    tick: i32,
    liquidity: u128,
}

impl Document<'_> {
    pub(super) fn snapshot(self) -> Result<Snapshot, Wrong> {
        let at = |key: &str| {
            let key = key.to_owned();
            move |reason| (key, reason)
        };
        let mut ticks = Vec::with_capacity(self.tick_data.len());
        for (key, (liquidity_gross, liquidity_net, _)) in self.tick_data {
            let place = || format!("tick_data.{}", key.escape_debug());
            let number: i32 = key.parse().map_err(|_| (place(), "not a tick".to_owned()))?;
            ticks.push(SnapshotTick {
                tick: json::tick(number).map_err(|reason| (place(), reason))?,
                liquidity_gross,
                liquidity_net,
                fee_growth_outside0_x128: None,
                fee_growth_outside1_x128: None,
            });
        }
        ticks.sort_by_key(|tick| tick.tick);
        Ok(Snapshot {
            chain_id: self.chain_id,
            pool: field::address(&self.pool).map_err(at("pool"))?,
            block_number: self.block,
            block_hash: None,
            fee_pips: self.scalars.fee,
            tick_spacing: self.scalars.tick_spacing,
            sqrt_price_x96: json::price(self.scalars.sqrt_price_x96.get()).map_err(at("scalars.sqrt_price_x96"))?,
            tick: json::tick(self.scalars.tick).map_err(at("scalars.tick"))?,
            liquidity: self.scalars.liquidity,
            fee_protocol: 0,
            fee_growth_global0_x128: None,
            fee_growth_global1_x128: None,
            ticks,
        })
    }
}
