//! A shock, the liquidations it makes, their sales, and what those make: round by round, to a fixed point, on a book in floats.

mod lag;
mod liquidation;
mod outcome;
mod rules;
#[cfg(test)]
mod tests;

pub use lag::OracleLag;
pub use outcome::{CascadeError, CascadeOutcome, Liquidation, Moved, Round, StoppedBy};
pub use rules::CascadeRules;

use crate::{BeyondDepth, Book, Depth, Holding, Sold, Standing};
use liquidation::Plan;

/// A book that cascades run on: what was liquidated stays so until [`Self::reset`].
#[derive(Debug, Clone)]
pub struct Cascade<'a> {
    book: &'a Book,
    rules: CascadeRules,
    holdings: Vec<Holding>,
    /// Positions that were liquidated, in the order of their first time.
    liquidated: Vec<u32>,
    is_liquidated: Vec<bool>,
}

/// Runs one cascade, with a factor on every asset's price as the shock.
///
/// It is the twin of [`ChainState::cascade`](crate::on_chain::ChainState::cascade), and the same to 10^-9 where an account has one debt and
/// one collateral, no protocol takes a fee, liquidators always act, the debt is what collateral is sold for, pools are of v3 or v4, and the
/// oracle follows one of them at every round's end. Elsewhere the book's rule is simpler than the contracts':
/// - A position has one turn a round. There an account is liquidated until it is above 1 or nothing is left to do.
/// - Of each debt the close factor's share is repaid, for collateral by descending value. There the largest debt is repaid for the largest
///   collateral, pair by pair.
/// - Below 0.95 all is repaid. There each version has its own close factor, and what it calls dust: see [`FromMarket`](crate::FromMarket).
/// - Nobody keeps a part of a seizure but the liquidator. There Aave v3 and Compound v2 do: see [`Bonus`](crate::Bonus).
/// - All that is seized is sold, whatever is owed. There what is owed is not sold for itself, and everything else is sold for it, over
///   pools of that pair or a token between. A v2 pair that is sold into several times keeps fees among its reserves: see
///   [`PoolDepth`](crate::PoolDepth).
/// - Prices follow at once and in full. There by deviation and heartbeat, rounded as a feed holds them.
/// - No interest, no exits of suppliers, no limits on a token's capital, no latency.
/// - Ties in the health factor go by the account's name. There by address, and ties are of the contracts' integers, from which the book's
///   health factors differ by what those round away.
/// - Bad debt stays in the position, and is counted at the final prices. There Aave from 3.3 on and Compound v3 write it off at once.
///
/// # Errors
/// An asset must be sold whose depth is unknown, or not known that far.
pub fn cascade(book: &Book, rules: CascadeRules, shock: &[f64]) -> Result<CascadeOutcome, CascadeError> {
    Cascade::new(book, rules).run(shock)
}

impl<'a> Cascade<'a> {
    /// A book as it is.
    pub fn new(book: &'a Book, rules: CascadeRules) -> Self {
        Self {
            book,
            rules,
            holdings: book.holdings().to_vec(),
            liquidated: Vec::new(),
            is_liquidated: vec![false; book.positions().len()],
        }
    }

    /// Every position's holdings as they are now, as [`Book::holdings`] lie.
    pub fn holdings(&self) -> &[Holding] {
        &self.holdings
    }

    /// Puts every position back to what the book has.
    pub fn reset(&mut self) {
        for position in self.liquidated.drain(..) {
            let range = self.book.range(position as usize);
            self.holdings[range.clone()].copy_from_slice(&self.book.holdings()[range]);
            self.is_liquidated[position as usize] = false;
        }
    }

    /// Runs a cascade from the positions as they are now. Liquidity is whole at its beginning.
    ///
    /// # Errors
    /// An asset must be sold whose depth is unknown, or not known that far.
    pub fn run(&mut self, shock: &[f64]) -> Result<CascadeOutcome, CascadeError> {
        self.run_lagged(shock, OracleLag::NONE)
    }

    /// Runs a cascade in which the oracle lags behind the market. What is repaid and seized is valued at the oracle's price, what is
    /// sold, the profit and the bad debt at the market's.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_lagged(&mut self, shock: &[f64], lag: OracleLag) -> Result<CascadeOutcome, CascadeError> {
        let mut run = Run::new(self.book, self.rules, shock, lag);
        let already = self.liquidated.len();
        let stopped_by = loop {
            if run.outcome.rounds == self.rules.max_rounds {
                break StoppedBy::RoundLimit;
            }
            if let Some(reason) = self.round(&mut run)?
                && !run.oracle_catches_up()
            {
                break reason;
            }
        };
        let mut outcome = run.outcome;
        outcome.stopped_by = stopped_by;
        outcome.liquidated_positions = self.liquidated.len() - already;
        self.look_at_the_end(&mut outcome);
        Ok(outcome)
    }

    /// One round; the reason to stop where nothing was liquidated.
    fn round(&mut self, run: &mut Run<'_>) -> Result<Option<StoppedBy>, CascadeError> {
        run.begin_round();
        self.find_below_one(run);
        if run.below_one.is_empty() {
            return Ok(Some(StoppedBy::NoneBelowOne));
        }
        let (mut acted, mut pays) = (false, true);
        let mut capital_usd = self.rules.capital_usd.unwrap_or(f64::INFINITY);
        for at in 0..run.below_one.len() {
            let (position, standing) = run.below_one[at];
            let range = self.book.range(position as usize);
            let holdings = &mut self.holdings[range];
            if !run.plan.make(self.book, holdings, &run.prices, &standing, capital_usd) {
                continue;
            }
            let profit_usd = run.profit()?;
            if profit_usd <= 0.0 && !self.rules.always_liquidate {
                pays = false;
                continue;
            }
            run.plan.carry_out(holdings);
            run.take_in(position, &standing, profit_usd);
            capital_usd -= run.plan.repaid_usd;
            acted = true;
            if !std::mem::replace(&mut self.is_liquidated[position as usize], true) {
                self.liquidated.push(position);
            }
        }
        if !acted {
            return Ok(Some(if pays {
                StoppedBy::NothingToSeize
            } else {
                StoppedBy::Unprofitable
            }));
        }
        run.end_round()?;
        Ok(None)
    }

    /// The lowest health factor first, among equals by place.
    fn find_below_one(&self, run: &mut Run<'_>) {
        run.below_one.clear();
        for position in 0..self.book.positions().len() {
            let standing = Standing::of(self.book, &self.holdings[self.book.range(position)], &run.prices);
            if standing.is_below_one() {
                run.below_one.push((position as u32, standing));
            }
        }
        let health = |standing: &Standing| standing.weighted_usd / standing.debt_usd;
        run.below_one
            .sort_by(|(a, a_stands), (b, b_stands)| health(a_stands).total_cmp(&health(b_stands)).then(a.cmp(b)));
    }

    fn look_at_the_end(&self, outcome: &mut CascadeOutcome) {
        let prices = self.book.prices(&outcome.end);
        for position in 0..self.book.positions().len() {
            let holdings = &self.holdings[self.book.range(position)];
            let standing = Standing::of(self.book, holdings, &prices);
            let bad_debt = standing.bad_debt_usd();
            if bad_debt > 0.0 {
                outcome.bad_debt_usd += bad_debt;
                for holding in holdings {
                    let at = holding.listing as usize;
                    let share = holding.debt * prices[at] / standing.debt_usd;
                    outcome.bad_debt_by_listing_usd[at] += bad_debt * share;
                }
            }
        }
    }
}

/// A cascade under way.
struct Run<'a> {
    book: &'a Book,
    rules: CascadeRules,
    /// The market's factors that the round began with.
    factors: Vec<f64>,
    lag: OracleLag,
    /// Rounds that the oracle has seen.
    elapsed: usize,
    /// The oracle's factors in the round.
    seen: Vec<f64>,
    /// The market's price of every asset over the oracle's: exactly 1 where the oracle does not lag.
    worth: Vec<f64>,
    /// The oracle's, of every listing.
    prices: Vec<f64>,
    below_one: Vec<(u32, Standing)>,
    plan: Plan,
    /// What the depths have been sold since they were whole.
    before: Vec<Sold>,
    /// What is sold in the round.
    sold: Vec<Sold>,
    liquidations: Vec<Liquidation>,
    outcome: CascadeOutcome,
}

impl<'a> Run<'a> {
    fn new(book: &'a Book, rules: CascadeRules, shock: &[f64], lag: OracleLag) -> Self {
        let assets = book.assets().len();
        Self {
            book,
            rules,
            factors: shock.to_vec(),
            lag,
            elapsed: 0,
            seen: shock.to_vec(),
            worth: vec![1.0; assets],
            prices: Vec::new(),
            below_one: Vec::new(),
            plan: Plan::default(),
            before: vec![Sold::default(); assets],
            sold: vec![Sold::default(); assets],
            liquidations: Vec::new(),
            outcome: CascadeOutcome {
                rounds: 0,
                liquidated_positions: 0,
                liquidated_debt_usd: 0.0,
                seized_collateral_usd: 0.0,
                liquidator_profit_usd: 0.0,
                bad_debt_usd: 0.0,
                bad_debt_by_listing_usd: vec![0.0; book.listings().len()],
                shock: shock.to_vec(),
                end: shock.to_vec(),
                sold: vec![Sold::default(); assets],
                assumed_liquidity: Vec::new(),
                stopped_by: StoppedBy::NoneBelowOne,
                detail: Vec::new(),
            },
        }
    }

    fn begin_round(&mut self) {
        self.seen.copy_from_slice(&self.factors);
        self.worth.fill(1.0);
        if self.lag.lags_in(self.elapsed) {
            for ((seen, worth), market) in self.seen.iter_mut().zip(&mut self.worth).zip(&self.factors) {
                *seen = self.lag.shows(*market);
                *worth = market / *seen;
            }
        }
        self.prices = self.book.prices(&self.seen);
        self.sold.fill(Sold::default());
        self.liquidations.clear();
    }

    fn asset_of(&self, moved: &Moved) -> usize {
        self.book.listings()[moved.listing].asset as usize
    }

    /// At the market's price.
    fn sale(&self, moved: &Moved) -> Sold {
        Sold {
            usd: moved.usd * self.worth[self.asset_of(moved)],
            tokens: moved.amount,
        }
    }

    /// Where nothing happens while the oracle lags, nothing does until it has caught up. Whether it will.
    fn oracle_catches_up(&mut self) -> bool {
        let lags = self.lag.lags_in(self.elapsed);
        if let Some(rounds) = self.lag.rounds {
            self.elapsed = self.elapsed.max(rounds);
        }
        lags && self.lag.rounds.is_some()
    }

    /// What an asset is sold into.
    fn depth(&self, asset: usize) -> Result<&'a Depth, CascadeError> {
        let of = &self.book.assets()[asset];
        match &of.depth {
            Some(depth) => Ok(depth),
            None if self.rules.assume_liquidity => Ok(&Depth::Unlimited),
            None => Err(CascadeError::NoLiquidity { asset: of.name.clone() }),
        }
    }

    fn beyond(&self, asset: usize) -> impl FnOnce(BeyondDepth) -> CascadeError + use<> {
        let asset = self.book.assets()[asset].name.clone();
        let round = self.outcome.rounds + 1;
        move |beyond| CascadeError::BeyondDepth { asset, round, beyond }
    }

    /// What the plan's liquidator would keep, selling after all that was sold before.
    fn profit(&self) -> Result<f64, CascadeError> {
        let mut profit = self.plan.seized_usd - self.plan.repaid_usd - self.rules.gas_usd;
        for (moved, sign) in (self.plan.seized.iter().map(|moved| (moved, 1.0)))
            .chain(self.plan.repaid.iter().map(|moved| (moved, -1.0)))
        {
            profit += sign * moved.usd * (self.worth[self.asset_of(moved)] - 1.0);
        }
        if !self.rules.feedback {
            return Ok(profit);
        }
        for moved in &self.plan.seized {
            let asset = self.asset_of(moved);
            let depth = self.depth(asset)?;
            let before = self.before[asset];
            let extrapolate = self.rules.extrapolate;
            let sale = self.sale(moved);
            let mean = depth.mean_fall(before.and(self.sold[asset]), sale, extrapolate);
            let mean = mean.map_err(self.beyond(asset))?;
            let begun = depth.fall(before, extrapolate).map_err(self.beyond(asset))?;
            // Valued at the price that the round began with, which has fallen already.
            profit -= sale.usd * (mean - begun) / (1.0 - begun);
        }
        Ok(profit)
    }

    fn take_in(&mut self, position: u32, standing: &Standing, profit_usd: f64) {
        for at in 0..self.plan.seized.len() {
            let moved = self.plan.seized[at];
            let asset = self.asset_of(&moved);
            self.sold[asset] = self.sold[asset].and(self.sale(&moved));
        }
        self.outcome.liquidated_debt_usd += self.plan.repaid_usd;
        self.outcome.seized_collateral_usd += self.plan.seized_usd;
        self.outcome.liquidator_profit_usd += profit_usd;
        if self.rules.keep_rounds {
            self.liquidations.push(Liquidation {
                position: position as usize,
                health_factor: standing.weighted_usd / standing.debt_usd,
                repaid: self.plan.repaid.clone(),
                seized: self.plan.seized.clone(),
                profit_usd,
            });
        }
    }

    fn end_round(&mut self) -> Result<(), CascadeError> {
        if self.rules.keep_rounds {
            self.outcome.detail.push(Round {
                factors: self.seen.clone(),
                liquidations: std::mem::take(&mut self.liquidations),
                sold: self.sold.clone(),
            });
        }
        for asset in 0..self.sold.len() {
            let sold = self.sold[asset];
            if sold.usd == 0.0 {
                continue;
            }
            self.outcome.sold[asset] = self.outcome.sold[asset].and(sold);
            if !self.rules.feedback {
                continue;
            }
            if self.book.assets()[asset].depth.is_none() && !self.outcome.assumed_liquidity.contains(&asset) {
                self.outcome.assumed_liquidity.push(asset);
            }
            let depth = self.depth(asset)?;
            if self.rules.refill {
                let fall = depth.fall(sold, self.rules.extrapolate);
                self.factors[asset] *= 1.0 - fall.map_err(self.beyond(asset))?;
            } else {
                self.before[asset] = self.before[asset].and(sold);
                let fall = depth.fall(self.before[asset], self.rules.extrapolate);
                self.factors[asset] = self.outcome.shock[asset] * (1.0 - fall.map_err(self.beyond(asset))?);
            }
        }
        self.outcome.rounds += 1;
        self.elapsed += 1;
        self.outcome.end.copy_from_slice(&self.factors);
        Ok(())
    }
}
