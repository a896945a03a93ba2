//! Selling what was absorbed, at a discount, while reserves are low (`buyCollateral`).

use super::{
    Comet, Event, Moment, Revert,
    comet_math::{FACTOR_SCALE, div, mul, mul_factor, safe128, sub},
};
use alloy_primitives::{Address, U256};

impl Comet {
    /// The collateral that so much base buys, both in base units: at its price less a part of its liquidation penalty, which is
    /// storeFrontPriceFactor · (1 − liquidationFactor) (`quoteCollateral`).
    ///
    /// # Errors
    /// `BadAsset`, `BadPrice`; a product over 256 bits; a discount of all the price.
    pub fn quote_collateral(&self, at: Moment<'_>, asset: Address, base_amount: U256) -> Result<U256, Revert> {
        let configuration = self.configuration();
        let (_, info) = configuration.asset(asset)?;
        let (one, price) = (U256::from(FACTOR_SCALE), at.price(asset)?);
        let penalty = sub(one, U256::from(info.liquidation_factor))?;
        let discount = mul_factor(U256::from(configuration.store_front_price_factor), penalty)?;
        let discounted = mul_factor(price, sub(one, discount)?)?;
        let value = mul(at.price(configuration.base_token)?, base_amount)?;
        div(
            div(mul(value, U256::from(info.scale))?, discounted)?,
            configuration.base_scale(),
        )
    }

    /// Buys collateral of Comet's own for so much base, but not less than a minimum, all in base units. Interest is not accrued,
    /// but the reserves are as of now.
    ///
    /// # Errors
    /// `Paused`; `NotForSale` from the target reserves on; `TooMuchSlippage`, `InsufficientReserves`, `InvalidUInt128`; those of
    /// [`Self::quote_collateral`] and [`Self::indexes`].
    pub fn buy_collateral(
        &mut self,
        at: Moment<'_>,
        buyer: Address,
        asset: Address,
        min_amount: U256,
        base_amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        if self.totals.paused.buy {
            return Err(Revert::Paused);
        }
        let target = U256::from(self.configuration().target_reserves);
        if U256::try_from(self.reserves(at.timestamp)?).is_ok_and(|reserves| reserves >= target) {
            return Err(Revert::NotForSale);
        }
        self.carry_out(&[], |comet| {
            comet.receive(base_amount)?;
            let collateral_amount = comet.quote_collateral(at, asset, base_amount)?;
            if collateral_amount < min_amount {
                return Err(Revert::TooMuchSlippage);
            }
            if collateral_amount > comet.collateral_reserves(asset)? {
                return Err(Revert::InsufficientReserves);
            }
            safe128(collateral_amount)?;
            comet.pay_out_collateral(asset, collateral_amount)?;
            Ok(vec![Event::BuyCollateral {
                buyer,
                asset,
                base_amount,
                collateral_amount,
            }])
        })
    }
}
