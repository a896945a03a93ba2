//! The tests' oracle: every choice of kink sides in turn, from the pools' own formulas and by bisection.

use crate::{
    dice::Dice,
    source::{Kind, KinkedPool, KinkedPoolParams, Source},
};

/// A pool with the most that may be held of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    pub(super) params: KinkedPoolParams,
    pub(super) cap: f64,
}

impl Pool {
    pub(super) fn source(&self, number: usize) -> Source {
        let id = format!("pool {number}");
        let pool = KinkedPool::new(&id, self.params).unwrap();
        Source::new(id, Kind::Kinked(pool), self.cap).unwrap()
    }

    /// x·U·R(U)·(1 − rf), as a contract would work it out.
    pub(super) fn income(&self, size: f64) -> f64 {
        let params = &self.params;
        let used = params.borrowed_usd / (params.supplied_usd + size);
        let over = (used - params.optimal_utilization).max(0.0) / (1.0 - params.optimal_utilization);
        let under = (used / params.optimal_utilization).min(1.0);
        let borrow_rate = params.base + params.slope1 * under + params.slope2 * over;
        size * used * borrow_rate * (1.0 - params.reserve_factor)
    }

    /// The size at which own capital brings the utilization down to the kink.
    pub(super) fn kink(&self) -> f64 {
        self.params.borrowed_usd / self.params.optimal_utilization - self.params.supplied_usd
    }

    pub(super) fn can_cross(&self, capital: f64) -> bool {
        self.kink() > 0.0 && self.kink() < self.cap.min(capital)
    }

    /// A and B of f′ = A/z² + B(2S − z)/z³ on one side.
    pub(super) fn terms(&self, above: bool) -> (f64, f64) {
        let KinkedPoolParams {
            base,
            slope1,
            slope2,
            optimal_utilization: kink,
            ..
        } = self.params;
        let (a, b) = if above {
            (base + slope1 - slope2 / (1.0 - kink) * kink, slope2 / (1.0 - kink))
        } else {
            (base, slope1 / kink)
        };
        let kept = 1.0 - self.params.reserve_factor;
        let (debt, supply) = (self.params.borrowed_usd, self.params.supplied_usd);
        (kept * a * debt * supply, kept * b * debt * debt)
    }

    /// The size within bounds at which a dollar more earns `price`: λz³ − (A − B)z − 2BS = 0 by Cardano and Viète.
    fn size_at(&self, price: f64, above: bool, lo: f64, hi: f64) -> f64 {
        let (a, b) = self.terms(above);
        let supply = self.params.supplied_usd;
        let peak = if b > a {
            2.0 * b * supply / (b - a)
        } else {
            f64::INFINITY
        };
        let hi = hi.min(peak - supply).max(lo);
        let (p, q) = ((a - b) / price, 2.0 * b * supply / price);
        let inside = q * q / 4.0 - p * p * p / 27.0;
        let total = if inside >= 0.0 {
            let large = (q / 2.0 + inside.sqrt()).cbrt();
            large + if large == 0.0 { 0.0 } else { p / (3.0 * large) }
        } else {
            let radius = (p / 3.0).sqrt();
            2.0 * radius * ((q / (2.0 * radius * radius * radius)).acos() / 3.0).cos()
        };
        (total - supply).clamp(lo, hi)
    }
}

/// The highest income over all choices of sides, each water-filled by bisection on the price.
pub(super) fn enumerate(pools: &[Pool], capital: f64) -> f64 {
    let crossable: Vec<usize> = (0..pools.len())
        .filter(|&index| pools[index].can_cross(capital))
        .collect();
    let mut best = 0.0_f64;
    let mut bounds = vec![(0.0, 0.0, false); pools.len()];
    let mut sizes = vec![0.0; pools.len()];
    for word in 0..1u32 << crossable.len() {
        for (bound, pool) in bounds.iter_mut().zip(pools) {
            *bound = (0.0, pool.cap.min(capital), pool.kink() > 0.0);
        }
        for (place, &index) in crossable.iter().enumerate() {
            let kink = pools[index].kink();
            bounds[index] = if word >> place & 1 == 1 {
                (kink, pools[index].cap.min(capital), false)
            } else {
                (0.0, kink, true)
            };
        }
        if bounds.iter().map(|bound| bound.0).sum::<f64>() > capital {
            continue;
        }
        let mut fill = |price: f64| {
            for ((size, pool), &(lo, hi, above)) in sizes.iter_mut().zip(pools).zip(&bounds) {
                *size = pool.size_at(price, above, lo, hi);
            }
            sizes.iter().sum::<f64>()
        };
        let (mut low, mut high) = (1e-12, 1e3);
        if fill(low) > capital {
            for _ in 0..90 {
                let middle = (low * high).sqrt();
                *(if fill(middle) > capital { &mut low } else { &mut high }) = middle;
            }
            fill(high);
        }
        best = best.max(pools.iter().zip(&sizes).map(|(pool, &size)| pool.income(size)).sum());
    }
    best
}

/// The highest income of many starts, each climbed by moving capital between two places as long as that earns more.
pub(super) fn climb_from_many(pools: &[Pool], capital: f64, starts: usize, dice: &mut Dice) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..starts {
        // The last place is cash.
        let mut sizes: Vec<f64> = pools.iter().map(|_| dice.unit().powi(2)).collect();
        sizes.push(dice.unit());
        let total: f64 = sizes.iter().sum();
        let mut spare = 0.0;
        for (size, pool) in sizes.iter_mut().zip(pools) {
            let wanted = *size / total * capital;
            *size = wanted.min(pool.cap);
            spare += wanted - *size;
        }
        let cash = sizes.len() - 1;
        sizes[cash] = sizes[cash] / total * capital + spare;
        let income = |place: usize, size: f64| pools.get(place).map_or(0.0, |pool| pool.income(size));
        let mut step = capital / 4.0;
        while step > 1e-7 * capital {
            let mut has_moved = false;
            for from in 0..=cash {
                for to in 0..=cash {
                    let cap = pools.get(to).map_or(f64::INFINITY, |pool| pool.cap);
                    let moved = step.min(sizes[from]).min(cap - sizes[to]);
                    if from == to || moved <= 0.0 {
                        continue;
                    }
                    let gain = income(from, sizes[from] - moved) - income(from, sizes[from])
                        + income(to, sizes[to] + moved)
                        - income(to, sizes[to]);
                    if gain > 1e-12 * capital * 1e-3 {
                        sizes[from] -= moved;
                        sizes[to] += moved;
                        has_moved = true;
                    }
                }
            }
            if !has_moved {
                step /= 2.0;
            }
        }
        best = best.max(sizes.iter().enumerate().map(|(place, &size)| income(place, size)).sum());
    }
    best
}

/// Pools such as are found: some above their kink, within reach of the capital.
pub(super) fn draw(dice: &mut Dice, count: usize, most_crossable: usize) -> (Vec<Pool>, f64) {
    let capital = dice.spread(1e5, 1e8);
    let mut crossable = 0;
    let mut pools = Vec::with_capacity(count);
    while pools.len() < count {
        let kink = dice.between(0.45, 0.95);
        let supplied_usd = capital * dice.spread(0.02, 20.0);
        let wants_crossable = crossable < most_crossable && dice.chance(0.6);
        let used = if wants_crossable {
            dice.between(kink, 1.0)
        } else {
            dice.between(0.05, kink)
        };
        let params = KinkedPoolParams {
            base: if dice.chance(0.5) { 0.0 } else { dice.between(0.0, 0.04) },
            slope1: dice.between(0.01, 0.12),
            slope2: dice.spread(0.05, 4.0),
            optimal_utilization: kink,
            reserve_factor: dice.between(0.0, 0.5),
            supplied_usd,
            borrowed_usd: used * supplied_usd,
        };
        let cap = if dice.chance(0.3) {
            capital * dice.between(0.02, 0.6)
        } else {
            f64::INFINITY
        };
        let pool = Pool { params, cap };
        if pool.can_cross(capital) {
            if crossable == most_crossable {
                continue;
            }
            crossable += 1;
        }
        pools.push(pool);
    }
    (pools, capital)
}
