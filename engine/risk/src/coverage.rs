//! Whether a bound was exceeded as often as it claims, and without clustering: Kupiec's and Christoffersen's tests.

use crate::price_models::chi_squared_upper;

/// A likelihood ratio and its p value by χ².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikelihoodRatio {
    /// −2 ln of the ratio; at least 0.
    pub statistic: f64,
    /// The probability of one at least as large under the hypothesis.
    pub p_value: f64,
}

/// Why coverage cannot be tested.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CoverageError {
    /// A probability of exceptions that is none.
    #[error("the probability of an exception is {expected}, must lie between 0 and 1")]
    Probability {
        /// The probability as printed.
        expected: String,
    },
    /// There are fewer than two outcomes.
    #[error("coverage needs at least 2 outcomes, there are {outcomes}")]
    TooFew {
        /// Count of outcomes.
        outcomes: usize,
    },
}

/// A backtest of a bound: which outcomes exceeded it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Count of outcomes.
    pub outcomes: usize,
    /// Count of those that exceeded their bound.
    pub exceptions: usize,
    /// The share that the bound claims.
    pub expected: f64,
    /// Counts of pairs of neighbours: neither, only the second, only the first, both exceptions.
    pub transitions: [usize; 4],
    /// Whether there are as many exceptions as claimed: proportion of failures (Kupiec 1995, eq. 6), χ² with 1 degree of freedom.
    pub unconditional: LikelihoodRatio,
    /// Whether an exception makes the next more likely: independence against a first-order Markov chain (Christoffersen 1998,
    /// section 3.2), χ² with 1. `None` where there is no exception, or nothing else, among those that have a successor: nothing can
    /// then be said of what follows one.
    pub independence: Option<LikelihoodRatio>,
    /// Both: the sum of the two statistics (Christoffersen 1998, eq. 14), χ² with 2. `None` where there is no independence test.
    pub conditional: Option<LikelihoodRatio>,
}

impl Coverage {
    /// Tests a series of outcomes in time order, each `true` where it exceeded its bound, against a probability of exceptions.
    ///
    /// Outcomes must not overlap in time, or exceptions cluster by construction.
    ///
    /// # Errors
    /// A probability outside of (0, 1); fewer than two outcomes.
    pub fn test(exceeded: &[bool], expected: f64) -> Result<Self, CoverageError> {
        if !(expected > 0.0 && expected < 1.0) {
            let expected = expected.to_string();
            return Err(CoverageError::Probability { expected });
        }
        let outcomes = exceeded.len();
        if outcomes < 2 {
            return Err(CoverageError::TooFew { outcomes });
        }
        let exceptions = exceeded.iter().filter(|exceeded| **exceeded).count();
        let mut transitions = [0; 4];
        for pair in exceeded.windows(2) {
            transitions[2 * usize::from(pair[0]) + usize::from(pair[1])] += 1;
        }
        let unconditional = kupiec(outcomes, exceptions, expected);
        let independence = christoffersen(transitions);
        let conditional = independence.map(|independence| {
            let statistic = unconditional.statistic + independence.statistic;
            LikelihoodRatio::new(statistic, 2.0)
        });
        Ok(Self {
            outcomes,
            exceptions,
            expected,
            transitions,
            unconditional,
            independence,
            conditional,
        })
    }
}

impl LikelihoodRatio {
    fn new(statistic: f64, degrees: f64) -> Self {
        // A ratio of nested likelihoods is at least 0, but for rounding.
        let statistic = statistic.max(0.0);
        Self {
            statistic,
            p_value: chi_squared_upper(degrees, statistic),
        }
    }
}

/// The log-likelihood of so many successes and failures at a probability of success; 0·ln 0 is 0.
fn log_likelihood(successes: usize, failures: usize, probability: f64) -> f64 {
    let term = |count: usize, log: f64| if count == 0 { 0.0 } else { count as f64 * log };
    term(successes, probability.ln()) + term(failures, (-probability).ln_1p())
}

fn kupiec(outcomes: usize, exceptions: usize, expected: f64) -> LikelihoodRatio {
    let failures = outcomes - exceptions;
    let seen = exceptions as f64 / outcomes as f64;
    let ratio = log_likelihood(exceptions, failures, seen) - log_likelihood(exceptions, failures, expected);
    LikelihoodRatio::new(2.0 * ratio, 1.0)
}

fn christoffersen([neither, second, first, both]: [usize; 4]) -> Option<LikelihoodRatio> {
    let (after_calm, after_exception) = (neither + second, first + both);
    if after_calm == 0 || after_exception == 0 {
        return None;
    }
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    let alike = share(second + both, after_calm + after_exception);
    let apart = log_likelihood(second, neither, share(second, after_calm))
        + log_likelihood(both, first, share(both, after_exception));
    let ratio = apart - log_likelihood(second + both, neither + first, alike);
    Some(LikelihoodRatio::new(2.0 * ratio, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(outcomes: usize, exceptions: &[usize]) -> Vec<bool> {
        (0..outcomes).map(|at| exceptions.contains(&at)).collect()
    }

    #[track_caller]
    fn near(got: LikelihoodRatio, statistic: f64, p_value: f64) {
        assert!(
            (got.statistic - statistic).abs() < 5e-5,
            "{got:?}, expected {statistic}"
        );
        assert!((got.p_value - p_value).abs() < 5e-5, "{got:?}, expected {p_value}");
    }

    /// 250 days at 1 %, 7 exceptions: −2 (243 ln 0.99 + 7 ln 0.01 − 243 ln 0.972 − 7 ln 0.028)
    /// = 2 (−6.90107 − 25.02886 + 2.44223 + 32.23619) = 5.49699.
    #[test]
    fn seven_exceptions_in_a_year_by_hand() {
        let coverage = Coverage::test(&series(250, &[10, 40, 80, 120, 160, 200, 240]), 0.01).expect("a test");
        assert_eq!((coverage.exceptions, coverage.transitions), (7, [235, 7, 7, 0]));
        near(coverage.unconditional, 5.49699, 0.01905);
        // π₀₁ = 7/242, π₁₁ = 0, π = 7/249:
        // 2 (235 ln(235/242) + 7 ln(7/242) − 242 ln(242/249) − 7 ln(7/249)) = 2 (−6.89777 − 24.80119 + 6.90067 + 25.00080).
        near(coverage.independence.expect("one"), 0.40502, 0.5245);
        near(coverage.conditional.expect("one"), 5.90201, 0.05229);
    }

    /// Ten days at 10 %, the last two exceptions of an uninterrupted run of three:
    /// pairs 6 neither, 1 second, 0 first, 2 both.
    #[test]
    fn a_run_of_exceptions_is_not_independent() {
        let coverage = Coverage::test(&series(10, &[7, 8, 9]), 0.1).expect("a test");
        assert_eq!(coverage.transitions, [6, 1, 0, 2]);
        // 2 (7 ln 0.7 + 3 ln 0.3 − 7 ln 0.9 − 3 ln 0.1) = 2 (−2.49672 − 3.61192 + 0.73752 + 6.90776).
        near(coverage.unconditional, 3.0733, 0.0796);
        // 2 (6 ln(6/7) + ln(1/7) + 0 − 6 ln(6/9) − 3 ln(3/9)) = 2 (−0.92490 − 1.94591 + 2.43279 + 3.29584).
        near(coverage.independence.expect("one"), 5.7156, 0.0168);
        near(coverage.conditional.expect("one"), 8.7889, 0.0123);
    }

    #[test]
    fn no_exception_and_nothing_but_exceptions_have_a_proportion_and_no_independence() {
        // −2·250·ln 0.99.
        let none = Coverage::test(&series(250, &[]), 0.01).expect("a test");
        near(none.unconditional, 5.0252, 0.0250);
        assert_eq!((none.independence, none.conditional), (None, None));
        let all = Coverage::test(&[true; 3], 0.01).expect("a test");
        // −2·3·ln 0.01.
        near(all.unconditional, 27.6310, 0.0);
        assert_eq!(all.independence, None);
        // Only the last outcome is an exception: none has a successor.
        let last = Coverage::test(&series(100, &[99]), 0.01).expect("a test");
        near(last.unconditional, 0.0, 1.0);
        assert_eq!(last.independence, None);
    }

    #[test]
    fn what_cannot_be_tested_is_refused() {
        assert!(matches!(
            Coverage::test(&[true, false], 0.0),
            Err(CoverageError::Probability { .. })
        ));
        assert!(matches!(
            Coverage::test(&[true, false], f64::NAN),
            Err(CoverageError::Probability { .. })
        ));
        assert_eq!(
            Coverage::test(&[true], 0.01),
            Err(CoverageError::TooFew { outcomes: 1 })
        );
    }
}
