use super::{
    Wrong,
    value::{Exact, Hex, entry, place},
};
use alloy_primitives::Address;
use plimsoll_market::LendingBody;
use plimsoll_protocols::aave_v2::{
    InterestRateStrategy, Pool, PoolParams, Position, Reserve, ReserveConfiguration, ReserveParams, StableDebt,
    StableSupply, User, UserConfiguration,
};
use serde::{Deserialize, Serialize};

/// A market of Aave v2.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    configurator: Hex,
    paused: bool,
    reserves: Vec<ReserveRecord>,
    accounts: Vec<AccountRecord>,
}

/// A reserve; its number is its place.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReserveRecord {
    asset: Hex,
    a_token: Hex,
    stable_debt_token: Hex,
    variable_debt_token: Hex,
    treasury: Hex,
    decimals: u8,
    configuration: Exact,
    market_borrow_rate: Exact,
    liquidity_index: Exact,
    variable_borrow_index: Exact,
    liquidity_rate: Exact,
    variable_borrow_rate: Exact,
    stable_borrow_rate: Exact,
    last_update_s: u64,
    scaled_supply: Exact,
    scaled_variable_debt: Exact,
    stable_principal: Exact,
    stable_average_rate: Exact,
    stable_last_update_s: u64,
    available_liquidity: Exact,
    strategy: StrategyRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StrategyRecord {
    optimal_utilization_rate: Exact,
    base_variable_borrow_rate: Exact,
    variable_rate_slope1: Exact,
    variable_rate_slope2: Exact,
    stable_rate_slope1: Exact,
    stable_rate_slope2: Exact,
}

/// One user.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRecord {
    account: Hex,
    configuration: Exact,
    positions: Vec<PositionRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stable_debts: Vec<StableDebtRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PositionRecord {
    reserve: u8,
    supply: Exact,
    variable_debt: Exact,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StableDebtRecord {
    reserve: u8,
    principal: Exact,
    rate: Exact,
    last_update_s: u64,
}

impl Record {
    pub(super) fn of(pool: &Pool) -> Self {
        let mut users: Vec<_> = pool.users().filter(|(_, user)| !user.is_empty()).collect();
        users.sort_unstable_by_key(|(address, _)| *address);
        Self {
            configurator: Hex::of(pool.params().configurator),
            paused: pool.paused(),
            reserves: pool.reserves().iter().map(ReserveRecord::of).collect(),
            accounts: users
                .into_iter()
                .map(|(address, user)| AccountRecord::of(address, user))
                .collect(),
        }
    }

    pub(super) fn body(self, address: Address) -> Result<LendingBody, Wrong> {
        let mut pool = Pool::new(PoolParams {
            pool: address,
            configurator: self.configurator.get("aave_v2", "configurator")?,
        });
        pool.restore_paused(self.paused);
        for (index, record) in self.reserves.into_iter().enumerate() {
            let at = entry("aave_v2.reserves", index);
            let reserve = record.reserve(&at)?;
            pool.list(reserve).map_err(|error| (at, error.to_string()))?;
        }
        for (index, record) in self.accounts.into_iter().enumerate() {
            let at = entry("aave_v2.accounts", index);
            let (address, user) = record.user(&pool, &at)?;
            if pool.user(address).is_some() {
                return Err((place(&at, "account"), format!("{address} is there twice")));
            }
            pool.set_user(address, user);
        }
        Ok(LendingBody::AaveV2 { pool: Box::new(pool) })
    }
}

impl ReserveRecord {
    fn of(reserve: &Reserve) -> Self {
        let (params, strategy) = (reserve.params, reserve.strategy);
        Self {
            asset: Hex::of(params.asset),
            a_token: Hex::of(params.a_token),
            stable_debt_token: Hex::of(params.stable_debt),
            variable_debt_token: Hex::of(params.variable_debt),
            treasury: Hex::of(params.treasury),
            decimals: reserve.configuration.decimals(),
            configuration: Exact::of(reserve.configuration.0),
            market_borrow_rate: Exact::of(reserve.market_borrow_rate),
            liquidity_index: Exact::of(reserve.liquidity_index),
            variable_borrow_index: Exact::of(reserve.variable_borrow_index),
            liquidity_rate: Exact::of(reserve.current_liquidity_rate),
            variable_borrow_rate: Exact::of(reserve.current_variable_borrow_rate),
            stable_borrow_rate: Exact::of(reserve.current_stable_borrow_rate),
            last_update_s: reserve.last_update,
            scaled_supply: Exact::of(reserve.scaled_supply),
            scaled_variable_debt: Exact::of(reserve.scaled_variable_debt),
            stable_principal: Exact::of(reserve.stable.principal),
            stable_average_rate: Exact::of(reserve.stable.average_rate),
            stable_last_update_s: reserve.stable.last_update,
            available_liquidity: Exact::of(reserve.available_liquidity),
            strategy: StrategyRecord {
                optimal_utilization_rate: Exact::of(strategy.optimal_utilization_rate),
                base_variable_borrow_rate: Exact::of(strategy.base_variable_borrow_rate),
                variable_rate_slope1: Exact::of(strategy.variable_rate_slope1),
                variable_rate_slope2: Exact::of(strategy.variable_rate_slope2),
                stable_rate_slope1: Exact::of(strategy.stable_rate_slope1),
                stable_rate_slope2: Exact::of(strategy.stable_rate_slope2),
            },
        }
    }

    fn reserve(self, at: &str) -> Result<Reserve, Wrong> {
        let params = ReserveParams {
            asset: self.asset.get(at, "asset")?,
            a_token: self.a_token.get(at, "a_token")?,
            stable_debt: self.stable_debt_token.get(at, "stable_debt_token")?,
            variable_debt: self.variable_debt_token.get(at, "variable_debt_token")?,
            treasury: self.treasury.get(at, "treasury")?,
        };
        let strategy = self.strategy.strategy(&place(at, "strategy"))?;
        // The number is the place at which it is listed.
        let mut reserve = Reserve::new(params, 0, self.decimals, strategy);
        reserve.configuration = ReserveConfiguration(self.configuration.get(at, "configuration")?);
        let said = reserve.configuration.decimals();
        if said != self.decimals {
            let reason = format!("it says {said} decimals, but the token has {}", self.decimals);
            return Err((place(at, "configuration"), reason));
        }
        reserve.market_borrow_rate = self.market_borrow_rate.get(at, "market_borrow_rate")?;
        reserve.liquidity_index = self.liquidity_index.get(at, "liquidity_index")?;
        reserve.variable_borrow_index = self.variable_borrow_index.get(at, "variable_borrow_index")?;
        reserve.current_liquidity_rate = self.liquidity_rate.get(at, "liquidity_rate")?;
        reserve.current_variable_borrow_rate = self.variable_borrow_rate.get(at, "variable_borrow_rate")?;
        reserve.current_stable_borrow_rate = self.stable_borrow_rate.get(at, "stable_borrow_rate")?;
        reserve.last_update = self.last_update_s;
        reserve.scaled_supply = self.scaled_supply.get(at, "scaled_supply")?;
        reserve.scaled_variable_debt = self.scaled_variable_debt.get(at, "scaled_variable_debt")?;
        reserve.stable = StableSupply {
            principal: self.stable_principal.get(at, "stable_principal")?,
            average_rate: self.stable_average_rate.get(at, "stable_average_rate")?,
            last_update: self.stable_last_update_s,
        };
        reserve.available_liquidity = self.available_liquidity.get(at, "available_liquidity")?;
        Ok(reserve)
    }
}

impl StrategyRecord {
    fn strategy(self, at: &str) -> Result<InterestRateStrategy, Wrong> {
        Ok(InterestRateStrategy {
            optimal_utilization_rate: self.optimal_utilization_rate.get(at, "optimal_utilization_rate")?,
            base_variable_borrow_rate: self.base_variable_borrow_rate.get(at, "base_variable_borrow_rate")?,
            variable_rate_slope1: self.variable_rate_slope1.get(at, "variable_rate_slope1")?,
            variable_rate_slope2: self.variable_rate_slope2.get(at, "variable_rate_slope2")?,
            stable_rate_slope1: self.stable_rate_slope1.get(at, "stable_rate_slope1")?,
            stable_rate_slope2: self.stable_rate_slope2.get(at, "stable_rate_slope2")?,
        })
    }
}

impl AccountRecord {
    pub(super) fn of(address: Address, user: &User) -> Self {
        let position = |position: &Position| PositionRecord {
            reserve: position.reserve,
            supply: Exact::of(position.scaled_supply),
            variable_debt: Exact::of(position.scaled_variable_debt),
        };
        let stable = |debt: &StableDebt| StableDebtRecord {
            reserve: debt.reserve,
            principal: Exact::of(debt.principal),
            rate: Exact::of(debt.rate),
            last_update_s: debt.last_update,
        };
        Self {
            account: Hex::of(address),
            configuration: Exact::of(user.configuration.0),
            positions: user.positions().iter().map(position).collect(),
            stable_debts: user.stable_debts().iter().map(stable).collect(),
        }
    }

    pub(super) fn user(self, pool: &Pool, at: &str) -> Result<(Address, User), Wrong> {
        const MOST: usize = 128;
        let address = self.account.get(at, "account")?;
        let mut user = User::default();
        user.configuration = UserConfiguration(self.configuration.get(at, "configuration")?);
        for (key, count) in [
            ("positions", self.positions.len()),
            ("stable_debts", self.stable_debts.len()),
        ] {
            if count > MOST {
                let reason = format!("{count} reserves of one user; a pool has at most {MOST}");
                return Err((place(at, key), reason));
            }
        }
        let listed = |id: u8, at: &str| match pool.reserves().get(usize::from(id)) {
            Some(_) => Ok(()),
            None => Err((place(at, "reserve"), format!("{id} is no reserve's number"))),
        };
        for (index, record) in self.positions.into_iter().enumerate() {
            let at = entry(&place(at, "positions"), index);
            let before = user.positions().len();
            listed(record.reserve, &at)?;
            user.set_position(Position {
                reserve: record.reserve,
                scaled_supply: record.supply.get(&at, "supply")?,
                scaled_variable_debt: record.variable_debt.get(&at, "variable_debt")?,
            });
            if user.positions().len() == before {
                return Err((
                    at,
                    "neither supply nor debt, or a reserve that is there twice".to_owned(),
                ));
            }
        }
        for (index, record) in self.stable_debts.into_iter().enumerate() {
            let at = entry(&place(at, "stable_debts"), index);
            let before = user.stable_debts().len();
            listed(record.reserve, &at)?;
            user.set_stable_debt(StableDebt {
                reserve: record.reserve,
                principal: record.principal.get(&at, "principal")?,
                rate: record.rate.get(&at, "rate")?,
                last_update: record.last_update_s,
            });
            if user.stable_debts().len() == before {
                return Err((at, "no principal, or a reserve that is there twice".to_owned()));
            }
        }
        Ok((address, user))
    }
}
