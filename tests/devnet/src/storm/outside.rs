use super::{BLOCKS_A_DAY, dice::Dice};
use crate::BLOCK_SECONDS;

/// What the rest of the world does: the price of ether there, and what a block's gas costs.
#[derive(Debug)]
pub(super) struct Outside {
    dice: Dice,
    blocks: u64,
    /// Dollars an ether.
    price: f64,
    base_fee_gwei: f64,
}

/// The world at one block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Dollars an ether.
    pub(super) price: f64,
    /// Wei a unit of gas.
    pub(super) base_fee: u64,
    /// What the market is going through.
    pub(super) phase: Phase,
    /// How busy it is; 1 on average while it is calm.
    pub(super) activity: f64,
}

/// The storm's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing in particular.
    Calm,
    /// The fall.
    Crash,
    /// Prices come back in part.
    Recovery,
    /// Calmer again, not as calm as before.
    After,
}

/// Where the phases begin, as shares of the whole: of two days, the fall takes two hours of the second.
const CRASH: f64 = 0.6;
const RECOVERY: f64 = CRASH + 600.0 / 14_400.0;
const AFTER: f64 = 0.8;

pub(super) const START_PRICE: f64 = 3_000.0;
/// Volatility of calm days, a year.
const YEARLY: f64 = 0.6;
/// The logarithm of the fall, which comes in three waves, and of what comes back.
const FALL: f64 = -0.38;
const REBOUND: f64 = 0.15;
/// Calm jumps, a day, and their deviation.
const JUMPS_A_DAY: f64 = 8.0;
const JUMP: f64 = 0.007;

impl Outside {
    pub(super) fn new(dice: Dice, blocks: u64) -> Self {
        Self {
            dice,
            blocks,
            price: START_PRICE,
            base_fee_gwei: 12.0,
        }
    }

    /// Goes on to a block, counted from the storm's first.
    pub(super) fn step(&mut self, block: u64) -> Moment {
        let share = real(block) / real(self.blocks.max(1));
        let phase = phase(share);
        let block_step = YEARLY * libm::sqrt(real(BLOCK_SECONDS) / 31_536_000.0);
        let (drift, wildness, busy, gas_gwei) = match phase {
            Phase::Calm => (0.0, 1.0, 1.0, 12.0),
            Phase::Crash => {
                let into = (share - CRASH) / (RECOVERY - CRASH);
                // A sine's waves: they leave the sum as it is.
                let wave = 1.0 - libm::cos(std::f64::consts::TAU * 3.0 * into);
                (self.spread(FALL, RECOVERY - CRASH) * wave, 3.5, 3.0 + 2.0 * wave, 160.0)
            }
            Phase::Recovery => {
                let left = (AFTER - share) / (AFTER - RECOVERY);
                let drift = self.spread(REBOUND, AFTER - RECOVERY) * 2.0 * left;
                (drift, 1.0 + left, 1.0 + 1.4 * left, 15.0 + 50.0 * left)
            }
            Phase::After => (0.0, 1.3, 1.1, 16.0),
        };
        let mut change = drift + block_step * wildness * self.dice.normal();
        if self.dice.happens(JUMPS_A_DAY * wildness / real(BLOCKS_A_DAY)) {
            change += JUMP * self.dice.normal();
        }
        if block > 0 {
            self.price *= libm::exp(change);
            let pull = 0.02 * (libm::log(gas_gwei) - libm::log(self.base_fee_gwei));
            // EIP-1559: an eighth at most from one block to the next.
            let step = (pull + 0.05 * self.dice.normal()).clamp(-0.13, 0.11);
            self.base_fee_gwei *= libm::exp(step);
        }
        let time_of_day = std::f64::consts::TAU * real(block) / real(BLOCKS_A_DAY);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within 1 and 900 gwei
        let base_fee = (self.base_fee_gwei.clamp(1.0, 900.0) * 1e9) as u64;
        Moment {
            price: self.price,
            base_fee,
            phase,
            activity: busy * (1.0 - 0.25 * libm::cos(time_of_day)),
        }
    }

    /// A change, spread evenly over the blocks of a share of the whole.
    fn spread(&self, change: f64, share: f64) -> f64 {
        change / (share * real(self.blocks)).max(1.0)
    }
}

fn phase(share: f64) -> Phase {
    match share {
        share if share < CRASH => Phase::Calm,
        share if share < RECOVERY => Phase::Crash,
        share if share < AFTER => Phase::Recovery,
        _ => Phase::After,
    }
}

fn real(number: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // counts of blocks and seconds
    {
        number as f64
    }
}
