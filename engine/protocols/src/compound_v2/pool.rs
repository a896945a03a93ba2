//! The whole state: every market, every account, and what the comptroller keeps for all.

use super::{Accounts, InterestRateModel, Market, MarketId, MarketParams, Refusal, TooWide};
use alloy_primitives::{Address, U256, map::HashMap};

/// One Compound v2 at one moment. Every number is the contracts' own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    comptroller: Address,
    admin: Address,
    pub(super) markets: Vec<Market>,
    places: HashMap<Address, MarketId>,
    pub(super) accounts: Accounts,
    pub(super) close_factor: U256,
    pub(super) liquidation_incentive: U256,
    pub(super) transfer_paused: bool,
    pub(super) seize_paused: bool,
    models: HashMap<Address, InterestRateModel>,
}

impl Pool {
    /// A comptroller with no markets; `admin` is who may change what an administrator changes.
    pub fn new(comptroller: Address, admin: Address) -> Self {
        Self {
            comptroller,
            admin,
            markets: Vec::new(),
            places: HashMap::default(),
            accounts: Accounts::default(),
            close_factor: U256::ZERO,
            liquidation_incentive: U256::ZERO,
            transfer_paused: false,
            seize_paused: false,
            models: HashMap::default(),
        }
    }

    /// Everything but what accounts hold and owe.
    pub(super) fn without_accounts(&self) -> Self {
        Self {
            markets: self.markets.clone(),
            places: self.places.clone(),
            accounts: Accounts::default(),
            models: self.models.clone(),
            ..*self
        }
    }

    /// Adds a market as it is deployed, not listed yet; returns its place. `None` where it is there already, or there are 65,536.
    pub fn add_market(&mut self, params: MarketParams) -> Option<MarketId> {
        self.restore_market(Market::new(params))
    }

    /// Adds a market as a snapshot tells it; returns its place. `None` where it is there already, or there are 65,536.
    pub fn restore_market(&mut self, market: Market) -> Option<MarketId> {
        let id = MarketId(u16::try_from(self.markets.len()).ok()?);
        if self.places.contains_key(&market.c_token) {
            return None;
        }
        self.places.insert(market.c_token, id);
        self.markets.push(market);
        Some(id)
    }

    /// Makes an interest rate model known by its address, so that a market may change to it.
    pub fn know_model(&mut self, address: Address, model: InterestRateModel) {
        self.models.insert(address, model);
    }

    /// Sets what computes a market's rates from here on; an unknown market is left out.
    pub fn set_model(&mut self, c_token: Address, model: InterestRateModel) {
        if let Some(id) = self.market_id(c_token)
            && let Some(market) = self.markets.get_mut(usize::from(id.0))
        {
            market.model = Some(model);
        }
    }

    /// Sets close factor and liquidation incentive, scaled by 1e18, as a snapshot tells them.
    pub const fn restore_factors(&mut self, close_factor: U256, liquidation_incentive: U256) {
        self.close_factor = close_factor;
        self.liquidation_incentive = liquidation_incentive;
    }

    /// Sets whether transfers and seizures of all cTokens are paused, as a snapshot tells it.
    pub const fn restore_pauses(&mut self, transfer: bool, seize: bool) {
        self.transfer_paused = transfer;
        self.seize_paused = seize;
    }

    /// Every interest rate model that is known by its address, in no order.
    pub fn models(&self) -> impl Iterator<Item = (Address, InterestRateModel)> {
        self.models.iter().map(|(address, model)| (*address, *model))
    }

    /// The comptroller's address.
    pub const fn comptroller(&self) -> Address {
        self.comptroller
    }

    /// Who may change what an administrator changes.
    pub const fn admin(&self) -> Address {
        self.admin
    }

    /// The markets, in the order in which they were added.
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// A market by its cToken; `None` where there is none.
    pub fn market(&self, c_token: Address) -> Option<&Market> {
        self.market_by_id(self.market_id(c_token)?)
    }

    /// A market by its place; `None` where there is none.
    pub fn market_by_id(&self, id: MarketId) -> Option<&Market> {
        self.markets.get(usize::from(id.0))
    }

    /// A market by its place, to be set from a snapshot. Its cToken is not to be changed.
    pub fn market_mut(&mut self, id: MarketId) -> Option<&mut Market> {
        self.markets.get_mut(usize::from(id.0))
    }

    /// A market's place by its cToken; `None` where there is none.
    pub fn market_id(&self, c_token: Address) -> Option<MarketId> {
        self.places.get(&c_token).copied()
    }

    /// What accounts hold and owe.
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What accounts hold and owe, to be set as a snapshot tells it.
    pub const fn accounts_mut(&mut self) -> &mut Accounts {
        &mut self.accounts
    }

    /// How much of a borrow one liquidation may repay, scaled by 1e18.
    pub const fn close_factor(&self) -> U256 {
        self.close_factor
    }

    /// What a liquidator gets for one unit of value repaid, scaled by 1e18.
    pub const fn liquidation_incentive(&self) -> U256 {
        self.liquidation_incentive
    }

    /// Whether transfers of all cTokens are paused.
    pub const fn is_transfer_paused(&self) -> bool {
        self.transfer_paused
    }

    /// Whether seizures of all cTokens are paused.
    pub const fn is_seize_paused(&self) -> bool {
        self.seize_paused
    }

    /// Books underlying that someone sent to a market without calling it, in base units.
    ///
    /// # Errors
    /// No such market; a balance over 256 bits, which no token grants.
    pub fn receive(&mut self, c_token: Address, amount: U256) -> Result<(), Refusal> {
        let id = self.known(c_token)?;
        let market = &mut self.markets[usize::from(id.0)];
        let what = "a market's cash";
        market.cash = market.cash.checked_add(amount).ok_or(TooWide { what, value: amount })?;
        Ok(())
    }

    pub(super) fn known(&self, c_token: Address) -> Result<MarketId, Refusal> {
        self.market_id(c_token).ok_or(Refusal::UnknownMarket(c_token))
    }

    pub(super) fn model(&self, address: Address) -> Option<InterestRateModel> {
        self.models.get(&address).copied()
    }
}
