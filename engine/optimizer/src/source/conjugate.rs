//! max f(x) − λx over sizes on which a curve is concave, and how far floats can be off it.

use super::Curve;

impl Curve {
    /// A bound on what h(x) = f(x) − λx can still gain from `size` towards `side` (1 or −1), where this curve holds for `within` and
    /// concave income goes on for `room`, in USD a year.
    ///
    /// f is concave, so that h(y) ≤ h(x) + h′(x)(y − x). Where h′ falls through 0 within δ of x, y − x is at most δ; elsewhere it is at
    /// most the way to the bound.
    pub(crate) fn overshoot(&self, price: f64, size: f64, within: f64, room: f64, side: f64) -> f64 {
        let climb =
            |size: f64| side * (self.marginal(size) - price) + self.marginal_error(size) + f64::EPSILON * price.abs();
        let here = climb(size);
        if here <= 0.0 {
            return 0.0;
        }
        let near = 1e-7 * (self.others + size);
        if near < within && climb(size + side * near) <= 0.0 {
            here * near
        } else {
            here * room
        }
    }

    /// No less than max f(x) − λx over [lo, hi], on which income is concave, whatever the rounding, in USD a year.
    pub(crate) fn worth_at_most(&self, price: f64, lo: f64, hi: f64) -> f64 {
        let wanted = if self.is_linear() {
            if price < self.flat { hi } else { lo }
        } else {
            self.size_at(price)
        };
        // A NaN would be no bound; either end is a size to begin from.
        let size = if wanted.is_nan() { lo } else { wanted.clamp(lo, hi) };
        let (income, cost) = (self.income(size), price * size);
        let error = self.income_error(size) + 4.0 * f64::EPSILON * (income.abs() + cost.abs());
        let right = self.overshoot(price, size, hi - size, hi - size, 1.0);
        income - cost + error + right + self.overshoot(price, size, size - lo, size - lo, -1.0)
    }
}
