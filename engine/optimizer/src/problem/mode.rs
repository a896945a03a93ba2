//! The ways in which a source can be held: sizes on which its income is one smooth curve, or one size alone.

use crate::source::{Curve, Piece};

/// Sizes on which one curve holds, in shares of the capital W: F(ξ) = f(Wξ)/W.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    pub(super) lo: f64,
    pub(super) hi: f64,
    /// What it costs to be here, a year and a dollar of capital: the gas of a change.
    pub(super) fixed_cost: f64,
    /// Whether the position is left as it is.
    pub(super) is_held: bool,
    /// Whether income is convex here (far beyond its peak), so that its chord, not its tangents, lies above it.
    pub(super) is_convex: bool,
    /// Whether it ends at a kink.
    pub(super) ends_at_kink: bool,
    curve: Curve,
    capital: f64,
}

/// Into how many parts the convex tail is cut, each with a chord of its own.
const TAIL_PARTS: usize = 8;

impl Mode {
    pub(super) fn income(&self, share: f64) -> f64 {
        self.curve.income(share * self.capital) / self.capital
    }

    pub(super) fn income_error(&self, share: f64) -> f64 {
        self.curve.income_error(share * self.capital) / self.capital
    }

    pub(super) fn marginal(&self, share: f64) -> f64 {
        self.curve.marginal(share * self.capital)
    }

    pub(super) fn curvature(&self, share: f64) -> f64 {
        if self.is_convex || self.is_point() {
            0.0
        } else {
            self.curve.curvature(share * self.capital) * self.capital
        }
    }

    /// Whether there is but one size.
    pub(super) fn is_point(&self) -> bool {
        self.hi <= self.lo
    }

    /// No less than F(x) − rx − the fixed cost here, whatever the rounding.
    pub(super) fn worth_at_most(&self, price: f64) -> f64 {
        let (lo, hi) = (self.lo * self.capital, self.hi * self.capital);
        let at = |size: f64| {
            let (income, cost) = (self.curve.income(size), price * size);
            let error = self.curve.income_error(size) + 4.0 * f64::EPSILON * (income.abs() + cost.abs());
            income - cost + error
        };
        let worth = if self.is_point() {
            at(lo)
        } else if self.is_convex {
            at(lo).max(at(hi))
        } else {
            self.curve.worth_at_most(price, lo, hi)
        };
        worth / self.capital - self.fixed_cost + 4.0 * f64::EPSILON * (worth.abs() / self.capital + self.fixed_cost)
    }

    /// (value, slope) of a line that lies above income on all of this mode and touches it at `share`, the value at size 0; of a convex
    /// mode its chord.
    pub(super) fn line_above(&self, share: f64) -> (f64, f64) {
        if self.is_point() {
            return (self.income(self.lo), 0.0);
        }
        if self.is_convex {
            let slope = (self.income(self.hi) - self.income(self.lo)) / (self.hi - self.lo);
            return (self.income(self.lo) - slope * self.lo, slope);
        }
        let slope = self.marginal(share);
        (self.income(share) - slope * share, slope)
    }
}

/// What a source's sizes are bound by, in USD.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// The least that must be held.
    pub(super) floor: f64,
    /// The most that may be held.
    pub(super) cap: f64,
    /// What must be held at least where anything is.
    pub(super) minimum: f64,
    /// What is held.
    pub(super) held: f64,
    /// What a change costs, in USD a year.
    pub(super) gas: f64,
    /// By what a change changes at least.
    pub(super) least_change: f64,
    /// Whether sizes of the convex tail, far beyond the peak, may have to be held whatever is held now.
    pub(super) may_need_tail: bool,
}

/// Every way to hold a source; none where its bounds leave none.
pub(super) fn modes(pieces: &[Piece], span: &Span, capital: f64) -> Vec<Mode> {
    let mut modes = Vec::new();
    let from = span.floor.max(if span.minimum > 0.0 { span.minimum } else { 0.0 });
    let mut push = |lo: f64, hi: f64, curve: Curve, is_convex: bool, ends_at_kink: bool| {
        let (below, above) = (span.held - span.least_change, span.held + span.least_change);
        let parts = if span.least_change > 0.0 {
            [(lo, hi.min(below)), (lo.max(above), hi)]
        } else {
            [(lo, hi), (1.0, 0.0)]
        };
        for (lo, top) in parts {
            let (lo, top) = (lo.max(from), top.min(span.cap));
            if lo < top || (lo == top && (lo == from || modes.is_empty())) {
                modes.push(Mode {
                    lo: lo / capital,
                    hi: top / capital,
                    fixed_cost: span.gas / capital,
                    is_held: false,
                    is_convex,
                    ends_at_kink: ends_at_kink && top == hi,
                    curve,
                    capital,
                });
            }
        }
    };
    for piece in pieces {
        let (inflection, ends_at_kink) = (piece.curve.inflection(), piece.to < span.cap);
        let concave_to = piece.to.min(span.cap).min(inflection.max(piece.from));
        if concave_to > piece.from || concave_to == span.cap {
            push(
                piece.from,
                concave_to,
                piece.curve,
                false,
                ends_at_kink && concave_to == piece.to,
            );
        }
        let end = piece.to.min(span.cap);
        let needs_tail = span.may_need_tail || span.floor > concave_to || span.held > concave_to;
        if needs_tail && concave_to < end && end.is_finite() {
            let at = |part: usize| concave_to + (end - concave_to) * (part as f64 / TAIL_PARTS as f64);
            for part in 0..TAIL_PARTS {
                push(at(part), at(part + 1), piece.curve, true, false);
            }
        }
    }
    let curve_at = |size: f64| pieces.iter().find(|piece| size <= piece.to).map(|piece| piece.curve);
    let mut point = |size: f64, fixed_cost: f64, is_held: bool| {
        if let Some(curve) = curve_at(size) {
            let share = size / capital;
            modes.push(Mode {
                lo: share,
                hi: share,
                fixed_cost,
                is_held,
                is_convex: false,
                ends_at_kink: false,
                curve,
                capital,
            });
        }
    };
    let may_leave = span.held >= span.least_change && (span.gas == 0.0 || span.held > 0.0);
    if span.minimum > 0.0 && span.floor <= 0.0 && may_leave {
        point(0.0, span.gas / capital, false);
    }
    let may_stay = span.held >= span.floor && span.held <= span.cap && (span.held == 0.0 || span.held >= span.minimum);
    if (span.gas > 0.0 || span.least_change > 0.0) && may_stay {
        point(span.held, 0.0, true);
    }
    modes
}
