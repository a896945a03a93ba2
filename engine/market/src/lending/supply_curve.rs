use super::LendingMarket;
use alloy_primitives::{Address, U256};
use plimsoll_protocols::{
    aave_v3::{Reserve, Revision, TokenKind},
    compound_v2::{BLOCKS_PER_YEAR, InterestRateModel, Market, exponential::EXP_SCALE},
};
use plimsoll_units::{
    BlockRef, Rounding, mul_div,
    percentage_math::PERCENTAGE_FACTOR,
    wad_ray_math::{RAY, WAD},
};

/// What suppliers of a token earn by how much of it there is: a borrow rate that rises by `slope1_ray` up to the optimal utilization U*
/// and by `slope2_ray` from there to 1, of which they get the lent share, less the reserve factor. Yearly rates without compounding, as
/// rays; amounts in base units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SupplyCurve {
    /// The borrow rate at no utilization.
    pub base_ray: U256,
    /// What it rises by up to the optimal utilization.
    pub slope1_ray: U256,
    /// What it rises by beyond.
    pub slope2_ray: U256,
    /// U*, above 0 and at most 1.
    pub optimal_utilization_ray: U256,
    /// The share of interest that suppliers do not get: the reserve factor, and what goes to claims with nothing behind them.
    pub reserve_factor_ray: U256,
    /// What is there and what is lent.
    pub supplied: U256,
    /// What is lent.
    pub borrowed: U256,
    /// How much more may be supplied; the greatest number for no limit.
    pub room: U256,
}

impl SupplyCurve {
    /// An Aave v3 reserve's, whose indexes are those of the moment.
    ///
    /// Claims with nothing behind them (`unbacked`, the deficit) share the interest without being part of the utilization that sets the
    /// borrow rate. They are taken as a higher reserve factor, which is exact for the supply that there is.
    ///
    /// `None` where an amount leaves 256 bits.
    pub fn of_aave_v3(reserve: &Reserve, revision: Revision) -> Option<Self> {
        let scaling = revision.scaling();
        let of = |kind, scaled, index: u128| scaling.balance(kind, scaled, U256::from(index)).ok();
        let debt = of(
            TokenKind::VariableDebt,
            reserve.scaled_variable_debt,
            reserve.variable_borrow_index,
        )?;
        let supplied = reserve.available_liquidity.checked_add(debt)?;
        let unbacked = U256::from(if revision.deficit() {
            reserve.deficit
        } else {
            reserve.unbacked
        });
        let kept = PERCENTAGE_FACTOR.checked_sub(U256::from(reserve.configuration.reserve_factor()))?;
        let kept = mul_div(RAY, kept, PERCENTAGE_FACTOR, Rounding::Down)?;
        let kept = match unbacked.is_zero() {
            true => kept,
            false => mul_div(kept, supplied, supplied.checked_add(unbacked)?, Rounding::Down)?,
        };
        let claims = reserve
            .scaled_supply
            .checked_add(U256::from(reserve.accrued_to_treasury))?;
        let claims = of(TokenKind::AToken, claims, reserve.liquidity_index)?;
        let strategy = &reserve.strategy;
        Some(Self {
            base_ray: strategy.base_variable_borrow_rate,
            slope1_ray: strategy.variable_rate_slope1,
            slope2_ray: strategy.variable_rate_slope2,
            optimal_utilization_ray: strategy.optimal_usage_ratio,
            reserve_factor_ray: RAY.checked_sub(kept)?,
            supplied,
            borrowed: debt,
            room: room_of(reserve, claims),
        })
    }

    /// A Compound v2 market's, whose interest is that of the moment; `None` without a model, or where its reserves exceed what it has.
    pub fn of_compound_v2(market: &Market) -> Option<Self> {
        let supplied = market.cash.checked_add(market.total_borrows)?;
        let supplied = supplied.checked_sub(market.total_reserves)?;
        let a_year = |per_block: U256| per_block.checked_mul(BLOCKS_PER_YEAR)?.checked_mul(RAY / WAD);
        let part = |rate: U256, share: U256| mul_div(rate, share, EXP_SCALE, Rounding::Down);
        let (base, slope1, slope2, optimal) = match market.model? {
            InterestRateModel::Jump {
                base_rate_per_block,
                multiplier_per_block,
                jump_multiplier_per_block,
                kink,
            } if kink < EXP_SCALE => {
                let (base, below) = (a_year(base_rate_per_block)?, a_year(multiplier_per_block)?);
                let above = a_year(jump_multiplier_per_block)?;
                match kink.is_zero() {
                    true => (base, above, U256::ZERO, EXP_SCALE),
                    false => (base, part(below, kink)?, part(above, EXP_SCALE - kink)?, kink),
                }
            }
            InterestRateModel::Jump {
                base_rate_per_block,
                multiplier_per_block,
                ..
            }
            | InterestRateModel::WhitePaper {
                base_rate_per_block,
                multiplier_per_block,
            } => {
                let (base, slope) = (a_year(base_rate_per_block)?, a_year(multiplier_per_block)?);
                (base, slope, U256::ZERO, EXP_SCALE)
            }
        };
        let is_open = market.is_listed && !market.mint_paused;
        Some(Self {
            base_ray: base,
            slope1_ray: slope1,
            slope2_ray: slope2,
            optimal_utilization_ray: optimal.checked_mul(RAY / WAD)?,
            reserve_factor_ray: market.reserve_factor.checked_mul(RAY / WAD)?,
            supplied,
            borrowed: market.total_borrows,
            room: if is_open { U256::MAX } else { U256::ZERO },
        })
    }
}

/// How much more a reserve takes: up to its cap where it is open, else nothing.
fn room_of(reserve: &Reserve, claims: U256) -> U256 {
    let configuration = reserve.configuration;
    if !configuration.active() || configuration.frozen() || configuration.paused() {
        return U256::ZERO;
    }
    if configuration.supply_cap() == 0 {
        return U256::MAX;
    }
    let unit = U256::from(10u8).wrapping_pow(U256::from(configuration.decimals()));
    let cap = U256::from(configuration.supply_cap()).wrapping_mul(unit);
    cap.saturating_sub(claims)
}

impl LendingMarket {
    /// What suppliers of a token earn by how much of it there is, as a block leaves it; `None` for a token that it does not lend, for a
    /// market whose rates are not of this form (Compound v3) or whose state cannot be brought to the block.
    pub fn supply_curve(&self, asset: Address, block: BlockRef) -> Option<SupplyCurve> {
        match self {
            Self::AaveV3(replay) => {
                let mut reserve = *replay.pool().reserve(asset)?;
                let revision = replay.pool().revision();
                reserve.update_state(revision, block.timestamp?).ok()?;
                SupplyCurve::of_aave_v3(&reserve, revision)
            }
            Self::CompoundV2(replay) => {
                let market = replay.pool().market(replay.c_token(asset)?)?;
                SupplyCurve::of_compound_v2(&market.accrued(block.number).ok()?)
            }
            Self::AaveV2(_) | Self::CompoundV3(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_protocols::{
        aave_v3::{InterestRateStrategy, Utilization},
        compound_v2::MarketParams,
    };
    use proptest::prelude::*;

    /// (1 − rf)·U·R(U) from the curve with so much more supplied, as a float.
    fn rate(curve: &SupplyCurve, more: f64) -> f64 {
        let ray = |number: U256| f64::from(number) / 1e27;
        let used = f64::from(curve.borrowed) / (f64::from(curve.supplied) + more);
        let kink = ray(curve.optimal_utilization_ray);
        let slopes = match used <= kink {
            true => ray(curve.slope1_ray) * used / kink,
            false => ray(curve.slope1_ray) + ray(curve.slope2_ray) * (used - kink) / (1.0 - kink),
        };
        (1.0 - ray(curve.reserve_factor_ray)) * used * (ray(curve.base_ray) + slopes)
    }

    fn reserve() -> Reserve {
        Reserve::new(Address::ZERO, Address::ZERO, Address::ZERO, Address::ZERO, 6)
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1e-6)
    }

    proptest! {
        // The contracts' own rates, to what their 18 or 27 digits tell.
        #[test]
        fn prop_aave_v3_pays_what_the_curve_says(
            cash in 1u64.., debt in 1u64.., more in 0u64.., deficit in 0u64..1_000_000,
            (optimal, base, slope1, slope2) in (100u16..=9_900, 0u32..1_000, 0u32..2_000, 2_000u32..50_000), factor in 0u16..=9_999,
        ) {
            let revision = Revision::V3_6;
            let mut reserve = reserve();
            reserve.available_liquidity = U256::from(cash) << 8;
            reserve.scaled_variable_debt = U256::from(debt) << 8;
            reserve.deficit = u128::from(deficit);
            reserve.strategy =
                InterestRateStrategy::from_basis_points(Address::ZERO, optimal, base, slope1, slope2).expect("valid");
            reserve.configuration.set_reserve_factor(U256::from(factor)).expect("valid");
            let curve = SupplyCurve::of_aave_v3(&reserve, revision).expect("a curve");
            // The deficit's part is exact without more alone.
            let more = if deficit == 0 { more } else { 0 };
            let at = Utilization {
                available: reserve.available_liquidity,
                added: U256::from(more),
                taken: U256::ZERO,
                total_debt: reserve.scaled_variable_debt,
                unbacked: U256::from(deficit),
                reserve_factor: factor,
            };
            let told = f64::from(reserve.strategy.rates(revision, &at).expect("rates").liquidity) / 1e27;
            prop_assert!(close(told, rate(&curve, more as f64)), "{} {}", told, rate(&curve, more as f64));
        }

        #[test]
        fn prop_compound_v2_pays_what_the_curve_says(
            cash in 1u64.., debt in 1u64.., more in 0u64.., is_white_paper: bool,
            (base, multiplier, jump, kink) in (0u64..50, 10u64..400, 200u64..3_000, 0u64..1_200), factor in 0u64..1_000,
        ) {
            let wad = |per_mille: u64| U256::from(per_mille) * (WAD / U256::from(1_000));
            let model = match is_white_paper {
                true => InterestRateModel::white_paper(wad(base), wad(multiplier)),
                false => InterestRateModel::jump(wad(base), wad(multiplier), wad(jump), wad(kink)),
            };
            let mut market = Market::new(MarketParams {
                c_token: Address::ZERO,
                lends_ether: false,
                initial_exchange_rate: WAD,
                model: Some(model.expect("a model")),
                block_number: 0,
            });
            (market.cash, market.total_borrows) = (U256::from(cash) << 8, U256::from(debt) << 8);
            market.reserve_factor = wad(factor);
            let curve = SupplyCurve::of_compound_v2(&market).expect("a curve");
            market.cash += U256::from(more);
            let per_block = f64::from(market.supply_rate_per_block().expect("a rate"));
            let told = per_block * 2_102_400.0 / 1e18;
            // A unit of the last digit a block, a few times over.
            prop_assert!((told - rate(&curve, more as f64)).abs() < 1e-11, "{} {}", told, rate(&curve, more as f64));
        }
    }

    #[test]
    fn a_cap_leaves_the_room_below_it() {
        let mut reserve = reserve();
        reserve.available_liquidity = U256::from(700_000_000);
        reserve.scaled_variable_debt = U256::from(300_000_000);
        reserve.scaled_supply = U256::from(1_000_000_000);
        let room = |reserve: &Reserve| SupplyCurve::of_aave_v3(reserve, Revision::V3_6).expect("a curve").room;
        assert_eq!(room(&reserve), U256::MAX);
        reserve.configuration.set_supply_cap(U256::from(1_500)).expect("valid");
        assert_eq!(room(&reserve), U256::from(500_000_000));
        reserve.accrued_to_treasury = 100_000_000;
        assert_eq!(room(&reserve), U256::from(400_000_000));
        reserve.configuration.set_frozen(true);
        assert_eq!(room(&reserve), U256::ZERO);
    }
}
