//! A liquidator at work: what he may do is tried, what pays is done, and what he got is sold.

use super::{
    Bought, CascadeError, Clock, Feedback, Gas, LIQUIDATOR, Liquidated, LiquidatorRules, Refused, Sale, Standing,
    Venue,
    flows::Flows,
    lending::{Attempt, Bid, Lending, Now, Pair, Seizure},
    sale::{ForSale, SalePlan},
};
use alloy_primitives::{Address, I256, U256};
use plimsoll_market::Feeds;
use plimsoll_units::{Rounding, mul_div, wad_ray_math::WAD};
use std::collections::BTreeMap;

/// How often an offer of a store front is halved before it is left.
const HALVINGS: usize = 6;

/// Liquidators in one round.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    rules: &'a LiquidatorRules,
    moves_pools: bool,
    clock: Clock,
    feeds: &'a Feeds,
    /// What is left of it.
    capital: BTreeMap<Address, U256>,
    pub(super) flows: Flows,
    pub(super) liquidations: Vec<Liquidated>,
    pub(super) bought: Vec<Bought>,
    pub(super) refused: Vec<Refused>,
    pub(super) unprofitable: Vec<Standing>,
}

/// How an account's turn went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Liquidated,
    Unprofitable,
    Refused,
}

/// What appraising a seizure needs to know of it.
#[derive(Debug, Clone, Copy)]
struct Terms {
    /// Debt and collateral.
    tokens: [Address; 2],
    /// What a base unit of collateral and of debt is worth.
    unit_prices: [Option<U256>; 2],
    /// In base units of the debt.
    gas: U256,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        rules: &'a LiquidatorRules,
        feedback: &Feedback,
        (clock, feeds): (Clock, &'a Feeds),
        flows: Flows,
    ) -> Self {
        Self {
            rules,
            moves_pools: matches!(feedback, Feedback::On(_)),
            clock,
            feeds,
            capital: rules.capital.clone(),
            flows,
            liquidations: Vec::new(),
            bought: Vec::new(),
            refused: Vec::new(),
            unprofitable: Vec::new(),
        }
    }

    fn now(&self) -> Now<'a> {
        Now {
            clock: self.clock,
            feeds: self.feeds,
        }
    }

    /// Liquidates an account as long as it is below one and that pays.
    pub(super) fn attend(
        &mut self,
        lending: &mut Lending,
        venues: &mut [Venue],
        standing: Standing,
    ) -> Result<(), CascadeError> {
        let now = self.now();
        loop {
            let health_factor_wad = match lending.rules().health_factor(standing.account, &now) {
                Some(health) if health < WAD => health,
                _ => return Ok(()),
            };
            let standing = Standing {
                health_factor_wad,
                ..standing
            };
            match self.liquidate_once(lending, venues, standing)? {
                Turn::Liquidated => {}
                Turn::Unprofitable => {
                    self.unprofitable.push(standing);
                    return Ok(());
                }
                Turn::Refused => return Ok(()),
            }
        }
    }

    fn liquidate_once(
        &mut self,
        lending: &mut Lending,
        venues: &mut [Venue],
        standing: Standing,
    ) -> Result<Turn, CascadeError> {
        let mut turn = Turn::Refused;
        let mut refused = Vec::new();
        for pair in lending.rules().pairs(standing.account, &self.now()) {
            match self.attempt(lending, venues, standing, pair)? {
                Attempt::Done(_) => return Ok(Turn::Liquidated),
                Attempt::Declined => turn = Turn::Unprofitable,
                Attempt::Refused(reason) => refused.push(Refused {
                    standing,
                    debt_reserve: pair.debt,
                    collateral_reserve: pair.collateral,
                    reason,
                }),
            }
        }
        // What was refused matters where nothing else was done.
        self.refused.extend(refused);
        Ok(turn)
    }

    fn attempt(
        &mut self,
        lending: &mut Lending,
        venues: &mut [Venue],
        standing: Standing,
        pair: Pair,
    ) -> Result<Attempt, CascadeError> {
        let terms = self.terms(lending, standing.market, pair)?;
        let most = self.capital.get(&terms.tokens[0]).copied().unwrap_or(U256::MAX);
        if most.is_zero() {
            return Ok(Attempt::Declined);
        }
        let bid = Bid {
            liquidator: LIQUIDATOR,
            account: standing.account,
            pair,
            most,
        };
        let (now, rules) = (self.now(), self.rules);
        let mut offer = None;
        let mut accept = |seizure: &Seizure| {
            let (plan, sale) = appraise(rules, venues, &terms, seizure)?;
            let pays = rules.always || sale.profit.is_positive();
            offer = Some((plan, sale));
            Ok(pays)
        };
        let attempt = lending.rules_mut().liquidate(&bid, &now, &mut accept)?;
        if let Attempt::Done(seizure) = &attempt {
            let (plan, sale) = match offer {
                Some(offer) => offer,
                // Nobody was asked: a Comet absorbs, and pays nothing for it.
                None => (
                    SalePlan::default(),
                    sale_of(&SalePlan::default(), U256::ZERO, terms.gas)?,
                ),
            };
            self.settle(venues, &terms, (seizure.repaid, seizure.seized), &plan)?;
            let [debt_asset, collateral_asset] = terms.tokens;
            let seizure = seizure.clone();
            self.liquidations.push(Liquidated {
                standing,
                debt_reserve: pair.debt,
                debt_asset,
                collateral_reserve: pair.collateral,
                collateral_asset,
                repaid: seizure.repaid,
                seized: seizure.seized,
                protocol_fee: seizure.protocol_fee,
                absorbed: seizure.absorbed,
                forgiven: seizure.forgiven,
                deficits: seizure.deficits,
                sale,
            });
        }
        Ok(attempt)
    }

    /// Buys what a market itself has for sale: all of it, or half of it, and so on, as soon as that pays.
    pub(super) fn visit_store_front(
        &mut self,
        lending: &mut Lending,
        venues: &mut [Venue],
        market: Address,
    ) -> Result<(), CascadeError> {
        let now = self.now();
        for (pair, amount) in lending.rules().for_sale(&now) {
            let terms = self.terms(lending, market, pair)?;
            let (rules, capital) = (self.rules, self.capital.get(&terms.tokens[0]).copied());
            for amount in (0..=HALVINGS).map(|halvings| amount >> halvings) {
                let mut offer = None;
                let mut accept = |seizure: &Seizure| {
                    let (plan, sale) = appraise(rules, venues, &terms, seizure)?;
                    let affordable = capital.is_none_or(|capital| seizure.repaid <= capital);
                    let pays = affordable && (rules.always || sale.profit.is_positive());
                    offer = Some((plan, sale));
                    Ok(pays)
                };
                let bought = lending.rules_mut().buy(&pair, amount, &now, &mut accept)?;
                if let (Attempt::Done(seizure), Some((plan, sale))) = (bought, offer) {
                    self.settle(venues, &terms, (seizure.repaid, seizure.seized), &plan)?;
                    self.bought.push(Bought {
                        market,
                        asset: terms.tokens[1],
                        amount: seizure.seized,
                        paid: seizure.repaid,
                        sale,
                    });
                    break;
                }
            }
        }
        Ok(())
    }

    fn terms(&self, lending: &Lending, market: Address, pair: Pair) -> Result<Terms, CascadeError> {
        let unit_prices = [pair.collateral, pair.debt].map(|reserve| lending.unit_price(reserve, self.feeds));
        let gas = match self.rules.gas {
            None => U256::ZERO,
            Some(Gas { token, amount }) => {
                let price = lending.unit_price_of_token(token, self.feeds);
                let (Some(price), Some(of_debt)) = (price, unit_prices[1]) else {
                    return Err(CascadeError::NoGasPrice { market, token });
                };
                mul_div(amount, price, of_debt, Rounding::Up).ok_or(CascadeError::Overflow("the cost of gas"))?
            }
        };
        Ok(Terms {
            tokens: [pair.debt, pair.collateral].map(|reserve| lending.rules().token(reserve)),
            unit_prices,
            gas,
        })
    }

    fn settle(
        &mut self,
        venues: &mut [Venue],
        terms: &Terms,
        (repaid, seized): (U256, U256),
        plan: &SalePlan,
    ) -> Result<(), CascadeError> {
        let [debt, collateral] = terms.tokens;
        self.flows.liquidated((debt, repaid), (collateral, seized))?;
        for trade in &plan.trades {
            self.flows.traded(trade, self.moves_pools)?;
        }
        if self.moves_pools {
            plan.commit(venues, self.clock);
        }
        if let Some(left) = self.capital.get_mut(&debt) {
            *left = left.saturating_sub(repaid);
        }
        Ok(())
    }
}

/// What a seizure would bring.
fn appraise(
    rules: &LiquidatorRules,
    venues: &[Venue],
    terms: &Terms,
    seizure: &Seizure,
) -> Result<(SalePlan, Sale), CascadeError> {
    let [into, token] = terms.tokens;
    let sale = ForSale {
        token,
        amount: seizure.seized,
        into,
        unit_prices: terms.unit_prices,
    };
    let plan = rules.sales.plan(venues, &sale)?;
    let sale = sale_of(&plan, seizure.repaid, terms.gas)?;
    Ok((plan, sale))
}

fn sale_of(plan: &SalePlan, repaid: U256, gas: U256) -> Result<Sale, CascadeError> {
    let overflow = CascadeError::Overflow("a liquidator's profit");
    let signed = |amount: U256| I256::try_from(amount).map_err(|_| overflow.clone());
    let costs = signed(repaid)?.checked_add(signed(gas)?).ok_or(overflow.clone())?;
    Ok(Sale {
        trades: plan.trades.clone(),
        proceeds: plan.proceeds,
        unsold: plan.unsold,
        gas,
        profit: signed(plan.proceeds)?.checked_sub(costs).ok_or(overflow)?,
    })
}
