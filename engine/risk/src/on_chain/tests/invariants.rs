//! What must never happen, on random markets.

use super::scenes::*;
use crate::on_chain::{Cascade, CascadeRules, ChainState, Feedback, Gas, LIQUIDATOR, Shock, Venue};
use alloy_primitives::{Address, I256, U256};
use plimsoll_market::LendingMarket;
use plimsoll_protocols::{
    aave_v3::Revision,
    uniswap_v2::{Pair, PairParams},
};
use plimsoll_units::wad_ray_math::WAD;
use proptest::{collection::vec, prelude::*};

/// Ether supplied (millionths), and what is owed of what may be, in ten thousandths; or dollars against ether.
type Plan = (u64, u16, bool);

#[derive(Debug, Clone, Copy)]
enum Which {
    Aave(Revision),
    Compound,
    Comet,
    AaveAndCompound,
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![
        (0..Revision::ALL.len()).prop_map(|place| Which::Aave(Revision::ALL[place])),
        Just(Which::Compound),
        Just(Which::Comet),
        Just(Which::AaveAndCompound),
    ]
}

fn accounts(plans: &[Plan]) -> Vec<Account> {
    let account = |(number, &(micro, share, long)): (u8, &Plan)| {
        let supplied = micro_ether(micro);
        // A millionth of an ether is 2,000 base units of a dollar.
        let worth = u128::from(micro) * 2_000;
        let owed = |worth: u128| worth * u128::from(share) / 10_000;
        Account {
            who: Address::with_last_byte(number),
            supplied: if long { [supplied, 0] } else { [0, worth] },
            owed: if long { [0, owed(worth)] } else { [owed(supplied), 0] },
        }
    };
    (1u8..).zip(plans).map(account).collect()
}

fn lending(which: Which, accounts: &[Account]) -> Vec<LendingMarket> {
    match which {
        Which::Aave(revision) => vec![aave_v3(revision, accounts)],
        Which::Compound => vec![compound_v2(accounts)],
        Which::Comet => {
            let long: Vec<Account> = accounts.iter().copied().filter(|one| one.supplied[0] > 0).collect();
            vec![comet(&long, dollars(2_000))]
        }
        Which::AaveAndCompound => vec![aave_v3(Revision::V3_6, accounts), compound_v2(accounts)],
    }
}

fn with_pair(mut state: ChainState, whole_ether: u64) -> ChainState {
    let mut pair = Pair::new(PairParams {
        address: Address::repeat_byte(0xee),
        token0: WETH,
        token1: USDC,
    });
    pair.receive(U256::from(ether(whole_ether)), U256::from(dollars(2_000 * whole_ether)))
        .expect("fits");
    pair.mint(LENDER, 0).expect("liquidity");
    state.add_venue(Venue::v2(pair));
    state
}

#[derive(Debug, Clone)]
struct Asked {
    fall: i32,
    feedback: bool,
    always: bool,
    gas: u64,
    capital: Option<u64>,
    latency: u32,
    exits_bps: u16,
}

fn asked() -> impl Strategy<Value = Asked> {
    (
        -9_500i32..4_000,
        any::<bool>(),
        prop::bool::weighted(0.3),
        prop_oneof![2 => Just(0u64), 1 => 0u64..20_000],
        prop::option::weighted(0.2, 1_000u64..100_000),
        0u32..3,
        prop_oneof![3 => Just(0u16), 1 => 0u16..=10_000],
    )
        .prop_map(|(fall, feedback, always, gas, capital, latency, exits_bps)| Asked {
            fall,
            feedback,
            always,
            gas,
            capital,
            latency,
            exits_bps,
        })
}

impl Asked {
    fn rules(&self) -> CascadeRules {
        let mut rules = with_feedback(50);
        if !self.feedback {
            rules.feedback = Feedback::Off;
        }
        rules.liquidators.always = self.always;
        rules.liquidators.gas = (self.gas > 0).then(|| Gas {
            token: WETH,
            amount: U256::from(micro_ether(self.gas)),
        });
        if let Some(capital) = self.capital {
            rules.liquidators.capital.insert(USDC, U256::from(dollars(capital)));
        }
        rules.liquidators.latency_rounds = self.latency;
        rules.exits_bps = self.exits_bps;
        rules.most_rounds = std::num::NonZeroU32::new(60).expect("some");
        rules
    }
}

fn run(which: Which, accounts: &[Account], asked: &Asked) -> (ChainState, Cascade) {
    let mut state = with_pair(state(lending(which, accounts), &[pool(300, 500), pool(100, 3_000)]), 50);
    let cascade = state.cascade(&falls(asked.fall), &asked.rules()).expect("computed");
    (state, cascade)
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    vec(
        (1_000u64..100_000_000, 5_000u16..8_240, prop::bool::weighted(0.8)),
        1..14,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn prop_whoever_is_liquidated_is_below_one_and_it_pays(which in which(), plans in plans(), asked in asked()) {
        let (_, cascade) = run(which, &accounts(&plans), &asked);
        for round in &cascade.rounds {
            prop_assert!(round.below_one.iter().all(|standing| standing.health_factor_wad < WAD));
            for liquidated in &round.liquidations {
                prop_assert!(liquidated.standing.health_factor_wad < WAD);
                prop_assert!(round.below_one.iter().any(|standing| standing.account == liquidated.standing.account));
                // A Comet's absorption pays nobody.
                let pays = liquidated.sale.profit.is_positive() || !liquidated.absorbed.is_empty();
                prop_assert!(asked.always || pays, "{liquidated:?}");
            }
            if let Some(capital) = asked.capital {
                let in_dollars = |liquidated: &&crate::on_chain::Liquidated| liquidated.debt_asset == USDC;
                let repaid: U256 = round.liquidations.iter().filter(in_dollars).map(|one| one.repaid).sum();
                let paid: U256 = round.bought.iter().map(|bought| bought.paid).sum();
                prop_assert!(repaid <= U256::from(dollars(capital)) && paid <= U256::from(dollars(capital)));
            }
        }
    }

    #[test]
    fn prop_tokens_are_conserved(which in which(), plans in plans(), asked in asked()) {
        let accounts = accounts(&plans);
        let start = with_pair(state(lending(which, &accounts), &[pool(300, 500), pool(100, 3_000)]), 50);
        let mut shocked = start.clone();
        shocked.shock(&falls(asked.fall)).expect("computed");
        let (end, cascade) = run(which, &accounts, &asked);
        for token in [WETH, USDC] {
            let (mut lent, mut pooled) = (I256::ZERO, I256::ZERO);
            for flow in cascade.rounds.iter().flat_map(|round| &round.flows).filter(|flow| flow.token == token) {
                let sum = flow.lending + flow.pools + flow.liquidators + flow.suppliers + flow.outside;
                prop_assert_eq!(sum, I256::ZERO);
                lent += flow.lending;
                pooled += flow.pools;
            }
            let held = |state: &ChainState| {
                let held = state.held_by_lending().expect("fits");
                I256::from_raw(held.get(&token).copied().unwrap_or_default())
            };
            prop_assert_eq!(held(&end) - held(&start), lent);
            // Of pools only a pair keeps books: what it has more is at most what all have, and just that part of the trades.
            let pair = |state: &ChainState| {
                let reserves = state.venues().iter().find_map(Venue::reserves).expect("a pair");
                I256::from_raw(reserves[usize::from(token == USDC)])
            };
            let pair_id = end.venues().iter().find(|venue| venue.reserves().is_some()).expect("a pair").id;
            let sales = cascade.liquidations().map(|one| &one.sale);
            let bought = cascade.rounds.iter().flat_map(|round| &round.bought).map(|bought| &bought.sale);
            let mut traded = I256::ZERO;
            let mut all = I256::ZERO;
            for trade in sales.chain(bought).flat_map(|sale| &sale.trades) {
                let mut moved = I256::ZERO;
                if trade.token_in == token {
                    moved += I256::from_raw(trade.amount_in);
                }
                if trade.token_out == token {
                    moved -= I256::from_raw(trade.amount_out);
                }
                all += moved;
                if trade.pool == Some(pair_id) {
                    traded += moved;
                }
            }
            if asked.feedback {
                prop_assert_eq!(all, pooled);
                prop_assert_eq!(pair(&end) - pair(&shocked), traded);
            } else {
                prop_assert_eq!(pair(&end), pair(&shocked));
            }
        }
    }

    #[test]
    fn prop_the_order_of_accounts_changes_nothing(which in which(), plans in plans(), asked in asked(), turn in 0usize..14) {
        let accounts = accounts(&plans);
        let mut other = accounts.clone();
        other.reverse();
        let places = other.len();
        other.rotate_left(turn % places);
        prop_assert_eq!(run(which, &accounts, &asked).1, run(which, &other, &asked).1);
    }

    /// A deeper fall of what nobody owes endangers no fewer, and leaves no less uncovered.
    #[test]
    fn prop_a_deeper_fall_is_no_better(which in which(), plans in plans(), fall in 0i32..9_000, deeper in 0i32..1_000) {
        let long: Vec<Account> = accounts(&plans).into_iter().filter(|one| one.supplied[0] > 0).collect();
        let look = |fall: i32| {
            let mut state = state(lending(which, &long), &[]);
            let mut rules = without_impact();
            // Nobody acts.
            rules.liquidators.latency_rounds = 9;
            rules.most_rounds = std::num::NonZeroU32::MIN;
            state.cascade(&falls(-fall), &rules).expect("computed")
        };
        let (first, second) = (look(fall), look(fall + deeper));
        let below = |cascade: &Cascade| -> Vec<Address> {
            let rounds = cascade.rounds.iter().flat_map(|round| &round.below_one);
            rounds.map(|standing| standing.account).collect()
        };
        let later = below(&second);
        prop_assert!(below(&first).iter().all(|account| later.contains(account)));
        for (before, after) in first.shortfalls.iter().zip(&second.shortfalls) {
            prop_assert!(before.value <= after.value);
        }
    }

    /// Once everything is still, nothing happens.
    #[test]
    fn prop_a_fixed_point_is_one(which in which(), plans in plans(), asked in asked()) {
        let asked = Asked { latency: 0, exits_bps: 0, capital: None, ..asked };
        let (mut state, cascade) = run(which, &accounts(&plans), &asked);
        if cascade.stopped_by != crate::on_chain::StoppedBy::RoundLimit {
            let again = state.cascade(&Shock::default(), &asked.rules()).expect("computed");
            prop_assert_eq!(again.liquidations().count(), 0);
            prop_assert_eq!(again.stopped_by, cascade.stopped_by);
        }
    }

    /// Without impact the first round is the last one that liquidates: as often as the close factor has it, and no more.
    #[test]
    fn prop_without_impact_one_round_is_enough(which in which(), plans in plans(), fall in 0i32..9_000) {
        let mut state = state(lending(which, &accounts(&plans)), &[]);
        let cascade = state.cascade(&falls(-fall), &without_impact()).expect("computed");
        prop_assert!(cascade.rounds_with_liquidations() <= 1, "{cascade:?}");
        prop_assert!(cascade.liquidations().all(|one| one.standing.account != LIQUIDATOR));
    }
}
