//! Borrowers come, the cascade is foretold, the crash comes, and everything is compared.

use super::super::random_sequences::Dice;
use super::genuine::{BITCOIN, DOLLAR, ETHER, Genuine, LIQUIDATOR, Listener, Moved, TOKENS};
use super::pools::{heavy_tailed, sell, slot0, ten_to, trade_to, worth};
use super::{BORROWERS, FALLS};
use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::SolValue;
use plimsoll_risk::on_chain::{
    Cascade, CascadeRules, ChainState, Clock, Feedback, Follower, Gas, LiquidatorRules, Pace, PriceMove, SaleRules,
    Shock, StoppedBy, VenueId,
};
use plimsoll_units::SqrtPriceX96;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

/// What came up.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) liquidations: u64,
    pub(super) swaps: u64,
    pub(super) rounds: u64,
    pub(super) price_updates: u64,
    pub(super) left_for_want_of_gain: u64,
    pub(super) deficits: u64,
    pub(super) stranded: u64,
    pub(super) uncovered: u64,
    pub(super) ends: BTreeSet<&'static str>,
}

impl Told {
    pub(super) fn add(&mut self, other: &Self) {
        self.liquidations += other.liquidations;
        self.swaps += other.swaps;
        self.rounds += other.rounds;
        self.price_updates += other.price_updates;
        self.left_for_want_of_gain += other.left_for_want_of_gain;
        self.deficits += other.deficits;
        self.stranded += other.stranded;
        self.uncovered += other.uncovered;
        self.ends.extend(&other.ends);
    }
}

/// How liquidators and oracles behave in one story.
#[derive(Debug, Clone, Copy)]
struct Manners {
    /// In basis points: ether's and bitcoin's.
    falls: [i32; 2],
    always: bool,
    gas_wei: U256,
    latency: u32,
    deviation_bps: u32,
    heartbeat: u64,
    pace: Pace,
}

impl Manners {
    fn of(seed: u64) -> Self {
        let place = |number: u64| usize::try_from(number).expect("small");
        Self {
            falls: FALLS[place(seed) % FALLS.len()],
            always: seed % 5 == 4,
            gas_wei: U256::from([0, 4_000_000_000_000_000, 60_000_000_000_000_000_u64][place(seed % 3)]),
            latency: u32::from(seed % 7 == 6),
            deviation_bps: [50, 100, 10][place(seed / 2 % 3)],
            heartbeat: [3_600, 24][place(seed / 3 % 2)],
            pace: Pace {
                seconds: 12 + seed % 4 * 60,
                blocks: 1 + seed % 4 * 5,
            },
        }
    }
}

/// Time from the last block to the crash.
const TO_THE_CRASH: Pace = Pace { seconds: 24, blocks: 2 };

/// One liquidation as the contracts tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Act {
    round: u32,
    account: Address,
    /// Debt and collateral.
    pair: [Address; 2],
    moved: Moved,
    proceeds: U256,
}

pub(super) fn tell<G: Genuine>(seed: u64, (mut genuine, mut listener): (G, Listener)) -> Told {
    let mut dice = Dice::new(seed);
    let borrowers = borrowers(&mut genuine, &mut listener, &mut dice, seed);
    let manners = Manners::of(seed);
    let clock = Clock {
        timestamp: genuine.chain().now(),
        block_number: genuine.chain().block_number(),
    };
    let mut state = ChainState::of(&listener.market, clock);
    assert!(state.left_out().is_empty());
    let (shock, rules) = asked(&genuine, manners);
    let foretold = state
        .cascade(&shock, &rules)
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let mut play = Play {
        updated: updated_at(&listener, &genuine),
        genuine,
        borrowers,
        manners,
        acts: Vec::new(),
        below: Vec::new(),
        left: 0,
        updates: 0,
        swaps: 0,
    };
    let ended = play.whole();
    compare(seed, &foretold, &play, ended);
    finish(seed, &foretold, &state, play, ended)
}

/// When each price was last reported.
fn updated_at<G: Genuine>(listener: &Listener, genuine: &G) -> [u64; 3] {
    let lending = listener.market.lending(genuine.address()).expect("there");
    genuine.tokens().map(|token| {
        let prices = lending.prices(listener.market.feeds());
        let price = prices.into_iter().find(|(asset, _)| *asset == token).expect("priced").1;
        price.expect("a price").updated_at.expect("reported")
    })
}

/// Sixty people with something to lose.
fn borrowers<G: Genuine>(genuine: &mut G, listener: &mut Listener, dice: &mut Dice, seed: u64) -> Vec<Address> {
    let mut borrowers = Vec::new();
    for number in 0..BORROWERS {
        let who = Address::from_word(keccak256((seed, U256::from(number)).abi_encode()));
        let size = heavy_tailed(dice);
        let first = dice.pick(&[ETHER, ETHER, ETHER, BITCOIN, BITCOIN, DOLLAR]);
        let mut pledged = vec![(first, size)];
        if dice.below(4) == 0 {
            pledged.push(((first + 1) % 3, size / (1 + dice.below(4))));
        }
        let most: u64 = pledged
            .iter()
            .map(|&(token, dollars)| dollars * genuine.loan_to_value(token) / 10_000)
            .sum();
        let owed = most * (600 + dice.below(395)) / 1_000;
        let second = (first + 1 + usize::from(dice.below(3) == 0)) % 3;
        let second = if first == DOLLAR || dice.below(4) == 0 {
            second
        } else {
            DOLLAR
        };
        let mut debts = vec![(second, owed)];
        if dice.below(4) == 0 {
            let part = owed / (2 + dice.below(4));
            debts = vec![(second, owed - part), ((second + 1) % 3, part)];
        }
        genuine.chain().wait(dice.below(900));
        genuine.chain().roll(1 + dice.below(60));
        genuine.borrow(who, &pledged, &debts, listener);
        borrowers.push(who);
    }
    borrowers
}

/// What the engine is asked.
fn asked<G: Genuine>(genuine: &G, manners: Manners) -> (Shock, CascadeRules) {
    let tokens = genuine.tokens();
    let moves = [(ETHER, manners.falls[0]), (BITCOIN, manners.falls[1])];
    let moves = moves.map(|(token, fall)| (tokens[token], PriceMove::by_basis_points(fall).expect("something")));
    let followers = [ETHER, BITCOIN]
        .into_iter()
        .zip(genuine.pools())
        .map(|(token, pool)| Follower {
            asset: tokens[token],
            quote: tokens[DOLLAR],
            pool: VenueId::Pool(pool.pool),
            deviation_bps: manners.deviation_bps,
            heartbeat_seconds: manners.heartbeat,
        });
    let shock = Shock {
        moves: BTreeMap::from(moves),
        elapsed: TO_THE_CRASH,
        ..Shock::default()
    };
    let rules = CascadeRules {
        liquidators: LiquidatorRules {
            always: manners.always,
            gas: (!manners.gas_wei.is_zero()).then_some(Gas {
                token: tokens[ETHER],
                amount: manners.gas_wei,
            }),
            latency_rounds: manners.latency,
            sales: SaleRules {
                over: vec![tokens[DOLLAR]],
                ..SaleRules::default()
            },
            ..LiquidatorRules::default()
        },
        feedback: Feedback::On(followers.collect()),
        pace: manners.pace,
        most_rounds: NonZeroU32::new(200).expect("some"),
        ..CascadeRules::default()
    };
    (shock, rules)
}

/// The story on the genuine contracts.
struct Play<G> {
    genuine: G,
    borrowers: Vec<Address>,
    manners: Manners,
    updated: [u64; 3],
    acts: Vec<Act>,
    /// By round: who is below one, and how far.
    below: Vec<Vec<(U256, Address)>>,
    left: u64,
    updates: u64,
    swaps: u64,
}

impl<G: Genuine> Play<G> {
    fn pass(&mut self, pace: Pace) {
        self.genuine.chain().wait(pace.seconds);
        self.genuine.chain().roll(pace.blocks);
    }

    fn whole(&mut self) -> StoppedBy {
        self.crash();
        let mut since: BTreeMap<Address, u32> = BTreeMap::new();
        for round in 1..=200 {
            if round > 1 {
                self.pass(self.manners.pace);
            }
            self.genuine.accrue();
            let one = ten_to(18);
            let mut below = Vec::new();
            for who in self.borrowers.clone() {
                match self.genuine.health(who) {
                    Some(health) if health < one => below.push((health, who)),
                    _ => {
                        since.remove(&who);
                    }
                }
            }
            below.sort_unstable();
            let (mut waiting, before) = (0, self.acts.len());
            for &(_, who) in &below {
                let since = *since.entry(who).or_insert(round);
                if round - since < self.manners.latency {
                    waiting += 1;
                } else {
                    self.attend(round, who);
                }
            }
            let followed = self.follow();
            let calm = below.is_empty();
            self.below.push(below);
            if waiting == 0 && self.acts.len() == before && !followed {
                return if calm {
                    StoppedBy::NobodyBelowOne
                } else {
                    StoppedBy::NothingPays
                };
            }
        }
        StoppedBy::RoundLimit
    }

    fn crash(&mut self) {
        self.pass(TO_THE_CRASH);
        let now = self.genuine.chain().now();
        let mut moved = [10_000; 3];
        for (token, fall) in [ETHER, BITCOIN].into_iter().zip(self.manners.falls) {
            moved[token] = u64::try_from(10_000 + fall).expect("above nothing");
            let price = self.genuine.price(token) * U256::from(moved[token]) / U256::from(10_000);
            self.genuine.set_price(token, price);
            self.updated[token] = now;
        }
        let tokens = self.genuine.tokens();
        for pool in self.genuine.pools() {
            let of = |token: Address| moved[tokens.iter().position(|known| *known == token).expect("one of three")];
            trade_to(self.genuine.chain(), pool, pool.tokens.map(of));
        }
    }

    /// Liquidates while the contract says that the account is below one, and while it pays.
    fn attend(&mut self, round: u32, who: Address) {
        while self.genuine.health(who).is_some_and(|health| health < ten_to(18)) {
            let mut allowed = false;
            let pairs = self.genuine.pairs(who);
            let done = pairs.into_iter().find_map(|pair| {
                let before = self.genuine.clone();
                let act = self.genuine.liquidate(who, pair).and_then(|moved| {
                    allowed = true;
                    let (proceeds, swaps) = self.sell(pair, moved.seized);
                    let gas = match self.manners.gas_wei {
                        U256::ZERO => U256::ZERO,
                        wei => self.genuine.gas_in(pair[0], wei),
                    };
                    let act = Act {
                        round,
                        account: who,
                        pair,
                        moved,
                        proceeds,
                    };
                    (self.manners.always || proceeds > moved.repaid + gas).then_some((act, swaps))
                });
                if act.is_none() {
                    self.genuine = before;
                }
                act
            });
            let Some((act, swaps)) = done else {
                self.left += u64::from(allowed);
                return;
            };
            self.acts.push(act);
            self.swaps += swaps;
        }
    }

    /// Sells what was seized for what is owed; returns what comes out, and over how many pools.
    fn sell(&mut self, [debt, collateral]: [Address; 2], amount: U256) -> (U256, u64) {
        let (into, token) = (self.genuine.token(debt), self.genuine.token(collateral));
        if into == token || amount.is_zero() {
            return (amount, 0);
        }
        let (pools, dollar) = (self.genuine.pools(), self.genuine.tokens()[DOLLAR]);
        let of = |a: Address, b: Address| {
            let trades = |pool: &&plimsoll_devnet::uniswap_v3::PoolOfTokens| {
                pool.tokens.contains(&a) && pool.tokens.contains(&b) && a != b
            };
            pools.iter().find(trades).copied()
        };
        if let Some(pool) = of(token, into) {
            return (sell(self.genuine.chain(), pool, LIQUIDATOR, token, amount), 1);
        }
        let (first, second) = (of(token, dollar).expect("listed"), of(dollar, into).expect("listed"));
        let between = sell(self.genuine.chain(), first, LIQUIDATOR, token, amount);
        (sell(self.genuine.chain(), second, LIQUIDATOR, dollar, between), 2)
    }

    /// Oracles look at the pools; returns whether one reports another price.
    fn follow(&mut self) -> bool {
        let (now, tokens, pools) = (self.genuine.chain().now(), self.genuine.tokens(), self.genuine.pools());
        let dollar = self.genuine.price(DOLLAR);
        let mut any = false;
        for (token, pool) in [ETHER, BITCOIN].into_iter().zip(pools) {
            let whole = ten_to(TOKENS[token].0);
            let worth = worth(self.genuine.chain(), pool, tokens[token], whole);
            let (last, new) = (self.genuine.price(token), self.genuine.price_of(token, worth, dollar));
            if new.is_zero() {
                continue;
            }
            let deviates = last.abs_diff(new) * U256::from(10_000) >= last * U256::from(self.manners.deviation_bps);
            let due = now - self.updated[token] >= self.manners.heartbeat;
            if deviates || due {
                self.genuine.set_price(token, new);
                self.updated[token] = now;
                self.updates += u64::from(new != last);
                any |= new != last;
            }
        }
        any
    }
}

/// Who, in which order, and how much of what.
fn compare<G: Genuine>(seed: u64, foretold: &Cascade, play: &Play<G>, ended: StoppedBy) {
    let told: Vec<Act> = foretold
        .rounds
        .iter()
        .flat_map(|round| {
            round
                .liquidations
                .iter()
                .map(move |liquidated| (round.number, liquidated))
        })
        .map(|(round, liquidated)| Act {
            round,
            account: liquidated.standing.account,
            pair: [liquidated.debt_reserve, liquidated.collateral_reserve],
            moved: Moved {
                repaid: liquidated.repaid,
                seized: liquidated.seized,
            },
            proceeds: liquidated.sale.proceeds,
        })
        .collect();
    for (place, (told, done)) in told.iter().zip(&play.acts).enumerate() {
        assert_eq!(told, done, "seed {seed}, {:?}: liquidation {place}", play.manners);
    }
    assert_eq!(told.len(), play.acts.len(), "seed {seed}: liquidations");
    for round in &foretold.rounds {
        let told: Vec<(U256, Address)> = round
            .below_one
            .iter()
            .map(|standing| (standing.health_factor_wad, standing.account))
            .collect();
        let place = usize::try_from(round.number - 1).expect("small");
        assert_eq!(
            told, play.below[place],
            "seed {seed}: below one in round {}",
            round.number
        );
    }
    assert_eq!(foretold.stopped_by, ended, "seed {seed}");
    let updates: usize = foretold.rounds.iter().map(|round| round.oracle.len()).sum();
    assert_eq!(updates as u64, play.updates, "seed {seed}: prices reported");
    let left: usize = foretold.rounds.iter().map(|round| round.unprofitable.len()).sum();
    assert_eq!(left as u64, play.left, "seed {seed}: left for want of gain");
}

/// What is left on both sides.
fn finish<G: Genuine>(seed: u64, foretold: &Cascade, state: &ChainState, mut play: Play<G>, ended: StoppedBy) -> Told {
    let genuine = &mut play.genuine;
    for pool in genuine.pools() {
        let price = state.pool_price(VenueId::Pool(pool.pool)).map(SqrtPriceX96::get);
        assert_eq!(price, Some(slot0(genuine.chain(), pool).0), "seed {seed}: pool price");
    }
    for (token, address) in genuine.tokens().into_iter().enumerate() {
        let price = state.price(genuine.address(), address);
        assert_eq!(price, Some(genuine.price(token)), "seed {seed}: oracle price");
    }
    genuine.compare(state.lending(genuine.address()).expect("there"));
    let mut told = Told {
        liquidations: play.acts.len() as u64,
        swaps: play.swaps,
        rounds: play.below.len() as u64,
        price_updates: play.updates,
        left_for_want_of_gain: play.left,
        ends: BTreeSet::from([ended.name()]),
        ..Told::default()
    };
    for reserve in genuine.reserves() {
        let lost = foretold.bad_debt.iter().find(|lost| lost.reserve == reserve);
        let lost = lost.map_or([U256::ZERO; 3], |lost| [lost.deficit, lost.stranded, lost.uncovered]);
        assert_eq!(
            lost,
            genuine.bad_debt(reserve, &play.borrowers),
            "seed {seed}: bad debt of {reserve}"
        );
        told.deficits += u64::from(!lost[0].is_zero());
        told.stranded += u64::from(!lost[1].is_zero());
        told.uncovered += u64::from(!lost[2].is_zero());
    }
    told
}
