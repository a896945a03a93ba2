use alloy_primitives::{Address, U256};
use plimsoll_runtime::{Action, Lend, LendingVenue, Size, Strategy, View};
use plimsoll_units::{Rounding, Side, mul_div, wad_ray_math::WAD};

/// Why a loop cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoopError {
    /// A target at which the position could be liquidated.
    #[error("target_health_factor must be above 1")]
    TargetTooLow,
    /// Nothing to stay within.
    #[error("band must be above 0")]
    NoBand,
    /// A band that reaches down to liquidation.
    #[error("band must be below target_health_factor − 1")]
    BandTooWide,
    /// Collateral and debt are one token.
    #[error("collateral and debt must be two tokens")]
    OneToken,
    /// The pool does not trade one for the other.
    #[error("pool does not trade the collateral for the debt")]
    WrongPool,
}

/// Which health factor to keep, as wads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthTarget {
    /// The health factor to come back to.
    pub health_factor_wad: U256,
    /// How far it may go either way before that.
    pub band_wad: U256,
}

/// Supplies a collateral, borrows against it, buys more of the collateral with the debt, and keeps the health factor within a band: it
/// borrows more above, and sells collateral to repay below.
#[derive(Debug, Clone)]
pub struct LeveragedLoop {
    market: Address,
    pool: Address,
    collateral: Address,
    debt: Address,
    /// The debt's side in the pool.
    debt_side: Side,
    target: HealthTarget,
}

/// Own supply and debt, and how the market takes the collateral; worths in the market's own unit.
struct Standing {
    collateral: U256,
    debt: U256,
    health_factor_wad: Option<U256>,
    threshold_wad: U256,
    loan_to_value_wad: U256,
}

impl LeveragedLoop {
    /// A loop in a market through a pool of these tokens.
    ///
    /// # Errors
    /// A target or a band at which the position would be liquidated, or tokens that the pool does not trade.
    pub fn new(
        market: Address,
        (pool, token0, token1): (Address, Address, Address),
        (collateral, debt): (Address, Address),
        target: HealthTarget,
    ) -> Result<Self, LoopError> {
        if target.health_factor_wad <= WAD {
            return Err(LoopError::TargetTooLow);
        }
        if target.band_wad.is_zero() {
            return Err(LoopError::NoBand);
        }
        if target.band_wad >= target.health_factor_wad - WAD {
            return Err(LoopError::BandTooWide);
        }
        if collateral == debt {
            return Err(LoopError::OneToken);
        }
        let debt_side = match (collateral, debt) {
            tokens if tokens == (token1, token0) => Side::Token0,
            tokens if tokens == (token0, token1) => Side::Token1,
            _ => return Err(LoopError::WrongPool),
        };
        Ok(Self {
            market,
            pool,
            collateral,
            debt,
            debt_side,
            target,
        })
    }

    fn standing(&self, venue: &dyn LendingVenue) -> Option<Standing> {
        let terms = venue.terms(self.collateral)?;
        let (supplied, owed) = (
            venue.position(self.collateral).supplied,
            venue.position(self.debt).borrowed,
        );
        Some(Standing {
            collateral: venue.worth(self.collateral, supplied)?,
            debt: venue.worth(self.debt, owed)?,
            health_factor_wad: venue.health_factor_wad(),
            threshold_wad: terms.liquidation_threshold_wad,
            loan_to_value_wad: terms.loan_to_value_wad,
        })
    }

    const fn lend(&self, asset: Address, amount: Size) -> Lend {
        Lend {
            market: self.market,
            asset,
            amount,
        }
    }

    const fn swap(&self, token_in: Side, amount: U256) -> Action {
        Action::Swap {
            pool: self.pool,
            token_in,
            amount_in: Size::Exact(amount),
        }
    }

    /// Buys collateral with so much of the debt's token, and supplies all there is.
    fn buy_collateral(&self, amount: U256) -> Vec<Action> {
        let supply = Action::Supply(self.lend(self.collateral, Size::All));
        vec![self.swap(self.debt_side, amount), supply]
    }

    /// Sells so much of the collateral, and repays with all there is.
    fn sell_and_repay(&self, amount: U256) -> Vec<Action> {
        let repay = Action::Repay(self.lend(self.debt, Size::All));
        vec![self.swap(self.debt_side.other(), amount), repay]
    }
}

impl Strategy for LeveragedLoop {
    fn name(&self) -> &'static str {
        "leveraged-loop"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        let (Some(venue), None) = (view.lending(self.market), (view.pending() > 0).then_some(())) else {
            return Vec::new();
        };
        let Some(standing) = self.standing(venue.as_ref()) else {
            return Vec::new();
        };
        let idle = (view.balance(self.collateral), view.balance(self.debt));
        // A thousandth of the position is not worth a transaction.
        let dust = standing.collateral / U256::from(1_000u32);
        let counts = |token, amount| venue.worth(token, amount).is_some_and(|worth| worth > dust);
        let (low, high) = (
            self.target.health_factor_wad - self.target.band_wad,
            self.target.health_factor_wad.saturating_add(self.target.band_wad),
        );
        let is_low = standing.health_factor_wad.is_some_and(|health| health < low);
        // What is in the wallet is the capital at first, and later what a step has left there that ended halfway.
        if counts(self.collateral, idle.0) {
            return match is_low {
                true => self.sell_and_repay(idle.0),
                false => vec![Action::Supply(self.lend(self.collateral, Size::All))],
            };
        }
        if counts(self.debt, idle.1) {
            return match is_low {
                true => vec![Action::Repay(self.lend(self.debt, Size::All))],
                false => self.buy_collateral(idle.1),
            };
        }
        let base_units = |token, worth| mul_div(worth, WAD, venue.worth(token, WAD)?, Rounding::Down);
        if is_low {
            let amount = standing.to_sell(self.target.health_factor_wad);
            let Some(amount) = amount.and_then(|worth| base_units(self.collateral, worth)) else {
                return Vec::new();
            };
            let withdraw = Action::Withdraw(self.lend(self.collateral, Size::Exact(amount)));
            return [vec![withdraw], self.sell_and_repay(amount)].concat();
        }
        if standing.health_factor_wad.is_none_or(|health| health > high) {
            let amount = standing
                .to_borrow(self.target.health_factor_wad)
                .filter(|worth| *worth > dust);
            let Some(amount) = amount.and_then(|worth| base_units(self.debt, worth)) else {
                return Vec::new();
            };
            let borrow = Action::Borrow(self.lend(self.debt, Size::Exact(amount)));
            return [vec![borrow], self.buy_collateral(amount)].concat();
        }
        Vec::new()
    }
}

impl Standing {
    /// The collateral that counts in the health factor.
    fn counted(&self) -> Option<U256> {
        mul_div(self.collateral, self.threshold_wad, WAD, Rounding::Down)
    }

    /// What to borrow and to supply again so that (collateral + x)·threshold ÷ (debt + x) is the target, at most what may be borrowed at
    /// once, less a part in two hundred for the price to move in.
    fn to_borrow(&self, target_wad: U256) -> Option<U256> {
        let owed = mul_div(self.debt, target_wad, WAD, Rounding::Up)?;
        let wanted = mul_div(
            self.counted()?.saturating_sub(owed),
            WAD,
            target_wad.checked_sub(self.threshold_wad)?,
            Rounding::Down,
        )?;
        let most = mul_div(self.collateral, self.loan_to_value_wad, WAD, Rounding::Down)?;
        let most = most.saturating_sub(self.debt);
        Some(wanted.min(most - most / U256::from(200u32)))
    }

    /// What to sell and to repay with so that (collateral − x)·threshold ÷ (debt − x) is the target, at most what leaves the account
    /// healthy until the repayment; `None` where nothing does.
    fn to_sell(&self, target_wad: U256) -> Option<U256> {
        let owed = mul_div(self.debt, target_wad, WAD, Rounding::Up)?;
        let wanted = mul_div(
            owed.saturating_sub(self.counted()?),
            WAD,
            target_wad.checked_sub(self.threshold_wad)?,
            Rounding::Up,
        )?;
        let needed = mul_div(self.debt, WAD, self.threshold_wad, Rounding::Up)?;
        let most = self.collateral.checked_sub(needed)?;
        let amount = wanted.min(most - most / U256::from(200u32));
        (!amount.is_zero()).then_some(amount)
    }
}
