//! The protocol's fee on swaps, and what it has come to (v4-core `ProtocolFeeLibrary`, `ProtocolFees`).

use super::{Revert, swap_math::PIPS};
use alloy_primitives::{Address, U256, map::HashMap};
use plimsoll_units::Side;

/// The most that the protocol may take of an input, in pips.
const MAX_PIPS: u16 = 1000;

/// What the protocol takes of a swap's input, in pips (hundredths of a basis point), twelve bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProtocolFee {
    /// Where token0 goes in.
    pub zero_for_one: u16,
    /// Where token1 goes in.
    pub one_for_zero: u16,
}

impl ProtocolFee {
    /// From the number in `slot0`: token0's in the low twelve bits, token1's in the next twelve.
    pub const fn from_packed(packed: u32) -> Self {
        Self {
            zero_for_one: (packed & 0xfff) as u16,
            one_for_zero: (packed >> 12 & 0xfff) as u16,
        }
    }

    /// The number in `slot0`; what is above twelve bits is cut.
    pub const fn to_packed(self) -> u32 {
        (self.zero_for_one & 0xfff) as u32 | ((self.one_for_zero & 0xfff) as u32) << 12
    }

    /// The fee of swaps whose input is this token, in pips.
    pub const fn of(self, token_in: Side) -> u16 {
        match token_in {
            Side::Token0 => self.zero_for_one,
            Side::Token1 => self.one_for_zero,
        }
    }

    /// # Errors
    /// `ProtocolFeeTooLarge` above a tenth of a percent on either side.
    pub(super) fn validate(self) -> Result<(), Revert> {
        if self.zero_for_one > MAX_PIPS || self.one_for_zero > MAX_PIPS {
            return Err(Revert("ProtocolFeeTooLarge"));
        }
        Ok(())
    }
}

/// The whole fee of a swap in pips: the protocol's, then the providers' on what is left of the input, rounded up.
/// Neither is above 100 %.
pub fn calculate_swap_fee(protocol_pips: u16, lp_pips: u32) -> u32 {
    let (protocol, lp) = (u64::from(protocol_pips), u64::from(lp_pips));
    let fee = protocol + lp - protocol * lp / u64::from(PIPS);
    u32::try_from(fee).unwrap_or(PIPS)
}

/// The fees that wait for the protocol, by currency and over all pools, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProtocolFees(HashMap<Address, U256>);

impl ProtocolFees {
    /// What waits in one currency, in base units.
    pub fn accrued(&self, currency: Address) -> U256 {
        self.0.get(&currency).copied().unwrap_or_default()
    }

    /// Adds what a swap's outcome left for the protocol, in base units of its input currency. The sum wraps, as the contract's.
    pub fn accrue(&mut self, currency: Address, amount: u128) {
        let accrued = self.0.entry(currency).or_default();
        *accrued = accrued.wrapping_add(U256::from(amount));
    }

    /// Pays out an amount, or all of it where zero is asked; returns what was paid, in base units.
    ///
    /// # Errors
    /// `Panic` for more than there is.
    pub fn collect(&mut self, currency: Address, amount: U256) -> Result<U256, Revert> {
        let accrued = self.accrued(currency);
        let paid = if amount.is_zero() { accrued } else { amount };
        let left = accrued.checked_sub(paid).ok_or(Revert::PANIC)?;
        self.0.insert(currency, left);
        Ok(paid)
    }
}
