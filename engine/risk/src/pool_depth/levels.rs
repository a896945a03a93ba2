use super::{BeyondPools, walk::Walk};

/// All pools as one without a fee: stretches of levels, from the best down. A level is the root of what the next unit brings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    /// What was sold before each stretch. Token units.
    tokens: Vec<f64>,
    stretches: Vec<Stretch>,
    /// What is sold after the last one.
    most: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    /// The level that it begins with.
    level: f64,
    /// How far that lies below the first level, as a fraction of it.
    fallen: f64,
    /// What was brought before.
    value: f64,
    /// The liquidity.
    strength: f64,
}

/// Where a sale ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct After {
    pub(super) level: f64,
    /// How far the level has fallen, as a fraction of the first one.
    pub(super) fallen: f64,
    pub(super) value: f64,
    /// The stretch, by its place.
    stretch: usize,
}

impl Levels {
    /// `None` where there is no liquidity.
    pub(super) fn of(pools: &[&Walk]) -> Option<Self> {
        let mut ends: Vec<f64> = pools.iter().flat_map(|pool| pool.levels()).collect();
        ends.sort_by(|a, b| b.total_cmp(a));
        ends.dedup();
        let (mut tokens, mut stretches) = (Vec::new(), Vec::new());
        let first = *ends.first()?;
        let (mut sold, mut value) = (0.0, 0.0);
        for pair in ends.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let strength: f64 = pools.iter().map(|pool| pool.strength_below(from)).sum();
            if strength <= 0.0 {
                continue;
            }
            tokens.push(sold);
            stretches.push(Stretch {
                level: from,
                fallen: (first - from) / first,
                value,
                strength,
            });
            let over = strength * (from - to);
            value += over;
            // Without an end, what is sold has none either.
            sold += over / (from * to);
        }
        (!stretches.is_empty()).then_some(Self {
            tokens,
            stretches,
            most: sold,
        })
    }

    /// The level before any sale.
    pub(super) fn first(&self) -> f64 {
        self.stretches[0].level
    }

    pub(super) const fn most_tokens(&self) -> f64 {
        self.most
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        let times = |stretch: &Stretch| Stretch {
            value: stretch.value * factor,
            strength: stretch.strength * factor,
            ..*stretch
        };
        Self {
            tokens: self.tokens.iter().map(|tokens| tokens * factor).collect(),
            stretches: self.stretches.iter().map(times).collect(),
            most: self.most * factor,
        }
    }

    /// Where a sale ends; at the end of a stretch it has not begun the next one.
    pub(super) fn after(&self, tokens: f64, extrapolate: bool) -> Result<After, BeyondPools> {
        if tokens > self.most && !extrapolate {
            return Err(BeyondPools {
                sold: tokens,
                most: self.most,
            });
        }
        let place = self.tokens[1..].partition_point(|before| *before < tokens);
        let stretch = self.stretches[place];
        let over = (tokens - self.tokens[place]).max(0.0);
        // The level falls from q to q / (1 + x).
        let x = over * stretch.level / stretch.strength;
        let below = if x.is_finite() { x / (1.0 + x) } else { 1.0 };
        Ok(After {
            level: stretch.level / (1.0 + x),
            fallen: stretch.fallen + (1.0 - stretch.fallen) * below,
            value: stretch.value + stretch.strength * stretch.level * below,
            stretch: place,
        })
    }

    /// What a unit of `more` brings on average after `before`; what the next one brings where nothing more is sold.
    pub(super) fn mean(&self, before: f64, more: f64, extrapolate: bool) -> Result<f64, BeyondPools> {
        let begin = self.after(before, extrapolate)?;
        if more <= 0.0 {
            return Ok(begin.level * begin.level);
        }
        let end = self.after(before + more, extrapolate)?;
        if begin.stretch == end.stretch {
            // In one stretch that is the product of the levels, with nothing to cancel.
            return Ok(begin.level * end.level);
        }
        Ok((end.value - begin.value) / more)
    }
}
