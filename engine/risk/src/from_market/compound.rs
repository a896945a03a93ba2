use super::{Bonus, Held, Lent, Terms};
use alloy_primitives::{Address, U256};
use plimsoll_market::{AccountHealth, CompoundV2Replay, CompoundV3Replay};
use plimsoll_protocols::compound_v2::{Market, PROTOCOL_SEIZE_SHARE};

/// Factors are scaled by it.
const EXP_SCALE: f64 = 1e18;
const NOT_ENTERED: &str = "not collateral";

fn fraction(mantissa: U256) -> f64 {
    f64::from(mantissa) / EXP_SCALE
}

pub(super) fn v2_lent(replay: &CompoundV2Replay, bonus: Bonus) -> Vec<Lent> {
    let pool = replay.pool();
    let incentive = fraction(pool.liquidation_incentive());
    let bonus = match bonus {
        Bonus::Paid => incentive - 1.0,
        // What an incentive below the share leaves is no bonus.
        Bonus::Kept if incentive >= 1.0 => (incentive * (1.0 - fraction(PROTOCOL_SEIZE_SHARE)) - 1.0).max(0.0),
        Bonus::Kept => incentive - 1.0,
    };
    let underlying = |market: &Market| replay.underlying(market.c_token);
    let lent = pool.markets().iter().map(|market| {
        let asset = underlying(market);
        let twins = pool.markets().iter().filter(|other| underlying(other) == asset).count();
        let factor = fraction(market.collateral_factor);
        Lent {
            asset,
            decimals: replay.token(market.c_token).map_or(0, |token| token.decimals),
            terms: Terms {
                ltv: factor,
                threshold: factor,
                bonus,
                close_factor: fraction(pool.close_factor()),
                priced_as: market.c_token,
            },
            variant: if twins > 1 {
                market.c_token.to_string()
            } else {
                String::new()
            },
        }
    });
    lent.collect()
}

pub(super) fn v2_held(replay: &CompoundV2Replay, lent: &[Lent], health: &AccountHealth) -> Vec<Held> {
    let Some(account) = replay.pool().accounts().get(health.account) else {
        return Vec::new();
    };
    // A cToken's own positions come in the order of the account's, and two of them may stand for one asset.
    let places = account
        .positions()
        .iter()
        .map(|position| usize::from(position.market.0));
    let places = places.filter(|place| *place < lent.len());
    let held = health.positions.iter().zip(places).map(|(position, place)| {
        let of = &lent[place];
        let (terms, variant) = match position.is_collateral || of.terms.threshold == 0.0 {
            true => (of.terms, ""),
            false => (of.terms.not_collateral(), NOT_ENTERED),
        };
        Held {
            lent: place,
            terms,
            variant: variant.to_owned(),
        }
    });
    held.collect()
}

pub(super) fn v3_lent(replay: &CompoundV3Replay) -> Vec<Lent> {
    let configuration = replay.comet().configuration();
    let factor = |factor: u64| factor as f64 / EXP_SCALE;
    let decimals = |scale: u64| u8::try_from(scale.checked_ilog10().unwrap_or_default()).unwrap_or_default();
    let lent = |asset: Address, scale: u64, (ltv, threshold, bonus): (f64, f64, f64)| Lent {
        asset,
        decimals: decimals(scale),
        terms: Terms {
            ltv,
            threshold,
            bonus,
            // An absorption repays everything.
            close_factor: 1.0,
            priced_as: asset,
        },
        variant: String::new(),
    };
    let base = lent(configuration.base_token, configuration.base_scale, (0.0, 0.0, 0.0));
    let collateral = configuration.assets.iter().map(|info| {
        let threshold = factor(info.liquidate_collateral_factor);
        // Collateral is credited at this share of its value, so that so much more of it goes than is repaid.
        let bonus = match threshold > 0.0 {
            true => 1.0 / factor(info.liquidation_factor) - 1.0,
            false => 0.0,
        };
        lent(
            info.asset,
            info.scale,
            (factor(info.borrow_collateral_factor), threshold, bonus),
        )
    });
    std::iter::once(base).chain(collateral).collect()
}

pub(super) fn v3_held(lent: &[Lent], health: &AccountHealth) -> Vec<Held> {
    let positions = health.positions.iter();
    let held = positions.filter_map(|position| {
        let place = lent.iter().position(|lent| lent.asset == position.asset)?;
        Some(Held {
            lent: place,
            terms: lent[place].terms,
            variant: String::new(),
        })
    });
    held.collect()
}
