//! Rounds to a fixed point: whoever is below one is liquidated, what is seized is sold, prices follow, and again.

use super::{
    BadDebt, Cascade, CascadeError, CascadeRules, ChainState, PoolPrice, PricePath, Round, Shock, Shortfall, Standing,
    StoppedBy, VenueId,
    desk::Desk,
    flows::Flows,
    lending::{Lending, Now},
};
use alloy_primitives::{Address, U256};
use plimsoll_units::SqrtPriceX96;
use std::collections::{BTreeMap, BTreeSet};

/// What is remembered from round to round.
#[derive(Debug, Default)]
struct Memory {
    /// By account and market: the round since which it is below one.
    below_since: BTreeMap<(Address, Address), u32>,
    /// By market and reserve.
    deficits: BTreeMap<(Address, Address), U256>,
}

impl ChainState {
    /// Carries a shock and its cascade out on this state.
    ///
    /// # Errors
    /// What cannot be computed, by name; see [`CascadeError`]. The state is then somewhere on the way.
    pub fn cascade(&mut self, shock: &Shock, rules: &CascadeRules) -> Result<Cascade, CascadeError> {
        rules.check()?;
        let followed = rules.followers().iter().map(|follower| follower.asset);
        let watched: BTreeSet<Address> = shock.moves.keys().copied().chain(followed).collect();
        let before = self.prices_of(&watched);
        let shocked = self.shock(shock)?;
        let at_shock = self.prices_of(&watched);
        let mut memory = Memory::default();
        let mut rounds: Vec<Round> = Vec::new();
        let mut stopped_by = StoppedBy::RoundLimit;
        for number in 1..=rules.most_rounds.get() {
            if number > 1 {
                self.clock = self.clock.later(rules.pace);
            }
            let round = self.round(number, rules, &mut memory)?;
            let goes_on = round.waiting > 0
                || !(round.liquidations.is_empty() && round.bought.is_empty() && round.oracle.is_empty());
            let is_calm = round.below_one.is_empty();
            if goes_on || !is_calm || !round.exits.is_empty() {
                rounds.push(round);
            }
            if !goes_on {
                stopped_by = if is_calm {
                    StoppedBy::NobodyBelowOne
                } else {
                    StoppedBy::NothingPays
                };
                break;
            }
        }
        let last = self.prices_of(&watched);
        let prices = before.into_iter().filter_map(|((market, asset), before)| {
            Some(PricePath {
                market,
                asset,
                before,
                shocked: *at_shock.get(&(market, asset))?,
                last: *last.get(&(market, asset))?,
            })
        });
        let prices = prices.collect();
        let (bad_debt, shortfalls) = self.losses(&memory.deficits)?;
        Ok(Cascade {
            shocked,
            rounds,
            stopped_by,
            prices,
            bad_debt,
            shortfalls,
        })
    }

    fn round(&mut self, number: u32, rules: &CascadeRules, memory: &mut Memory) -> Result<Round, CascadeError> {
        let pools_before = self.pool_prices();
        let flows = Flows::new(self.held_by_lending()?);
        let Self {
            lending,
            venues,
            feeds,
            clock,
            ..
        } = self;
        let now = Now { clock: *clock, feeds };
        let (below_one, unvalued) = below_one(lending, &now)?;
        let (turns, waiting) = memory.turns(&below_one, number, rules.liquidators.latency_rounds);
        let mut desk = Desk::new(&rules.liquidators, &rules.feedback, (*clock, feeds), flows);
        for standing in turns {
            if let Some(market) = lending.get_mut(&standing.market) {
                desk.attend(market, venues, standing)?;
            }
        }
        let mut exits: BTreeMap<Address, U256> = BTreeMap::new();
        for (&address, market) in lending.iter_mut() {
            desk.visit_store_front(market, venues, address)?;
        }
        for market in lending.values_mut().filter(|_| rules.exits_bps > 0) {
            for (token, amount) in market.rules_mut().exit(rules.exits_bps, &now) {
                desk.flows.left(token, amount)?;
                let sum = exits.entry(token).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
        for liquidated in &desk.liquidations {
            for (reserve, amount) in &liquidated.deficits {
                let sum = memory
                    .deficits
                    .entry((liquidated.standing.market, *reserve))
                    .or_default();
                *sum = sum.saturating_add(*amount);
            }
        }
        let Desk {
            flows,
            liquidations,
            bought,
            refused,
            unprofitable,
            ..
        } = desk;
        let clock = *clock;
        let flows = flows.settled(number, &self.held_by_lending()?)?;
        let oracle = self.follow(rules.followers())?;
        let pools = self.pool_prices().into_iter();
        let pools = pools.filter(|(pool, price)| pools_before.get(pool) != Some(price));
        Ok(Round {
            number,
            clock,
            below_one,
            unvalued,
            waiting,
            liquidations,
            bought,
            refused,
            unprofitable,
            exits: exits.into_iter().collect(),
            oracle,
            pools: pools.map(|(pool, sqrt_price)| PoolPrice { pool, sqrt_price }).collect(),
            flows,
        })
    }

    fn pool_prices(&self) -> BTreeMap<VenueId, SqrtPriceX96> {
        let price = |venue: &super::Venue| Some((venue.id, venue.sqrt_price()?));
        self.venues.iter().filter_map(price).collect()
    }

    fn prices_of(&self, assets: &BTreeSet<Address>) -> BTreeMap<(Address, Address), U256> {
        let markets = self.lending.iter();
        let priced = markets.flat_map(|(market, lending)| {
            assets.iter().filter_map(|asset| {
                let price = lending.oracle_price(*asset, &self.feeds)?;
                Some(((*market, *asset), price))
            })
        });
        priced.collect()
    }

    fn losses(
        &self,
        deficits: &BTreeMap<(Address, Address), U256>,
    ) -> Result<(Vec<BadDebt>, Vec<Shortfall>), CascadeError> {
        let now = Now {
            clock: self.clock,
            feeds: &self.feeds,
        };
        let (mut bad_debt, mut shortfalls) = (Vec::new(), Vec::new());
        for (&market, lending) in &self.lending {
            let remains = lending.rules().remains(&now)?;
            let written_off = deficits.keys().filter(|(of, _)| *of == market);
            let reserves: BTreeSet<Address> = written_off
                .map(|(_, reserve)| *reserve)
                .chain(remains.by_reserve.keys().copied())
                .collect();
            for reserve in reserves {
                let (stranded, uncovered) = remains.by_reserve.get(&reserve).copied().unwrap_or_default();
                bad_debt.push(BadDebt {
                    market,
                    reserve,
                    asset: lending.rules().token(reserve),
                    deficit: deficits.get(&(market, reserve)).copied().unwrap_or_default(),
                    stranded,
                    uncovered,
                });
            }
            shortfalls.push(Shortfall {
                market,
                accounts: remains.accounts,
                value: remains.shortfall,
            });
        }
        Ok((bad_debt, shortfalls))
    }
}

/// Everyone below one in any market, the lowest first, ties by address; interest is brought up to date first.
fn below_one(lending: &mut BTreeMap<Address, Lending>, now: &Now<'_>) -> Result<(Vec<Standing>, usize), CascadeError> {
    let (mut below, mut unvalued) = (Vec::new(), 0);
    for market in lending.values_mut() {
        market.rules_mut().accrue(now)?;
        let standings = market.rules().standings(now);
        below.extend(standings.below);
        unvalued += standings.unvalued;
    }
    below.sort_unstable_by_key(|standing: &Standing| (standing.health_factor_wad, standing.account, standing.market));
    Ok((below, unvalued))
}

impl Memory {
    /// Whose turn it is, and how many wait.
    fn turns(&mut self, below: &[Standing], round: u32, latency: u32) -> (Vec<Standing>, usize) {
        let key = |standing: &Standing| (standing.account, standing.market);
        let since: BTreeMap<(Address, Address), u32> = below
            .iter()
            .map(|standing| {
                let since = self.below_since.get(&key(standing)).copied();
                (key(standing), since.unwrap_or(round))
            })
            .collect();
        self.below_since = since;
        let is_due = |standing: &&Standing| {
            let since = self.below_since.get(&key(standing)).copied().unwrap_or(round);
            round.saturating_sub(since) >= latency
        };
        let turns: Vec<Standing> = below.iter().filter(is_due).copied().collect();
        let waiting = below.len() - turns.len();
        (turns, waiting)
    }
}
