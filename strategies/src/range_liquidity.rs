use alloy_primitives::{Address, U256};
use plimsoll_protocols::uniswap_v3::{Amount, Pool, PoolParams, tick_math::sqrt_ratio_at_tick};
use plimsoll_runtime::{Action, OwnPosition, Size, Strategy, View};
use plimsoll_units::{Side, SqrtPriceX96, Tick};

/// When a range is moved to the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recenter {
    /// Never.
    Never,
    /// As soon as a block ends with the price outside.
    OnExit,
    /// This many blocks after the last time, wherever the price is.
    EveryBlocks(u64),
}

/// Why a width is no range of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeError {
    /// Zero or negative ticks.
    ZeroWidth,
    /// No multiple of the pool's tick spacing, so that an end would be misaligned.
    Misaligned {
        /// The pool's tick spacing.
        tick_spacing: i32,
    },
    /// Wider than all prices.
    TooWide,
    /// Every zero blocks.
    NeverResting,
}

impl std::fmt::Display for RangeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ZeroWidth => f.write_str("width_ticks must be above zero"),
            Self::Misaligned { tick_spacing } => {
                write!(
                    f,
                    "width_ticks must be a multiple of the pool's tick spacing, {tick_spacing}"
                )
            }
            Self::NeverResting => f.write_str("recenter every_blocks must be at least 1"),
            Self::TooWide => write!(f, "width_ticks must be at most {}", 2 * Tick::MAX.get()),
        }
    }
}

impl std::error::Error for RangeError {}

/// Keeps all of its capital in one range around the price. When it opens a range, it first swaps what the range needs of the other token.
#[derive(Debug, Clone)]
pub struct RangeLiquidity {
    pool: Address,
    token0: Address,
    token1: Address,
    width: i32,
    recenter: Recenter,
    opened_block: Option<u64>,
}

impl RangeLiquidity {
    /// A range of `width_ticks` in a pool of these tokens.
    ///
    /// # Errors
    /// A width of zero, off the tick spacing, or beyond all prices.
    pub fn new(
        pool: Address,
        (token0, token1): (Address, Address),
        params: PoolParams,
        width_ticks: i32,
        recenter: Recenter,
    ) -> Result<Self, RangeError> {
        if width_ticks <= 0 {
            return Err(RangeError::ZeroWidth);
        }
        if width_ticks > 2 * Tick::MAX.get() {
            return Err(RangeError::TooWide);
        }
        if width_ticks % params.tick_spacing != 0 {
            return Err(RangeError::Misaligned {
                tick_spacing: params.tick_spacing,
            });
        }
        if recenter == Recenter::EveryBlocks(0) {
            return Err(RangeError::NeverResting);
        }
        Ok(Self {
            pool,
            token0,
            token1,
            width: width_ticks,
            recenter,
            opened_block: None,
        })
    }

    fn must_move(&self, position: &OwnPosition, pool: &Pool, block: u64) -> bool {
        match self.recenter {
            Recenter::Never => false,
            Recenter::OnExit => !(position.lower..position.upper).contains(&pool.tick()),
            Recenter::EveryBlocks(n) => self
                .opened_block
                .is_some_and(|opened| block >= opened.saturating_add(n)),
        }
    }

    /// The range around the price, its lower end the nearest tick that may be initialized.
    fn range(&self, pool: &Pool) -> (Tick, Tick) {
        let spacing = pool.params().tick_spacing;
        let highest = Tick::MAX.get() / spacing * spacing;
        let middle_of_lower = pool.tick().get() - self.width / 2 + spacing / 2;
        let lower = (middle_of_lower.div_euclid(spacing) * spacing).clamp(-highest, highest - spacing);
        let upper = (lower + self.width).min(highest);
        (Tick::clamped(lower), Tick::clamped(upper))
    }
}

impl Strategy for RangeLiquidity {
    fn name(&self) -> &'static str {
        "range-liquidity"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        let Some(pool) = view.pool(self.pool) else {
            return Vec::new();
        };
        if view.pending() > 0 {
            return Vec::new();
        }
        let block = view.block().number;
        let mut actions = Vec::new();
        let mut owned = (view.balance(self.token0), view.balance(self.token1));
        if let Some(position) = view.positions().first() {
            if !self.must_move(position, pool, block) {
                return actions;
            }
            actions.push(Action::RemoveLiquidity { position: position.id });
            if let Ok((amount0, amount1)) = position_amounts(position, pool) {
                owned = (owned.0.saturating_add(amount0), owned.1.saturating_add(amount1));
            }
        }
        if owned.0.is_zero() && owned.1.is_zero() {
            return actions;
        }
        let (lower, upper) = self.range(pool);
        if let Some((token_in, amount_in)) = swap_to_ratio(pool, owned, lower, upper) {
            actions.push(Action::Swap {
                pool: self.pool,
                token_in,
                amount_in: Size::Exact(amount_in),
            });
        }
        actions.push(Action::AddLiquidity {
            pool: self.pool,
            lower,
            upper,
            amount0: Size::All,
            amount1: Size::All,
        });
        self.opened_block = Some(block);
        actions
    }
}

fn position_amounts(
    position: &OwnPosition,
    pool: &Pool,
) -> Result<(U256, U256), plimsoll_protocols::uniswap_v3::Revert> {
    let key = plimsoll_protocols::uniswap_v3::PositionKey {
        owner: Address::ZERO,
        lower: position.lower,
        upper: position.upper,
    };
    let delta = i128::try_from(position.liquidity).unwrap_or(i128::MAX);
    pool.amounts_of(key, -delta)
}

/// The swap after which the holdings fit the range, by bisection over quotes; `None` where they fit already.
fn swap_to_ratio(pool: &Pool, owned: (U256, U256), lower: Tick, upper: Tick) -> Option<(Side, U256)> {
    let excess = |price: SqrtPriceX96, owned: (U256, U256)| excess_side(price, owned, lower, upper);
    let token_in = excess(pool.sqrt_price()?, owned)?;
    let available = if token_in == Side::Token0 { owned.0 } else { owned.1 };
    let after = |amount: U256| {
        let quote = pool
            .quote(token_in, Amount::ExactIn(amount), None)
            .ok()
            .filter(|quote| !quote.exhausted)?;
        let owned = match token_in {
            Side::Token0 => (owned.0 - amount, owned.1.saturating_add(quote.amount_out())),
            Side::Token1 => (owned.0.saturating_add(quote.amount_out()), owned.1 - amount),
        };
        Some(excess(quote.sqrt_price, owned))
    };
    // The smallest swap after which the excess is gone; a few hundred quotes at most, and only when a range is opened.
    let (mut too_little, mut enough) = (U256::ZERO, available);
    while enough.saturating_sub(too_little) > U256::ONE && enough.bit_len() <= 128 {
        let middle = (too_little + enough) >> 1;
        match after(middle) {
            Some(Some(side)) if side == token_in => too_little = middle,
            _ => enough = middle,
        }
        // A millionth of the capital is finer than any fee.
        if enough - too_little < available / U256::from(1_000_000u32) {
            break;
        }
    }
    (!too_little.is_zero()).then_some((token_in, too_little))
}

/// The token of which there is more than the range takes with the other; `None` where they fit.
fn excess_side(price: SqrtPriceX96, owned: (U256, U256), lower: Tick, upper: Tick) -> Option<Side> {
    use plimsoll_protocols::uniswap_v3::liquidity_math::liquidity_for_amounts;
    let (price, low, high) = (
        price.get(),
        sqrt_ratio_at_tick(lower).get(),
        sqrt_ratio_at_tick(upper).get(),
    );
    if price <= low {
        return (!owned.1.is_zero()).then_some(Side::Token1);
    }
    if price >= high {
        return (!owned.0.is_zero()).then_some(Side::Token0);
    }
    let by_token0 = liquidity_for_amounts(price.min(low), price, high, owned.0, U256::ZERO);
    let by_token1 = liquidity_for_amounts(price.max(high), low, price, U256::ZERO, owned.1);
    match by_token0.cmp(&by_token1) {
        std::cmp::Ordering::Greater => Some(Side::Token0),
        std::cmp::Ordering::Less => Some(Side::Token1),
        std::cmp::Ordering::Equal => None,
    }
}
