use super::{
    SCHEMA, Wrong, aave_v2, aave_v3, compound_v2, compound_v3,
    value::{Exact, Hash, Hex, entry, place},
};
use alloy_primitives::Address;
use plimsoll_market::{
    ContractRole, FeedState, LendingBody, LendingState, MarketContract, Oracle, PriceSource, Protocol,
};
use plimsoll_protocols::chainlink::Answer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A [`LendingState`] as JSON spells it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    schema: String,
    protocol: String,
    chain_id: u64,
    market: Hex,
    block_number: u64,
    block_hash: Hash,
    block_timestamp_s: u64,
    contracts: Vec<ContractRecord>,
    oracle: Vec<SourceRecord>,
    feeds: Vec<FeedRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aave_v2: Option<aave_v2::Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aave_v3: Option<aave_v3::Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compound_v2: Option<compound_v2::Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compound_v3: Option<compound_v3::Record>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractRecord {
    role: String,
    address: Hex,
}

/// Where an asset's price comes from: a feed's answer times a power of ten, a price that was posted, or one that never changes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceRecord {
    asset: Hex,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregator: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<i8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Exact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_s: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedRecord {
    aggregator: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<AnswerRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerRecord {
    value: Exact,
    round_id: Exact,
    updated_at_s: u64,
}

impl From<&LendingState> for Document {
    fn from(state: &LendingState) -> Self {
        let mut sources: Vec<_> = state.oracle.sources().collect();
        sources.sort_unstable_by_key(|(asset, _)| *asset);
        let (mut aave_v2, mut aave_v3, mut compound_v2, mut compound_v3) = (None, None, None, None);
        match &state.body {
            LendingBody::AaveV2 { pool } => aave_v2 = Some(aave_v2::Record::of(pool)),
            LendingBody::AaveV3 { pool, contracts } => aave_v3 = Some(aave_v3::Record::of(pool, contracts)),
            LendingBody::CompoundV2 {
                pool,
                tokens,
                price_poster,
            } => compound_v2 = Some(compound_v2::Record::of(pool, tokens, *price_poster)),
            LendingBody::CompoundV3 { comet, upgrades } => {
                compound_v3 = Some(compound_v3::Record::of(comet, upgrades));
            }
        }
        Self {
            schema: SCHEMA.to_owned(),
            protocol: state.protocol().name().to_owned(),
            chain_id: state.chain_id,
            market: Hex::of(state.address),
            block_number: state.block_number,
            block_hash: Hash::of(state.block_hash),
            block_timestamp_s: state.block_timestamp,
            contracts: state
                .contracts
                .iter()
                .map(|contract| ContractRecord {
                    role: contract.role.name().to_owned(),
                    address: Hex::of(contract.address),
                })
                .collect(),
            oracle: sources
                .into_iter()
                .map(|(asset, source)| SourceRecord::of(Hex::of(asset), source))
                .collect(),
            feeds: state
                .feeds
                .iter()
                .map(|(aggregator, feed)| FeedRecord {
                    aggregator: Hex::of(*aggregator),
                    decimals: feed.decimals,
                    answer: feed.answer.map(|answer| AnswerRecord {
                        value: Exact::of(answer.value),
                        round_id: Exact::of(answer.round_id),
                        updated_at_s: answer.updated_at,
                    }),
                })
                .collect(),
            aave_v2,
            aave_v3,
            compound_v2,
            compound_v3,
        }
    }
}

impl Document {
    pub(super) fn state(self) -> Result<LendingState, Wrong> {
        if self.schema != SCHEMA {
            let reason = format!("'{}', this program reads '{SCHEMA}'", self.schema.escape_debug());
            return Err(("schema".to_owned(), reason));
        }
        let address = self.market.get("", "market")?;
        let protocol = Protocol::ALL
            .into_iter()
            .find(|protocol| protocol.name() == self.protocol);
        let compound = (self.compound_v2, self.compound_v3);
        let body = match (protocol, self.aave_v2, self.aave_v3, compound) {
            (Some(Protocol::AaveV2), Some(record), None, (None, None)) => record.body(address)?,
            (Some(Protocol::AaveV3), None, Some(record), (None, None)) => record.body(address)?,
            (Some(Protocol::CompoundV2), None, None, (Some(record), None)) => record.body(address)?,
            (Some(Protocol::CompoundV3), None, None, (None, Some(record))) => record.body()?,
            _ => {
                let reason = format!(
                    "'{}' is no protocol that can be read, or not the one whose state is there",
                    self.protocol.escape_debug()
                );
                return Err(("protocol".to_owned(), reason));
            }
        };
        let mut contracts = Vec::with_capacity(self.contracts.len());
        for (index, record) in self.contracts.into_iter().enumerate() {
            let at = entry("contracts", index);
            let role = ContractRole::ALL.into_iter().find(|role| role.name() == record.role);
            let role = role.ok_or_else(|| {
                let reason = format!("'{}' is no known role", record.role.escape_debug());
                (place(&at, "role"), reason)
            })?;
            let contract = MarketContract {
                role,
                address: record.address.get(&at, "address")?,
            };
            if contracts.last().is_some_and(|last| *last >= contract) {
                return Err((
                    at,
                    "it does not come after the one before: roles rise, then addresses".to_owned(),
                ));
            }
            contracts.push(contract);
        }
        let mut oracle = Oracle::default();
        for (index, record) in self.oracle.into_iter().enumerate() {
            let at = entry("oracle", index);
            let (asset, source) = record.source(&at)?;
            if oracle.set_source(asset, source).is_some() {
                return Err((place(&at, "asset"), format!("{asset} is there twice")));
            }
        }
        let mut feeds = BTreeMap::new();
        for (index, record) in self.feeds.into_iter().enumerate() {
            let at = entry("feeds", index);
            let aggregator = record.aggregator.get(&at, "aggregator")?;
            let answer = record
                .answer
                .map(|answer| answer.answer(&place(&at, "answer")))
                .transpose()?;
            let feed = FeedState {
                decimals: record.decimals,
                answer,
            };
            if feeds.insert(aggregator, feed).is_some() {
                return Err((place(&at, "aggregator"), format!("{aggregator} is there twice")));
            }
        }
        Ok(LendingState {
            chain_id: self.chain_id,
            address,
            block_number: self.block_number,
            block_hash: self.block_hash.get("block_hash")?,
            block_timestamp: self.block_timestamp_s,
            contracts,
            oracle,
            feeds,
            body,
        })
    }
}

impl SourceRecord {
    pub(super) fn of(asset: Hex, source: PriceSource) -> Self {
        let nothing = Self {
            asset,
            source: String::new(),
            aggregator: None,
            scale: None,
            price: None,
            at_s: None,
        };
        match source {
            PriceSource::Feed { aggregator, scale } => Self {
                source: "feed".to_owned(),
                aggregator: Some(Hex::of(aggregator)),
                scale: Some(scale),
                ..nothing
            },
            PriceSource::Posted { value, at } => Self {
                source: "posted".to_owned(),
                price: Some(Exact::of(value)),
                at_s: at,
                ..nothing
            },
            PriceSource::Fixed(value) => Self {
                source: "fixed".to_owned(),
                price: Some(Exact::of(value)),
                ..nothing
            },
        }
    }

    /// The asset, and where its price comes from.
    pub(super) fn source(&self, at: &str) -> Result<(Address, PriceSource), Wrong> {
        Ok((self.asset.get(at, "asset")?, self.price_source(at)?))
    }

    fn price_source(&self, at: &str) -> Result<PriceSource, Wrong> {
        match (
            self.source.as_str(),
            &self.aggregator,
            self.scale,
            &self.price,
            self.at_s,
        ) {
            ("feed", Some(aggregator), Some(scale), None, None) => Ok(PriceSource::Feed {
                aggregator: aggregator.get(at, "aggregator")?,
                scale,
            }),
            ("posted", None, None, Some(price), at_s) => Ok(PriceSource::Posted {
                value: price.get(at, "price")?,
                at: at_s,
            }),
            ("fixed", None, None, Some(price), None) => Ok(PriceSource::Fixed(price.get(at, "price")?)),
            _ => {
                let reason = format!(
                    "'{}' is no source with just these keys: feed (aggregator, scale), posted (price, at_s), fixed (price)",
                    self.source.escape_debug()
                );
                Err((place(at, "source"), reason))
            }
        }
    }
}

impl AnswerRecord {
    fn answer(&self, at: &str) -> Result<Answer, Wrong> {
        Ok(Answer {
            value: self.value.get(at, "value")?,
            round_id: self.round_id.get(at, "round_id")?,
            updated_at: self.updated_at_s,
        })
    }
}
