//! The one shape that every source's income has between two kinks.

/// Income per year of a size x beside a pool of others' size S: f(x) = x·(ρ₀ + ρ₁/z + ρ₂/z²), z = S + x.
///
/// A fixed rate has ρ₀ alone. A Comet pool, a + bU with U = D/z, has ρ₀ = a and ρ₁ = bD. A kinked pool, (1 − rf)·U·(a + bU), has
/// ρ₁ = (1 − rf)aD and ρ₂ = (1 − rf)bD². A range that earns fee·x/(L + x) − LVR·x has ρ₀ = −LVR, ρ₁ = fee and S = L.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// ρ₀, a yearly fraction.
    pub(crate) flat: f64,
    /// ρ₁, in USD a year.
    pub(crate) inverse: f64,
    /// ρ₂, in USD² a year.
    pub(crate) square: f64,
    /// S, in USD.
    pub(crate) others: f64,
}

impl Curve {
    /// A rate that the size does not move.
    pub(crate) fn linear(rate: f64) -> Self {
        Self {
            flat: rate,
            inverse: 0.0,
            square: 0.0,
            others: 1.0,
        }
    }

    /// f(x), in USD a year.
    pub fn income(&self, size: f64) -> f64 {
        let inverse = 1.0 / (self.others + size);
        size * (self.flat + inverse * (self.inverse + inverse * self.square))
    }

    /// f′(x) = ρ₀ + β/z² + γ/z³ with β = ρ₁S − ρ₂ and γ = 2ρ₂S, a yearly fraction.
    pub fn marginal(&self, size: f64) -> f64 {
        let inverse = 1.0 / (self.others + size);
        self.flat + inverse * inverse * (self.beta() + self.gamma() * inverse)
    }

    /// f″(x) = −(2β + 3γ/z)/z³, per USD and year.
    pub fn curvature(&self, size: f64) -> f64 {
        let inverse = 1.0 / (self.others + size);
        -inverse * inverse * inverse * (2.0 * self.beta() + 3.0 * self.gamma() * inverse)
    }

    /// Whether income is a straight line.
    pub(crate) fn is_linear(&self) -> bool {
        self.inverse == 0.0 && self.square == 0.0
    }

    fn beta(&self) -> f64 {
        self.inverse * self.others - self.square
    }

    fn gamma(&self) -> f64 {
        2.0 * self.square * self.others
    }

    /// The size at which income is highest, in USD: z₀ = −γ/β = 2BS/(B − A) of a kinked pool, √(−β/ρ₀) where ρ₂ = 0; infinite where
    /// income rises for ever, 0 where it never rises.
    pub fn peak(&self) -> f64 {
        let (beta, gamma) = (self.beta(), self.gamma());
        let total = if self.square == 0.0 {
            match (self.flat < 0.0, beta > 0.0) {
                (true, true) => (-beta / self.flat).sqrt(),
                (false, true) => f64::INFINITY,
                (true, false) => 0.0,
                (false, false) => return if self.flat > 0.0 { f64::INFINITY } else { 0.0 },
            }
        } else if beta < 0.0 {
            -gamma / beta
        } else {
            f64::INFINITY
        };
        (total - self.others).max(0.0)
    }

    /// The size up to which income is concave, in USD: z = −3γ/(2β), half as far again as the peak; infinite where it always is.
    pub(crate) fn inflection(&self) -> f64 {
        let (beta, gamma) = (self.beta(), self.gamma());
        if self.square > 0.0 && beta < 0.0 {
            (-1.5 * gamma / beta - self.others).max(0.0)
        } else {
            f64::INFINITY
        }
    }

    /// The size up to the inflection at which the next dollar earns `marginal`, in USD: the root of (λ − ρ₀)z³ − βz − γ = 0, not
    /// clamped.
    ///
    /// It is sought in u = 1/z, where γu³ + βu² = λ − ρ₀ rises and is convex between the inflection and size 0, so that Newton's steps
    /// from above come down to the root and never pass it.
    pub(crate) fn size_at(&self, marginal: f64) -> f64 {
        let (beta, gamma) = (self.beta(), self.gamma());
        let target = marginal - self.flat;
        if self.square == 0.0 {
            return if target > 0.0 {
                (beta / target).sqrt() - self.others
            } else {
                f64::INFINITY
            };
        }
        let peak = -beta / gamma;
        if target <= 0.0 && (beta >= 0.0 || target <= 4.0 * beta * peak * peak / 27.0) {
            // Nowhere so steep a fall: where it is steepest.
            return self.inflection();
        }
        let mut inverse = if target <= 0.0 {
            peak
        } else {
            let cube = (target / gamma).cbrt();
            if beta < 0.0 {
                cube + peak
            } else {
                cube.min((target / beta).sqrt())
            }
        };
        for _ in 0..60 {
            let excess = inverse * inverse * (gamma * inverse + beta) - target;
            let step = excess / (inverse * (3.0 * gamma * inverse + 2.0 * beta));
            inverse -= step;
            if step.abs() <= 4.0 * f64::EPSILON * inverse {
                break;
            }
        }
        1.0 / inverse - self.others
    }

    /// A bound on the rounding error of [`Curve::income`], in USD a year.
    pub(crate) fn income_error(&self, size: f64) -> f64 {
        let inverse = 1.0 / (self.others + size);
        8.0 * f64::EPSILON * size * (self.flat.abs() + inverse * (self.inverse.abs() + inverse * self.square.abs()))
    }

    /// A bound on the rounding error of [`Curve::marginal`], a yearly fraction.
    pub(crate) fn marginal_error(&self, size: f64) -> f64 {
        let inverse = 1.0 / (self.others + size);
        let beta = (self.inverse * self.others).abs() + self.square.abs();
        16.0 * f64::EPSILON * (self.flat.abs() + inverse * inverse * (beta + self.gamma().abs() * inverse))
    }
}

/// One curve and the sizes for which it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// The smallest size, in USD.
    pub from: f64,
    /// The largest size, in USD; infinite on the last piece.
    pub to: f64,
    /// Income between the two.
    pub curve: Curve,
}
