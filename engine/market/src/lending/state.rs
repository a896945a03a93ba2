use super::{
    AaveV2Contracts, AaveV2Replay, AaveV3Contracts, AaveV3Replay, CompoundV2Replay, CompoundV2Token, CompoundV3Replay,
    CompoundV3Upgrade, LendingMarket, Protocol,
};
use crate::{Feeds, Oracle};
use alloy_primitives::{Address, B256, U256, map::HashMap};
use plimsoll_protocols::{
    aave_v2,
    aave_v3::{self, TokenKind},
    chainlink::Answer,
    compound_v2, compound_v3,
};
use plimsoll_units::Network;
use std::collections::BTreeMap;
use std::fmt;

/// A lending market at the end of one block, with what is known of its contracts: where a replay begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LendingState {
    /// EIP-155 id of the chain.
    pub chain_id: u64,
    /// The address that the market is known by: the pool's, the comptroller's, the Comet's.
    pub address: Address,
    /// Height of the block after which the state holds.
    pub block_number: u64,
    /// Hash of that block.
    pub block_hash: B256,
    /// Seconds since the Unix epoch of that block.
    pub block_timestamp: u64,
    /// Every contract of the market, by role, then by address.
    pub contracts: Vec<MarketContract>,
    /// Where prices come from; by asset for Aave and Comet, by cToken for Compound v2.
    pub oracle: Oracle,
    /// What the feeds have answered last, by aggregator.
    pub feeds: BTreeMap<Address, FeedState>,
    /// Reserves, markets and accounts.
    pub body: LendingBody,
}

/// What a market of each protocol consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LendingBody {
    /// Aave v2.
    AaveV2 {
        /// Reserves and users; without reserves before the market was deployed.
        pool: Box<aave_v2::Pool>,
    },
    /// Aave v3.
    AaveV3 {
        /// Reserves, categories and users; without reserves before the market was deployed.
        pool: aave_v3::Pool,
        /// What the replay must know beside logs.
        contracts: AaveV3Contracts,
    },
    /// Compound v2.
    CompoundV2 {
        /// Markets and accounts; without markets before the comptroller was deployed.
        pool: compound_v2::Pool,
        /// What each cToken stands for.
        tokens: HashMap<Address, CompoundV2Token>,
        /// The oracle whose `PricePosted` logs set prices, where it has them.
        price_poster: Option<Address>,
    },
    /// Compound v3.
    CompoundV3 {
        /// The base, the collateral and accounts.
        comet: Box<compound_v3::Comet>,
        /// Upgrades after the block, by height: what the replay must know beside logs.
        upgrades: Vec<CompoundV3Upgrade>,
    },
}

/// A price feed as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedState {
    /// Decimals of its answers; `None` where it does not say.
    pub decimals: Option<u8>,
    /// The last answer; `None` where there is none yet.
    pub answer: Option<Answer>,
}

/// One contract of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarketContract {
    /// What it is to the market.
    pub role: ContractRole,
    /// Where it is.
    pub address: Address,
}

/// What a contract is to a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContractRole {
    /// Aave's pool.
    Pool,
    /// Aave's registry of the market's contracts.
    AddressesProvider,
    /// What changes Aave's reserves.
    Configurator,
    /// Where prices are asked for.
    Oracle,
    /// A reserve's aToken.
    AToken,
    /// A reserve's variable debt token.
    VariableDebtToken,
    /// A reserve's stable debt token.
    StableDebtToken,
    /// What sets Aave's rates.
    RateStrategy,
    /// Compound's comptroller: its Unitroller.
    Comptroller,
    /// A market of Compound v2.
    CToken,
    /// What sets a cToken's rates.
    InterestRateModel,
    /// A Compound v3.
    Comet,
    /// What the oracle asks for a price; often a proxy before an aggregator.
    PriceSource,
    /// A feed whose logs carry its answers.
    Aggregator,
}

impl ContractRole {
    /// Every role.
    pub const ALL: [Self; 14] = [
        Self::Pool,
        Self::AddressesProvider,
        Self::Configurator,
        Self::Oracle,
        Self::AToken,
        Self::VariableDebtToken,
        Self::StableDebtToken,
        Self::RateStrategy,
        Self::Comptroller,
        Self::CToken,
        Self::InterestRateModel,
        Self::Comet,
        Self::PriceSource,
        Self::Aggregator,
    ];

    /// The name that files know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::AddressesProvider => "addresses-provider",
            Self::Configurator => "configurator",
            Self::Oracle => "oracle",
            Self::AToken => "a-token",
            Self::VariableDebtToken => "variable-debt-token",
            Self::StableDebtToken => "stable-debt-token",
            Self::RateStrategy => "rate-strategy",
            Self::Comptroller => "comptroller",
            Self::CToken => "c-token",
            Self::InterestRateModel => "interest-rate-model",
            Self::Comet => "comet",
            Self::PriceSource => "price-source",
            Self::Aggregator => "aggregator",
        }
    }
}

impl fmt::Display for ContractRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some accounts of a market, to be taken into its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LendingAccounts {
    /// Users of Aave v2; of strangers nothing is kept.
    AaveV2(Vec<(Address, aave_v2::User)>),
    /// Users of Aave v3; of strangers nothing is kept.
    AaveV3(Vec<(Address, aave_v3::User)>),
    /// Accounts of Compound v2, markets by their places in the pool.
    CompoundV2(compound_v2::Accounts),
    /// Accounts of a Comet, collateral by its places in the configuration.
    CompoundV3(compound_v3::Accounts),
}

impl LendingAccounts {
    /// How many accounts have, owe or chose something.
    pub fn len(&self) -> usize {
        match self {
            Self::AaveV2(users) => users.iter().filter(|(_, user)| !user.is_empty()).count(),
            Self::AaveV3(users) => users.iter().filter(|(_, user)| !user.is_empty()).count(),
            Self::CompoundV2(accounts) => accounts.len(),
            Self::CompoundV3(accounts) => accounts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl LendingState {
    /// Its protocol.
    pub const fn protocol(&self) -> Protocol {
        match self.body {
            LendingBody::AaveV2 { .. } => Protocol::AaveV2,
            LendingBody::AaveV3 { .. } => Protocol::AaveV3,
            LendingBody::CompoundV2 { .. } => Protocol::CompoundV2,
            LendingBody::CompoundV3 { .. } => Protocol::CompoundV3,
        }
    }

    /// Whether the market's replay takes the logs of a contract. Those of [`feeds`](Self::feeds) are the feeds'; all others are passed
    /// over.
    pub fn hears(&self, contract: Address) -> bool {
        let is_heard = |role| match role {
            ContractRole::Pool
            | ContractRole::Configurator
            | ContractRole::AToken
            | ContractRole::VariableDebtToken
            | ContractRole::RateStrategy
            | ContractRole::Comptroller
            | ContractRole::CToken
            | ContractRole::Comet => true,
            ContractRole::Oracle => match &self.body {
                LendingBody::AaveV2 { .. } | LendingBody::AaveV3 { .. } => true,
                LendingBody::CompoundV2 { price_poster, .. } => *price_poster == Some(contract),
                LendingBody::CompoundV3 { .. } => false,
            },
            ContractRole::StableDebtToken => matches!(self.body, LendingBody::AaveV2 { .. }),
            ContractRole::AddressesProvider
            | ContractRole::InterestRateModel
            | ContractRole::PriceSource
            | ContractRole::Aggregator => false,
        };
        let known = self.contracts.iter().filter(|known| known.address == contract);
        known.map(|known| known.role).any(is_heard)
    }

    /// Adds contracts that are not in the list yet, and keeps it in order.
    pub fn add_contracts(&mut self, contracts: impl IntoIterator<Item = MarketContract>) {
        self.contracts.extend(contracts);
        self.contracts.sort_unstable();
        self.contracts.dedup();
    }

    /// Takes accounts into the state; those of another protocol are left out.
    pub fn set_accounts(&mut self, accounts: LendingAccounts) {
        match (&mut self.body, accounts) {
            (LendingBody::AaveV2 { pool }, LendingAccounts::AaveV2(users)) => {
                users
                    .into_iter()
                    .for_each(|(address, user)| pool.set_user(address, user));
            }
            (LendingBody::AaveV3 { pool, .. }, LendingAccounts::AaveV3(users)) => {
                for (address, user) in users.into_iter().filter(|(_, user)| !user.is_empty()) {
                    *pool.user_mut(address) = user;
                }
            }
            (LendingBody::CompoundV2 { pool, .. }, LendingAccounts::CompoundV2(accounts)) => {
                let book = pool.accounts_mut();
                for (address, account) in accounts.iter() {
                    account
                        .positions()
                        .iter()
                        .for_each(|position| book.set_position(address, *position));
                    account.entered().iter().for_each(|market| {
                        book.enter(address, *market);
                    });
                }
            }
            (LendingBody::CompoundV3 { comet, .. }, LendingAccounts::CompoundV3(accounts)) => {
                let book = comet.accounts_mut();
                for (address, account) in accounts.iter() {
                    book.set_principal(address, account.principal());
                    for (place, amount) in account.collateral() {
                        book.set_collateral(address, *place, *amount);
                    }
                }
            }
            _ => {}
        }
    }

    /// The accounts that it holds.
    pub fn accounts(&self) -> LendingAccounts {
        match &self.body {
            LendingBody::AaveV2 { pool } => {
                let users = pool.users().map(|(address, user)| (address, user.clone()));
                LendingAccounts::AaveV2(users.collect())
            }
            LendingBody::AaveV3 { pool, .. } => {
                let users = pool.users().map(|(address, user)| (address, user.clone()));
                LendingAccounts::AaveV3(users.collect())
            }
            LendingBody::CompoundV2 { pool, .. } => LendingAccounts::CompoundV2(pool.accounts().clone()),
            LendingBody::CompoundV3 { comet, .. } => LendingAccounts::CompoundV3(comet.accounts().clone()),
        }
    }

    /// How many accounts it holds.
    pub fn account_count(&self) -> usize {
        match &self.body {
            LendingBody::AaveV2 { pool } => pool.users().count(),
            LendingBody::AaveV3 { pool, .. } => pool.users().count(),
            LendingBody::CompoundV2 { pool, .. } => pool.accounts().len(),
            LendingBody::CompoundV3 { comet, .. } => comet.accounts().len(),
        }
    }

    /// Whether its accounts hold all that is supplied and, but for Compound v2, owe all that is owed: nobody is missing.
    ///
    /// A Comet's rounding may take a unit from an account and not from the total (a supply of nothing does); such a one is never known
    /// to hold everyone.
    pub fn holds_everyone(&self) -> bool {
        match &self.body {
            LendingBody::AaveV2 { pool } => {
                let sum = |of: &dyn Fn(&aave_v2::User) -> U256| {
                    let parts = pool.users().map(|(_, user)| of(user));
                    parts.fold(U256::ZERO, U256::saturating_add)
                };
                pool.reserves().iter().all(|reserve| {
                    sum(&|user| user.position(reserve.id).scaled_supply) == reserve.scaled_supply
                        && sum(&|user| user.position(reserve.id).scaled_variable_debt) == reserve.scaled_variable_debt
                        // What all owe is kept with interest, what each owes as of his last change.
                        && sum(&|user| user.stable_debt(reserve.id).principal).is_zero()
                            == reserve.stable.principal.is_zero()
                })
            }
            LendingBody::AaveV3 { pool, .. } => {
                let sum = |id, kind| {
                    let scaled = pool.users().map(|(_, user)| U256::from(user.balance(id, kind).amount));
                    scaled.fold(U256::ZERO, U256::saturating_add)
                };
                pool.reserves().all(|reserve| {
                    sum(reserve.id, TokenKind::AToken) == reserve.scaled_supply
                        && sum(reserve.id, TokenKind::VariableDebt) == reserve.scaled_variable_debt
                })
            }
            LendingBody::CompoundV2 { pool, .. } => pool.markets().iter().all(|market| {
                let id = pool.market_id(market.c_token);
                let held = pool
                    .accounts()
                    .iter()
                    .map(|(_, account)| U256::from(id.map_or(0, |id| account.position(id).tokens)));
                held.fold(U256::ZERO, U256::saturating_add) == market.total_supply
            }),
            LendingBody::CompoundV3 { comet, .. } => comet_holds_everyone(comet),
        }
    }

    /// The last answers of its feeds.
    pub fn answers(&self) -> Feeds {
        let mut feeds = Feeds::default();
        for (aggregator, feed) in &self.feeds {
            if let Some(answer) = feed.answer {
                feeds.set(*aggregator, answer);
            }
        }
        feeds
    }

    /// The market that is followed from this state on.
    pub fn market(&self) -> LendingMarket {
        let network = Network {
            chain_id: self.chain_id,
        };
        let oracle = self.oracle.clone();
        let with_role = |role| {
            let of = self.contracts.iter().filter(move |contract| contract.role == role);
            of.map(|contract| contract.address)
        };
        match self.body.clone() {
            LendingBody::AaveV2 { pool } => {
                let contracts = AaveV2Contracts {
                    oracle: with_role(ContractRole::Oracle).next(),
                    silent: with_role(ContractRole::RateStrategy).collect(),
                    ..AaveV2Contracts::default()
                };
                LendingMarket::AaveV2(AaveV2Replay::new(network, *pool, contracts, oracle))
            }
            LendingBody::AaveV3 { pool, contracts } => {
                LendingMarket::AaveV3(AaveV3Replay::new(network, pool, contracts, oracle))
            }
            LendingBody::CompoundV2 {
                pool,
                tokens,
                price_poster,
            } => LendingMarket::CompoundV2(CompoundV2Replay::new(network, pool, tokens, oracle, price_poster)),
            LendingBody::CompoundV3 { comet, upgrades } => {
                let replay = CompoundV3Replay::new(network, self.address, *comet, oracle);
                LendingMarket::CompoundV3(replay.with_upgrades(upgrades))
            }
        }
    }
}

/// Whether a Comet's accounts have and owe what its totals say.
fn comet_holds_everyone(comet: &compound_v3::Comet) -> bool {
    let sum = |of: &dyn Fn(&compound_v3::Account) -> u128| {
        let parts = comet.accounts().iter().map(|(_, account)| U256::from(of(account)));
        parts.fold(U256::ZERO, U256::saturating_add)
    };
    let totals = comet.totals();
    let mut assets = (0u8..).zip(comet.asset_totals());
    sum(&|account| account.principal().max(0).unsigned_abs()) == totals.total_supply_base
        && sum(&|account| account.principal().min(0).unsigned_abs()) == totals.total_borrow_base
        && assets.all(|(place, asset)| sum(&|account| account.collateral_of(place)) == asset.total_supply_asset)
}
