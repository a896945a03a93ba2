use super::{Accept, Attempt, Bid, Now, Pair, Remains, Rules, Seizure, Standings};
use crate::on_chain::{CascadeError, Standing};
use alloy_primitives::{Address, I256, U256};
use plimsoll_market::{CompoundV3Replay, Oracle};
use plimsoll_protocols::compound_v3::{Account, Comet, Event, FACTOR_SCALE, Moment, PriceFeeds, present_value};
use plimsoll_units::{Rounding, mul_div, wad_ray_math::WAD};

/// A Comet on the clone. It absorbs whoever may be absorbed, paying with its reserves, and sells what it has absorbed as long as these
/// are below their target.
#[derive(Debug, Clone)]
pub(in super::super) struct CompoundV3 {
    address: Address,
    comet: Comet,
    oracle: Oracle,
}

/// Prices as a Comet asks for them.
struct Prices<'a> {
    oracle: &'a Oracle,
    now: &'a Now<'a>,
}

impl<'a> Prices<'a> {
    const fn of(oracle: &'a Oracle, now: &'a Now<'a>) -> Self {
        Self { oracle, now }
    }

    /// Now, as a Comet asks for it.
    const fn moment(&self) -> Moment<'_> {
        Moment {
            timestamp: self.now.clock.timestamp,
            prices: self,
        }
    }
}

impl PriceFeeds for Prices<'_> {
    fn price(&self, token: Address) -> U256 {
        let price = self.oracle.price(token, self.now.feeds);
        price.map(|price| price.value).unwrap_or_default()
    }
}

impl CompoundV3 {
    pub(super) fn of(replay: &CompoundV3Replay) -> Self {
        Self {
            address: replay.address(),
            comet: replay.comet().clone(),
            oracle: replay.oracle().clone(),
        }
    }

    pub(super) const fn comet(&self) -> &Comet {
        &self.comet
    }

    fn scale(&self, token: Address) -> Option<u64> {
        let configuration = self.comet.configuration();
        match configuration.asset(token) {
            Ok((_, info)) => Some(info.scale),
            Err(_) => (token == configuration.base_token).then_some(configuration.base_scale),
        }
    }

    fn both_sides(&self, account: &Account, now: &Now<'_>) -> Option<(U256, U256)> {
        let prices = Prices::of(&self.oracle, now);
        let at = prices.moment();
        self.comet.both_sides(at, account).ok()
    }

    fn owed(&self, account: &Account) -> U256 {
        let totals = self.comet.totals();
        let indexes = (totals.base_supply_index, totals.base_borrow_index);
        let balance = present_value(indexes, account.principal());
        if balance < I256::ZERO {
            balance.unsigned_abs()
        } else {
            U256::ZERO
        }
    }

    fn worth(&self, amount: U256, token: Address, now: &Now<'_>) -> Option<U256> {
        let prices = Prices::of(&self.oracle, now);
        mul_div(
            amount,
            prices.price(token),
            U256::from(self.scale(token)?),
            Rounding::Down,
        )
    }

    /// The least base that buys so much of a collateral, by the price that the store front asks (`quoteCollateral`, turned round), and at
    /// most so much; with what it buys.
    fn cost(&self, asset: Address, amount: U256, now: &Now<'_>) -> Option<(U256, U256)> {
        let prices = Prices::of(&self.oracle, now);
        let at = prices.moment();
        let configuration = self.comet.configuration();
        let (_, info) = configuration.asset(asset).ok()?;
        let one = U256::from(FACTOR_SCALE);
        let penalty = one.checked_sub(U256::from(info.liquidation_factor))?;
        let discount = mul_div(
            U256::from(configuration.store_front_price_factor),
            penalty,
            one,
            Rounding::Down,
        )?;
        let discounted = mul_div(prices.price(asset), one.checked_sub(discount)?, one, Rounding::Down)?;
        let value = mul_div(amount, discounted, U256::from(info.scale), Rounding::Down)?;
        let scale = U256::from(configuration.base_scale);
        let base = mul_div(value, scale, prices.price(configuration.base_token), Rounding::Down)?;
        let bought = self.comet.quote_collateral(at, asset, base).ok()?;
        (bought <= amount && !bought.is_zero()).then_some((base, bought))
    }
}

impl Rules for CompoundV3 {
    fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    fn oracle_mut(&mut self) -> &mut Oracle {
        &mut self.oracle
    }

    fn reserves_of(&self, token: Address) -> Vec<Address> {
        self.scale(token).map(|_| token).into_iter().collect()
    }

    fn decimals(&self, token: Address) -> Option<u8> {
        u8::try_from(self.scale(token)?.checked_ilog10()?).ok()
    }

    fn cash(&self) -> Vec<(Address, U256)> {
        let configuration = self.comet.configuration();
        let base = (configuration.base_token, self.comet.totals().balance);
        let assets = configuration.assets.iter().map(|info| info.asset);
        let balances = self.comet.asset_totals().iter().map(|totals| totals.balance);
        std::iter::once(base).chain(assets.zip(balances)).collect()
    }

    fn accrue(&mut self, now: &Now<'_>) -> Result<(), CascadeError> {
        let market = self.address;
        self.comet
            .accrue(now.clock.timestamp)
            .map_err(|revert| CascadeError::Refused {
                market,
                what: revert.to_string(),
            })
    }

    fn standings(&self, now: &Now<'_>) -> Standings {
        let mut standings = Standings::default();
        for (address, account) in self.comet.accounts().iter() {
            if account.principal() >= 0 {
                continue;
            }
            let Some((counted, owed)) = self.both_sides(account, now) else {
                standings.unvalued += 1;
                continue;
            };
            if counted < owed {
                let health = mul_div(counted, WAD, owed, Rounding::Down);
                standings.below.push(Standing {
                    market: self.address,
                    account: address,
                    health_factor_wad: health.unwrap_or_default(),
                });
            }
        }
        standings
    }

    fn health_factor(&self, account: Address, now: &Now<'_>) -> Option<U256> {
        let account = self.comet.accounts().get(account)?;
        let (counted, owed) = self.both_sides(account, now)?;
        mul_div(counted, WAD, owed, Rounding::Down)
    }

    fn pairs(&self, account: Address, _: &Now<'_>) -> Vec<Pair> {
        let base = self.comet.configuration().base_token;
        let owes = self.comet.accounts().principal(account) < 0;
        let pair = Pair {
            debt: base,
            collateral: base,
        };
        owes.then_some(pair).into_iter().collect()
    }

    fn liquidate(&mut self, bid: &Bid, now: &Now<'_>, _: &mut Accept<'_>) -> Result<Attempt, CascadeError> {
        let prices = Prices::of(&self.oracle, now);
        let at = prices.moment();
        let events = match self.comet.absorb(at, bid.liquidator, &[bid.account]) {
            Ok(events) => events,
            Err(revert) => return Ok(Attempt::Refused(revert.to_string())),
        };
        let mut seizure = Seizure::default();
        let (mut paid, mut got) = (U256::ZERO, U256::ZERO);
        for event in events {
            match event {
                Event::AbsorbCollateral {
                    asset,
                    collateral_absorbed,
                    usd_value,
                    ..
                } => {
                    seizure.absorbed.push((asset, collateral_absorbed));
                    got = got.saturating_add(usd_value);
                }
                Event::AbsorbDebt {
                    base_paid_out,
                    usd_value,
                    ..
                } => {
                    seizure.forgiven = base_paid_out;
                    paid = usd_value;
                }
                _ => {}
            }
        }
        // What the reserves have paid beyond the price of what they got for it.
        let base = self.comet.configuration().base_token;
        let price = Prices::of(&self.oracle, now).price(base);
        let scale = U256::from(self.comet.configuration().base_scale);
        let lost = mul_div(paid.saturating_sub(got), scale, price, Rounding::Up).unwrap_or_default();
        if !lost.is_zero() {
            seizure.deficits.push((base, lost.min(seizure.forgiven)));
        }
        Ok(Attempt::Done(seizure))
    }

    fn for_sale(&self, now: &Now<'_>) -> Vec<(Pair, U256)> {
        let configuration = self.comet.configuration();
        let reserves = self.comet.reserves(now.clock.timestamp);
        let target = U256::from(configuration.target_reserves);
        if reserves.is_ok_and(|reserves| U256::try_from(reserves).is_ok_and(|reserves| reserves >= target)) {
            return Vec::new();
        }
        let offers = configuration.assets.iter().filter_map(|info| {
            let amount = self.comet.collateral_reserves(info.asset).ok()?;
            let pair = Pair {
                debt: configuration.base_token,
                collateral: info.asset,
            };
            (!amount.is_zero()).then_some((pair, amount))
        });
        offers.collect()
    }

    fn buy(
        &mut self,
        pair: &Pair,
        amount: U256,
        now: &Now<'_>,
        accept: &mut Accept<'_>,
    ) -> Result<Attempt, CascadeError> {
        let Some((base, bought)) = self.cost(pair.collateral, amount, now) else {
            return Ok(Attempt::Refused(
                "no base buys so little, or there is no price".to_owned(),
            ));
        };
        let seizure = Seizure {
            repaid: base,
            seized: bought,
            ..Seizure::default()
        };
        if !accept(&seizure)? {
            return Ok(Attempt::Declined);
        }
        let prices = Prices::of(&self.oracle, now);
        let at = prices.moment();
        let buyer = crate::on_chain::LIQUIDATOR;
        match self.comet.buy_collateral(at, buyer, pair.collateral, bought, base) {
            Ok(_) => Ok(Attempt::Done(seizure)),
            Err(revert) => Ok(Attempt::Refused(revert.to_string())),
        }
    }

    fn exit(&mut self, basis_points: u16, now: &Now<'_>) -> Vec<(Address, U256)> {
        let base = self.comet.configuration().base_token;
        let suppliers = self
            .comet
            .accounts()
            .iter()
            .filter(|(_, account)| account.principal() > 0);
        let mut suppliers: Vec<Address> = suppliers.map(|(address, _)| address).collect();
        suppliers.sort_unstable();
        let mut paid = Vec::new();
        for address in suppliers {
            let prices = Prices::of(&self.oracle, now);
            let at = prices.moment();
            let balance = self.comet.balance_of(now.clock.timestamp, address).unwrap_or_default();
            let part = mul_div(balance, U256::from(basis_points), U256::from(10_000u32), Rounding::Down);
            let amount = part.unwrap_or_default().min(self.comet.totals().balance);
            // What is paused, or is nothing, stays.
            if !amount.is_zero() && self.comet.withdraw(at, address, address, base, amount).is_ok() {
                paid.push((base, amount));
            }
        }
        paid
    }

    fn remains(&self, now: &Now<'_>) -> Result<Remains, CascadeError> {
        let configuration = self.comet.configuration();
        let base = configuration.base_token;
        let mut remains = Remains::default();
        for (_, account) in self.comet.accounts().iter() {
            let owed = self.owed(account);
            if owed.is_zero() {
                continue;
            }
            let mut collateral = U256::ZERO;
            for &(place, amount) in account.collateral() {
                let Some(info) = configuration.assets.get(usize::from(place)) else {
                    continue;
                };
                let worth = self.worth(U256::from(amount), info.asset, now).unwrap_or_default();
                collateral = collateral
                    .checked_add(worth)
                    .ok_or(CascadeError::Overflow("what an account is worth"))?;
            }
            let debt = self.worth(owed, base, now).unwrap_or_default();
            remains.add(vec![(base, owed)], debt, collateral);
        }
        Ok(remains)
    }
}
