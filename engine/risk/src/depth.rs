use crate::{BeyondPools, PoolDepth};

/// What selling an asset does to its price.
#[derive(Debug, Clone, PartialEq)]
pub enum Depth {
    /// As a table of depths says, by USD sold.
    Curve(DepthCurve),
    /// As exact pools say, by tokens sold; their fees count as a fall of what a sale brings.
    Pools(PoolDepth),
    /// Nothing: an assumption, for want of anything known.
    Unlimited,
}

/// What has been sold of an asset since its price was last whole.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sold {
    /// USD, each sale at the price that its round began with.
    pub usd: f64,
    /// Token units.
    pub tokens: f64,
}

/// More was sold than the depth is known for.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{sold_usd:.0} USD sold, and the liquidity ends at {most_usd:.0} USD")]
pub struct BeyondDepth {
    /// What was sold. USD.
    pub sold_usd: f64,
    /// What is known. USD; of pools, which count tokens, at the mean price of what was sold.
    pub most_usd: f64,
}

impl Depth {
    /// How far the price has fallen after a sale, as a fraction from 0 to 1 of what it was before any.
    ///
    /// # Errors
    /// More is sold than is known of, and `extrapolate` is not set.
    pub fn fall(&self, sold: Sold, extrapolate: bool) -> Result<f64, BeyondDepth> {
        match self {
            Self::Curve(curve) => curve.fall(sold.usd, extrapolate),
            Self::Pools(pools) => pools
                .fall(sold.tokens, extrapolate)
                .map_err(|beyond| sold.beyond(beyond)),
            Self::Unlimited => Ok(0.0),
        }
    }

    /// The same depth with all amounts times a factor: −80 % of the liquidity is a factor of 0.2.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        match self {
            Self::Curve(curve) => Self::Curve(curve.scaled(factor)),
            Self::Pools(pools) => Self::Pools(pools.scaled(factor)),
            Self::Unlimited => Self::Unlimited,
        }
    }

    /// The depth after a fall of the whole market to `factor` of a price, from 0 to 1: pools have been traded down along their ranges, a
    /// table of depths counts from any price. `None` where no liquidity is left.
    #[must_use]
    pub fn after_fall(&self, factor: f64) -> Option<Self> {
        match self {
            Self::Pools(pools) => pools.after_fall(factor).map(Self::Pools),
            Self::Curve(_) | Self::Unlimited => Some(self.clone()),
        }
    }

    /// How far the price lies below the whole one on average while `more` is sold after `before`, as a fraction.
    ///
    /// # Errors
    /// More is sold than is known of, and `extrapolate` is not set.
    pub fn mean_fall(&self, before: Sold, more: Sold, extrapolate: bool) -> Result<f64, BeyondDepth> {
        match self {
            Self::Curve(curve) => curve.mean_fall(before.usd, more.usd, extrapolate),
            Self::Pools(pools) => pools
                .mean_fall(before.tokens, more.tokens, extrapolate)
                .map_err(|beyond| before.and(more).beyond(beyond)),
            Self::Unlimited => Ok(0.0),
        }
    }
}

impl Sold {
    /// Both together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            usd: self.usd + more.usd,
            tokens: self.tokens + more.tokens,
        }
    }

    /// What pools take, in USD at the sales' mean price.
    fn beyond(self, pools: BeyondPools) -> BeyondDepth {
        BeyondDepth {
            sold_usd: self.usd,
            most_usd: pools.most * (self.usd / self.tokens),
        }
    }
}

/// How far a price falls by what is sold: piecewise linear in USD, through nothing sold, no fall.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthCurve {
    /// USD sold at each corner, the first is 0.
    usd: Vec<f64>,
    /// The fall there, the first is 0.
    fall: Vec<f64>,
    /// The fall summed over what is sold up to there.
    area: Vec<f64>,
}

impl DepthCurve {
    /// A curve through corners (USD sold, fall as a fraction), in order; the corner without a sale may be left out.
    ///
    /// # Errors
    /// The place of the first corner that does not grow in both, or that is no number.
    pub fn new(corners: &[(f64, f64)]) -> Result<Self, usize> {
        let mut curve = Self {
            usd: vec![0.0],
            fall: vec![0.0],
            area: vec![0.0],
        };
        for (place, &(usd, fall)) in corners.iter().enumerate() {
            if place == 0 && usd == 0.0 && fall == 0.0 {
                continue;
            }
            let (last_usd, last_fall, last_area) = curve.corner(curve.usd.len() - 1);
            // Written so that what is no number fails too.
            if !(usd.is_finite() && usd > last_usd && fall > last_fall && fall <= 1.0) {
                return Err(place);
            }
            curve.usd.push(usd);
            curve.fall.push(fall);
            curve.area.push(last_area + (usd - last_usd) * (fall + last_fall) / 2.0);
        }
        if curve.usd.len() == 1 {
            return Err(0);
        }
        Ok(curve)
    }

    /// Several curves sold into at once, so that all fall alike: the best split. Where one ends before another, nothing more is sold
    /// into it.
    #[must_use]
    pub fn best_split(curves: &[Self]) -> Self {
        if let [only] = curves {
            return only.clone();
        }
        let mut falls: Vec<f64> = curves.iter().flat_map(|curve| curve.fall.iter().copied()).collect();
        falls.sort_by(f64::total_cmp);
        falls.dedup();
        let usd: Vec<f64> = falls
            .iter()
            .map(|fall| curves.iter().map(|curve| curve.usd_for(*fall)).sum())
            .collect();
        let mut area = vec![0.0];
        for at in 1..usd.len() {
            area.push(area[at - 1] + (usd[at] - usd[at - 1]) * (falls[at] + falls[at - 1]) / 2.0);
        }
        Self { usd, fall: falls, area }
    }

    /// The corners: USD sold, and the fall there as a fraction.
    pub fn corners(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.usd.iter().copied().zip(self.fall.iter().copied())
    }

    /// The most that it is known for. USD.
    #[must_use]
    pub fn most_usd(&self) -> f64 {
        self.usd[self.usd.len() - 1]
    }

    /// The curve with all amounts times a factor: −80 % of the liquidity is a factor of 0.2.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let times = |values: &[f64]| values.iter().map(|value| value * factor).collect();
        Self {
            usd: times(&self.usd),
            fall: self.fall.clone(),
            area: times(&self.area),
        }
    }

    /// The fall after a sale, as a fraction of at most 1.
    ///
    /// # Errors
    /// More is sold than is known of, and `extrapolate` is not set; with it the last stretch goes on.
    pub fn fall(&self, usd: f64, extrapolate: bool) -> Result<f64, BeyondDepth> {
        let stretch = self.stretch(usd, extrapolate)?;
        let (from, fall, _) = self.corner(stretch);
        Ok((fall + (usd - from) * self.slope(stretch)).min(1.0))
    }

    /// The mean fall over a sale of `more` after a sale of `before`, as a fraction.
    ///
    /// # Errors
    /// As [`Self::fall`].
    pub fn mean_fall(&self, before: f64, more: f64, extrapolate: bool) -> Result<f64, BeyondDepth> {
        if more <= 0.0 {
            return self.fall(before, extrapolate);
        }
        let until = self.area_at(before + more, extrapolate)?;
        Ok(((until - self.area_at(before, extrapolate)?) / more).min(1.0))
    }

    fn area_at(&self, usd: f64, extrapolate: bool) -> Result<f64, BeyondDepth> {
        let stretch = self.stretch(usd, extrapolate)?;
        let (from, fall, area) = self.corner(stretch);
        let over = usd - from;
        Ok(area + over * (fall + over * self.slope(stretch) / 2.0))
    }

    /// USD sold for a fall, the last corner's beyond it.
    fn usd_for(&self, fall: f64) -> f64 {
        let end = self.fall.partition_point(|corner| *corner < fall);
        if end == self.fall.len() {
            return self.most_usd();
        }
        if end == 0 {
            return 0.0;
        }
        let (usd, corner, _) = self.corner(end - 1);
        usd + (fall - corner) / self.slope(end - 1)
    }

    fn corner(&self, place: usize) -> (f64, f64, f64) {
        (self.usd[place], self.fall[place], self.area[place])
    }

    fn slope(&self, stretch: usize) -> f64 {
        (self.fall[stretch + 1] - self.fall[stretch]) / (self.usd[stretch + 1] - self.usd[stretch])
    }

    /// The stretch that an amount lies in, by its first corner.
    fn stretch(&self, usd: f64, extrapolate: bool) -> Result<usize, BeyondDepth> {
        if usd > self.most_usd() && !extrapolate {
            return Err(BeyondDepth {
                sold_usd: usd,
                most_usd: self.most_usd(),
            });
        }
        let last = self.usd.len() - 2;
        Ok(self.usd[1..].partition_point(|corner| *corner < usd).min(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> DepthCurve {
        DepthCurve::new(&[(100.0, 0.02), (300.0, 0.10)]).expect("it grows")
    }

    #[test]
    fn falls_lie_on_straight_lines_between_corners() {
        let curve = curve();
        assert_eq!(curve.fall(0.0, false), Ok(0.0));
        assert_eq!(curve.fall(50.0, false), Ok(0.01));
        assert_eq!(curve.fall(100.0, false), Ok(0.02));
        // 0.02 + 100 / 200 of 0.08.
        assert!((curve.fall(200.0, false).expect("known") - 0.06).abs() < 1e-15);
        assert!((curve.fall(300.0, false).expect("known") - 0.10).abs() < 1e-15);
    }

    #[test]
    fn beyond_the_last_corner_nothing_is_known_unless_it_is_extrapolated() {
        let error = curve().fall(301.0, false).expect_err("unknown");
        assert_eq!((error.sold_usd, error.most_usd), (301.0, 300.0));
        // Another 200 at 0.08 / 200.
        assert!((curve().fall(500.0, true).expect("extrapolated") - 0.18).abs() < 1e-15);
        assert_eq!(curve().fall(1e9, true), Ok(1.0));
    }

    #[test]
    fn the_mean_fall_is_the_area_under_the_curve() {
        // (100 · 0.01 + 100 · (0.02 + 0.06) / 2) / 200 = (1 + 4) / 200.
        assert!((curve().mean_fall(0.0, 200.0, false).expect("known") - 0.025).abs() < 1e-15);
        // From 50 to 150: 50 · 0.015 + 50 · 0.03 = 2.25, of 100.
        assert!((curve().mean_fall(50.0, 100.0, false).expect("known") - 0.0225).abs() < 1e-15);
    }

    #[test]
    fn a_split_falls_alike_everywhere() {
        let both = DepthCurve::best_split(&[curve(), DepthCurve::new(&[(50.0, 0.05)]).expect("it grows")]);
        // At 2 %: 100 of the first, 20 of the second.
        assert!((both.fall(120.0, false).expect("known") - 0.02).abs() < 1e-15);
        // At 5 %: 175 of the first, and the second ends at 50.
        assert!((both.fall(225.0, false).expect("known") - 0.05).abs() < 1e-15);
        assert!((both.most_usd() - 350.0).abs() < 1e-12);
    }

    #[test]
    fn a_curve_that_does_not_grow_is_refused_by_its_place() {
        assert_eq!(DepthCurve::new(&[(100.0, 0.02), (100.0, 0.03)]), Err(1));
        assert_eq!(DepthCurve::new(&[(100.0, 0.02), (200.0, 0.02)]), Err(1));
        assert_eq!(DepthCurve::new(&[(f64::NAN, 0.02)]), Err(0));
        assert_eq!(DepthCurve::new(&[(0.0, 0.0)]), Err(0));
    }
}
