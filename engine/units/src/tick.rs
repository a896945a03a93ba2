use std::fmt;

/// A tick: the price is 1.0001^tick (token1 per token0, in base units).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tick(i32);

impl Tick {
    /// The lowest tick a v3 pool can reach.
    pub const MIN: Self = Self(-887_272);
    /// The highest tick a v3 pool can reach.
    pub const MAX: Self = Self(887_272);

    /// A tick within [`Tick::MIN`] ..= [`Tick::MAX`], else `None`.
    pub const fn new(tick: i32) -> Option<Self> {
        if tick >= Self::MIN.0 && tick <= Self::MAX.0 {
            Some(Self(tick))
        } else {
            None
        }
    }

    /// The nearest tick within [`Tick::MIN`] ..= [`Tick::MAX`].
    pub const fn clamped(tick: i32) -> Self {
        if tick < Self::MIN.0 {
            Self::MIN
        } else if tick > Self::MAX.0 {
            Self::MAX
        } else {
            Self(tick)
        }
    }

    /// The plain number.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
