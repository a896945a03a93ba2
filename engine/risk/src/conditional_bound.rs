//! A bound on the next outcome of a series that comes in storms, from its past alone.

/// An upper bound on the next value of a series of amounts: a scale that follows the recent past, times a quantile of what values were
/// of their scale before.
///
/// It is filtered historical simulation of one step (Barone-Adesi, Giannopoulos, Vosper 1999, section 2) with a mean in place of a
/// deviation, for amounts that are mostly zero: S = EWMA(values) + floor·mean(values), ratio = value/S. The bound is S times the ratio of
/// rank ⌈(n + 1)·level⌉, which an exchangeable next one exceeds with probability at most 1 − level (Vovk, Gammerman, Shafer 2005,
/// proposition 2.3). What it has not been told of it cannot use: a value is observed after its bound was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalBound {
    level: f64,
    decay: f64,
    floor: f64,
    warm_up: usize,
    count: usize,
    total: f64,
    smoothed: f64,
    /// Ascending.
    ratios: Vec<f64>,
}

/// Why there is no such bound.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{parameter} is {value}, must be {range}")]
pub struct ConditionalBoundError {
    /// The parameter.
    pub parameter: &'static str,
    /// Its value as printed.
    pub value: String,
    /// What it may be, in words.
    pub range: &'static str,
}

impl ConditionalBound {
    /// A bound at `level` (0.99), its scale's EWMA losing 1 − `decay` a step, with `floor` of the whole past's mean beside it so that a
    /// calm does not make the first loss after it infinite; asked for once `warm_up` ratios are known.
    ///
    /// # Errors
    /// A level or decay outside of (0, 1), a floor that is not positive and finite, a warm-up too short for the level's rank.
    pub fn new(level: f64, decay: f64, floor: f64, warm_up: usize) -> Result<Self, ConditionalBoundError> {
        let error = |parameter, value: f64, range| {
            let value = value.to_string();
            Err(ConditionalBoundError {
                parameter,
                value,
                range,
            })
        };
        for (parameter, value) in [("level", level), ("decay", decay)] {
            if !(value > 0.0 && value < 1.0) {
                return error(parameter, value, "between 0 and 1");
            }
        }
        if !(floor > 0.0 && floor.is_finite()) {
            return error("floor", floor, "positive and finite");
        }
        if rank(level, warm_up) > warm_up {
            return error("warm-up", warm_up as f64, "level/(1 − level) or more");
        }
        Ok(Self {
            level,
            decay,
            floor,
            warm_up,
            count: 0,
            total: 0.0,
            smoothed: 0.0,
            ratios: Vec::new(),
        })
    }

    /// The bound on the next value, in its unit; `None` before the warm-up is over.
    #[must_use]
    pub fn bound(&self) -> Option<f64> {
        if self.ratios.len() < self.warm_up {
            return None;
        }
        let ratio = self.ratios.get(rank(self.level, self.ratios.len()).checked_sub(1)?)?;
        Some(self.scale() * ratio)
    }

    /// Takes in the next value. A value before the first that is above 0 has no scale, and makes no ratio.
    ///
    /// # Errors
    /// A value that is negative or not finite.
    pub fn observe(&mut self, value: f64) -> Result<(), ConditionalBoundError> {
        if !(value.is_finite() && value >= 0.0) {
            let value = value.to_string();
            let (parameter, range) = ("value", "finite, 0 or more");
            return Err(ConditionalBoundError {
                parameter,
                value,
                range,
            });
        }
        let scale = self.scale();
        if scale > 0.0 {
            let ratio = value / scale;
            let place = self.ratios.partition_point(|known| *known < ratio);
            self.ratios.insert(place, ratio);
        }
        self.smoothed = match self.count {
            0 => value,
            _ => self.decay * self.smoothed + (1.0 - self.decay) * value,
        };
        self.count += 1;
        self.total += value;
        Ok(())
    }

    fn scale(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        self.smoothed + self.floor * self.total / self.count as f64
    }
}

/// ⌈(n + 1)·level⌉, from 1.
fn rank(level: f64, count: usize) -> usize {
    // Less a little, so that 100·0.99 is 99.
    let rank = ((count + 1) as f64 * level - 1e-9).ceil();
    rank.max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_by_hand() {
        let mut bound = ConditionalBound::new(0.5, 0.5, 1.0, 1).expect("a bound");
        assert_eq!(bound.bound(), None);
        for value in [0.0, 4.0] {
            bound.observe(value).expect("an amount");
        }
        // Nothing yet to compare the 4 with; the scale is 0.5·0 + 0.5·4 = 2, and the mean 2 beside.
        assert_eq!((bound.bound(), bound.scale()), (None, 4.0));
        bound.observe(2.0).expect("an amount");
        // A ratio of 2/4; the scale is now 0.5·2 + 0.5·2 = 2, and the mean 2.
        assert_eq!((bound.bound(), bound.scale()), (Some(2.0), 4.0));
        bound.observe(8.0).expect("an amount");
        // Ratios 0.5 and 2, rank ⌈1.5⌉; the scale is 5 + 14/4.
        assert_eq!((bound.bound(), bound.scale()), (Some(17.0), 8.5));
    }

    #[test]
    fn a_series_of_one_law_exceeds_as_often_as_claimed() {
        let mut bound = ConditionalBound::new(0.9, 0.94, 0.01, 100).expect("a bound");
        let mut state = 1u64;
        let (mut outcomes, mut exceptions) = (0, 0);
        for _ in 0..4_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = -((state >> 11) as f64 / (1u64 << 53) as f64 + 1e-17).ln();
            if let Some(limit) = bound.bound() {
                outcomes += 1;
                exceptions += u32::from(value > limit);
            }
            bound.observe(value).expect("an amount");
        }
        assert_eq!(outcomes, 3_899);
        // 390 ± 19.
        assert!(exceptions.abs_diff(390) < 57, "{exceptions}");
    }

    #[test]
    fn what_cannot_be_bounded_is_refused() {
        assert_eq!(
            ConditionalBound::new(1.0, 0.9, 0.1, 99).expect_err("refused").parameter,
            "level"
        );
        assert_eq!(
            ConditionalBound::new(0.99, 0.0, 0.1, 99)
                .expect_err("refused")
                .parameter,
            "decay"
        );
        assert_eq!(
            ConditionalBound::new(0.99, 0.9, 0.0, 99)
                .expect_err("refused")
                .parameter,
            "floor"
        );
        assert_eq!(
            ConditionalBound::new(0.99, 0.9, 0.1, 98)
                .expect_err("refused")
                .parameter,
            "warm-up"
        );
        let mut bound = ConditionalBound::new(0.99, 0.9, 0.1, 99).expect("a bound");
        for value in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(bound.observe(value).is_err());
        }
    }
}
