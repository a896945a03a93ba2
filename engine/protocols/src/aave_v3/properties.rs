//! What must never happen: a panic on any event or call, money out of nothing.

use super::*;
use alloy_primitives::{Address, U256};
use plimsoll_units::wad_ray_math::RAY;
use proptest::prelude::*;

const ASSET: Address = Address::with_last_byte(1);
const A_TOKEN: Address = Address::with_last_byte(10);
const DEBT: Address = Address::with_last_byte(11);
const USER: Address = Address::with_last_byte(3);

fn market(revision: Revision) -> Pool {
    let mut pool = Pool::new(PoolParams {
        address: Address::with_last_byte(100),
        configurator: Address::with_last_byte(101),
        revision,
    });
    let mut reserve = Reserve::new(ASSET, A_TOKEN, DEBT, Address::with_last_byte(99), 18);
    reserve.strategy.optimal_usage_ratio = RAY;
    pool.list(reserve).expect("there is room");
    pool
}

/// A number of any length.
fn number() -> impl Strategy<Value = U256> {
    (any::<[u64; 4]>(), 0usize..256).prop_map(|(limbs, shift)| U256::from_limbs(limbs) >> shift)
}

fn revision() -> impl Strategy<Value = Revision> {
    (0..Revision::ALL.len()).prop_map(|place| Revision::ALL[place])
}

/// Any event that moves a balance or an index, with any numbers in it.
fn event() -> impl Strategy<Value = Event> {
    let address = (1u8..5).prop_map(Address::with_last_byte);
    (0u8..6, prop::array::uniform5(number()), address, any::<bool>()).prop_map(|(kind, [a, b, c, d, e], user, debt)| {
        let token = if debt { DEBT } else { A_TOKEN };
        let token_event = |event| Event::Token(token, event);
        match kind {
            0 => token_event(TokenEvent::Mint(token_abi::Mint {
                caller: user,
                onBehalfOf: user,
                value: a,
                balanceIncrease: b,
                index: c,
            })),
            1 => token_event(TokenEvent::Burn(token_abi::Burn {
                from: user,
                target: USER,
                value: a,
                balanceIncrease: b,
                index: c,
            })),
            2 => Event::Token(
                A_TOKEN,
                TokenEvent::BalanceTransfer(token_abi::BalanceTransfer {
                    from: user,
                    to: USER,
                    value: a,
                    index: b,
                }),
            ),
            3 => Event::Pool(PoolEvent::FlashLoan(pool_abi::FlashLoan {
                target: user,
                initiator: user,
                asset: ASSET,
                amount: a,
                interestRateMode: 0,
                premium: b,
                referralCode: 0,
            })),
            _ => Event::Pool(PoolEvent::ReserveDataUpdated(pool_abi::ReserveDataUpdated {
                reserve: ASSET,
                liquidityRate: a,
                stableBorrowRate: b,
                variableBorrowRate: c,
                liquidityIndex: d,
                variableBorrowIndex: e,
            })),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn prop_no_event_panics(revision in revision(), events in prop::collection::vec((event(), any::<u32>()), 1..12)) {
        let mut pool = market(revision);
        for (event, time) in events {
            // Refused or taken: the engine goes on.
            let _ = pool.apply(&event, time.into());
        }
        let price = |_: Address| Some(U256::from(100_000_000));
        let _ = pool.user_account_data(USER, &price, u64::MAX);
    }

    #[test]
    fn prop_a_supply_is_never_worth_more_at_once(
        revision in revision(), growth in any::<u64>(), amount in any::<u128>(), shift in 0usize..128,
    ) {
        let mut pool = market(revision);
        let reserve = pool.reserve_mut(0).expect("listed");
        reserve.liquidity_index += u128::from(growth);
        let amount = U256::from(amount >> shift);
        let price = |_: Address| Some(U256::ONE);
        let context = Context { now: 0, caller: USER, prices: &price };
        if pool.supply(&context, ASSET, amount, USER).is_err() {
            return Ok(());
        }
        let reserve = *pool.reserve(ASSET).expect("listed");
        let balance = pool.user(USER).map_or(0, |user| user.balance(0, TokenKind::AToken).amount);
        let index = U256::from(reserve.liquidity_index);
        let worth = revision.scaling().balance(TokenKind::AToken, U256::from(balance), index)?;
        // Half up may favour the supplier by one unit of the scaled balance; from 3.5 on nothing does.
        let most = if revision >= Revision::V3_5 { amount } else { amount + index / RAY };
        prop_assert!(worth <= most, "{worth} for {amount}");
        prop_assert_eq!(reserve.scaled_supply, U256::from(balance));
        prop_assert_eq!(reserve.available_liquidity, amount);
    }
}
