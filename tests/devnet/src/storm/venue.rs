use crate::{
    Receipt, Tx,
    contracts::uniswap_v3::{Pool, PoolEvents},
};
use alloy_primitives::U256;
use alloy_sol_types::SolEvent;

/// A pool as its logs tell of it. What is computed here only decides what is asked; what happens, the contract says.
#[derive(Debug)]
pub(super) struct Venue {
    /// The pool, through its first payer.
    pub(super) pool: Pool,
    /// The same pool through each of its payers.
    pub(super) payers: Vec<Pool>,
    pub(super) tick_spacing: i32,
    /// √(wei an atom of USDC), as a real number.
    root: f64,
    /// What is in range, where a swap has told.
    liquidity: f64,
}

impl Venue {
    pub(super) fn new(payers: Vec<Pool>, pool: Pool, tick_spacing: i32, dollars: f64) -> Self {
        Self {
            pool,
            payers,
            tick_spacing,
            root: root(dollars),
            liquidity: 0.0,
        }
    }

    /// Takes a transaction's swaps into account.
    pub(super) fn see(&mut self, receipt: &Receipt) {
        for log in receipt.logs_of(self.pool.address) {
            if let Ok(swap) = PoolEvents::Swap::decode_log_data(&log.data) {
                self.root = f64::from(U256::from(swap.sqrtPriceX96)) / 2f64.powi(96);
                self.liquidity = f64::from(U256::from(swap.liquidity));
            }
        }
    }

    /// Dollars an ether.
    pub(super) fn dollars(&self) -> f64 {
        1e12 / (self.root * self.root)
    }

    /// The share of a swap's input that is its fee.
    pub(super) fn fee(&self) -> f64 {
        f64::from(self.pool.fee_pips) / 1e6
    }

    pub(super) fn root(&self) -> f64 {
        self.root
    }

    /// Liquidity in range; 0 before the first swap.
    pub(super) fn liquidity(&self) -> f64 {
        self.liquidity
    }

    /// Where a range of about `width` ticks lies whose middle is a share of the width away from the price.
    pub(super) fn range(&self, width: f64, shift: f64) -> (i32, i32) {
        let middle = 2.0 * libm::log(self.root) / libm::log(1.000_1) + shift * width;
        let (lower, upper) = (self.aligned(middle - width / 2.0), self.aligned(middle + width / 2.0));
        (lower, upper.max(lower + self.tick_spacing))
    }

    fn aligned(&self, tick: f64) -> i32 {
        #[allow(clippy::cast_possible_truncation)] // far within 32 bits
        let tick = tick.clamp(-880_000.0, 880_000.0) as i32;
        tick.div_euclid(self.tick_spacing) * self.tick_spacing
    }

    /// What a unit of liquidity of this range takes at the pool's price: atoms of USDC, and wei.
    fn unit(&self, (lower, upper): (i32, i32)) -> (f64, f64) {
        let at = |tick: i32| libm::exp(f64::from(tick) / 2.0 * libm::log(1.000_1));
        let (low, high) = (at(lower), at(upper));
        let now = self.root.clamp(low, high);
        (1.0 / now - 1.0 / high, now - low)
    }

    /// The liquidity that so many dollars buy in a range at the pool's price.
    pub(super) fn liquidity_for(&self, dollars: f64, range: (i32, i32)) -> u128 {
        let (usdc, weth) = self.unit(range);
        let unit = usdc + weth / (self.root * self.root);
        whole(dollars * 1e6 / unit).saturating_to()
    }

    /// The tokens that so many dollars are in a range at the pool's price.
    pub(super) fn amounts_for(&self, dollars: f64, range: (i32, i32)) -> [U256; 2] {
        let (usdc, weth) = self.unit(range);
        let liquidity = dollars * 1e6 / (usdc + weth / (self.root * self.root));
        [whole(usdc * liquidity), whole(weth * liquidity)]
    }

    /// Swaps through a payer to a price, wherever the pool is now.
    pub(super) fn pull_to(&self, payer: &Pool, dollars: f64) -> Tx {
        let zero_for_one = dollars > self.dollars();
        payer.swap(zero_for_one, U256::ONE << 99, Some(sqrt_price_x96(dollars)))
    }
}

/// √(wei an atom of USDC) where an ether costs so many dollars.
fn root(dollars: f64) -> f64 {
    libm::sqrt(1e12 / dollars)
}

/// The pool's price where an ether costs so many dollars.
pub(super) fn sqrt_price_x96(dollars: f64) -> U256 {
    whole(root(dollars) * 2f64.powi(64)) << 32
}

/// A real number below 2^126, cut to a whole one.
pub(super) fn whole(value: f64) -> U256 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    U256::from(value.clamp(0.0, 8e37) as u128)
}

/// Dollars in USDC's atoms.
pub(super) fn usdc(dollars: f64) -> U256 {
    whole(dollars * 1e6).max(U256::ONE)
}

/// Ether in wei.
pub(super) fn weth(ether: f64) -> U256 {
    whole(ether * 1e18).max(U256::ONE)
}
