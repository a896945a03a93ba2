//! A reserve's parameters in one word (`ReserveConfiguration`).

use super::{Errors, Revert};
use alloy_primitives::U256;

/// How many reserves a pool may have.
pub const MAX_RESERVES_COUNT: u16 = 128;
/// The decimals of a debt ceiling and of what is counted against it.
pub const DEBT_CEILING_DECIMALS: u8 = 2;

/// A reserve's configuration word. Percentages are basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ReserveConfiguration(pub U256);

/// A field of the word: where it begins and how many bits it has.
#[derive(Clone, Copy)]
struct Field(usize, usize);

const LTV: Field = Field(0, 16);
const LIQUIDATION_THRESHOLD: Field = Field(16, 16);
const LIQUIDATION_BONUS: Field = Field(32, 16);
const DECIMALS: Field = Field(48, 8);
const ACTIVE: Field = Field(56, 1);
const FROZEN: Field = Field(57, 1);
const BORROWING: Field = Field(58, 1);
const STABLE_BORROWING: Field = Field(59, 1);
const PAUSED: Field = Field(60, 1);
const BORROWABLE_IN_ISOLATION: Field = Field(61, 1);
const SILOED_BORROWING: Field = Field(62, 1);
const FLASH_LOAN_ENABLED: Field = Field(63, 1);
const RESERVE_FACTOR: Field = Field(64, 16);
const BORROW_CAP: Field = Field(80, 36);
const SUPPLY_CAP: Field = Field(116, 36);
const LIQUIDATION_PROTOCOL_FEE: Field = Field(152, 16);
const E_MODE_CATEGORY: Field = Field(168, 8);
const UNBACKED_MINT_CAP: Field = Field(176, 36);
const DEBT_CEILING: Field = Field(212, 40);
const VIRTUAL_ACC_ACTIVE: Field = Field(252, 1);

impl ReserveConfiguration {
    fn get(self, field: Field) -> u64 {
        let Field(begin, bits) = field;
        ((self.0 >> begin) & Self::mask(bits)).wrapping_to()
    }

    fn set(&mut self, field: Field, value: U256, error: Errors) -> Result<(), Revert> {
        let Field(begin, bits) = field;
        let mask = Self::mask(bits);
        if value > mask {
            return Err(error.into());
        }
        self.0 = (self.0 & !(mask << begin)) | (value << begin);
        Ok(())
    }

    fn set_flag(&mut self, field: Field, on: bool) {
        let bit = U256::ONE << field.0;
        self.0 = if on { self.0 | bit } else { self.0 & !bit };
    }

    fn mask(bits: usize) -> U256 {
        (U256::ONE << bits) - U256::ONE
    }

    /// Loan to value, outside efficiency mode.
    pub fn ltv(self) -> u16 {
        self.get(LTV) as u16
    }

    /// Liquidation threshold, outside efficiency mode.
    pub fn liquidation_threshold(self) -> u16 {
        self.get(LIQUIDATION_THRESHOLD) as u16
    }

    /// What a liquidator receives for each 100 % repaid, the 100 % among it.
    pub fn liquidation_bonus(self) -> u16 {
        self.get(LIQUIDATION_BONUS) as u16
    }

    /// The underlying's decimals.
    pub fn decimals(self) -> u8 {
        self.get(DECIMALS) as u8
    }

    /// Whether anything can be done with the reserve.
    pub fn active(self) -> bool {
        self.get(ACTIVE) != 0
    }

    /// Whether nothing more can be supplied or borrowed.
    pub fn frozen(self) -> bool {
        self.get(FROZEN) != 0
    }

    /// Whether it can be borrowed, outside efficiency mode.
    pub fn borrowing_enabled(self) -> bool {
        self.get(BORROWING) != 0
    }

    /// Whether it can be borrowed at a stable rate (up to 3.1).
    pub fn stable_borrowing_enabled(self) -> bool {
        self.get(STABLE_BORROWING) != 0
    }

    /// Whether nothing can be done for the time being.
    pub fn paused(self) -> bool {
        self.get(PAUSED) != 0
    }

    /// Whether it can be borrowed against isolated collateral.
    pub fn borrowable_in_isolation(self) -> bool {
        self.get(BORROWABLE_IN_ISOLATION) != 0
    }

    /// Whether debt in it stands alone.
    pub fn siloed_borrowing(self) -> bool {
        self.get(SILOED_BORROWING) != 0
    }

    /// Whether flash loans are given.
    pub fn flash_loan_enabled(self) -> bool {
        self.get(FLASH_LOAN_ENABLED) != 0
    }

    /// The treasury's share of the interest.
    pub fn reserve_factor(self) -> u16 {
        self.get(RESERVE_FACTOR) as u16
    }

    /// The most that may be owed, in whole tokens; zero for no cap.
    pub fn borrow_cap(self) -> u64 {
        self.get(BORROW_CAP)
    }

    /// The most that may be supplied, in whole tokens; zero for no cap.
    pub fn supply_cap(self) -> u64 {
        self.get(SUPPLY_CAP)
    }

    /// The treasury's share of the liquidation bonus.
    pub fn liquidation_protocol_fee(self) -> u16 {
        self.get(LIQUIDATION_PROTOCOL_FEE) as u16
    }

    /// The reserve's one category of efficiency mode (up to 3.1); zero for none.
    pub fn e_mode_category(self) -> u8 {
        self.get(E_MODE_CATEGORY) as u8
    }

    /// The most that bridges may mint, in whole tokens (up to 3.3).
    pub fn unbacked_mint_cap(self) -> u64 {
        self.get(UNBACKED_MINT_CAP)
    }

    /// The most that may be owed against the reserve alone, in base currency with two decimals; zero where it is not isolated.
    pub fn debt_ceiling(self) -> u64 {
        self.get(DEBT_CEILING)
    }

    /// Sets the loan to value.
    ///
    /// # Errors
    /// `InvalidLtv` over 16 bits.
    pub fn set_ltv(&mut self, ltv: U256) -> Result<(), Revert> {
        self.set(LTV, ltv, Errors::InvalidLtv)
    }

    /// Sets the liquidation threshold.
    ///
    /// # Errors
    /// `InvalidLiquidationThreshold` over 16 bits.
    pub fn set_liquidation_threshold(&mut self, threshold: U256) -> Result<(), Revert> {
        self.set(LIQUIDATION_THRESHOLD, threshold, Errors::InvalidLiquidationThreshold)
    }

    /// Sets the liquidation bonus.
    ///
    /// # Errors
    /// `InvalidLiquidationBonus` over 16 bits.
    pub fn set_liquidation_bonus(&mut self, bonus: U256) -> Result<(), Revert> {
        self.set(LIQUIDATION_BONUS, bonus, Errors::InvalidLiquidationBonus)
    }

    /// Sets the underlying's decimals.
    pub fn set_decimals(&mut self, decimals: u8) {
        let Field(begin, bits) = DECIMALS;
        self.0 = (self.0 & !(Self::mask(bits) << begin)) | (U256::from(decimals) << begin);
    }

    /// Sets whether anything can be done with the reserve.
    pub fn set_active(&mut self, active: bool) {
        self.set_flag(ACTIVE, active);
    }

    /// Sets whether the reserve counts its liquidity itself (from 3.1; from 3.4 on all do, and nothing reads the flag).
    pub fn set_virtual_acc_active(&mut self, active: bool) {
        self.set_flag(VIRTUAL_ACC_ACTIVE, active);
    }

    /// Sets whether nothing more can be supplied or borrowed.
    pub fn set_frozen(&mut self, frozen: bool) {
        self.set_flag(FROZEN, frozen);
    }

    /// Sets whether it can be borrowed.
    pub fn set_borrowing_enabled(&mut self, enabled: bool) {
        self.set_flag(BORROWING, enabled);
    }

    /// Sets whether nothing can be done for the time being.
    pub fn set_paused(&mut self, paused: bool) {
        self.set_flag(PAUSED, paused);
    }

    /// Sets whether it can be borrowed against isolated collateral.
    pub fn set_borrowable_in_isolation(&mut self, borrowable: bool) {
        self.set_flag(BORROWABLE_IN_ISOLATION, borrowable);
    }

    /// Sets whether debt in it stands alone.
    pub fn set_siloed_borrowing(&mut self, siloed: bool) {
        self.set_flag(SILOED_BORROWING, siloed);
    }

    /// Sets whether flash loans are given.
    pub fn set_flash_loan_enabled(&mut self, enabled: bool) {
        self.set_flag(FLASH_LOAN_ENABLED, enabled);
    }

    /// Sets the treasury's share of the interest.
    ///
    /// # Errors
    /// `InvalidReserveFactor` over 16 bits.
    pub fn set_reserve_factor(&mut self, factor: U256) -> Result<(), Revert> {
        self.set(RESERVE_FACTOR, factor, Errors::InvalidReserveFactor)
    }

    /// Sets the most that may be owed, in whole tokens.
    ///
    /// # Errors
    /// `InvalidBorrowCap` over 36 bits.
    pub fn set_borrow_cap(&mut self, cap: U256) -> Result<(), Revert> {
        self.set(BORROW_CAP, cap, Errors::InvalidBorrowCap)
    }

    /// Sets the most that may be supplied, in whole tokens.
    ///
    /// # Errors
    /// `InvalidSupplyCap` over 36 bits.
    pub fn set_supply_cap(&mut self, cap: U256) -> Result<(), Revert> {
        self.set(SUPPLY_CAP, cap, Errors::InvalidSupplyCap)
    }

    /// Sets the treasury's share of the liquidation bonus.
    ///
    /// # Errors
    /// `InvalidLiquidationProtocolFee` over 16 bits.
    pub fn set_liquidation_protocol_fee(&mut self, fee: U256) -> Result<(), Revert> {
        self.set(LIQUIDATION_PROTOCOL_FEE, fee, Errors::InvalidLiquidationProtocolFee)
    }

    /// Sets the reserve's one category of efficiency mode.
    pub fn set_e_mode_category(&mut self, category: u8) {
        let Field(begin, bits) = E_MODE_CATEGORY;
        self.0 = (self.0 & !(Self::mask(bits) << begin)) | (U256::from(category) << begin);
    }

    /// Sets the most that may be owed against the reserve alone, in base currency with two decimals.
    ///
    /// # Errors
    /// `InvalidDebtCeiling` over 40 bits.
    pub fn set_debt_ceiling(&mut self, ceiling: U256) -> Result<(), Revert> {
        self.set(DEBT_CEILING, ceiling, Errors::InvalidDebtCeiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_set_without_its_neighbours() {
        let mut configuration = ReserveConfiguration(U256::MAX);
        configuration
            .set_liquidation_threshold(U256::from(8_250))
            .expect("fits");
        configuration.set_frozen(false);
        configuration.set_debt_ceiling(U256::ZERO).expect("fits");
        assert_eq!(configuration.liquidation_threshold(), 8_250);
        assert_eq!(
            (configuration.ltv(), configuration.liquidation_bonus()),
            (u16::MAX, u16::MAX)
        );
        assert!(configuration.active() && !configuration.frozen() && configuration.borrowing_enabled());
        assert_eq!(
            (configuration.debt_ceiling(), configuration.unbacked_mint_cap()),
            (0, (1 << 36) - 1)
        );
        let cap = U256::ONE << 36;
        assert_eq!(configuration.set_supply_cap(cap), Err(Errors::InvalidSupplyCap.into()));
    }
}
