//! Which pool (v4-core `PoolKey`, `PoolIdLibrary`) and what `PoolManager.initialize` demands of it.

use super::{Revert, hooks, swap_math::PIPS};
use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolValue;

/// In place of a fee: the hook sets it.
pub const DYNAMIC_FEE: u32 = 0x80_0000;

/// What makes a pool: any two of these that differ are two pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PoolKey {
    /// Token0; zero is the chain's own coin.
    pub currency0: Address,
    /// Token1.
    pub currency1: Address,
    /// The liquidity providers' fee in pips, hundredths of a basis point; or [`DYNAMIC_FEE`].
    pub fee: u32,
    /// Ticks between those that may be initialized.
    pub tick_spacing: i32,
    /// The hook; zero for none.
    pub hooks: Address,
}

/// Why a pool is none that the engine can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The pool manager would not make it.
    #[error("the pool manager makes no such pool: {0}")]
    Invalid(#[from] Revert),
    /// The hook's own code decides over amounts or fees.
    #[error("pools with hook {hook} are not supported: it may change what a call moves ({flag})")]
    UnsupportedHook {
        /// The hook.
        hook: Address,
        /// The permission, or the dynamic fee, that lets it.
        flag: &'static str,
    },
}

impl PoolKey {
    /// The pool's id: the hash of the key's five words.
    pub fn id(&self) -> B256 {
        let words = (self.currency0, self.currency1, self.fee, self.tick_spacing, self.hooks);
        keccak256(words.abi_encode())
    }

    /// Whether the hook sets the fee.
    pub const fn has_dynamic_fee(&self) -> bool {
        self.fee == DYNAMIC_FEE
    }

    /// What the pool manager demands of a key, in its order.
    ///
    /// # Errors
    /// `TickSpacingTooLarge`, `TickSpacingTooSmall`, `CurrenciesOutOfOrderOrEqual`, `HookAddressNotValid`, `LPFeeTooLarge`.
    pub fn validate(&self) -> Result<(), Revert> {
        let demands = [
            (self.tick_spacing <= i32::from(i16::MAX), "TickSpacingTooLarge"),
            (self.tick_spacing >= 1, "TickSpacingTooSmall"),
            (self.currency0 < self.currency1, "CurrenciesOutOfOrderOrEqual"),
            (
                hooks::is_valid(self.hooks, self.has_dynamic_fee()),
                "HookAddressNotValid",
            ),
            (self.has_dynamic_fee() || self.fee <= PIPS, "LPFeeTooLarge"),
        ];
        match demands.into_iter().find(|(met, _)| !met) {
            Some((_, reason)) => Err(Revert(reason)),
            None => Ok(()),
        }
    }

    /// Whether the pool's own code decides over every amount.
    ///
    /// # Errors
    /// A key that the pool manager refuses, or a hook that may change amounts or the fee.
    pub fn supported(&self) -> Result<(), PoolError> {
        self.validate()?;
        let dynamic = self.has_dynamic_fee().then_some("dynamic fee");
        match hooks::changes_amounts(self.hooks).or(dynamic) {
            Some(flag) => Err(PoolError::UnsupportedHook { hook: self.hooks, flag }),
            None => Ok(()),
        }
    }
}
