//! What accounts hold and owe, kept compactly.

use alloy_primitives::{Address, map::HashMap};

/// One account's principal and collateral.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    principal: i128,
    /// By the assets' places, none of them empty.
    collateral: Vec<(u8, u128)>,
}

impl Account {
    /// Base supplied (above zero) or borrowed (below), as principal: to be multiplied by the index.
    pub const fn principal(&self) -> i128 {
        self.principal
    }

    /// Collateral by the assets' places in the configuration, in base units; what it has none of is left out.
    pub fn collateral(&self) -> &[(u8, u128)] {
        &self.collateral
    }

    /// Collateral of one asset, in base units.
    pub fn collateral_of(&self, asset: u8) -> u128 {
        match self.place(asset) {
            Ok(place) => self.collateral[place].1,
            Err(_) => 0,
        }
    }

    fn place(&self, asset: u8) -> Result<usize, usize> {
        self.collateral.binary_search_by_key(&asset, |(asset, _)| *asset)
    }
}

/// All accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts(HashMap<Address, Account>);

impl Accounts {
    /// How many accounts have anything.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One account; `None` where it has nothing.
    pub fn get(&self, address: Address) -> Option<&Account> {
        self.0.get(&address)
    }

    /// Every account, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Address, &Account)> {
        self.0.iter().map(|(address, account)| (*address, account))
    }

    /// An account's principal.
    pub fn principal(&self, address: Address) -> i128 {
        self.0.get(&address).map_or(0, Account::principal)
    }

    /// An account's collateral of one asset, in base units.
    pub fn collateral(&self, address: Address, asset: u8) -> u128 {
        self.0.get(&address).map_or(0, |account| account.collateral_of(asset))
    }

    /// Sets an account's principal, as a snapshot tells it.
    pub fn set_principal(&mut self, address: Address, principal: i128) {
        self.change(address, |account| account.principal = principal);
    }

    /// Sets an account's collateral of one asset, in base units, as a snapshot tells it.
    pub fn set_collateral(&mut self, address: Address, asset: u8, amount: u128) {
        self.change(address, |account| match account.place(asset) {
            Ok(place) if amount == 0 => {
                account.collateral.remove(place);
            }
            Ok(place) => account.collateral[place].1 = amount,
            Err(_) if amount == 0 => {}
            Err(place) => account.collateral.insert(place, (asset, amount)),
        });
    }

    pub(super) fn replace(&mut self, address: Address, account: Option<Account>) {
        match account {
            Some(account) => self.0.insert(address, account),
            None => self.0.remove(&address),
        };
    }

    fn change(&mut self, address: Address, change: impl FnOnce(&mut Account)) {
        let account = self.0.entry(address).or_default();
        change(account);
        if *account == Account::default() {
            self.0.remove(&address);
        }
    }
}
