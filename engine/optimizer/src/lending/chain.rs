//! A source's sizes cut where its income stops being concave: one chain of concave curves a side.

use crate::source::{Curve, Piece};

/// A stretch of sizes on which one curve is concave and rises.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) curve: Curve,
    /// f′ at `lo` and at `hi`, from within.
    first: f64,
    last: f64,
}

impl Segment {
    fn new(lo: f64, hi: f64, curve: Curve) -> Self {
        Self {
            lo,
            hi,
            curve,
            first: curve.marginal(lo),
            last: curve.marginal(hi),
        }
    }
}

/// What ends a chain from above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The most that may be held.
    Cap,
    /// The peak of income.
    Peak,
    /// A kink at which the marginal rate jumps up.
    Kink,
}

/// Sizes from `lo` to `hi` on which income is concave and rises: between two of its kinks no marginal rate jumps up.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) end: End,
    segments: Vec<Segment>,
}

/// The best size of a chain at a price of capital.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply {
    pub(super) size: f64,
    /// max f(x) − λx, in USD a year.
    pub(super) worth: f64,
    /// −dx/dλ ≥ 0: 0 where the size is at a bound or a kink.
    pub(super) give: f64,
    /// The total size whose rounding the size bears, in USD: 0 where it is a bound, which is exact.
    pub(super) scale: f64,
}

impl Chain {
    /// The size at which f(x) − λx is highest; of several the smallest.
    pub(super) fn reply(&self, price: f64) -> Reply {
        let mut at = (self.lo, 0);
        for (index, segment) in self.segments.iter().enumerate() {
            if price >= segment.first {
                break;
            }
            at = (segment.hi, index);
            if price > segment.last {
                let size = segment.curve.size_at(price).clamp(segment.lo, segment.hi);
                let worth = segment.curve.income(size) - price * size;
                let bend = segment.curve.curvature(size);
                return Reply {
                    size,
                    worth,
                    give: if bend < 0.0 { -1.0 / bend } else { 0.0 },
                    scale: segment.curve.others + size,
                };
            }
        }
        let (size, index) = at;
        let income = self
            .segments
            .get(index)
            .map_or(0.0, |segment| segment.curve.income(size));
        Reply {
            size,
            worth: income - price * size,
            give: 0.0,
            scale: 0.0,
        }
    }

    /// f(x) of a size of this chain, in USD a year.
    pub(super) fn income(&self, size: f64) -> f64 {
        self.segment_left_of(size)
            .map_or(0.0, |segment| segment.curve.income(size))
    }

    /// A bound on the rounding error of [`Chain::income`], in USD a year.
    pub(super) fn income_error(&self, size: f64) -> f64 {
        self.segment_left_of(size)
            .map_or(0.0, |segment| segment.curve.income_error(size))
    }

    /// The left derivative at a size of this chain; at `lo` the right one.
    pub(super) fn marginal(&self, size: f64) -> f64 {
        self.segment_left_of(size)
            .map_or(0.0, |segment| segment.curve.marginal(size))
    }

    /// f′ at `lo`: no dollar of this chain earns more.
    pub(super) fn steepest(&self) -> f64 {
        self.segments.first().map_or(0.0, |segment| segment.first)
    }

    /// Whether a size is where two curves meet within the chain.
    pub(super) fn is_joint(&self, size: f64) -> bool {
        self.segments.iter().skip(1).any(|segment| segment.lo == size)
    }

    /// The rates and rooms of its straight stretches: at such a price every size of the stretch is as good.
    pub(super) fn straights(&self) -> impl Iterator<Item = (f64, f64)> {
        let straight = |segment: &&Segment| segment.curve.is_linear() && segment.first > 0.0;
        self.segments
            .iter()
            .filter(straight)
            .map(|segment| (segment.first, segment.hi - segment.lo))
    }

    fn segment_left_of(&self, size: f64) -> Option<&Segment> {
        self.segments
            .iter()
            .find(|segment| size <= segment.hi)
            .or(self.segments.last())
    }

    /// No less than max f(x) − λx over the chain, whatever the rounding of `reply` and of the floats here, in USD a year.
    pub(super) fn worth_at_most(&self, price: f64, reply: &Reply) -> f64 {
        let size = reply.size;
        let Some(segment) = self.segment_left_of(size) else {
            return 0.0;
        };
        let mut slack = segment.curve.income_error(size) + 4.0 * f64::EPSILON * (price * size + reply.worth.abs());
        // To the right, the segment that begins here counts; to the left, the one that ends here.
        if let Some(segment) = self.segments.iter().find(|segment| size < segment.hi) {
            slack += segment
                .curve
                .overshoot(price, size, segment.hi - size, self.hi - size, 1.0);
        }
        if let Some(segment) = self.segments.iter().rev().find(|segment| size > segment.lo) {
            slack += segment
                .curve
                .overshoot(price, size, size - segment.lo, size - self.lo, -1.0);
        }
        reply.worth + slack
    }
}

/// The chains of a source of which at most `cap` USD may be held.
///
/// The first begins at 0; each other one begins at a kink at which the marginal rate jumps up. A chain ends at its peak, as beyond it
/// income falls while capital is used: (a chain that only falls is left out, since its first size belongs to the one before.)
pub(super) fn chains(pieces: &[Piece], cap: f64) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::with_capacity(pieces.len());
    let mut open: Option<Chain> = None;
    let mut last_slope = f64::INFINITY;
    let mut falls = false;
    for piece in pieces {
        let (lo, hi) = (piece.from, piece.to.min(cap));
        if hi < lo || (hi == lo && lo > 0.0) {
            break;
        }
        let first = piece.curve.marginal(lo);
        if first > last_slope {
            if let Some(mut chain) = open.take() {
                if !falls {
                    chain.end = End::Kink;
                }
                chains.push(chain);
            }
            falls = false;
        }
        last_slope = piece.curve.marginal(hi);
        if falls {
            continue;
        }
        let peak = piece.curve.peak();
        let top = peak.clamp(lo, hi);
        falls = peak < hi;
        let begins = open.is_none();
        if begins && top == lo && lo > 0.0 {
            continue;
        }
        let chain = open.get_or_insert_with(|| Chain {
            lo,
            hi: lo,
            end: End::Cap,
            segments: Vec::with_capacity(2),
        });
        if top > lo {
            chain.segments.push(Segment::new(lo, top, piece.curve));
            chain.hi = top;
        }
        chain.end = if falls { End::Peak } else { End::Cap };
    }
    chains.extend(open);
    chains
}
