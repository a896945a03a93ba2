use super::{
    Wrong,
    value::{Exact, Hex, entry, place},
};
use alloy_primitives::{Address, map::HashMap};
use plimsoll_market::{AaveV3Contracts, AaveV3Token, LendingBody};
use plimsoll_protocols::aave_v3::{
    EModeCategory, InterestRateStrategy, MAX_RESERVES_COUNT, Pool, PoolParams, Position, Reserve, ReserveConfiguration,
    Revision, ScaledBalance, StableRates, TokenKind, User, UserConfiguration,
};
use serde::{Deserialize, Serialize};

/// A market of Aave v3.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    configurator: Hex,
    revision: String,
    revisions: Vec<RevisionRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_oracle: Option<Hex>,
    aggregators: Vec<AggregatorRecord>,
    strategies: Vec<StrategyRecord>,
    tokens: Vec<TokenRecord>,
    flash_loan_premium_total: u16,
    flash_loan_premium_to_protocol: u16,
    reserves: Vec<ReserveRecord>,
    e_modes: Vec<EModeRecord>,
    accounts: Vec<AccountRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevisionRecord {
    from_block: u64,
    revision: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AggregatorRecord {
    source: Hex,
    aggregator: Hex,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRecord {
    asset: Hex,
    a_token: Hex,
    variable_debt_token: Hex,
    decimals: u8,
    treasury: Hex,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReserveRecord {
    id: u16,
    asset: Hex,
    a_token: Hex,
    variable_debt_token: Hex,
    treasury: Hex,
    configuration: Exact,
    liquidity_index: Exact,
    liquidity_rate: Exact,
    variable_borrow_index: Exact,
    variable_borrow_rate: Exact,
    stable_borrow_rate: Exact,
    last_update_s: u64,
    accrued_to_treasury: Exact,
    unbacked: Exact,
    isolation_mode_total_debt: Exact,
    available_liquidity: Exact,
    deficit: Exact,
    liquidation_grace_period_until_s: u64,
    scaled_supply: Exact,
    scaled_variable_debt: Exact,
    pending_ltv: u16,
    strategy: StrategyRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StrategyRecord {
    address: Hex,
    optimal_usage_ratio: Exact,
    base_variable_borrow_rate: Exact,
    variable_rate_slope1: Exact,
    variable_rate_slope2: Exact,
    stable_base_offset: Exact,
    stable_slope1: Exact,
    stable_slope2: Exact,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EModeRecord {
    id: u8,
    label: String,
    ltv: u16,
    liquidation_threshold: u16,
    liquidation_bonus: u16,
    price_source: Hex,
    collateral_bitmap: Exact,
    borrowable_bitmap: Exact,
    ltv_zero_bitmap: Exact,
}

/// One user.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRecord {
    account: Hex,
    configuration: Exact,
    e_mode: u8,
    positions: Vec<PositionRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PositionRecord {
    reserve: u16,
    supply: Exact,
    supply_index: Exact,
    debt: Exact,
    debt_index: Exact,
}

impl Record {
    pub(super) fn of(pool: &Pool, contracts: &AaveV3Contracts) -> Self {
        let mut aggregators: Vec<_> = contracts.aggregators.iter().collect();
        aggregators.sort_unstable();
        let mut strategies: Vec<_> = contracts.strategies.values().collect();
        strategies.sort_unstable_by_key(|strategy| strategy.address);
        let mut tokens: Vec<_> = contracts.tokens.iter().collect();
        tokens.sort_unstable_by_key(|(asset, _)| **asset);
        let mut users: Vec<_> = pool.users().filter(|(_, user)| !user.is_empty()).collect();
        users.sort_unstable_by_key(|(address, _)| *address);
        Self {
            configurator: Hex::of(pool.params().configurator),
            revision: name(pool.revision()).to_owned(),
            revisions: contracts
                .revisions
                .iter()
                .map(|(from_block, revision)| RevisionRecord {
                    from_block: *from_block,
                    revision: name(*revision).to_owned(),
                })
                .collect(),
            price_oracle: contracts.oracle.map(Hex::of),
            aggregators: aggregators
                .into_iter()
                .map(|(source, aggregator)| AggregatorRecord {
                    source: Hex::of(*source),
                    aggregator: Hex::of(*aggregator),
                })
                .collect(),
            strategies: strategies.into_iter().map(StrategyRecord::of).collect(),
            tokens: tokens
                .into_iter()
                .map(|(asset, token)| TokenRecord {
                    asset: Hex::of(*asset),
                    a_token: Hex::of(token.a_token),
                    variable_debt_token: Hex::of(token.variable_debt_token),
                    decimals: token.decimals,
                    treasury: Hex::of(token.treasury),
                })
                .collect(),
            flash_loan_premium_total: pool.flash_loan_premium_total(),
            flash_loan_premium_to_protocol: pool.flash_loan_premium_to_protocol(),
            reserves: pool.reserves().map(ReserveRecord::of).collect(),
            e_modes: pool.e_mode_categories().map(EModeRecord::of).collect(),
            accounts: users
                .into_iter()
                .map(|(address, user)| AccountRecord::of(address, user))
                .collect(),
        }
    }

    pub(super) fn body(self, address: Address) -> Result<LendingBody, Wrong> {
        const AT: &str = "aave_v3";
        let mut pool = Pool::new(PoolParams {
            address,
            configurator: self.configurator.get(AT, "configurator")?,
            revision: revision(&self.revision, AT)?,
        });
        let mut contracts = AaveV3Contracts {
            oracle: self
                .price_oracle
                .map(|oracle| oracle.get(AT, "price_oracle"))
                .transpose()?,
            ..AaveV3Contracts::default()
        };
        for (index, record) in self.revisions.into_iter().enumerate() {
            let at = entry("aave_v3.revisions", index);
            let before = contracts.revisions.last().map_or(0, |(before, _)| *before);
            if record.from_block < before {
                return Err((
                    place(&at, "from_block"),
                    format!("{} comes after {before}", record.from_block),
                ));
            }
            contracts
                .revisions
                .push((record.from_block, revision(&record.revision, &at)?));
        }
        for (index, record) in self.aggregators.into_iter().enumerate() {
            let at = entry("aave_v3.aggregators", index);
            let source = record.source.get(&at, "source")?;
            let aggregator = record.aggregator.get(&at, "aggregator")?;
            once(contracts.aggregators.insert(source, aggregator), &at, "source", source)?;
        }
        for (index, record) in self.strategies.into_iter().enumerate() {
            let at = entry("aave_v3.strategies", index);
            let strategy = record.strategy(&at)?;
            let address = strategy.address;
            once(contracts.strategies.insert(address, strategy), &at, "address", address)?;
        }
        for (index, record) in self.tokens.into_iter().enumerate() {
            let at = entry("aave_v3.tokens", index);
            let asset = record.asset.get(&at, "asset")?;
            let token = AaveV3Token {
                a_token: record.a_token.get(&at, "a_token")?,
                variable_debt_token: record.variable_debt_token.get(&at, "variable_debt_token")?,
                decimals: record.decimals,
                treasury: record.treasury.get(&at, "treasury")?,
            };
            once(contracts.tokens.insert(asset, token), &at, "asset", asset)?;
        }
        pool.set_flash_loan_premiums(self.flash_loan_premium_total, self.flash_loan_premium_to_protocol);
        for (index, record) in self.reserves.into_iter().enumerate() {
            let at = entry("aave_v3.reserves", index);
            let reserve = record.reserve(&at)?;
            fits_its_token(&reserve, &contracts.tokens, &at)?;
            pool.list_as_numbered(reserve)
                .map_err(|error| (at, error.to_string()))?;
        }
        for (index, record) in self.e_modes.into_iter().enumerate() {
            let at = entry("aave_v3.e_modes", index);
            let id = record.id;
            if id == 0 || pool.e_mode_category(id).is_some() {
                return Err((
                    place(&at, "id"),
                    format!("{id} is no category, or one that is there already"),
                ));
            }
            *pool.e_mode_category_mut(id) = record.category(&at)?;
        }
        for (index, record) in self.accounts.into_iter().enumerate() {
            let at = entry("aave_v3.accounts", index);
            let (address, user) = record.user(&pool, &at)?;
            if pool.user(address).is_some() {
                return Err((place(&at, "account"), format!("{address} is there twice")));
            }
            *pool.user_mut(address) = user;
        }
        Ok(LendingBody::AaveV3 { pool, contracts })
    }
}

fn once<T>(replaced: Option<T>, at: &str, key: &str, address: Address) -> Result<(), Wrong> {
    match replaced {
        Some(_) => Err((place(at, key), format!("{address} is there twice"))),
        None => Ok(()),
    }
}

fn fits_its_token(reserve: &Reserve, tokens: &HashMap<Address, AaveV3Token>, at: &str) -> Result<(), Wrong> {
    let token = tokens.get(&reserve.asset).ok_or_else(|| {
        let reason = format!("{} is not among the tokens", reserve.asset);
        (place(at, "asset"), reason)
    })?;
    let decimals = reserve.configuration.decimals();
    if decimals != token.decimals {
        let reason = format!("it says {decimals} decimals, but the token has {}", token.decimals);
        return Err((place(at, "configuration"), reason));
    }
    Ok(())
}

/// The name of a release.
const fn name(revision: Revision) -> &'static str {
    match revision {
        Revision::V3_0_2 => "3.0.2",
        Revision::V3_1 => "3.1",
        Revision::V3_2 => "3.2",
        Revision::V3_3 => "3.3",
        Revision::V3_4 => "3.4",
        Revision::V3_5 => "3.5",
        Revision::V3_6 => "3.6",
        Revision::V3_7 => "3.7",
    }
}

fn revision(text: &str, at: &str) -> Result<Revision, Wrong> {
    let known = Revision::ALL.into_iter().find(|revision| name(*revision) == text);
    known.ok_or_else(|| {
        let reason = format!("'{}' is no known release of Aave v3", text.escape_debug());
        (place(at, "revision"), reason)
    })
}

impl ReserveRecord {
    fn of(reserve: &Reserve) -> Self {
        Self {
            id: reserve.id,
            asset: Hex::of(reserve.asset),
            a_token: Hex::of(reserve.a_token),
            variable_debt_token: Hex::of(reserve.variable_debt_token),
            treasury: Hex::of(reserve.treasury),
            configuration: Exact::of(reserve.configuration.0),
            liquidity_index: Exact::of(reserve.liquidity_index),
            liquidity_rate: Exact::of(reserve.liquidity_rate),
            variable_borrow_index: Exact::of(reserve.variable_borrow_index),
            variable_borrow_rate: Exact::of(reserve.variable_borrow_rate),
            stable_borrow_rate: Exact::of(reserve.stable_borrow_rate),
            last_update_s: reserve.last_update,
            accrued_to_treasury: Exact::of(reserve.accrued_to_treasury),
            unbacked: Exact::of(reserve.unbacked),
            isolation_mode_total_debt: Exact::of(reserve.isolation_mode_total_debt),
            available_liquidity: Exact::of(reserve.available_liquidity),
            deficit: Exact::of(reserve.deficit),
            liquidation_grace_period_until_s: reserve.liquidation_grace_period_until,
            scaled_supply: Exact::of(reserve.scaled_supply),
            scaled_variable_debt: Exact::of(reserve.scaled_variable_debt),
            pending_ltv: reserve.pending_ltv,
            strategy: StrategyRecord::of(&reserve.strategy),
        }
    }

    fn reserve(self, at: &str) -> Result<Reserve, Wrong> {
        Ok(Reserve {
            asset: self.asset.get(at, "asset")?,
            a_token: self.a_token.get(at, "a_token")?,
            variable_debt_token: self.variable_debt_token.get(at, "variable_debt_token")?,
            treasury: self.treasury.get(at, "treasury")?,
            id: self.id,
            configuration: ReserveConfiguration(self.configuration.get(at, "configuration")?),
            liquidity_index: self.liquidity_index.get(at, "liquidity_index")?,
            liquidity_rate: self.liquidity_rate.get(at, "liquidity_rate")?,
            variable_borrow_index: self.variable_borrow_index.get(at, "variable_borrow_index")?,
            variable_borrow_rate: self.variable_borrow_rate.get(at, "variable_borrow_rate")?,
            stable_borrow_rate: self.stable_borrow_rate.get(at, "stable_borrow_rate")?,
            last_update: self.last_update_s,
            accrued_to_treasury: self.accrued_to_treasury.get(at, "accrued_to_treasury")?,
            unbacked: self.unbacked.get(at, "unbacked")?,
            isolation_mode_total_debt: self.isolation_mode_total_debt.get(at, "isolation_mode_total_debt")?,
            available_liquidity: self.available_liquidity.get(at, "available_liquidity")?,
            deficit: self.deficit.get(at, "deficit")?,
            liquidation_grace_period_until: self.liquidation_grace_period_until_s,
            scaled_supply: self.scaled_supply.get(at, "scaled_supply")?,
            scaled_variable_debt: self.scaled_variable_debt.get(at, "scaled_variable_debt")?,
            strategy: self.strategy.strategy(&place(at, "strategy"))?,
            pending_ltv: self.pending_ltv,
        })
    }
}

impl StrategyRecord {
    fn of(strategy: &InterestRateStrategy) -> Self {
        Self {
            address: Hex::of(strategy.address),
            optimal_usage_ratio: Exact::of(strategy.optimal_usage_ratio),
            base_variable_borrow_rate: Exact::of(strategy.base_variable_borrow_rate),
            variable_rate_slope1: Exact::of(strategy.variable_rate_slope1),
            variable_rate_slope2: Exact::of(strategy.variable_rate_slope2),
            stable_base_offset: Exact::of(strategy.stable.base_offset),
            stable_slope1: Exact::of(strategy.stable.slope1),
            stable_slope2: Exact::of(strategy.stable.slope2),
        }
    }

    fn strategy(self, at: &str) -> Result<InterestRateStrategy, Wrong> {
        Ok(InterestRateStrategy {
            address: self.address.get(at, "address")?,
            optimal_usage_ratio: self.optimal_usage_ratio.get(at, "optimal_usage_ratio")?,
            base_variable_borrow_rate: self.base_variable_borrow_rate.get(at, "base_variable_borrow_rate")?,
            variable_rate_slope1: self.variable_rate_slope1.get(at, "variable_rate_slope1")?,
            variable_rate_slope2: self.variable_rate_slope2.get(at, "variable_rate_slope2")?,
            stable: StableRates {
                base_offset: self.stable_base_offset.get(at, "stable_base_offset")?,
                slope1: self.stable_slope1.get(at, "stable_slope1")?,
                slope2: self.stable_slope2.get(at, "stable_slope2")?,
            },
        })
    }
}

impl EModeRecord {
    fn of((id, category): (u8, &EModeCategory)) -> Self {
        Self {
            id,
            label: category.label.clone(),
            ltv: category.ltv,
            liquidation_threshold: category.liquidation_threshold,
            liquidation_bonus: category.liquidation_bonus,
            price_source: Hex::of(category.price_source),
            collateral_bitmap: Exact::of(category.collateral_bitmap),
            borrowable_bitmap: Exact::of(category.borrowable_bitmap),
            ltv_zero_bitmap: Exact::of(category.ltv_zero_bitmap),
        }
    }

    fn category(self, at: &str) -> Result<EModeCategory, Wrong> {
        Ok(EModeCategory {
            ltv: self.ltv,
            liquidation_threshold: self.liquidation_threshold,
            liquidation_bonus: self.liquidation_bonus,
            price_source: self.price_source.get(at, "price_source")?,
            collateral_bitmap: self.collateral_bitmap.get(at, "collateral_bitmap")?,
            borrowable_bitmap: self.borrowable_bitmap.get(at, "borrowable_bitmap")?,
            ltv_zero_bitmap: self.ltv_zero_bitmap.get(at, "ltv_zero_bitmap")?,
            label: self.label,
        })
    }
}

impl AccountRecord {
    pub(super) fn of(address: Address, user: &User) -> Self {
        let position = |position: &Position| PositionRecord {
            reserve: position.reserve,
            supply: Exact::of(position.supply.amount),
            supply_index: Exact::of(position.supply.last_index),
            debt: Exact::of(position.debt.amount),
            debt_index: Exact::of(position.debt.last_index),
        };
        Self {
            account: Hex::of(address),
            configuration: Exact::of(user.configuration.0),
            e_mode: user.e_mode,
            positions: user.positions().iter().map(position).collect(),
        }
    }

    pub(super) fn user(self, pool: &Pool, at: &str) -> Result<(Address, User), Wrong> {
        let most = usize::from(MAX_RESERVES_COUNT);
        let address = self.account.get(at, "account")?;
        if self.positions.len() > most {
            let reason = format!(
                "{} reserves of one user; a pool has at most {most}",
                self.positions.len()
            );
            return Err((place(at, "positions"), reason));
        }
        let unknown = |id: u16| format!("{id} is no reserve's number");
        let mut user = User::default();
        user.configuration = UserConfiguration(self.configuration.get(at, "configuration")?);
        user.e_mode = self.e_mode;
        if let Some(id) = user
            .configuration
            .reserves()
            .find(|id| pool.reserve_by_id(*id).is_none())
        {
            return Err((place(at, "configuration"), unknown(id)));
        }
        let mut before = None;
        for (index, record) in self.positions.into_iter().enumerate() {
            let at = entry(&place(at, "positions"), index);
            let id = record.reserve;
            if pool.reserve_by_id(id).is_none() {
                return Err((place(&at, "reserve"), unknown(id)));
            }
            if before.is_some_and(|before| before >= id) {
                return Err((
                    place(&at, "reserve"),
                    format!("{id} does not come after the one before: numbers rise"),
                ));
            }
            before = Some(id);
            let balance = |amount: &Exact, last_index: &Exact, keys: [&str; 2]| {
                Ok::<_, Wrong>(ScaledBalance {
                    amount: amount.get(&at, keys[0])?,
                    last_index: last_index.get(&at, keys[1])?,
                })
            };
            let supply = balance(&record.supply, &record.supply_index, ["supply", "supply_index"])?;
            let debt = balance(&record.debt, &record.debt_index, ["debt", "debt_index"])?;
            if supply.amount == 0 && debt.amount == 0 {
                return Err((at, "neither supply nor debt: it must be left out".to_owned()));
            }
            // A balance of nothing is forgotten unless the other one is there, so that one comes first.
            let (first, second) = ((TokenKind::AToken, supply), (TokenKind::VariableDebt, debt));
            let (first, second) = if supply.amount == 0 {
                (second, first)
            } else {
                (first, second)
            };
            user.set_balance(id, first.0, first.1);
            user.set_balance(id, second.0, second.1);
        }
        Ok((address, user))
    }
}
