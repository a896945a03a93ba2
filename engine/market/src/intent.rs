use alloy_primitives::U256;
use plimsoll_protocols::uniswap_v3::{Amount, Pool, Revert, SwapOutcome, SwapRecord};
use plimsoll_units::{Side, SqrtPriceX96};

/// What a swapper must have asked for, so that the pool did what its log says. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Exactly this much in.
    ExactIn {
        /// The token that goes in.
        token_in: Side,
        /// How much of it.
        amount: U256,
    },
    /// Exactly this much out.
    ExactOut {
        /// The token that goes in.
        token_in: Side,
        /// How much of the other comes out.
        amount: U256,
    },
    /// Any amount, up to a price.
    PriceLimit {
        /// The token that goes in.
        token_in: Side,
        /// Where the swap ends.
        limit: SqrtPriceX96,
    },
}

impl Intent {
    /// What a log can have been, in the order to try: the price limit last, because it takes the recorded price as given.
    pub fn candidates(record: &SwapRecord, before: SqrtPriceX96) -> impl Iterator<Item = Self> {
        let token_in = if record.amount0.is_positive() || record.amount1.is_negative() {
            Side::Token0
        } else if record.amount1.is_positive() || record.amount0.is_negative() || record.sqrt_price > before {
            Side::Token1
        } else {
            Side::Token0
        };
        let (paid, received) = match token_in {
            Side::Token0 => (record.amount0, record.amount1),
            Side::Token1 => (record.amount1, record.amount0),
        };
        let exact_in = paid.is_positive().then(|| Self::ExactIn {
            token_in,
            amount: paid.unsigned_abs(),
        });
        let exact_out = received.is_negative().then(|| Self::ExactOut {
            token_in,
            amount: received.unsigned_abs(),
        });
        let limit = (record.sqrt_price != before).then_some(Self::PriceLimit {
            token_in,
            limit: record.sqrt_price,
        });
        [exact_in, exact_out, limit].into_iter().flatten()
    }

    /// What the pool would do.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn quote(&self, pool: &Pool) -> Result<SwapOutcome, Revert> {
        match *self {
            Self::ExactIn { token_in, amount } => pool.quote(token_in, Amount::ExactIn(amount), None),
            Self::ExactOut { token_in, amount } => pool.quote(token_in, Amount::ExactOut(amount), None),
            Self::PriceLimit { token_in, limit } => pool.quote(token_in, Amount::ExactIn(UNLIMITED), Some(limit)),
        }
    }

    /// The token that goes in.
    pub const fn token_in(&self) -> Side {
        match self {
            Self::ExactIn { token_in, .. } | Self::ExactOut { token_in, .. } | Self::PriceLimit { token_in, .. } => {
                *token_in
            }
        }
    }

    pub(crate) const fn class(&self) -> SwapClass {
        match self {
            Self::ExactIn { .. } => SwapClass::ExactIn,
            Self::ExactOut { .. } => SwapClass::ExactOut,
            Self::PriceLimit { .. } => SwapClass::PriceLimit,
        }
    }
}

/// The largest amount a swap can name, 2^255 − 1.
const UNLIMITED: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1]);

/// How far a recorded swap is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapClass {
    /// All five numbers follow from the input amount.
    ExactIn,
    /// All five numbers follow from the output amount.
    ExactOut,
    /// All but the price follow from the price.
    PriceLimit,
    /// One tick's liquidity was taken from the log; the amounts follow.
    Inferred,
    /// Too little is known of the ticks it passed.
    Unverifiable,
    /// Nothing reproduces it.
    Divergent,
}

/// Whether an outcome is what the log says, all five numbers.
#[inline]
pub(crate) fn reproduces(outcome: &SwapOutcome, record: &SwapRecord) -> bool {
    outcome.sqrt_price == record.sqrt_price
        && outcome.amount0 == record.amount0
        && outcome.amount1 == record.amount1
        && outcome.liquidity == record.liquidity
        && outcome.tick == record.tick
}
