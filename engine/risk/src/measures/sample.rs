/// An estimate from a simulation, and how far a repetition would typically be from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate, in the unit of the sample.
    pub value: f64,
    /// Its standard error, in the unit of the sample. Zero where the whole neighbourhood of the estimate has the same value.
    pub standard_error: f64,
}

/// Why a sample cannot be measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SampleError {
    /// There are no values.
    #[error("the sample is empty")]
    Empty,
    /// The counts of values and weights differ.
    #[error("{values} values have {weights} weights")]
    Counts {
        /// Count of values.
        values: usize,
        /// Count of weights.
        weights: usize,
    },
    /// A value is NaN or infinite.
    #[error("value {index} of the sample is not finite")]
    Value {
        /// Its place, from 0.
        index: usize,
    },
    /// A weight is NaN, infinite or negative.
    #[error("weight {index} of the sample is not a finite number from 0")]
    Weight {
        /// Its place, from 0.
        index: usize,
    },
}

/// Losses of simulated paths, sorted, each with its likelihood weight. The larger a value, the worse.
///
/// Probabilities are sums of weights over the count of paths (weights have mean 1 under the law that paths were drawn from), not over
/// the sum of weights: the tail is then estimated without the error of the centre (Glynn 1996, section 3).
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
    weights: Vec<f64>,
    /// Of each place the sum of the weights from there on, and of their squares; one more place with zeros.
    tail: Vec<(f64, f64)>,
}

impl Sample {
    /// A sample of paths drawn by their own law.
    ///
    /// # Errors
    /// No values, or one that is not finite.
    pub fn new(values: &[f64]) -> Result<Self, SampleError> {
        Self::weighted(values, &vec![1.0; values.len()])
    }

    /// A sample drawn by importance sampling, with each path's likelihood ratio.
    ///
    /// # Errors
    /// No values, counts that differ, a value that is not finite, a weight that is negative or not finite.
    pub fn weighted(values: &[f64], weights: &[f64]) -> Result<Self, SampleError> {
        if values.is_empty() {
            return Err(SampleError::Empty);
        }
        if values.len() != weights.len() {
            return Err(SampleError::Counts {
                values: values.len(),
                weights: weights.len(),
            });
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(SampleError::Value { index });
        }
        if let Some(index) = weights
            .iter()
            .position(|weight| !(weight.is_finite() && *weight >= 0.0))
        {
            return Err(SampleError::Weight { index });
        }
        let mut pairs: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut tail = vec![(0.0, 0.0); pairs.len() + 1];
        for place in (0..pairs.len()).rev() {
            let (sum, squares) = tail[place + 1];
            let weight = pairs[place].1;
            tail[place] = (sum + weight, squares + weight * weight);
        }
        let (values, weights) = pairs.into_iter().unzip();
        Ok(Self { values, weights, tail })
    }

    /// Count of paths.
    #[must_use]
    pub fn paths(&self) -> usize {
        self.values.len()
    }

    /// The count of equally weighted paths that would be worth as much: (Σw)²/Σw² (Kish 1965).
    #[must_use]
    pub fn effective_paths(&self) -> f64 {
        let (sum, squares) = self.tail[0];
        sum * sum / squares
    }

    /// The mean, with s/√n.
    #[must_use]
    pub fn mean(&self) -> Estimate {
        self.mean_of(|value| value)
    }

    /// The probability of more than `threshold`.
    #[must_use]
    pub fn exceedance(&self, threshold: f64) -> Estimate {
        let first = self.values.partition_point(|value| *value <= threshold);
        let (value, standard_error) = self.tail_probability(first);
        Estimate { value, standard_error }
    }

    /// The quantile at `level`: the least value of the sample that is exceeded with an estimated probability of at most 1 − level.
    /// Without weights it is the order statistic ⌈n·level⌉ (Hyndman, Fan 1996, definition 1).
    ///
    /// Its error is half of the distance between the quantiles at one standard error of the exceedance probability on either side
    /// (Woodruff 1952), which needs no density.
    #[must_use]
    pub fn quantile(&self, level: f64) -> Estimate {
        let beyond = 1.0 - level;
        let place = self.place(beyond);
        let value = self.values[place];
        // The probability's error is taken at the quantile, from the weights beyond it.
        let n = self.values.len() as f64;
        let (_, squares) = self.tail[place + 1];
        let error = ((squares / n - beyond * beyond)
            .max(0.0)
            .max(self.least_variance(beyond))
            / n)
            .sqrt();
        let low = self.values[self.place(beyond + error)];
        let high = self.values[self.place(beyond - error)];
        Estimate {
            value,
            standard_error: 0.5 * (high - low),
        }
    }

    /// The expected shortfall at `level`: q + E(x − q)⁺/(1 − level), q the quantile (Rockafellar, Uryasev 2002, theorem 10; for a
    /// sample this is the mean of the worst 1 − level, a path on the border counting in part).
    ///
    /// Its error is that of the mean of (x − q)⁺/(1 − level); the quantile's own error does not enter at first order, since q
    /// minimizes the expression.
    #[must_use]
    pub fn expected_shortfall(&self, level: f64) -> Estimate {
        let beyond = 1.0 - level;
        let quantile = self.values[self.place(beyond)];
        let excess = self.mean_of(|value| (value - quantile).max(0.0) / beyond);
        Estimate {
            value: quantile + excess.value,
            standard_error: excess.standard_error,
        }
    }

    /// The place of the quantile that is exceeded with probability `beyond`.
    fn place(&self, beyond: f64) -> usize {
        // A level such as 0.9 leaves a little less than 0.1.
        let most = beyond * self.values.len() as f64 * (1.0 + 1e-12);
        let place = self.tail[1..].partition_point(|(sum, _)| *sum > most);
        place.min(self.values.len() - 1)
    }

    /// The variance of one path's indicator without weights: where nothing lies beyond, the weights say nothing.
    fn least_variance(&self, beyond: f64) -> f64 {
        if self.tail[0].0 == self.tail[0].1 {
            beyond * (1.0 - beyond)
        } else {
            0.0
        }
    }

    fn tail_probability(&self, first: usize) -> (f64, f64) {
        let n = self.values.len() as f64;
        let (sum, squares) = self.tail[first];
        let probability = sum / n;
        (
            probability,
            ((squares / n - probability * probability).max(0.0) / n).sqrt(),
        )
    }

    fn mean_of(&self, of: impl Fn(f64) -> f64) -> Estimate {
        let n = self.values.len() as f64;
        let products = || {
            self.values
                .iter()
                .zip(&self.weights)
                .map(|(value, weight)| weight * of(*value))
        };
        let value = products().sum::<f64>() / n;
        let squares: f64 = products().map(|product| (product - value).powi(2)).sum();
        Estimate {
            value,
            standard_error: (squares / n / (n - 1.0).max(1.0)).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_order_statistics() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let sample = Sample::new(&values).expect("a sample");
        for level in [0.5, 0.9, 0.95, 0.99] {
            assert_eq!(sample.quantile(level).value, (100.0 * level).round(), "{level}");
        }
        assert_eq!(sample.quantile(0.501).value, 51.0);
        assert_eq!(sample.quantile(1.0).value, 100.0);
        assert_eq!(sample.quantile(0.0).value, 1.0);
        // The worst five are 96 to 100.
        assert!((sample.expected_shortfall(0.95).value - 98.0).abs() < 1e-9);
        assert_eq!(sample.exceedance(97.0).value, 0.03);
        assert_eq!(sample.mean().value, 50.5);
    }

    #[test]
    fn woodruffs_error_by_hand() {
        // n = 100 at 0.9: ten beyond, √(0.1·0.9/100) = 0.03: seven and thirteen beyond are 93 and 87.
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(
            Sample::new(&values).expect("a sample").quantile(0.9).standard_error,
            3.0
        );
    }

    #[test]
    fn a_path_of_weight_two_counts_as_two_of_half_the_rest() {
        // Four paths of weights that sum to four; the worst has probability 0.1, the next 0.4.
        let sample = Sample::weighted(&[3.0, 1.0, 4.0, 2.0], &[1.6, 1.0, 0.4, 1.0]).expect("a sample");
        assert_eq!(sample.exceedance(3.0).value, 0.1);
        assert_eq!(sample.quantile(0.9).value, 3.0);
        assert_eq!(sample.quantile(0.95).value, 4.0);
        // More than 2 has probability (1.6 + 0.4)/4.
        assert_eq!(sample.quantile(0.6).value, 3.0);
        assert_eq!(sample.quantile(0.5).value, 2.0);
        // Worst 0.2: 0.1 at 4, 0.1 at 3.
        assert!((sample.expected_shortfall(0.8).value - 3.5).abs() < 1e-12);
    }

    #[test]
    fn a_loss_that_is_nearly_always_zero_has_a_zero_quantile_and_a_shortfall() {
        let mut values = vec![0.0; 995];
        values.extend([1.0, 2.0, 3.0, 4.0, 10.0]);
        let sample = Sample::new(&values).expect("a sample");
        assert_eq!(
            sample.quantile(0.95),
            Estimate {
                value: 0.0,
                standard_error: 0.0
            }
        );
        assert!((sample.expected_shortfall(0.99).value - 2.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        assert_eq!(Sample::new(&[]), Err(SampleError::Empty));
        assert_eq!(Sample::new(&[1.0, f64::NAN]), Err(SampleError::Value { index: 1 }));
        assert_eq!(Sample::weighted(&[1.0], &[-1.0]), Err(SampleError::Weight { index: 0 }));
        assert_eq!(
            Sample::weighted(&[1.0], &[]),
            Err(SampleError::Counts { values: 1, weights: 0 })
        );
    }
}
