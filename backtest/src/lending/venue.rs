use super::{Change, Moment, OwnMarket};
use alloy_primitives::{Address, U256};
use plimsoll_market::{Protocol, SupplyCurve};
use plimsoll_runtime::{LendingChange, LendingPosition, LendingRates, LendingTerms, LendingVenue};
use plimsoll_units::{Rounding, mul_div, wad_ray_math::WAD};

/// What a strategy sees of a market.
#[derive(Debug)]
pub(super) struct Venue<'a> {
    pub(super) market: Held<'a>,
    pub(super) at: Moment<'a>,
}

/// A market with own amounts in it, or one without, made for the call.
#[derive(Debug)]
pub(super) enum Held<'a> {
    Own(&'a dyn OwnMarket),
    Fresh(Box<dyn OwnMarket>),
}

impl Venue<'_> {
    fn market(&self) -> &dyn OwnMarket {
        match &self.market {
            Held::Own(market) => *market,
            Held::Fresh(market) => market.as_ref(),
        }
    }
}

impl LendingVenue for Venue<'_> {
    fn protocol(&self) -> Protocol {
        self.at.recorded.protocol()
    }

    fn assets(&self) -> Vec<Address> {
        self.at.recorded.assets().collect()
    }

    fn position(&self, asset: Address) -> LendingPosition {
        let positions = self.market().positions(&self.at);
        let position = positions.into_iter().find(|(of, _)| *of == asset);
        position.map(|(_, position)| position).unwrap_or_default()
    }

    fn health_factor_wad(&self) -> Option<U256> {
        self.market().health_factor_wad(&self.at)
    }

    fn rates_after(&self, asset: Address, change: LendingChange) -> Option<LendingRates> {
        let (added, taken, is_debt) = match change {
            LendingChange::None => (U256::ZERO, U256::ZERO, false),
            LendingChange::Supply(amount) => (amount, U256::ZERO, false),
            LendingChange::Withdraw(amount) => (U256::ZERO, amount, false),
            LendingChange::Repay(amount) => (amount, U256::ZERO, true),
            LendingChange::Borrow(amount) => (U256::ZERO, amount, true),
        };
        let change = Change { added, taken, is_debt };
        self.market().rates_after(asset, change, &self.at)
    }

    fn supply_curve(&self, asset: Address) -> Option<SupplyCurve> {
        self.market().supply_curve(asset, &self.at)
    }

    fn terms(&self, asset: Address) -> Option<LendingTerms> {
        self.market().terms(asset, &self.at)
    }

    fn worth(&self, asset: Address, amount: U256) -> Option<U256> {
        let price = self.at.recorded.unit_price(asset, self.at.feeds)?;
        mul_div(amount, price, WAD, Rounding::Down)
    }
}
