use crate::{Book, Standing, Stress};

/// The moves that a ladder is mostly read at, as fractions.
pub const LADDER_MOVES: [f64; 6] = [-0.1, -0.2, -0.3, -0.4, -0.5, -0.6];

/// Who falls below 1 at which move of prices along one direction: exact, since what a position has and owes is linear in the move.
///
/// At a move of `t` an asset's price is its price times 1 + its part of the direction times `t`. One asset alone has the part 1 and
/// all others 0; with parts as betas many move together.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Moves between which every price stays above zero, without the ends.
    moves: (f64, f64),
    /// Positions with debt.
    positions: usize,
    below_one: Steps,
    under_water: Steps,
    rungs: Vec<Rung>,
}

/// A position that falls below 1 somewhere on the ladder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// The position, by its place in the book.
    pub position: usize,
    /// At which moves it is below 1.
    pub crossing: Crossing,
    /// What it owes before the move. USD.
    pub debt_usd: f64,
    /// What it has before the move. USD.
    pub collateral_usd: f64,
}

/// Where a position crosses a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Crossing {
    /// At no move.
    Never,
    /// At every move.
    Always,
    /// At every move below this one: it holds what falls.
    Below(f64),
    /// At every move above this one: it owes what rises.
    Above(f64),
}

/// Why there is no ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// A direction that moves nothing, or by no number.
    #[error("a ladder needs a direction in which prices move, each part a number, one an asset")]
    NoDirection,
    /// Factors that are no prices.
    #[error("a ladder needs a factor above 0 on every asset's price")]
    NoPrice,
}

impl Ladder {
    /// The ladder of one asset, by its place, from prices with a factor on every asset's.
    ///
    /// # Errors
    /// No such asset, or factors that are not all above 0.
    pub fn of_asset(book: &Book, factors: &[f64], asset: usize) -> Result<Self, LadderError> {
        let mut direction = vec![0.0; book.assets().len()];
        *direction.get_mut(asset).ok_or(LadderError::NoDirection)? = 1.0;
        Self::along(book, factors, &direction)
    }

    /// The ladder along a direction, one part an asset, from prices with a factor on every asset's.
    ///
    /// # Errors
    /// A direction without a part that moves, or factors that are not all above 0.
    pub fn along(book: &Book, factors: &[f64], direction: &[f64]) -> Result<Self, LadderError> {
        let assets = book.assets().len();
        if direction.len() != assets || !direction.iter().all(|part| part.is_finite()) {
            return Err(LadderError::NoDirection);
        }
        if factors.len() != assets || !factors.iter().all(|factor| *factor > 0.0 && factor.is_finite()) {
            return Err(LadderError::NoPrice);
        }
        if direction.iter().all(|part| *part == 0.0) {
            return Err(LadderError::NoDirection);
        }
        let highest = direction.iter().copied().fold(0.0, f64::max);
        let lowest = direction.iter().copied().fold(0.0, f64::min);
        let moves = (-1.0 / highest, -1.0 / lowest);
        let moves = (
            if highest > 0.0 { moves.0 } else { f64::NEG_INFINITY },
            if lowest < 0.0 { moves.1 } else { f64::INFINITY },
        );
        let prices = book.prices(factors);
        // What a price gains for a move of 1.
        let gains = book.listings().iter().zip(&prices);
        let gains: Vec<f64> = gains
            .map(|(listing, price)| price * direction[listing.asset as usize])
            .collect();
        let mut ladder = Self {
            moves,
            positions: 0,
            below_one: Steps::default(),
            under_water: Steps::default(),
            rungs: Vec::new(),
        };
        for position in 0..book.positions().len() {
            let holdings = book.holdings_of(position);
            if !holdings.iter().any(|holding| holding.debt > 0.0) {
                continue;
            }
            ladder.positions += 1;
            ladder.take_in(
                position,
                &Standing::of(book, holdings, &prices),
                &Standing::of(book, holdings, &gains),
            );
        }
        ladder.below_one.close();
        ladder.under_water.close();
        // Those that fall first come first, then those that a rise takes, then those that are below 1 anyway.
        let key = |rung: &Rung| match rung.crossing {
            Crossing::Below(at) => (0, -at),
            Crossing::Above(at) => (1, at),
            Crossing::Always | Crossing::Never => (2, 0.0),
        };
        let order = |a: &Rung, b: &Rung| {
            let (a_key, b_key) = (key(a), key(b));
            a_key.0.cmp(&b_key.0).then(a_key.1.total_cmp(&b_key.1))
        };
        ladder.rungs.sort_by(order);
        Ok(ladder)
    }

    fn take_in(&mut self, position: usize, stands: &Standing, gains: &Standing) {
        let totals = Totals {
            positions: 1,
            debt: Line(stands.debt_usd, gains.debt_usd),
            collateral: Line(stands.collateral_usd, gains.collateral_usd),
        };
        let crossing = |has: Line, owes: Line| Crossing::of(owes.0 - has.0, has.1 - owes.1, self.moves);
        let below_one = crossing(Line(stands.weighted_usd, gains.weighted_usd), totals.debt);
        let under_water = crossing(totals.collateral, totals.debt);
        self.below_one.take_in(below_one, totals);
        self.under_water.take_in(under_water, totals);
        if below_one != Crossing::Never {
            self.rungs.push(Rung {
                position,
                crossing: below_one,
                debt_usd: stands.debt_usd,
                collateral_usd: stands.collateral_usd,
            });
        }
    }

    /// Every position that is below 1 at some move, in the order in which a fall takes them; then those that a rise takes.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// The moves between which the ladder holds, without the ends: beyond them a price would be zero.
    pub const fn moves(&self) -> (f64, f64) {
        self.moves
    }

    /// The book at a move, as [`crate::stress`] counts it; `None` where a price would not be above zero. Exact but for the rounding
    /// of sums.
    pub fn at(&self, change: f64) -> Option<Stress> {
        let (least, most) = self.moves;
        if !(change > least && change < most) {
            return None;
        }
        let below_one = self.below_one.at(change);
        let under_water = self.under_water.at(change);
        let bad_debt = under_water.debt.at(change) - under_water.collateral.at(change);
        Some(Stress {
            positions: self.positions,
            liquidatable_positions: below_one.positions,
            debt_at_risk_usd: below_one.debt.at(change),
            collateral_at_risk_usd: below_one.collateral.at(change),
            bad_debt_usd: bad_debt.max(0.0),
        })
    }
}

impl Crossing {
    /// The moves at which `slope` · move < `gap`, within bounds.
    fn of(gap: f64, slope: f64, (least, most): (f64, f64)) -> Self {
        let at = gap / slope;
        if slope > 0.0 {
            match () {
                () if at <= least => Self::Never,
                () if at >= most => Self::Always,
                () => Self::Below(at),
            }
        } else if slope < 0.0 {
            match () {
                () if at <= least => Self::Always,
                () if at >= most => Self::Never,
                () => Self::Above(at),
            }
        } else if gap > 0.0 {
            Self::Always
        } else {
            Self::Never
        }
    }
}

/// A value before the move, and what it gains for a move of 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Line(f64, f64);

impl Line {
    fn at(self, change: f64) -> f64 {
        self.0 + self.1 * change
    }

    fn and(self, more: Self) -> Self {
        Self(self.0 + more.0, self.1 + more.1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Totals {
    positions: usize,
    debt: Line,
    collateral: Line,
}

impl Totals {
    fn and(self, more: Self) -> Self {
        Self {
            positions: self.positions + more.positions,
            debt: self.debt.and(more.debt),
            collateral: self.collateral.and(more.collateral),
        }
    }
}

/// Positions that lie beyond a line, as the move goes.
#[derive(Debug, Clone, PartialEq, Default)]
struct Steps {
    always: Totals,
    /// By falling move; each with all before it.
    below: Vec<(f64, Totals)>,
    /// By rising move; each with all before it.
    above: Vec<(f64, Totals)>,
}

impl Steps {
    fn take_in(&mut self, crossing: Crossing, totals: Totals) {
        match crossing {
            Crossing::Never => {}
            Crossing::Always => self.always = self.always.and(totals),
            Crossing::Below(at) => self.below.push((at, totals)),
            Crossing::Above(at) => self.above.push((at, totals)),
        }
    }

    /// Sorts and adds up.
    fn close(&mut self) {
        // Stable, so that equals stay in the order of the book.
        self.below.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.above.sort_by(|a, b| a.0.total_cmp(&b.0));
        for steps in [&mut self.below, &mut self.above] {
            let mut sum = Totals::default();
            for (_, totals) in steps {
                sum = sum.and(*totals);
                *totals = sum;
            }
        }
    }

    fn at(&self, change: f64) -> Totals {
        let upto = |steps: &[(f64, Totals)], count: usize| match count.checked_sub(1) {
            Some(last) => steps[last].1,
            None => Totals::default(),
        };
        let below = self.below.partition_point(|(at, _)| change < *at);
        let above = self.above.partition_point(|(at, _)| change > *at);
        self.always.and(upto(&self.below, below)).and(upto(&self.above, above))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::{account, asset, one_account},
        stress,
    };
    use proptest::prelude::*;

    #[test]
    fn one_account_is_liquidated_where_the_hand_says() {
        // 10 · p · 0.8 = 15,000 at p = 1,875; 10 · p = 15,000 at 1,500.
        let book = one_account(&[]);
        let ladder = Ladder::of_asset(&book, &book.no_shock(), 0).expect("it moves");
        assert_eq!(ladder.rungs()[0].crossing, Crossing::Below(1_875.0 / 2_000.0 - 1.0));
        let at = |change| ladder.at(change).expect("above zero");
        assert_eq!(at(-0.0625).liquidatable_positions, 0);
        assert_eq!(at(-0.0626).liquidatable_positions, 1);
        assert_eq!(
            (at(-0.2).debt_at_risk_usd, at(-0.2).collateral_at_risk_usd),
            (15_000.0, 16_000.0)
        );
        assert_eq!((at(-0.25).bad_debt_usd, at(-0.5).bad_debt_usd), (0.0, 5_000.0));
        assert_eq!((ladder.at(-1.0), ladder.at(f64::NAN)), (None, None));
        // What is owed rises: 16,000 = 15,000 · (1 + 1/15).
        let ladder = Ladder::of_asset(&book, &book.no_shock(), 1).expect("it moves");
        let Crossing::Above(at) = ladder.rungs()[0].crossing else {
            panic!("it owes")
        };
        assert!((at - 1.0 / 15.0).abs() < 1e-15);
    }

    #[test]
    fn a_direction_that_does_not_move_is_refused() {
        let book = one_account(&[]);
        let along = |direction: &[f64]| Ladder::along(&book, &book.no_shock(), direction);
        assert_eq!(along(&[0.0, 0.0]), Err(LadderError::NoDirection));
        assert_eq!(along(&[1.0]), Err(LadderError::NoDirection));
        assert_eq!(along(&[f64::NAN, 0.0]), Err(LadderError::NoDirection));
        assert_eq!(Ladder::of_asset(&book, &[1.0, 0.0], 0), Err(LadderError::NoPrice));
        assert_eq!(along(&[2.0, -0.5]).expect("it moves").moves(), (-0.5, 2.0));
    }

    proptest! {
        #[test]
        fn prop_a_ladder_is_the_stress_at_every_move(
            rows in prop::collection::vec((0.0..20.0f64, 0.0..9.0f64, 0.0..2.0f64, 0.0..30_000.0f64), 1..30),
            direction in (-1.5..1.5f64, -1.5..1.5f64, -0.2..0.2f64),
            shocked in 0.5..1.5f64,
            share in 0.001..0.999f64,
        ) {
            let mut accounts = Vec::new();
            for (at, (eth, eth_debt, btc, usdc)) in rows.into_iter().enumerate() {
                accounts.push(account(&format!("{at:02}"), "ETH", eth, eth_debt));
                accounts.push(account(&format!("{at:02}"), "BTC", btc, 0.0));
                accounts.push(account(&format!("{at:02}"), "USDC", 0.0, usdc));
            }
            let assets = [
                asset("ETH", 2_000.0, 0.8, 0.05),
                asset("BTC", 30_000.0, 0.7, 0.1),
                asset("USDC", 1.0, 0.77, 0.045),
            ];
            let book = Book::new(&accounts, &assets, &[]).expect("a book");
            // Assets lie by name: BTC, ETH, USDC.
            let direction = [direction.0, direction.1, direction.2];
            let base = [1.0, shocked, 1.0];
            let ladder = Ladder::along(&book, &base, &direction).expect("it moves");
            let (least, most) = ladder.moves();
            let change = least.max(-5.0) + share * (most.min(5.0) - least.max(-5.0));
            let factors: Vec<f64> = base.iter().zip(direction).map(|(base, part)| base * (1.0 + part * change)).collect();
            let (mine, its) = (ladder.at(change).expect("inside"), stress(&book, &factors));
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (its.debt_at_risk_usd + its.collateral_at_risk_usd + 1.0);
            prop_assert_eq!(mine.positions, its.positions);
            prop_assert_eq!(mine.liquidatable_positions, its.liquidatable_positions);
            prop_assert!(close(mine.debt_at_risk_usd, its.debt_at_risk_usd));
            prop_assert!(close(mine.collateral_at_risk_usd, its.collateral_at_risk_usd));
            prop_assert!(close(mine.bad_debt_usd, its.bad_debt_usd));
        }
    }
}
