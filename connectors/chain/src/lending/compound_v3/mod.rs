//! Compound v3: one Comet, whose parameters are constants of its code.

pub(super) mod accounts;
mod configuration;

use super::{
    account_logs,
    asking::Asking,
    calls::{Comet as CometCalls, Token},
    feeds,
};
use crate::{error::NodeError, nodes::Nodes};
use alloy_primitives::{Address, U256};
use configuration::Configured;
use plimsoll_market::{
    CompoundV3Upgrade, ContractRole, LendingBody, LendingState, MarketContract, NoPrice, Oracle, PriceSource,
};
use plimsoll_protocols::compound_v3::{AssetTotals, Comet, Paused, Totals};

/// Decimals of the prices that a Comet takes.
const PRICE_DECIMALS: u8 = 8;
/// The same as the factor that its extension names.
const PRICE_SCALE: u64 = 100_000_000;

/// The whole Comet but its accounts.
pub(super) async fn state(asking: &Asking<'_>, address: Address) -> Result<LendingState, NodeError> {
    let Configured { configuration, feeds } = configuration::read(asking, address).await?;
    let mut comet = Comet::new(configuration, asking.header().timestamp)
        .map_err(|error| asking.refused(address, error.to_string()))?;
    comet.set_totals(totals(asking, address, comet.configuration().base_token).await?);
    let tokens: Vec<Address> = comet.configuration().assets.iter().map(|info| info.asset).collect();
    let ask = |token: &Address| (address, CometCalls::totalsCollateralCall { asset: *token });
    let supplied = asking.all(&tokens.iter().map(ask).collect::<Vec<_>>()).await?;
    let held = asking
        .all_of(&tokens, Token::balanceOfCall { account: address })
        .await?;
    for (((asset, token), supplied), balance) in
        comet.asset_totals_mut().iter_mut().zip(&tokens).zip(supplied).zip(held)
    {
        reserved(asking, address, &format!("total of {token}"), supplied.reserved)?;
        *asset = AssetTotals {
            total_supply_asset: asking.narrow(address, &format!("total of {token}"), supplied.totalSupplyAsset)?,
            balance,
        };
    }
    configuration::prove_rates(asking, address, &comet).await?;

    let sources: Vec<Address> = feeds.iter().map(|(_, source)| *source).collect();
    let read = feeds::read(asking, sources.iter().copied().collect()).await?;
    let mut oracle = Oracle::default();
    for (token, source) in &feeds {
        // A price that a Comet takes has eight decimals, or it is not deployed.
        let aggregator = read.aggregators.get(source).copied().unwrap_or(*source);
        let decimals = read.states.get(&aggregator).and_then(|feed| feed.decimals);
        if decimals != Some(PRICE_DECIMALS) {
            let said = decimals.map_or_else(|| "none".to_owned(), |decimals| decimals.to_string());
            return Err(asking.refused(*source, format!("a Comet's feed has 8 decimals, and it says {said}")));
        }
        oracle.set_source(*token, PriceSource::Feed { aggregator, scale: 0 });
    }
    let mut state = LendingState {
        oracle,
        feeds: read.states.clone(),
        ..asking.state(
            address,
            LendingBody::CompoundV3 {
                comet: Box::new(comet),
                upgrades: Vec::new(),
            },
        )
    };
    let itself = MarketContract {
        role: ContractRole::Comet,
        address,
    };
    state.add_contracts(read.contracts().chain([itself]));
    prove_prices(asking, &state, &feeds).await?;
    Ok(state)
}

/// The base's numbers.
async fn totals(asking: &Asking<'_>, address: Address, base_token: Address) -> Result<Totals, NodeError> {
    let told = asking.one(address, CometCalls::totalsBasicCall {}).await?;
    if told.lastAccrualTime.is_zero() {
        return Err(asking.refused(address, "it is not initialized yet"));
    }
    let paused = Paused {
        supply: asking.one(address, CometCalls::isSupplyPausedCall {}).await?,
        transfer: asking.one(address, CometCalls::isTransferPausedCall {}).await?,
        withdraw: asking.one(address, CometCalls::isWithdrawPausedCall {}).await?,
        absorb: asking.one(address, CometCalls::isAbsorbPausedCall {}).await?,
        buy: asking.one(address, CometCalls::isBuyPausedCall {}).await?,
    };
    let flags = [
        paused.supply,
        paused.transfer,
        paused.withdraw,
        paused.absorb,
        paused.buy,
    ];
    let word = flags.iter().rev().fold(0u64, |word, flag| word << 1 | u64::from(*flag));
    if told.pauseFlags != U256::from(word) {
        let reason = format!("its pause flags are {}, but its functions say {word}", told.pauseFlags);
        return Err(asking.refused(address, reason));
    }
    let balance = asking
        .one(base_token, Token::balanceOfCall { account: address })
        .await?;
    Ok(Totals {
        base_supply_index: asking.narrow(address, "supply index", told.baseSupplyIndex)?,
        base_borrow_index: asking.narrow(address, "borrow index", told.baseBorrowIndex)?,
        total_supply_base: asking.narrow(address, "total supply", told.totalSupplyBase)?,
        total_borrow_base: asking.narrow(address, "total borrow", told.totalBorrowBase)?,
        last_accrual_time: asking.narrow(address, "last accrual", told.lastAccrualTime)?,
        paused,
        balance,
    })
}

/// Refuses a Comet that uses what is reserved in those that are known.
fn reserved(asking: &Asking<'_>, address: Address, of: &str, word: U256) -> Result<(), NodeError> {
    if word.is_zero() {
        return Ok(());
    }
    let reason = format!("it keeps {word} beside its {of}, where known ones keep nothing");
    Err(asking.refused(address, reason))
}

/// Holds each token's price against what the Comet says of its feed; none where it says none.
async fn prove_prices(
    asking: &Asking<'_>,
    state: &LendingState,
    feeds: &[(Address, Address)],
) -> Result<(), NodeError> {
    let comet = state.address;
    let ask = |(_, feed): &(Address, Address)| (comet, CometCalls::getPriceCall { priceFeed: *feed });
    let told = asking.maybe(&feeds.iter().map(ask).collect::<Vec<_>>()).await?;
    let answers = state.answers();
    for ((token, feed), told) in feeds.iter().zip(told) {
        let ours = state.oracle.price(*token, &answers).map(|price| price.value);
        if ours.ok() != told {
            let told = told.map_or_else(|| "none".to_owned(), |price| price.to_string());
            let ours = ours.map_or_else(|error: NoPrice| error.to_string(), |price| price.to_string());
            let reason = format!("its price of {token} is {told}, but feed {feed} gives {ours}");
            return Err(asking.refused(comet, reason));
        }
    }
    Ok(())
}

/// The first block from `low` on, up to one where it is, at whose end a Comet is initialized: no log tells of it.
pub(super) async fn beginning(
    nodes: &Nodes,
    address: Address,
    (mut low, mut high): (u64, u64),
) -> Result<u64, NodeError> {
    while low < high {
        let middle = low + (high - low) / 2;
        if is_initialized(&Asking::at_block(nodes, middle).await?, address).await? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// Whether a Comet is there, and initialized.
pub(super) async fn is_initialized(asking: &Asking<'_>, address: Address) -> Result<bool, NodeError> {
    if asking.code(address).await?.is_empty() {
        return Ok(false);
    }
    let totals = asking.maybe_one(address, CometCalls::totalsBasicCall {}).await?;
    Ok(totals.is_some_and(|totals| !totals.lastAccrualTime.is_zero()))
}

/// Adds to a state what its Comet's upgrades in these blocks will make of it, and the feeds that they bring.
pub(super) async fn foresee(nodes: &Nodes, state: &mut LendingState, range: (u64, u64)) -> Result<(), NodeError> {
    let address = state.address;
    let mut foreseen = Vec::new();
    for block in account_logs::upgrades(nodes, address, range).await? {
        let asking = Asking::at_block(nodes, block).await?;
        let later = self::state(&asking, address).await?;
        state.add_contracts(later.contracts.iter().copied());
        for (aggregator, mut feed) in later.feeds {
            feed.answer = None;
            state.feeds.entry(aggregator).or_insert(feed);
        }
        let mut sources: Vec<_> = later.oracle.sources().collect();
        sources.sort_unstable_by_key(|(token, _)| *token);
        if let LendingBody::CompoundV3 { comet, .. } = later.body {
            foreseen.push(CompoundV3Upgrade {
                block_number: block,
                configuration: comet.configuration().clone(),
                sources,
            });
        }
    }
    if let LendingBody::CompoundV3 { upgrades, .. } = &mut state.body {
        *upgrades = foreseen;
    }
    Ok(())
}
