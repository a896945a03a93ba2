//! What governance may change (`PoolConfigurator`): parameters of reserves and of categories of efficiency mode.
//!
//! Whoever configures is taken to have the role.

mod collateral;
mod e_modes;
mod limits;
mod state;

pub use e_modes::EModeParameters;
pub use limits::InterestRateData;
pub use state::MAX_GRACE_PERIOD;

use super::{Call, Errors, Event, Pool, ReserveConfiguration, Revert, checked::OrRevert, validation_logic::require};
use alloy_primitives::Address;

impl Call<'_> {
    /// The configuration of an asset; of one without a reserve it is empty.
    fn configuration(&self, asset: Address) -> ReserveConfiguration {
        self.pool
            .reserve(asset)
            .map(|reserve| reserve.configuration)
            .unwrap_or_default()
    }

    /// Stores a configuration.
    fn set_configuration(&mut self, asset: Address, configuration: ReserveConfiguration) -> Result<(), Revert> {
        let id = self.listed(asset)?;
        self.reserve_mut(id)?.configuration = configuration;
        Ok(())
    }

    /// The number of an asset's reserve.
    fn listed(&self, asset: Address) -> Result<u16, Revert> {
        self.pool.id(asset).ok_or(Errors::AssetNotListed.into())
    }

    /// Nobody has supplied, and the treasury is owed nothing.
    fn check_no_suppliers(&self, asset: Address) -> Result<(), Revert> {
        let reserve = self.pool.reserve(asset).or_revert()?;
        let none = reserve.scaled_supply.is_zero() && reserve.accrued_to_treasury == 0;
        require(none, Errors::ReserveLiquidityNotZero)
    }
}

impl Pool {
    /// A change that the clock and prices do not matter to.
    fn configure(&mut self, carry_out: impl FnOnce(&mut Call<'_>) -> Result<(), Revert>) -> Result<Vec<Event>, Revert> {
        self.configure_at(0, carry_out)
    }

    /// A change at a time, in seconds since the Unix epoch.
    fn configure_at(
        &mut self,
        now: u64,
        carry_out: impl FnOnce(&mut Call<'_>) -> Result<(), Revert>,
    ) -> Result<Vec<Event>, Revert> {
        let context = super::Context {
            now,
            caller: self.params().configurator,
            prices: &|_: Address| None,
        };
        self.transact(&context, carry_out)
    }
}
