//! Pools: the best split, and the three versions of one constant product.

use super::scenes::*;
use crate::on_chain::{Clock, PriceMove, Venue, VenueId, moved_root, split::split, venue::ANY_AMOUNT};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::{
    uniswap_v2::{Pair, PairParams},
    uniswap_v4,
};
use plimsoll_units::{Side, SqrtPriceX96, Tick};
use proptest::prelude::*;

/// A pair that holds so much ether, at 2,000.
fn pair(number: u8, whole_ether: u64) -> Venue {
    let mut pair = Pair::new(PairParams {
        address: Address::with_last_byte(number),
        token0: WETH,
        token1: USDC,
    });
    pair.receive(U256::from(ether(whole_ether)), U256::from(dollars(2_000 * whole_ether)))
        .expect("fits");
    pair.mint(LENDER, 0).expect("liquidity");
    Venue::v2(pair)
}

fn v3(number: u8, whole_ether: u64, fee_pips: u32) -> Venue {
    Venue::v3(
        Address::with_last_byte(number),
        [WETH, USDC],
        pool(whole_ether, fee_pips),
    )
}

fn v4(whole_ether: u64, fee: u32) -> Venue {
    let mut pool = uniswap_v4::Pool::new(uniswap_v4::PoolKey {
        currency0: WETH,
        currency1: USDC,
        fee,
        tick_spacing: 10,
        hooks: Address::ZERO,
    })
    .expect("supported");
    let price = SqrtPriceX96::from_ratio(U256::from(dollars(2_000)), U256::from(ether(1))).expect("fits");
    pool.initialize(price).expect("a price");
    let key = uniswap_v4::PositionKey {
        owner: LENDER,
        lower: Tick::new(-887_270).expect("a tick"),
        upper: Tick::new(887_270).expect("a tick"),
        salt: Default::default(),
    };
    let liquidity = i128::from(whole_ether) * 44_721_359_549_995;
    pool.modify_liquidity(key, liquidity).expect("liquidity");
    Venue::v4(pool)
}

fn proceeds(venues: &[Venue], token_in: Address, amount: U256) -> (U256, U256) {
    let other = if token_in == WETH { USDC } else { WETH };
    let parts = split(venues, token_in, other, amount).expect("a pool");
    let sum = |of: &dyn Fn(&crate::on_chain::split::Part) -> U256| parts.iter().map(of).sum::<U256>();
    (sum(&|part| part.quote.amount_in), sum(&|part| part.quote.amount_out))
}

#[test]
fn the_versions_agree_on_a_constant_product() {
    let amount = U256::from(ether(37));
    let outs = [pair(1, 1_000), v3(2, 1_000, 3_000), v4(1_000, 3_000)].map(|venue| proceeds(&[venue], WETH, amount).1);
    for out in outs {
        // Liquidity is given with 14 digits, and pairs divide by thousandths.
        assert!(out.abs_diff(outs[0]) < U256::from(10), "{outs:?}");
    }
}

#[test]
fn pools_are_traded_to_a_price_whatever_their_version() {
    let half = PriceMove::by_basis_points(-5_000);
    for mut venue in [pair(1, 1_000), v3(2, 1_000, 3_000), v4(1_000, 3_000)] {
        let before = venue.sqrt_price().expect("a price");
        for (of0, side) in [(half, Side::Token0), (PriceMove::by_basis_points(10_000), Side::Token1)] {
            let target = moved_root(venue.sqrt_price().expect("a price"), of0, None).expect("a price");
            let quote = venue.quote_to(side, ANY_AMOUNT, target).expect("on its way");
            venue.commit(
                &quote,
                Clock {
                    timestamp: 1,
                    block_number: 1,
                },
            );
            let price = venue.sqrt_price().expect("a price");
            let distance = price.get().abs_diff(target.get());
            // A pair stops with the last whole unit before.
            assert!(distance * U256::from(1_000_000_000) < target.get(), "{distance}");
        }
        let back = venue.sqrt_price().expect("a price").get().abs_diff(before.get());
        assert!(back * U256::from(1_000_000_000) < before.get(), "{back}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// All of it is sold, and no other split on a fine grid brings more.
    #[test]
    fn prop_no_other_split_brings_more(
        sizes in prop::array::uniform3(1u64..3_000),
        fees in (0u32..10_000, 0u32..10_000),
        micro in 1u64..2_000_000_000,
        sells_ether in any::<bool>(),
    ) {
        let venues = [pair(1, sizes[0]), v3(2, sizes[1], fees.0), v4(sizes[2], fees.1)];
        let (token, amount, side) = if sells_ether {
            (WETH, U256::from(micro_ether(micro)), Side::Token0)
        } else {
            (USDC, U256::from(micro) * U256::from(2_000), Side::Token1)
        };
        let (sold, best) = proceeds(&venues, token, amount);
        prop_assert_eq!(sold, amount);
        let out = |place: usize, part: U256| match part.is_zero() {
            true => U256::ZERO,
            false => venues[place].quote(side, part).map_or(U256::ZERO, |quote| quote.amount_out),
        };
        // One unit of output in each pool, and what one unit of input brings: inputs are whole, and a dollar has few units.
        let unit = U256::from(3) * (best / amount + U256::ONE);
        const STEPS: u64 = 24;
        for first in 0..=STEPS {
            for second in 0..=STEPS - first {
                let part = |steps: u64| amount * U256::from(steps) / U256::from(STEPS);
                let rest = amount - part(first) - part(second);
                let other = out(0, part(first)) + out(1, part(second)) + out(2, rest);
                prop_assert!(other <= best + unit, "{other} over {best} at {first}, {second}");
            }
        }
        // Nor does a little shifted from one pool to another.
        let other_token = if sells_ether { USDC } else { WETH };
        let parts = split(&venues, token, other_token, amount).expect("a pool");
        let mut amounts = [U256::ZERO; 3];
        parts.iter().for_each(|part| amounts[part.venue] = part.quote.amount_in);
        for (from, to) in [(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)] {
            let little = amounts[from] / U256::from(1_000);
            let mut shifted = amounts;
            shifted[from] -= little;
            shifted[to] += little;
            let other: U256 = (0..3).map(|place| out(place, shifted[place])).sum();
            prop_assert!(other <= best + unit, "{other} over {best}: {from} to {to}");
        }
    }
}

#[test]
fn one_token_between_is_gone_over() {
    let other = Address::repeat_byte(0x03);
    let mut second = v3(9, 1_000, 500);
    (second.token0, second.token1) = (USDC, other);
    second.id = VenueId::Pool(Address::with_last_byte(9));
    let venues = [v3(2, 1_000, 500), second];
    let rules = crate::on_chain::SaleRules {
        over: vec![USDC],
        ..Default::default()
    };
    let sale = crate::on_chain::sale::ForSale {
        token: WETH,
        amount: U256::from(ether(1)),
        into: other,
        unit_prices: [None, None],
    };
    let plan = rules.plan(&venues, &sale).expect("a way");
    assert_eq!(plan.trades.len(), 2);
    assert_eq!(plan.trades[0].amount_out, plan.trades[1].amount_in);
    assert_eq!(plan.trades[1].amount_out, plan.proceeds);
}
