use super::{asking::Asking, calls::Feed};
use crate::error::NodeError;
use alloy_primitives::{Address, I256, U256, map::HashMap};
use plimsoll_market::{ContractRole, FeedState, MarketContract};
use plimsoll_protocols::chainlink::Answer;
use std::collections::{BTreeMap, BTreeSet};

/// The feeds behind some price sources.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    /// The aggregator behind each source; the source itself where it is no proxy.
    pub(super) aggregators: HashMap<Address, Address>,
    /// What each aggregator has answered last.
    pub(super) states: BTreeMap<Address, FeedState>,
}

impl Feeds {
    /// The sources and their aggregators.
    pub(super) fn contracts(&self) -> impl Iterator<Item = MarketContract> {
        let contract = |role, address| MarketContract { role, address };
        let both = move |(source, aggregator): (&Address, &Address)| {
            [
                contract(ContractRole::PriceSource, *source),
                contract(ContractRole::Aggregator, *aggregator),
            ]
        };
        self.aggregators.iter().flat_map(both)
    }
}

/// Finds the aggregator behind each source, and reads its last answer.
///
/// A source is followed by its own logs unless it names an aggregator that answers as it does.
pub(super) async fn read(asking: &Asking<'_>, sources: BTreeSet<Address>) -> Result<Feeds, NodeError> {
    let sources: Vec<Address> = sources.into_iter().filter(|source| !source.is_zero()).collect();
    let named = asking.maybe_of(&sources, Feed::aggregatorCall {}).await?;
    let answers = asking.maybe_of(&sources, Feed::latestAnswerCall {}).await?;
    let decimals = asking.maybe_of(&sources, Feed::decimalsCall {}).await?;
    let own = asking.maybe_of(&sources, Feed::latestRoundDataCall {}).await?;
    let candidates: Vec<Address> = named
        .into_iter()
        .zip(&sources)
        .map(|(named, source)| named.filter(|named| !named.is_zero()).unwrap_or(*source))
        .collect();
    let behind = asking.maybe_of(&candidates, Feed::latestRoundDataCall {}).await?;
    // The first aggregators have no rounds to tell.
    let behind_alone = asking.maybe_of(&candidates, Feed::latestAnswerCall {}).await?;
    let now = asking.header().timestamp;
    let mut feeds = Feeds::default();
    for (index, source) in sources.iter().copied().enumerate() {
        let told = answers.get(index).copied().flatten();
        let own = own
            .get(index)
            .and_then(Option::as_ref)
            .map(|round| answer(round.answer, round.roundId, round.updatedAt));
        let behind = behind
            .get(index)
            .and_then(Option::as_ref)
            .map(|round| answer(round.answer, round.roundId, round.updatedAt));
        let value = told.or_else(|| own.map(|own| own.value));
        let proxied = behind.filter(|behind| value.is_none_or(|value| value == behind.value));
        let alike = proxied.is_some() || (value.is_some() && behind_alone.get(index).copied().flatten() == value);
        let aggregator = candidates.get(index).copied().filter(|_| alike).unwrap_or(source);
        // What tells a price and no round tells it as of this block.
        let alone = value.map(|value| Answer {
            value,
            round_id: U256::ZERO,
            updated_at: now,
        });
        let own = own.filter(|own| value == Some(own.value));
        feeds.aggregators.insert(source, aggregator);
        let state = FeedState {
            decimals: decimals
                .get(index)
                .copied()
                .flatten()
                .and_then(|digits| u8::try_from(digits).ok()),
            answer: proxied.or(own).or(alone),
        };
        feeds.states.insert(aggregator, state);
    }
    Ok(feeds)
}

/// A round as logs tell it: a proxy's number is the aggregator's below a phase.
fn answer(value: I256, round_id: U256, updated_at: U256) -> Answer {
    Answer {
        value,
        round_id: round_id & U256::from(u64::MAX),
        updated_at: updated_at.saturating_to(),
    }
}
