use super::{AccountHealth, AccountPosition, LendingCounts, LendingError, LendingErrorKind};
use crate::{Divergence, Feeds, Oracle, PriceSource};
use alloy_primitives::{Address, U256, map::HashMap};
use plimsoll_protocols::{
    RawLog,
    aave_v2::{ConfiguratorEvent, Event, LiquidationTerms, Pool, PoolEvent, Reserve, Revert, User, pool_abi},
    aave_v3::AssetSourceUpdated,
};
use plimsoll_units::{LogRef, Network, wad_ray_math::ray_mul};

/// What is known of a market's contracts beside their logs.
#[derive(Debug, Clone, Default)]
pub struct AaveV2Contracts {
    /// Reserves that are listed in the data, by asset, as they are listed: no log says their decimals or who is the treasury.
    pub listings: HashMap<Address, Reserve>,
    /// The oracle, whose logs say where prices come from.
    pub oracle: Option<Address>,
    /// The market's other contracts, whose logs say nothing that is followed.
    pub silent: Vec<Address>,
    /// The aggregator behind a price source that is a proxy.
    pub aggregators: HashMap<Address, Address>,
}

/// What Aave v2 was before a block: all of it.
#[derive(Debug, Clone)]
pub struct AaveV2Before {
    pool: Pool,
    oracle: Oracle,
    debts: HashMap<Address, U256>,
    counts: LendingCounts,
}

/// An Aave v2 market, followed log by log: balances and flags by what logs say, indexes held against the formulas, liquidations against
/// prices. Rates are taken on the logs' word: a strategy's curve is in none.
#[derive(Debug, Clone)]
pub struct AaveV2Replay {
    network: Network,
    pool: Pool,
    contracts: AaveV2Contracts,
    /// In wei of ether.
    oracle: Oracle,
    /// All variable debt of each reserve, scaled, after its last update.
    debts: HashMap<Address, U256>,
    counts: LendingCounts,
}

impl AaveV2Replay {
    /// Follows a market from this state on.
    pub fn new(network: Network, pool: Pool, contracts: AaveV2Contracts, oracle: Oracle) -> Self {
        let debts = pool.reserves().iter();
        let debts = debts
            .map(|reserve| (reserve.params.asset, reserve.scaled_variable_debt))
            .collect();
        Self {
            network,
            pool,
            debts,
            contracts,
            oracle,
            counts: LendingCounts::default(),
        }
    }

    /// The state.
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Where prices come from, in wei of ether.
    pub const fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// What was followed so far.
    pub const fn counts(&self) -> LendingCounts {
        self.counts
    }

    /// What undoes a block that is about to begin.
    pub fn before(&self) -> AaveV2Before {
        AaveV2Before {
            pool: self.pool.clone(),
            oracle: self.oracle.clone(),
            debts: self.debts.clone(),
            counts: self.counts,
        }
    }

    /// Puts back what was before a block.
    pub fn restore(&mut self, before: AaveV2Before) {
        (self.pool, self.oracle) = (before.pool, before.oracle);
        (self.debts, self.counts) = (before.debts, before.counts);
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
        if Some(log.address) == self.contracts.oracle {
            if let Some(AssetSourceUpdated { asset, source }) = AssetSourceUpdated::decode(log)? {
                let aggregator = self.contracts.aggregators.get(&source).copied().unwrap_or(source);
                self.oracle
                    .set_source(asset, PriceSource::Feed { aggregator, scale: 0 });
            }
            return Ok(());
        }
        if plimsoll_protocols::aave_v3::is_of_proxy(log) {
            return Ok(());
        }
        let event = match self.pool.decode(log)? {
            Some(event) => event,
            None if self.is_known(log.address) => return Ok(()),
            None => return Err(LendingError::refused(log, LendingErrorKind::UnknownContract)),
        };
        match &event {
            Event::ConfiguratorEvent(ConfiguratorEvent::ReserveInitialized(e)) => self.list(log, e.asset)?,
            Event::PoolEvent(PoolEvent::ReserveDataUpdated(e)) => self.check_indexes(log.at, e, timestamp)?,
            Event::PoolEvent(PoolEvent::LiquidationCall(e)) => self.check_liquidation(log.at, e, feeds)?,
            _ => {}
        }
        self.pool
            .record(log.address, &event, timestamp)
            .map_err(|error| self.diverges(log.at, format!("{event:?}"), error.to_string()))
    }

    fn is_known(&self, address: Address) -> bool {
        let of = |reserve: &Reserve| {
            let known = reserve.params;
            [known.a_token, known.stable_debt, known.variable_debt].contains(&address)
        };
        self.contracts.silent.contains(&address) || self.contracts.listings.values().any(of)
    }

    fn list(&mut self, log: &RawLog, asset: Address) -> Result<(), LendingError> {
        if self.pool.reserve(asset).is_some() {
            return Ok(());
        }
        let refused = |what: String| LendingError::refused(log, LendingErrorKind::Unsupported(what));
        let listing = self.contracts.listings.get(&asset).cloned();
        let listing =
            listing.ok_or_else(|| refused(format!("a reserve of {asset} is listed of which nothing is known")))?;
        self.pool.list(listing).map_err(|error| refused(error.to_string()))?;
        Ok(())
    }

    fn check_indexes(
        &mut self,
        at: LogRef,
        recorded: &pool_abi::ReserveDataUpdated,
        now: u64,
    ) -> Result<(), LendingError> {
        let Some(mut reserve) = self.pool.reserve(recorded.reserve).cloned() else {
            return Ok(());
        };
        // Indexes were brought up to now before the call's tokens were minted or burnt, whose logs have come already.
        let debt = reserve.scaled_variable_debt;
        reserve.scaled_variable_debt = self.debts.insert(recorded.reserve, debt).unwrap_or_default();
        if let Err(revert) = reserve.update_indexes(now) {
            return Err(self.diverges(at, format!("{recorded:?}"), revert.to_string()));
        }
        let supply = U256::from(reserve.liquidity_index);
        let borrow = U256::from(reserve.variable_borrow_index);
        if recorded.variableBorrowIndex != borrow {
            let expected = format!("variable borrow index {}", recorded.variableBorrowIndex);
            return Err(self.diverges(at, expected, borrow.to_string()));
        }
        // Premiums of flash loans are in the supply index beside interest.
        if recorded.liquidityIndex < supply {
            let expected = format!("liquidity index {}", recorded.liquidityIndex);
            return Err(self.diverges(at, expected, supply.to_string()));
        }
        self.counts.proven += 1;
        Ok(())
    }

    /// What a liquidation seized for what it covered, at the prices of the moment: as much as the debt is worth with the bonus, or all that
    /// there was for as much debt as that pays for.
    fn check_liquidation(
        &mut self,
        at: LogRef,
        recorded: &pool_abi::LiquidationCall,
        feeds: &Feeds,
    ) -> Result<(), LendingError> {
        let price = |asset| self.oracle.price(asset, feeds).ok().map(|price| price.value);
        let (debt, collateral) = (
            self.pool.reserve(recorded.debtAsset),
            self.pool.reserve(recorded.collateralAsset),
        );
        let prices = (price(recorded.debtAsset), price(recorded.collateralAsset));
        let (Some(debt), Some(collateral), (Some(debt_price), Some(collateral_price))) = (debt, collateral, prices)
        else {
            self.counts.unverifiable += 1;
            return Ok(());
        };
        let terms = LiquidationTerms {
            debt_price,
            debt_decimals: debt.configuration.decimals(),
            collateral_price,
            collateral_decimals: collateral.configuration.decimals(),
            liquidation_bonus: collateral.configuration.liquidation_bonus(),
        };
        let (covered, seized) = (recorded.debtToCover, recorded.liquidatedCollateralAmount);
        let whole = terms.seizure(covered, U256::MAX);
        let is_whole = whole.as_ref().is_ok_and(|whole| whole.collateral == seized);
        // So much more debt that all of the collateral does not pay for it: what it does pay for is what was covered.
        let is_all = [1, 20, 60].into_iter().any(|shift| {
            let all = terms.seizure(covered.saturating_mul(U256::ONE << shift), seized);
            all.is_ok_and(|all| all.debt == covered)
        });
        if is_whole || is_all {
            self.counts.proven += 1;
            return Ok(());
        }
        let got = whole.map_or_else(|revert| revert.to_string(), |whole| whole.collateral.to_string());
        Err(self.diverges(at, format!("{seized} seized for {covered}"), got))
    }

    fn diverges(&self, at: LogRef, expected: String, got: String) -> LendingError {
        LendingError::Divergence(Box::new(Divergence {
            network: self.network,
            at,
            contract: self.pool.params().pool,
            expected,
            got,
        }))
    }

    /// How every account stands at a time (seconds since the Unix epoch), in no order (`getUserAccountData`). Values are wei of ether.
    ///
    /// # Errors
    /// A price that an account needs and that is missing, or numbers beyond 256 bits.
    pub fn accounts(&self, feeds: &Feeds, now: u64) -> Result<Vec<AccountHealth>, LendingErrorKind> {
        let users = self.pool.users();
        users
            .map(|(address, user)| self.health(address, user, feeds, now))
            .collect()
    }

    fn health(
        &self,
        address: Address,
        user: &User,
        feeds: &Feeds,
        now: u64,
    ) -> Result<AccountHealth, LendingErrorKind> {
        let prices = |asset| self.oracle.price(asset, feeds).ok().map(|price| price.value);
        let beyond = |revert: Revert| LendingErrorKind::Unsupported(format!("{address}: {revert}"));
        let used = self.pool.reserves().iter().filter(|reserve| {
            let configuration = user.configuration;
            configuration.is_borrowing(reserve.id) || configuration.is_using_as_collateral(reserve.id)
        });
        for reserve in used {
            self.oracle.price(reserve.params.asset, feeds)?;
        }
        let data = self.pool.user_account_data(address, &prices, now).map_err(beyond)?;
        let mut positions = Vec::new();
        for reserve in self.pool.reserves() {
            let (position, stable) = (user.position(reserve.id), user.stable_debt(reserve.id));
            let amount = |scaled: U256, index: U256| ray_mul(scaled, index).ok_or(Revert::WithoutReason);
            let supplied = reserve
                .normalized_income(now)
                .and_then(|index| amount(position.scaled_supply, index));
            let variable = reserve
                .normalized_debt(now)
                .and_then(|index| amount(position.scaled_variable_debt, index));
            let debt = variable.and_then(|variable| Ok(variable.saturating_add(stable.balance(now)?)));
            let position = AccountPosition {
                asset: reserve.params.asset,
                collateral_amount: supplied.map_err(beyond)?,
                is_collateral: user.configuration.is_using_as_collateral(reserve.id),
                debt_amount: debt.map_err(beyond)?,
            };
            if !(position.collateral_amount.is_zero() && position.debt_amount.is_zero()) {
                positions.push(position);
            }
        }
        Ok(AccountHealth {
            account: address,
            health_factor_wad: (!data.total_debt.is_zero()).then_some(data.health_factor),
            collateral_value: data.total_collateral,
            debt_value: data.total_debt,
            positions,
        })
    }
}
