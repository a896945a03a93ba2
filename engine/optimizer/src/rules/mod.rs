//! The rules that allocators in use follow, to be beaten.
//!
//! Each names what every source should hold; what the sources cannot take is left as cash.

mod apy_band;
#[cfg(test)]
mod tests;
mod utilization;

use crate::source::{Kind, Source, YieldSource};

/// A rule of thumb.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// The same for every source.
    EqualWeight,
    /// All to the source with the highest rate of the moment, what it cannot take to the next.
    BestSpotRate,
    /// Pools are brought to one utilization as soon as one is off it by `trigger` or there is cash; 0.025 in use.
    EqualizedUtilization {
        /// A fraction.
        trigger: f64,
    },
    /// Money leaves sources that pay less than `low` until they pay that, and goes to those that pay more than `high` until they do.
    ApyBand {
        /// A yearly fraction.
        low: f64,
        /// A yearly fraction.
        high: f64,
    },
}

impl Rule {
    /// What each source should hold, in USD, given what each holds of `capital_usd`; no source above its ceiling or `max_share` of the
    /// capital.
    pub fn targets(&self, sources: &[Source], holdings_usd: &[f64], capital_usd: f64, max_share: f64) -> Vec<f64> {
        let caps: Vec<f64> = sources
            .iter()
            .map(|source| source.max_usd().min(max_share * capital_usd).max(0.0))
            .collect();
        match *self {
            Self::EqualWeight => equal_weight(&caps, capital_usd),
            Self::BestSpotRate => best_spot_rate(sources, holdings_usd, &caps, capital_usd),
            Self::EqualizedUtilization { trigger } => {
                utilization::equalized(sources, holdings_usd, &caps, capital_usd, trigger)
            }
            Self::ApyBand { low, high } => apy_band::within(sources, holdings_usd, &caps, capital_usd, low, high),
        }
    }

    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EqualWeight => "equal-weight",
            Self::BestSpotRate => "best-spot-rate",
            Self::EqualizedUtilization { .. } => "equalized-utilization",
            Self::ApyBand { .. } => "apy-band",
        }
    }
}

/// What a source pays on each dollar of `size`, a yearly fraction: income ÷ size, of nothing what the first dollar would be paid.
pub(crate) fn rate(source: &Source, size: f64) -> f64 {
    if size > 0.0 {
        source.income_usd_per_year(size) / size
    } else {
        source.marginal_apr(0.0)
    }
}

/// The level L with Σ min(L, cap) = capital.
fn equal_weight(caps: &[f64], capital: f64) -> Vec<f64> {
    let mut order: Vec<f64> = caps.to_vec();
    order.sort_by(f64::total_cmp);
    let (mut left, mut level) = (capital, 0.0);
    for (place, &cap) in order.iter().enumerate() {
        level = left / (order.len() - place) as f64;
        if cap >= level {
            break;
        }
        left -= cap;
        level = cap;
    }
    caps.iter().map(|cap| cap.min(level)).collect()
}

fn best_spot_rate(sources: &[Source], holdings: &[f64], caps: &[f64], capital: f64) -> Vec<f64> {
    let spot = |index: usize| rate(&sources[index], holdings.get(index).copied().unwrap_or(0.0));
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by(|&one, &other| spot(other).total_cmp(&spot(one)).then(one.cmp(&other)));
    let mut targets = vec![0.0; sources.len()];
    let mut left = capital;
    for index in order {
        targets[index] = caps[index].min(left);
        left -= targets[index];
    }
    targets
}

/// (supplied by others, borrowed) of a lending pool, in USD.
fn pool(source: &Source) -> Option<(f64, f64)> {
    match source.kind() {
        Kind::Kinked(pool) => Some((pool.params().supplied_usd, pool.params().borrowed_usd)),
        Kind::Comet(comet) => Some((comet.params().supplied_usd, comet.params().borrowed_usd)),
        Kind::Fixed(_) | Kind::Range(_) => None,
    }
}
