//! Sources from chain state: every reserve of the followed lending markets as the curve that its contracts compute.

use super::sources::Listed;
use crate::{exit::Failure, followed::Followed, report::decimal};
use alloy_primitives::{Address, U256};
use plimsoll_market::{AaveV3Replay, CompoundV2Replay, CompoundV3Replay, Feeds, LendingMarket, PriceSource};
use plimsoll_optimizer::source::{Comet, CometParams, Kind, KinkedPool, KinkedPoolParams, Source};
use plimsoll_protocols::{
    aave_v3::Reserve,
    compound_v2::{BLOCKS_PER_YEAR, InterestRateModel, Market},
    compound_v3::Revert,
};
use plimsoll_units::wad_ray_math::ray_mul;

/// One as a ray, and as the factors of Compound.
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
    Ok((listed, notes))
}

fn offers(
    market: &LendingMarket,
    followed: &Followed,
    is_wanted: &dyn Fn(Address) -> bool,
    own: &dyn Fn(Address, Option<Address>) -> f64,
) -> Vec<Result<Offer, Skipped>> {
    let (feeds, block) = (followed.market.feeds(), followed.block);
    match market {
        LendingMarket::AaveV3(replay) => {
            let reserves = replay.pool().reserves().filter(|reserve| is_wanted(reserve.asset));
            let offer = |reserve: &Reserve| {
                aave_v3(replay, feeds, reserve, block.timestamp, own(reserve.asset, None))
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

/// What a borrow rate gains over utilization, as yearly fractions.
#[derive(Debug, Clone, Copy)]
struct Turn {
    optimal: f64,
    slope1: f64,
    slope2: f64,
}

impl Turn {
    /// The same gains over D/(A + D + B) that these are over D/(A + D), where B of the supply has nothing behind it.
    ///
    /// Borrowers pay R(D/(A + D)), suppliers share it by D/(A + D + B). The kink is at the same size, and the rate the same at today's;
    /// between and around them both are a line over the inverse of a size, of sizes that differ by B.
    fn over_supply(self, owed: f64, backed: f64, unbacked: f64) -> Self {
        let now = (owed / backed, owed / (backed + unbacked));
        let optimal = owed / (owed / self.optimal + unbacked);
        let beyond = (now.0 - self.optimal, now.1 - optimal);
        let is_above = beyond.0 > 1e-9 && beyond.1 > 0.0 && self.optimal < 1.0;
        Self {
            optimal,
            slope1: match is_above || now.1 <= 0.0 {
                true => self.slope1,
                false => self.slope1 * (now.0 / self.optimal) / (now.1 / optimal),
            },
            slope2: match is_above {
                true => self.slope2 * (beyond.0 / (1.0 - self.optimal)) / (beyond.1 / (1.0 - optimal)),
                false => self.slope2,
            },
        }
    }
}

/// Suppliers earn (1 − rf)·R(D/(A + D))·D/(A + D), with D what is owed now and A what lies there.
fn aave_v3(replay: &AaveV3Replay, feeds: &Feeds, reserve: &Reserve, now: u64, own_usd: f64) -> Result<Offer, String> {
    let configuration = reserve.configuration;
    let closed = [
        (!configuration.active(), "it is not active"),
        (configuration.frozen(), "it is frozen"),
        (configuration.paused(), "it is paused"),
    ];
    if let Some((_, why)) = closed.into_iter().find(|(is, _)| *is) {
        return Err(why.to_owned());
    }
    let revision = replay.pool().revision();
    let beyond = |_| "its numbers leave 256 bits".to_owned();
    let debt_index = reserve.normalized_debt(revision, now).map_err(beyond)?;
    let supply_index = reserve.normalized_income(now).map_err(beyond)?;
    let beyond = || "its numbers leave 256 bits".to_owned();
    let owed = ray_mul(reserve.scaled_variable_debt, debt_index).ok_or_else(beyond)?;
    let price = replay
        .oracle()
        .price(reserve.asset, feeds)
        .map_err(|error| error.to_string())?;
    // The oracle counts in dollars of 8 decimals.
    let unit = unit_usd(price.value, 8, configuration.decimals());
    let unbacked = f64::from(U256::from(reserve.unbacked)) + f64::from(U256::from(reserve.deficit));
    let backed = f64::from(reserve.available_liquidity) + f64::from(owed);
    let all = backed + unbacked;
    let strategy = &reserve.strategy;
    let turn = Turn {
        optimal: f64::from(strategy.optimal_usage_ratio) / RAY,
        slope1: f64::from(strategy.variable_rate_slope1) / RAY,
        slope2: f64::from(strategy.variable_rate_slope2) / RAY,
    };
    let Turn {
        optimal,
        slope1,
        slope2,
    } = match unbacked > 0.0 {
        true => turn.over_supply(f64::from(owed), backed, unbacked),
        false => turn,
    };
    let params = KinkedPoolParams {
        base: f64::from(strategy.base_variable_borrow_rate) / RAY,
        slope1,
        slope2,
        optimal_utilization: optimal,
        reserve_factor: f64::from(configuration.reserve_factor()) / 1e4,
        supplied_usd: all * unit - own_usd,
        borrowed_usd: f64::from(owed) * unit,
    };
    let kind = KinkedPool::new("", params).map_err(|error| format!("`{}` {}", error.field, error.problem))?;
    let treasury = U256::from(reserve.accrued_to_treasury);
    let claims = reserve.scaled_supply.checked_add(treasury).ok_or_else(beyond)?;
    let claims = ray_mul(claims, supply_index).ok_or_else(beyond)?;
    let whole = 10f64.powi(i32::from(configuration.decimals()));
    let max_usd = match configuration.supply_cap() {
        0 => f64::INFINITY,
        cap => ((cap as f64 * whole - f64::from(claims)).max(0.0)) * unit + own_usd,
    };
    let note = (unbacked > 0.0).then(|| {
        let share = decimal(unbacked / all * 100.0, 4);
        format!("{share} % of its supply has nothing behind it: its rate is the contract's at today's size, and nearly so around it")
    });
    Ok(Offer {
        asset: reserve.asset,
        twin: None,
        kind: Kind::Kinked(kind),
        max_usd,
        note,
    })
}

/// Suppliers earn (1 − rf)·U·R(U) a block, U = borrows/(cash + borrows − reserves), interest accrued to the block.
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
    let Some(model) = market.model else {
        return Err("its rate model is not known".to_owned());
    };
    let Some(token) = replay.token(market.c_token) else {
        return Err("its underlying is not known".to_owned());
    };
    let accrued = market
        .accrued(block)
        .map_err(|refusal| format!("interest cannot be accrued: {refusal:?}"))?;
    let price = replay
        .oracle()
        .price(market.c_token, feeds)
        .map_err(|error| error.to_string())?;
    let Some(price_decimals) = 36u8.checked_sub(token.decimals) else {
        return Err(format!("it has {} decimals", token.decimals));
    };
    let unit = unit_usd(price.value, price_decimals, token.decimals);
    let a_year = |a_block: U256| f64::from(a_block) / EXP_SCALE * f64::from(BLOCKS_PER_YEAR);
    let (base, slope1, slope2, optimal_utilization) = match model {
        InterestRateModel::WhitePaper {
            base_rate_per_block,
            multiplier_per_block,
        } => (a_year(base_rate_per_block), a_year(multiplier_per_block), 0.0, 1.0),
        InterestRateModel::Jump {
            base_rate_per_block,
            multiplier_per_block,
            jump_multiplier_per_block,
            kink,
        } => {
            let kink = f64::from(kink) / EXP_SCALE;
            // No utilization is beyond a kink of one or more.
            let turn = kink.min(1.0);
            (
                a_year(base_rate_per_block),
                a_year(multiplier_per_block) * turn,
                a_year(jump_multiplier_per_block) * (1.0 - turn),
                turn,
            )
        }
    };
    let (cash, borrows) = (f64::from(accrued.cash), f64::from(accrued.total_borrows));
    let params = KinkedPoolParams {
        base,
        slope1,
        slope2,
        optimal_utilization,
        reserve_factor: f64::from(accrued.reserve_factor) / EXP_SCALE,
        supplied_usd: (cash + borrows - f64::from(accrued.total_reserves)) * unit - own_usd,
        borrowed_usd: borrows * unit,
    };
    let kind = KinkedPool::new("", params).map_err(|error| format!("`{}` {}", error.field, error.problem))?;
    Ok(Offer {
        asset: token.underlying,
        twin,
        kind: Kind::Kinked(kind),
        max_usd: f64::INFINITY,
        note: Some("a year has the 2,102,400 blocks that its model takes it to have".to_owned()),
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

#[cfg(test)]
mod tests {
    use super::Turn;

    fn gained(turn: Turn, utilization: f64) -> f64 {
        let Turn {
            optimal,
            slope1,
            slope2,
        } = turn;
        match utilization <= optimal {
            true => slope1 * utilization / optimal,
            false => slope1 + slope2 * (utilization - optimal) / (1.0 - optimal),
        }
    }

    #[test]
    fn a_supply_with_nothing_behind_it_leaves_the_rate_and_the_kink_where_they_are() {
        let turn = Turn {
            optimal: 0.8,
            slope1: 0.05,
            slope2: 0.6,
        };
        for owed in [300.0, 700.0, 800.0, 950.0] {
            let (backed, unbacked) = (1_000.0, 5.0);
            let over = turn.over_supply(owed, backed, unbacked);
            let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-12, "{owed}: {one} is not {other}");
            near(gained(over, owed / (backed + unbacked)), gained(turn, owed / backed));
            // Both kinks are at one size.
            near(owed / over.optimal, owed / turn.optimal + unbacked);
            // A tenth more brings the two apart by a part of the share that has nothing behind it.
            let (there, here) = (
                gained(over, owed / (1.1 * backed + unbacked)),
                gained(turn, owed / (1.1 * backed)),
            );
            assert!(
                (there / here - 1.0).abs() < 0.25 * unbacked / backed,
                "{owed}: {there} is not {here}"
            );
        }
    }
}
