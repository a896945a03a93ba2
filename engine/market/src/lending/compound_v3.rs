use super::{AccountHealth, AccountPosition, LendingCounts, LendingError, LendingErrorKind};
use crate::{Divergence, Feeds, Oracle, PriceSource};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::{
    RawLog,
    compound_v3::{Account, AccountBook, AssetConfig, Comet, Configuration, Event, Moment, Revert, present_value},
};
use plimsoll_units::{LogRef, Network, Rounding, mul_div};

/// What a Comet is from an upgrade on, as of the end of the block with it: its parameters are its code's, and in no log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompoundV3Upgrade {
    /// Height of the block.
    pub block_number: u64,
    /// What it is deployed with from then on.
    pub configuration: Configuration,
    /// Where each token's price comes from, by token.
    pub sources: Vec<(Address, PriceSource)>,
}

/// What a Comet was before a block: all of it.
#[derive(Debug, Clone)]
pub struct CompoundV3Before {
    book: AccountBook,
    oracle: Oracle,
    counts: LendingCounts,
}

/// One Comet, followed log by log: principals and collateral by what logs tell, absorptions and sales held against prices.
#[derive(Debug, Clone)]
pub struct CompoundV3Replay {
    network: Network,
    address: Address,
    book: AccountBook,
    /// By token, in the feeds' unit: USD with eight decimals, but for a Comet whose base is ether.
    oracle: Oracle,
    upgrades: Vec<CompoundV3Upgrade>,
    counts: LendingCounts,
}

impl CompoundV3Replay {
    /// Follows a Comet at this address from this state on.
    pub fn new(network: Network, address: Address, comet: Comet, oracle: Oracle) -> Self {
        Self {
            network,
            address,
            book: AccountBook::new(comet),
            oracle,
            upgrades: Vec::new(),
            counts: LendingCounts::default(),
        }
    }

    /// With upgrades that are to come.
    #[must_use]
    pub fn with_upgrades(self, upgrades: Vec<CompoundV3Upgrade>) -> Self {
        Self { upgrades, ..self }
    }

    /// The Comet's address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The state.
    pub const fn comet(&self) -> &Comet {
        self.book.comet()
    }

    /// Where prices come from, by token.
    pub const fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// What was followed so far.
    pub const fn counts(&self) -> LendingCounts {
        self.counts
    }

    /// What undoes a block that is about to begin.
    pub fn before(&self) -> CompoundV3Before {
        CompoundV3Before {
            book: self.book.clone(),
            oracle: self.oracle.clone(),
            counts: self.counts,
        }
    }

    /// Puts back what was before a block.
    pub fn restore(&mut self, before: CompoundV3Before) {
        (self.book, self.oracle, self.counts) = (before.book, before.oracle, before.counts);
    }

    /// A token's price, zero for none.
    pub fn price(&self, token: Address, feeds: &Feeds) -> U256 {
        let price = self.oracle.price(token, feeds);
        price.map(|price| price.value).unwrap_or_default()
    }

    /// Takes over one log, and proves what it records.
    ///
    /// # Errors
    /// See [`LendingError`].
    pub fn apply(&mut self, log: &RawLog, feeds: &Feeds) -> Result<(), LendingError> {
        self.counts.logs += 1;
        let timestamp = log
            .block_timestamp
            .ok_or_else(|| LendingError::refused(log, LendingErrorKind::NoTime))?;
        if log.address != self.address {
            return Err(LendingError::refused(log, LendingErrorKind::UnknownContract));
        }
        if plimsoll_protocols::aave_v3::is_upgrade(log) {
            return self.upgrade(log);
        }
        let event = Event::decode(log)?;
        self.prove(log.at, &event, timestamp, feeds)?;
        self.book
            .book(timestamp, &event)
            .map_err(|error| self.diverges(log.at, format!("{event:?}"), error.to_string()))
    }

    /// Goes on with the parameters of the code that is there after this block.
    fn upgrade(&mut self, log: &RawLog) -> Result<(), LendingError> {
        let refused = |what: String| LendingError::refused(log, LendingErrorKind::Unsupported(what));
        let block = log.at.block_number;
        let mut upgrades = self.upgrades.iter();
        let upgrade = upgrades
            .find(|upgrade| upgrade.block_number == block)
            .ok_or_else(|| refused("the Comet was upgraded, and to which configuration is not known".to_owned()))?;
        self.book.reconfigure(upgrade.configuration.clone()).map_err(|error| {
            refused(format!(
                "the Comet was upgraded to another base or other assets: {error}"
            ))
        })?;
        for (token, source) in &upgrade.sources {
            self.oracle.set_source(*token, *source);
        }
        Ok(())
    }

    /// Holds what an absorption or a sale records against prices.
    fn prove(&mut self, at: LogRef, event: &Event, timestamp: u64, feeds: &Feeds) -> Result<(), LendingError> {
        let (recorded, computed) = match *event {
            Event::AbsorbCollateral {
                asset,
                collateral_absorbed,
                usd_value,
                ..
            } => {
                let scale = self
                    .comet()
                    .configuration()
                    .asset(asset)
                    .map(|(_, info)| U256::from(info.scale));
                let price = self.price(asset, feeds);
                let value = scale
                    .ok()
                    .and_then(|scale| mul_div(collateral_absorbed, price, scale, Rounding::Down));
                (usd_value, value.filter(|_| !price.is_zero()))
            }
            Event::BuyCollateral {
                asset,
                base_amount,
                collateral_amount,
                ..
            } => {
                let prices = |token| self.price(token, feeds);
                let at = Moment {
                    timestamp,
                    prices: &prices,
                };
                (
                    collateral_amount,
                    self.comet().quote_collateral(at, asset, base_amount).ok(),
                )
            }
            _ => return Ok(()),
        };
        match computed {
            Some(computed) if computed == recorded => self.counts.proven += 1,
            Some(computed) => return Err(self.diverges(at, format!("{event:?}"), computed.to_string())),
            None => self.counts.unverifiable += 1,
        }
        Ok(())
    }

    fn diverges(&self, at: LogRef, expected: String, got: String) -> LendingError {
        LendingError::Divergence(Box::new(Divergence {
            network: self.network,
            at,
            contract: self.address,
            expected,
            got,
        }))
    }

    /// How every account stands as of the last accrual, in no order. The health factor is all collateral, each by its liquidation
    /// threshold, over what is owed: below one an account may be absorbed (`isLiquidatable`).
    ///
    /// # Errors
    /// A price that an account needs and that is missing, or numbers beyond 256 bits.
    pub fn accounts(&self, feeds: &Feeds) -> Result<Vec<AccountHealth>, LendingErrorKind> {
        let accounts = self.comet().accounts().iter();
        accounts
            .map(|(address, account)| self.health(address, account, feeds))
            .collect()
    }

    fn health(&self, address: Address, account: &Account, feeds: &Feeds) -> Result<AccountHealth, LendingErrorKind> {
        let comet = self.comet();
        let configuration = comet.configuration();
        let beyond = |revert: Revert| LendingErrorKind::Unsupported(format!("{address}: {revert}"));
        let asset = |place: u8| {
            configuration
                .assets
                .get(usize::from(place))
                .ok_or(Revert::BadAsset)
                .map_err(beyond)
        };
        let prices = |token| self.price(token, feeds);
        let totals = comet.totals();
        let at = Moment {
            timestamp: totals.last_accrual_time,
            prices: &prices,
        };
        let mut collateral_value = U256::ZERO;
        let mut positions = Vec::new();
        for &(place, amount) in account.collateral() {
            let info: &AssetConfig = asset(place)?;
            let price = self.oracle.price(info.asset, feeds)?.value;
            let value = mul_div(U256::from(amount), price, U256::from(info.scale), Rounding::Down);
            collateral_value = value
                .and_then(|value| collateral_value.checked_add(value))
                .ok_or_else(|| beyond(Revert::ArithmeticPanic))?;
            positions.push(AccountPosition {
                asset: info.asset,
                collateral_amount: U256::from(amount),
                is_collateral: true,
                debt_amount: U256::ZERO,
            });
        }
        let balance = present_value(
            (totals.base_supply_index, totals.base_borrow_index),
            account.principal(),
        );
        let owes = account.principal() < 0;
        if account.principal() != 0 {
            let amount = balance.unsigned_abs();
            let [supplied, owed] = if owes {
                [U256::ZERO, amount]
            } else {
                [amount, U256::ZERO]
            };
            positions.push(AccountPosition {
                asset: configuration.base_token,
                collateral_amount: supplied,
                is_collateral: false,
                debt_amount: owed,
            });
        }
        if owes {
            self.oracle.price(configuration.base_token, feeds)?;
        }
        let (counted, debt_value) = comet.both_sides(at, account).map_err(beyond)?;
        let wad = U256::from(1_000_000_000_000_000_000u64);
        Ok(AccountHealth {
            account: address,
            health_factor_wad: mul_div(counted, wad, debt_value, Rounding::Down).filter(|_| owes),
            collateral_value,
            debt_value,
            positions,
        })
    }
}
