use super::{Bonus, Held, Lent, Terms};
use plimsoll_market::{AaveV2Replay, AaveV3Replay, AccountHealth, Feeds};
use plimsoll_protocols::aave_v3::{Pool, Reserve};

/// The share of a debt that one liquidation may repay.
const CLOSE_FACTOR: f64 = 0.5;
const NOT_COLLATERAL: &str = "not collateral";

/// Basis points as a fraction.
fn fraction(basis_points: u16) -> f64 {
    f64::from(basis_points) / 1e4
}

/// What is over 100 % of a bonus in basis points.
fn over_all(bonus: u16) -> f64 {
    fraction(bonus.saturating_sub(10_000))
}

pub(super) fn v2_lent(replay: &AaveV2Replay) -> Vec<Lent> {
    let reserves = replay.pool().reserves().iter();
    let lent = reserves.map(|reserve| {
        let (asset, terms) = (reserve.params.asset, reserve.configuration);
        Lent {
            asset,
            decimals: terms.decimals(),
            terms: Terms {
                ltv: fraction(terms.ltv()),
                threshold: fraction(terms.liquidation_threshold()),
                bonus: over_all(terms.liquidation_bonus()),
                close_factor: CLOSE_FACTOR,
                priced_as: asset,
            },
            variant: String::new(),
        }
    });
    lent.collect()
}

pub(super) fn v2_held(lent: &[Lent], health: &AccountHealth) -> Vec<Held> {
    let positions = health.positions.iter();
    let held = positions.filter_map(|position| {
        let place = lent.iter().position(|lent| lent.asset == position.asset)?;
        let of = &lent[place];
        let pledged = position.is_collateral || position.collateral_amount.is_zero();
        Some(plain(place, of, pledged))
    });
    held.collect()
}

/// On the terms that hold where nothing else is said, or not as collateral.
fn plain(place: usize, lent: &Lent, pledged: bool) -> Held {
    let (terms, variant) = match pledged || lent.terms.threshold == 0.0 {
        true => (lent.terms, ""),
        false => (lent.terms.not_collateral(), NOT_COLLATERAL),
    };
    Held {
        lent: place,
        terms,
        variant: variant.to_owned(),
    }
}

fn v3_terms(pool: &Pool, reserve: &Reserve, category: u8, bonus: Bonus) -> Terms {
    let terms = pool.collateral_terms(reserve, category);
    let over = over_all(terms.liquidation_bonus);
    let kept = match bonus {
        Bonus::Paid => over,
        Bonus::Kept => over * (1.0 - fraction(reserve.configuration.liquidation_protocol_fee())),
    };
    Terms {
        ltv: fraction(terms.ltv),
        threshold: fraction(terms.liquidation_threshold.unwrap_or_default()),
        bonus: kept,
        close_factor: CLOSE_FACTOR,
        priced_as: terms.price_source.unwrap_or(reserve.asset),
    }
}

pub(super) fn v3_lent(replay: &AaveV3Replay, bonus: Bonus) -> Vec<Lent> {
    let pool = replay.pool();
    let lent = pool.reserves().map(|reserve| Lent {
        asset: reserve.asset,
        decimals: reserve.configuration.decimals(),
        terms: v3_terms(pool, reserve, 0, bonus),
        variant: String::new(),
    });
    lent.collect()
}

pub(super) fn v3_held(
    replay: &AaveV3Replay,
    feeds: &Feeds,
    bonus: Bonus,
    lent: &[Lent],
    health: &AccountHealth,
) -> Vec<Held> {
    let pool = replay.pool();
    let category = pool.user_e_mode(health.account);
    let positions = health.positions.iter();
    let held = positions.filter_map(|position| {
        let place = lent.iter().position(|lent| lent.asset == position.asset)?;
        let (of, reserve) = (&lent[place], pool.reserve(position.asset)?);
        let pledged = position.is_collateral || position.collateral_amount.is_zero();
        if category == 0 {
            return Some(plain(place, of, pledged));
        }
        let mut terms = v3_terms(pool, reserve, category, bonus);
        // A category's own price of zero counts as none.
        let price = replay.oracle().price(terms.priced_as, feeds);
        if price.is_ok_and(|price| price.value.is_zero()) {
            terms.priced_as = position.asset;
        }
        let mut variant = format!("e-mode {category}");
        if position.collateral_amount.is_zero() {
            // Of a debt only the price matters.
            terms = Terms {
                priced_as: terms.priced_as,
                ..of.terms
            };
        } else if !pledged && terms.threshold > 0.0 {
            terms = terms.not_collateral();
            variant = match terms.priced_as == position.asset {
                true => NOT_COLLATERAL.to_owned(),
                false => format!("{variant}, {NOT_COLLATERAL}"),
            };
        }
        if terms == of.terms {
            variant.clear();
        } else if position.collateral_amount.is_zero() {
            variant.push_str(", owed");
        }
        Some(Held {
            lent: place,
            terms,
            variant,
        })
    });
    held.collect()
}
