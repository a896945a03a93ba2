/// Scenarios of prices: each a path of factors on every asset's price, with a weight.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorPaths {
    assets: usize,
    steps: usize,
    /// By scenario, then by step, then by asset.
    factors: Vec<f64>,
    weights: Vec<f64>,
}

/// Which scenarios are held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldOut {
    /// Every second one: for simulated scenarios, which know no order.
    EverySecond,
    /// The last half: for history, whose neighbours are alike.
    LastHalf,
}

/// Why numbers are no scenarios.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathsError {
    /// Not so many factors as scenarios, steps and assets ask for, or none.
    #[error("{given} factors are no whole number of scenarios of {steps} steps and {assets} assets")]
    Shape {
        /// Factors that are there.
        given: usize,
        /// Steps of a scenario.
        steps: usize,
        /// Assets of a step.
        assets: usize,
    },
    /// A factor that leaves no price.
    #[error("scenario {scenario}, step {step}, asset {asset}: the factor is {value}, expected one above 0")]
    NoPrice {
        /// The scenario, the first is 0.
        scenario: usize,
        /// The step, the first is 0.
        step: usize,
        /// The asset, by its place.
        asset: usize,
        /// What is there.
        value: String,
    },
    /// A weight that is none, or not one a scenario.
    #[error("weights: one a scenario is expected, none below 0 and not all 0")]
    Weights,
}

impl FactorPaths {
    /// Scenarios by their factors, by scenario, then by step, then by asset; all weigh the same without weights.
    ///
    /// # Errors
    /// Another number of factors or weights, or one that cannot be.
    pub fn new(assets: usize, steps: usize, factors: Vec<f64>, weights: Option<Vec<f64>>) -> Result<Self, PathsError> {
        let each = assets.saturating_mul(steps);
        let shape = PathsError::Shape {
            given: factors.len(),
            steps,
            assets,
        };
        if each == 0 || factors.is_empty() || !factors.len().is_multiple_of(each) {
            return Err(shape);
        }
        if let Some(at) = factors.iter().position(|factor| !(*factor > 0.0 && factor.is_finite())) {
            return Err(PathsError::NoPrice {
                scenario: at / each,
                step: at % each / assets,
                asset: at % assets,
                value: factors[at].to_string(),
            });
        }
        let many = factors.len() / each;
        let weights = weights.unwrap_or_else(|| vec![1.0; many]);
        let fit = |weight: &f64| *weight >= 0.0 && weight.is_finite();
        let total: f64 = weights.iter().sum();
        if weights.len() != many || !weights.iter().all(fit) || !(total > 0.0 && total.is_finite()) {
            return Err(PathsError::Weights);
        }
        Ok(Self {
            assets,
            steps,
            factors,
            weights,
        })
    }

    /// Scenarios by their final factors, each reached in so many equal steps of log prices.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn in_equal_steps(
        assets: usize,
        steps: usize,
        finals: &[f64],
        weights: Option<Vec<f64>>,
    ) -> Result<Self, PathsError> {
        let mut factors = Vec::with_capacity(finals.len().saturating_mul(steps));
        for last in finals.chunks(assets.max(1)) {
            for step in 1..=steps {
                let part = step as f64 / steps as f64;
                // The last step is the factor itself, to the last bit.
                factors.extend(
                    last.iter()
                        .map(|factor| if step == steps { *factor } else { factor.powf(part) }),
                );
            }
        }
        Self::new(assets, steps, factors, weights)
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there is none; never so.
    pub const fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Assets of a step.
    pub const fn assets(&self) -> usize {
        self.assets
    }

    /// A scenario's steps, each one factor an asset.
    pub fn path(&self, scenario: usize) -> impl DoubleEndedIterator<Item = &[f64]> {
        let each = self.steps * self.assets;
        self.factors[scenario * each..(scenario + 1) * each].chunks(self.assets)
    }

    /// What a scenario weighs; only ratios matter.
    pub fn weight(&self, scenario: usize) -> f64 {
        self.weights[scenario]
    }

    /// The scenarios to fit to, and those that are held out.
    pub(super) fn halves(&self, hold_out: HoldOut) -> [Sample; 2] {
        let many = self.len();
        let is_fit = |scenario: usize| match hold_out {
            HoldOut::EverySecond => scenario.is_multiple_of(2),
            HoldOut::LastHalf => scenario < many.div_ceil(2),
        };
        [true, false].map(|fit| {
            let scenarios: Vec<usize> = (0..many).filter(|scenario| is_fit(*scenario) == fit).collect();
            let weights: Vec<f64> = scenarios.iter().map(|scenario| self.weights[*scenario]).collect();
            Sample {
                total: weights.iter().fold(0.0, |sum, weight| sum + weight),
                weights,
                scenarios,
            }
        })
    }
}

/// Some of the scenarios.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) scenarios: Vec<usize>,
    /// As they were given: so equal ones add up exactly.
    pub(super) weights: Vec<f64>,
    pub(super) total: f64,
}

impl Sample {
    /// Whether there is anything that weighs.
    pub(super) fn is_void(&self) -> bool {
        self.total <= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_scenarios_are_refused_by_their_place() {
        let new = |factors: Vec<f64>, weights| FactorPaths::new(2, 2, factors, weights);
        assert!(matches!(
            new(vec![1.0; 6], None),
            Err(PathsError::Shape { given: 6, .. })
        ));
        assert!(matches!(new(vec![], None), Err(PathsError::Shape { .. })));
        let mut factors = vec![1.0; 8];
        factors[7] = 0.0;
        let text = new(factors, None).expect_err("refused").to_string();
        assert_eq!(
            text,
            "scenario 1, step 1, asset 1: the factor is 0, expected one above 0"
        );
        for weights in [vec![1.0], vec![1.0, -1.0], vec![0.0, 0.0], vec![f64::NAN, 1.0]] {
            assert_eq!(new(vec![1.0; 8], Some(weights)), Err(PathsError::Weights));
        }
    }

    #[test]
    fn halves_are_apart_and_keep_their_weights() {
        let paths = FactorPaths::new(1, 1, vec![0.1, 0.2, 0.3], Some(vec![1.0, 5.0, 3.0])).expect("three");
        let [fit, held_out] = paths.halves(HoldOut::EverySecond);
        assert_eq!(
            (fit.scenarios, fit.weights, fit.total),
            (vec![0, 2], vec![1.0, 3.0], 4.0)
        );
        assert_eq!(
            (held_out.scenarios, held_out.weights, held_out.total),
            (vec![1], vec![5.0], 5.0)
        );
        let [fit, held_out] = paths.halves(HoldOut::LastHalf);
        assert_eq!((fit.scenarios, held_out.scenarios), (vec![0, 1], vec![2]));
    }

    #[test]
    fn equal_steps_end_at_the_factor() {
        let paths = FactorPaths::in_equal_steps(1, 2, &[0.25, 0.81], None).expect("two");
        let steps: Vec<f64> = (0..2)
            .flat_map(|scenario| paths.path(scenario).flatten().copied())
            .collect();
        assert_eq!(steps, [0.5, 0.25, 0.9, 0.81]);
    }
}
