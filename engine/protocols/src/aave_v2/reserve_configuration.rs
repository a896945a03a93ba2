//! A reserve's parameters in one word (`ReserveConfiguration`).

use super::{Errors, Revert};
use alloy_primitives::U256;

/// A reserve's configuration word. Numbers are basis points but for the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ReserveConfiguration(pub U256);

const LTV: usize = 0;
const LIQUIDATION_THRESHOLD: usize = 16;
const LIQUIDATION_BONUS: usize = 32;
const DECIMALS: usize = 48;
const ACTIVE: usize = 56;
const FROZEN: usize = 57;
const BORROWING: usize = 58;
const STABLE_BORROWING: usize = 59;
const RESERVE_FACTOR: usize = 64;

impl ReserveConfiguration {
    /// The word of a reserve that was just listed: active, nothing else allowed.
    pub fn listed(decimals: u8) -> Self {
        let mut listed = Self(U256::from(decimals) << DECIMALS);
        listed.set_active(true);
        listed
    }

    fn number(self, place: usize) -> u16 {
        (self.0 >> place & U256::from(u16::MAX)).to()
    }

    fn set_number(&mut self, place: usize, value: U256, over: Errors) -> Result<(), Revert> {
        let value = u16::try_from(value).map_err(|_| over)?;
        self.0 = self.0 & !(U256::from(u16::MAX) << place) | U256::from(value) << place;
        Ok(())
    }

    /// How much may be borrowed against it.
    pub fn ltv(self) -> u16 {
        self.number(LTV)
    }

    /// At how much it may be liquidated; zero where it is no collateral.
    pub fn liquidation_threshold(self) -> u16 {
        self.number(LIQUIDATION_THRESHOLD)
    }

    /// What a liquidator takes for what is worth 10,000.
    pub fn liquidation_bonus(self) -> u16 {
        self.number(LIQUIDATION_BONUS)
    }

    /// The token's decimals.
    pub fn decimals(self) -> u8 {
        (self.0 >> DECIMALS & U256::from(u8::MAX)).to()
    }

    /// Whether it can be used at all.
    pub fn active(self) -> bool {
        self.0.bit(ACTIVE)
    }

    /// Whether nobody may deposit or borrow.
    pub fn frozen(self) -> bool {
        self.0.bit(FROZEN)
    }

    /// Whether it may be borrowed.
    pub fn borrowing_enabled(self) -> bool {
        self.0.bit(BORROWING)
    }

    /// Whether it may be borrowed at a stable rate.
    pub fn stable_rate_borrowing_enabled(self) -> bool {
        self.0.bit(STABLE_BORROWING)
    }

    /// The treasury's part of the interest.
    pub fn reserve_factor(self) -> u16 {
        self.number(RESERVE_FACTOR)
    }

    pub(super) fn set_collateral(&mut self, ltv: U256, threshold: U256, bonus: U256) -> Result<(), Revert> {
        self.set_number(LTV, ltv, Errors::InvalidLtv)?;
        self.set_number(LIQUIDATION_THRESHOLD, threshold, Errors::InvalidLiquidationThreshold)?;
        self.set_number(LIQUIDATION_BONUS, bonus, Errors::InvalidLiquidationBonus)
    }

    pub(super) fn set_reserve_factor(&mut self, factor: U256) -> Result<(), Revert> {
        self.set_number(RESERVE_FACTOR, factor, Errors::InvalidReserveFactor)
    }

    pub(super) fn set_active(&mut self, active: bool) {
        self.0.set_bit(ACTIVE, active);
    }

    pub(super) fn set_frozen(&mut self, frozen: bool) {
        self.0.set_bit(FROZEN, frozen);
    }

    pub(super) fn set_borrowing_enabled(&mut self, enabled: bool) {
        self.0.set_bit(BORROWING, enabled);
    }

    pub(super) fn set_stable_rate_borrowing_enabled(&mut self, enabled: bool) {
        self.0.set_bit(STABLE_BORROWING, enabled);
    }
}
