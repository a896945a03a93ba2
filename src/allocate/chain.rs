//! Sources from chain state: every reserve of the followed lending markets as the curve that its contracts compute.

use super::sources::Listed;
use crate::{exit::Failure, followed::Followed, report::decimal};
use alloy_primitives::{Address, U256};
use plimsoll_market::{
    AaveV3Replay, CompoundV2Replay, CompoundV3Replay, Feeds, LendingMarket, PriceSource, SupplyCurve,
};
use plimsoll_optimizer::source::{Comet, CometParams, Kind, KinkedPool, KinkedPoolParams, Source};
use plimsoll_protocols::{
    aave_v3::Reserve,
    compound_v2::{BLOCKS_PER_YEAR, Market},
    compound_v3::Revert,
};
use plimsoll_units::BlockRef;

/// One as a ray, and as a Comet's rates are scaled.
const RAY: f64 = 1e27;
const EXP_SCALE: f64 = 1e18;

/// What a market's reserve offers to a lender.
struct Offer {
    asset: Address,
    /// Of several with one asset the contract that tells them apart.
    twin: Option<Address>,
    kind: Kind,
    max_usd: f64,
    note: Option<String>,
}

/// A reserve that cannot be lent to, or is no curve that is known: the asset, and why.
type Skipped = (Address, String);

/// What is to be lent, and what is held of it already.
pub(super) struct Wanted<'a> {
    /// Symbols or addresses; all where none is named.
    pub(super) assets: &'a [String],
    /// USD held of a source, by its name: a part of what its pool tells.
    pub(super) held_usd: &'a dyn Fn(&str) -> f64,
}

/// The sources, and what was left out and why, a line each.
pub(super) fn sources(followed: &Followed, wanted: &Wanted<'_>) -> Result<(Vec<Listed>, Vec<String>), Failure> {
    let (mut listed, mut notes) = (Vec::new(), Vec::new());
    let mut markets: Vec<&LendingMarket> = followed.market.lending_markets().collect();
    markets.sort_by_key(|market| (market.protocol(), market.address()));
    let symbol = |asset: Address| followed.symbol(asset).map_or_else(|| asset.to_string(), str::to_owned);
    let is_named =
        |asset: Address, wanted: &str| wanted == symbol(asset) || wanted.eq_ignore_ascii_case(&asset.to_string());
    for name in wanted.assets {
        let mut known = markets.iter().flat_map(|market| market.prices(followed.market.feeds()));
        if !known.any(|(asset, _)| is_named(asset, name)) {
            let data = &followed.data;
            return Err(Failure::usage(format!(
                "--asset {name}: no lending market of {data} has it"
            )));
        }
    }
    for market in &markets {
        let protocol = market.protocol().name();
        let several = markets
            .iter()
            .filter(|other| other.protocol() == market.protocol())
            .count()
            > 1;
        let place = match several {
            true => format!("{protocol}@{}", market.address()),
            false => protocol.to_owned(),
        };
        let name = |asset: Address, twin: Option<Address>| {
            let twin = twin.map(|twin| format!("@{twin}")).unwrap_or_default();
            format!("{place}/{}{twin}", symbol(asset))
        };
        let is_wanted =
            |asset: Address| wanted.assets.is_empty() || wanted.assets.iter().any(|name| is_named(asset, name));
        if matches!(market, LendingMarket::CompoundV2(_)) {
            notes.push(format!(
                "{place}: a year has the {BLOCKS_PER_YEAR} blocks that its models take it to have"
            ));
        }
        let own = |asset: Address, twin: Option<Address>| (wanted.held_usd)(&name(asset, twin));
        for offer in offers(market, followed, &is_wanted, &own) {
            match offer {
                Ok(offer) => {
                    let id = name(offer.asset, offer.twin);
                    let source = Source::new(&id, offer.kind, offer.max_usd).map_err(Failure::failed)?;
                    listed.push(Listed {
                        kind: match source.kind() {
                            Kind::Comet(_) => "comet",
                            _ => "kinked",
                        },
                        source,
                        protocol: Some(protocol.to_owned()),
                        asset: Some(symbol(offer.asset)),
                        chain: Some(followed.network.to_string()),
                        min_usd: 0.0,
                        min_position_usd: None,
                        note: offer.note.map(|note| format!("{id}: {note}")),
                    });
                }
                Err((asset, why)) => notes.push(format!("{} is left out: {why}", name(asset, None))),
            }
        }
    }
    let assets: Vec<&Option<String>> = listed.iter().map(|listed| &listed.asset).collect();
    if assets.windows(2).any(|pair| pair[0] != pair[1]) {
        notes.push(
            "these lend several assets: income is at today's prices, and what the prices do is not in it".to_owned(),
        );
    }
    Ok((listed, notes))
}

fn offers(
    market: &LendingMarket,
    followed: &Followed,
    is_wanted: &dyn Fn(Address) -> bool,
    own: &dyn Fn(Address, Option<Address>) -> f64,
) -> Vec<Result<Offer, Skipped>> {
    let (feeds, block) = (followed.market.feeds(), followed.block);
    let at = BlockRef {
        number: block.number,
        timestamp: Some(block.timestamp),
    };
    match market {
        LendingMarket::AaveV3(replay) => {
            let reserves = replay.pool().reserves().filter(|reserve| is_wanted(reserve.asset));
            let offer = |reserve: &Reserve| {
                aave_v3(market, replay, feeds, reserve, at, own(reserve.asset, None))
                    .map_err(|why| (reserve.asset, why))
            };
            reserves.map(offer).collect()
        }
        LendingMarket::CompoundV2(replay) => {
            let underlying = |market: &Market| replay.underlying(market.c_token);
            let markets = replay.pool().markets();
            let offer = |market: &Market| {
                let asset = underlying(market);
                let several = markets.iter().filter(|other| underlying(other) == asset).count() > 1;
                let twin = several.then_some(market.c_token);
                compound_v2(replay, feeds, market, block.number, twin, own(asset, twin)).map_err(|why| (asset, why))
            };
            markets
                .iter()
                .filter(|market| is_wanted(underlying(market)))
                .map(offer)
                .collect()
        }
        LendingMarket::CompoundV3(replay) => {
            let base = replay.comet().configuration().base_token;
            if !is_wanted(base) {
                return Vec::new();
            }
            vec![compound_v3(replay, feeds, block.timestamp, own(base, None)).map_err(|why| (base, why))]
        }
        LendingMarket::AaveV2(replay) => {
            let reserves = replay.pool().reserves().iter().map(|reserve| reserve.params.asset);
            let why = "Aave v2's oracle counts in ether, which nothing here prices in dollars";
            reserves
                .filter(|asset| is_wanted(*asset))
                .map(|asset| Err((asset, why.to_owned())))
                .collect()
        }
    }
}

/// What one base unit is worth in USD by an oracle's price with so many decimals.
fn unit_usd(price: U256, price_decimals: u8, token_decimals: u8) -> f64 {
    f64::from(price) / 10f64.powi(i32::from(price_decimals) + i32::from(token_decimals))
}

/// A curve as a pool of the optimizer's, own supply taken out, and the most that may be held of it in USD.
fn pool_of(curve: &SupplyCurve, unit: f64, own_usd: f64) -> Result<(KinkedPool, f64), String> {
    let ray = |number: U256| f64::from(number) / RAY;
    let params = KinkedPoolParams {
        base: ray(curve.base_ray),
        slope1: ray(curve.slope1_ray),
        slope2: ray(curve.slope2_ray),
        optimal_utilization: ray(curve.optimal_utilization_ray),
        reserve_factor: ray(curve.reserve_factor_ray),
        supplied_usd: f64::from(curve.supplied) * unit - own_usd,
        borrowed_usd: f64::from(curve.borrowed) * unit,
    };
    let pool = KinkedPool::new("", params).map_err(|error| format!("`{}` {}", error.field, error.problem))?;
    let max_usd = match curve.room {
        U256::MAX => f64::INFINITY,
        room => f64::from(room) * unit + own_usd,
    };
    Ok((pool, max_usd))
}

fn aave_v3(
    market: &LendingMarket,
    replay: &AaveV3Replay,
    feeds: &Feeds,
    reserve: &Reserve,
    block: BlockRef,
    own_usd: f64,
) -> Result<Offer, String> {
    let configuration = reserve.configuration;
    let closed = [
        (!configuration.active(), "it is not active"),
        (configuration.frozen(), "it is frozen"),
        (configuration.paused(), "it is paused"),
    ];
    if let Some((_, why)) = closed.into_iter().find(|(is, _)| *is) {
        return Err(why.to_owned());
    }
    let curve = market.supply_curve(reserve.asset, block);
    let curve = curve.ok_or_else(|| "its numbers leave 256 bits".to_owned())?;
    let price = replay
        .oracle()
        .price(reserve.asset, feeds)
        .map_err(|error| error.to_string())?;
    // The oracle counts in dollars of 8 decimals.
    let (pool, max_usd) = pool_of(&curve, unit_usd(price.value, 8, configuration.decimals()), own_usd)?;
    let unbacked = f64::from(U256::from(reserve.unbacked)) + f64::from(U256::from(reserve.deficit));
    let note = (unbacked > 0.0).then(|| {
        let share = decimal(unbacked / (f64::from(curve.supplied) + unbacked) * 100.0, 4);
        format!("{share} % of its supply has nothing behind it: its rate is the contract's at today's size, and nearly so around it")
    });
    Ok(Offer {
        asset: reserve.asset,
        twin: None,
        kind: Kind::Kinked(pool),
        max_usd,
        note,
    })
}

fn compound_v2(
    replay: &CompoundV2Replay,
    feeds: &Feeds,
    market: &Market,
    block: u64,
    twin: Option<Address>,
    own_usd: f64,
) -> Result<Offer, String> {
    if !market.is_listed {
        return Err("the comptroller does not list it".to_owned());
    }
    if market.mint_paused {
        return Err("supplying is paused".to_owned());
    }
    if market.model.is_none() {
        return Err("its rate model is not known".to_owned());
    }
    let Some(token) = replay.token(market.c_token) else {
        return Err("its underlying is not known".to_owned());
    };
    let accrued = market
        .accrued(block)
        .map_err(|refusal| format!("interest cannot be accrued: {refusal:?}"))?;
    let curve = SupplyCurve::of_compound_v2(&accrued).ok_or_else(|| "its reserves exceed what it has".to_owned())?;
    let price = replay
        .oracle()
        .price(market.c_token, feeds)
        .map_err(|error| error.to_string())?;
    let Some(price_decimals) = 36u8.checked_sub(token.decimals) else {
        return Err(format!("it has {} decimals", token.decimals));
    };
    let (pool, max_usd) = pool_of(&curve, unit_usd(price.value, price_decimals, token.decimals), own_usd)?;
    Ok(Offer {
        asset: token.underlying,
        twin,
        kind: Kind::Kinked(pool),
        max_usd,
        note: None,
    })
}

/// Suppliers have a curve of their own over U = borrow/supply.
fn compound_v3(replay: &CompoundV3Replay, feeds: &Feeds, now: u64, own_usd: f64) -> Result<Offer, String> {
    let comet = replay.comet();
    let configuration = comet.configuration();
    let base = configuration.base_token;
    if comet.totals().paused.supply {
        return Err("supplying is paused".to_owned());
    }
    if matches!(replay.oracle().source(base), Some(PriceSource::Fixed(_))) {
        return Err("its prices are in its base, which nothing here prices in dollars".to_owned());
    }
    let price = replay.oracle().price(base, feeds).map_err(|error| error.to_string())?;
    let unit = f64::from(price.value) / 1e8 / configuration.base_scale as f64;
    let total = |total: Result<U256, Revert>| total.map(f64::from).map_err(|revert| format!("{revert:?}"));
    let rate = |a_second: u64| a_second as f64 / EXP_SCALE;
    let params = CometParams {
        base_per_second: rate(configuration.supply.base_per_second),
        slope_low_per_second: rate(configuration.supply.slope_low_per_second),
        slope_high_per_second: rate(configuration.supply.slope_high_per_second),
        kink: rate(configuration.supply.kink),
        supplied_usd: total(comet.total_supply(now))? * unit - own_usd,
        borrowed_usd: total(comet.total_borrow(now))? * unit,
    };
    let kind = Comet::new("", params).map_err(|error| format!("`{}` {}", error.field, error.problem))?;
    Ok(Offer {
        asset: base,
        twin: None,
        kind: Kind::Comet(kind),
        max_usd: f64::INFINITY,
        note: None,
    })
}
