//! A Comet's whole state, its interest, and what is its own.

use super::{
    Account, Accounts, Configuration, Event, Revert,
    comet_math::{
        BASE_INDEX_SCALE, FACTOR_SCALE, add, div, mul, present_value_borrow, present_value_supply, signed, sub,
    },
    configuration::MAX_ASSETS,
    interest_rates::grown,
};
use alloy_primitives::{Address, I256, U256};

/// Times are 40 bits wide.
const TIME_END: u64 = 1 << 40;

/// Where prices come from.
pub trait PriceFeeds {
    /// What one whole token is worth, scaled by 1e8 (in a Comet whose feeds have 8 decimals); zero where there is no price.
    fn price(&self, token: Address) -> U256;
}

impl<F: Fn(Address) -> U256> PriceFeeds for F {
    fn price(&self, token: Address) -> U256 {
        self(token)
    }
}

/// The time that a call is at, and its prices.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// The prices.
    pub prices: &'a dyn PriceFeeds,
}

impl std::fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment")
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl Moment<'_> {
    /// A price, which must be there.
    pub(super) fn price(&self, token: Address) -> Result<U256, Revert> {
        let price = self.prices.price(token);
        if price.is_zero() {
            return Err(Revert::BadPrice);
        }
        Ok(price)
    }
}

/// What is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paused {
    /// Paying in.
    pub supply: bool,
    /// Transfers from account to account.
    pub transfer: bool,
    /// Paying out.
    pub withdraw: bool,
    /// Absorbing accounts.
    pub absorb: bool,
    /// Buying collateral.
    pub buy: bool,
}

/// The base's numbers. Indexes are scaled by 1e15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// The growth of a supply since the beginning.
    pub base_supply_index: u64,
    /// The growth of a borrow since the beginning.
    pub base_borrow_index: u64,
    /// All supplies, as principal.
    pub total_supply_base: u128,
    /// All borrows, as principal.
    pub total_borrow_base: u128,
    /// Seconds since the Unix epoch of the last accrual.
    pub last_accrual_time: u64,
    /// What is paused.
    pub paused: Paused,
    /// The base that Comet has, in base units.
    pub balance: U256,
}

/// One collateral asset's numbers, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AssetTotals {
    /// What accounts have supplied.
    pub total_supply_asset: u128,
    /// What Comet has, its own part among it.
    pub balance: U256,
}

/// One Comet at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comet {
    configuration: Configuration,
    pub(super) totals: Totals,
    pub(super) assets: Vec<AssetTotals>,
    pub(super) accounts: Accounts,
}

impl Comet {
    /// A Comet as it is initialized at a time, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// `TimestampTooLarge`; `BadAsset` for more than [`MAX_ASSETS`].
    pub fn new(configuration: Configuration, timestamp: u64) -> Result<Self, Revert> {
        if configuration.assets.len() > MAX_ASSETS {
            return Err(Revert::BadAsset);
        }
        Ok(Self {
            assets: vec![AssetTotals::default(); configuration.assets.len()],
            configuration,
            totals: Totals {
                base_supply_index: BASE_INDEX_SCALE,
                base_borrow_index: BASE_INDEX_SCALE,
                total_supply_base: 0,
                total_borrow_base: 0,
                last_accrual_time: now(timestamp)?,
                paused: Paused::default(),
                balance: U256::ZERO,
            },
            accounts: Accounts::default(),
        })
    }

    /// What it is deployed with.
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Goes on with what governance has deployed anew; nothing accrues by it, and assets may only have been added.
    ///
    /// # Errors
    /// `BadAsset` for another base, another scale, an asset in another's place or left out, or more than [`MAX_ASSETS`].
    pub fn reconfigure(&mut self, configuration: Configuration) -> Result<(), Revert> {
        let (old, new) = (&self.configuration, &configuration);
        let same_base = (old.base_token, old.base_scale) == (new.base_token, new.base_scale);
        let same_assets = new.assets.len() >= old.assets.len()
            && old
                .assets
                .iter()
                .zip(&new.assets)
                .all(|(old, new)| (old.asset, old.scale) == (new.asset, new.scale));
        if !same_base || !same_assets || new.assets.len() > MAX_ASSETS {
            return Err(Revert::BadAsset);
        }
        self.assets.resize(new.assets.len(), AssetTotals::default());
        self.configuration = configuration;
        Ok(())
    }

    /// The base's numbers.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// Sets the base's numbers, as a snapshot tells them.
    pub const fn set_totals(&mut self, totals: Totals) {
        self.totals = totals;
    }

    /// The collateral's numbers, in the configuration's order.
    pub fn asset_totals(&self) -> &[AssetTotals] {
        &self.assets
    }

    /// The collateral's numbers, to be set as a snapshot tells them.
    pub fn asset_totals_mut(&mut self) -> &mut [AssetTotals] {
        &mut self.assets
    }

    /// What accounts hold and owe.
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What accounts hold and owe, to be set as a snapshot tells it.
    pub const fn accounts_mut(&mut self) -> &mut Accounts {
        &mut self.accounts
    }

    /// Base that is borrowed over base that is supplied, scaled by 1e18, as of the last accrual; zero where nothing is supplied.
    ///
    /// # Errors
    /// A product over 256 bits.
    pub fn utilization(&self) -> Result<U256, Revert> {
        let totals = &self.totals;
        let supply = present_value_supply(totals.base_supply_index, totals.total_supply_base);
        let borrow = present_value_borrow(totals.base_borrow_index, totals.total_borrow_base);
        if supply.is_zero() {
            return Ok(U256::ZERO);
        }
        div(mul(borrow, U256::from(FACTOR_SCALE))?, supply)
    }

    /// The base indexes of supply and borrow as of a time, scaled by 1e15: one step at the rates of the last accrual's
    /// utilization, however long ago that was.
    ///
    /// # Errors
    /// `TimestampTooLarge`; a time before the last accrual; an index over 64 bits.
    pub fn indexes(&self, timestamp: u64) -> Result<(u64, u64), Revert> {
        let totals = &self.totals;
        let seconds = now(timestamp)?
            .checked_sub(totals.last_accrual_time)
            .ok_or(Revert::ArithmeticPanic)?;
        let (supply, borrow) = (totals.base_supply_index, totals.base_borrow_index);
        if seconds == 0 {
            return Ok((supply, borrow));
        }
        let utilization = self.utilization()?;
        let supply_rate = self.configuration.supply.rate(utilization)?;
        let borrow_rate = self.configuration.borrow.rate(utilization)?;
        Ok((
            grown(supply, supply_rate, seconds)?,
            grown(borrow, borrow_rate, seconds)?,
        ))
    }

    /// Brings interest up to a time (`accrueAccount`, which emits nothing): when this happens changes what comes of it.
    ///
    /// # Errors
    /// Those of [`Self::indexes`].
    pub fn accrue(&mut self, timestamp: u64) -> Result<(), Revert> {
        let (supply, borrow) = self.indexes(timestamp)?;
        let totals = &mut self.totals;
        (totals.base_supply_index, totals.base_borrow_index) = (supply, borrow);
        totals.last_accrual_time = timestamp;
        Ok(())
    }

    /// What an account has supplied, in base units as of a time; zero for a borrower.
    ///
    /// # Errors
    /// Those of [`Self::indexes`].
    pub fn balance_of(&self, timestamp: u64, account: Address) -> Result<U256, Revert> {
        let principal = u128::try_from(self.accounts.principal(account)).unwrap_or(0);
        Ok(present_value_supply(self.indexes(timestamp)?.0, principal))
    }

    /// What an account owes, in base units as of a time; zero for a supplier.
    ///
    /// # Errors
    /// Those of [`Self::indexes`].
    pub fn borrow_balance_of(&self, timestamp: u64, account: Address) -> Result<U256, Revert> {
        let principal = self.accounts.principal(account).min(0).unsigned_abs();
        Ok(present_value_borrow(self.indexes(timestamp)?.1, principal))
    }

    /// All supplies, in base units as of a time.
    ///
    /// # Errors
    /// Those of [`Self::indexes`].
    pub fn total_supply(&self, timestamp: u64) -> Result<U256, Revert> {
        let index = self.indexes(timestamp)?.0;
        Ok(present_value_supply(index, self.totals.total_supply_base))
    }

    /// All borrows, in base units as of a time.
    ///
    /// # Errors
    /// Those of [`Self::indexes`].
    pub fn total_borrow(&self, timestamp: u64) -> Result<U256, Revert> {
        let index = self.indexes(timestamp)?.1;
        Ok(present_value_borrow(index, self.totals.total_borrow_base))
    }

    /// Base that is Comet's own, below zero where it owes more than it has and is owed, in base units as of a time.
    ///
    /// # Errors
    /// Those of [`Self::indexes`].
    pub fn reserves(&self, timestamp: u64) -> Result<I256, Revert> {
        let owed = signed(self.total_supply(timestamp)?)?;
        let due = signed(self.total_borrow(timestamp)?)?;
        let left = signed(self.totals.balance)?.checked_sub(owed);
        left.and_then(|left| left.checked_add(due))
            .ok_or(Revert::ArithmeticPanic)
    }

    /// Collateral that is Comet's own, in base units.
    ///
    /// # Errors
    /// `BadAsset`; less than accounts have supplied, which no sequence of calls leads to.
    pub fn collateral_reserves(&self, asset: Address) -> Result<U256, Revert> {
        let (place, _) = self.configuration.asset(asset)?;
        let totals = self.asset_at(place)?;
        sub(totals.balance, U256::from(totals.total_supply_asset))
    }

    /// Sets what is paused.
    ///
    /// # Errors
    /// `Unauthorized` for anyone but governor and guardian.
    pub fn pause(&mut self, caller: Address, paused: Paused) -> Result<Vec<Event>, Revert> {
        if caller != self.configuration.governor && caller != self.configuration.pause_guardian {
            return Err(Revert::Unauthorized);
        }
        self.totals.paused = paused;
        Ok(vec![Event::PauseAction {
            supply: paused.supply,
            transfer: paused.transfer,
            withdraw: paused.withdraw,
            absorb: paused.absorb,
            buy: paused.buy,
        }])
    }

    /// Pays reserves out, in base units.
    ///
    /// # Errors
    /// `Unauthorized` for anyone but the governor; `InsufficientReserves`; those of [`Self::indexes`].
    pub fn withdraw_reserves(
        &mut self,
        at: Moment<'_>,
        caller: Address,
        to: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        if caller != self.configuration.governor {
            return Err(Revert::Unauthorized);
        }
        let reserves = U256::try_from(self.reserves(at.timestamp)?).map_err(|_| Revert::InsufficientReserves)?;
        if amount > reserves {
            return Err(Revert::InsufficientReserves);
        }
        self.pay_out_base(amount)?;
        Ok(vec![Event::WithdrawReserves { to, amount }])
    }

    /// Books base that someone sent to Comet without calling it, in base units: it is reserves.
    ///
    /// # Errors
    /// A balance over 256 bits.
    pub fn receive(&mut self, amount: U256) -> Result<(), Revert> {
        self.totals.balance = add(self.totals.balance, amount)?;
        Ok(())
    }

    /// Carries a call out; where it reverts, the base, the collateral's totals and these accounts are as before.
    pub(super) fn carry_out<T>(
        &mut self,
        accounts: &[Address],
        body: impl FnOnce(&mut Self) -> Result<T, Revert>,
    ) -> Result<T, Revert> {
        let (totals, assets) = (self.totals, self.assets.clone());
        let kept = |&address: &Address| (address, self.accounts.get(address).cloned());
        let accounts: Vec<(Address, Option<Account>)> = accounts.iter().map(kept).collect();
        let result = body(self);
        if result.is_err() {
            (self.totals, self.assets) = (totals, assets);
            for (address, account) in accounts {
                self.accounts.replace(address, account);
            }
        }
        result
    }

    pub(super) fn pay_out_base(&mut self, amount: U256) -> Result<(), Revert> {
        let left = self.totals.balance.checked_sub(amount);
        self.totals.balance = left.ok_or(Revert::TransferOutFailed)?;
        Ok(())
    }

    pub(super) const fn stored_indexes(&self) -> (u64, u64) {
        (self.totals.base_supply_index, self.totals.base_borrow_index)
    }

    pub(super) fn asset_at(&self, place: u8) -> Result<&AssetTotals, Revert> {
        self.assets.get(usize::from(place)).ok_or(Revert::BadAsset)
    }

    pub(super) fn asset_at_mut(&mut self, place: u8) -> Result<&mut AssetTotals, Revert> {
        self.assets.get_mut(usize::from(place)).ok_or(Revert::BadAsset)
    }
}

const fn now(timestamp: u64) -> Result<u64, Revert> {
    if timestamp < TIME_END {
        Ok(timestamp)
    } else {
        Err(Revert::TimestampTooLarge)
    }
}
