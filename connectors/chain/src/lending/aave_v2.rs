//! Aave v2.

use super::{
    asking::Asking,
    calls::{
        AaveFirstPool, AaveFirstProvider, AavePool, AaveRateOracle, AaveStableDebt, AaveToken, AaveV2Strategy, Token,
    },
    prices,
};
use crate::error::NodeError;
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use plimsoll_market::{ContractRole, LendingBody, LendingState, MarketContract};
use plimsoll_protocols::aave_v2::{
    InterestRateStrategy, Pool, PoolParams, Position, Reserve, ReserveConfiguration, ReserveParams, StableDebt,
    StableSupply, User, UserConfiguration,
};

/// The whole market but its users.
pub(super) async fn state(asking: &Asking<'_>, address: Address) -> Result<LendingState, NodeError> {
    let provider = asking.one(address, AaveFirstPool::getAddressesProviderCall {}).await?;
    let named = asking.one(provider, AaveFirstProvider::getLendingPoolCall {}).await?;
    if named != address {
        return Err(asking.refused(
            address,
            format!("its provider {provider} says that the pool is {named}"),
        ));
    }
    let configurator = asking
        .one(provider, AaveFirstProvider::getLendingPoolConfiguratorCall {})
        .await?;
    let oracle = asking.one(provider, AaveFirstProvider::getPriceOracleCall {}).await?;
    let rate_oracle = asking
        .one(provider, AaveFirstProvider::getLendingRateOracleCall {})
        .await?;
    let mut pool = Pool::new(PoolParams {
        pool: address,
        configurator,
    });
    pool.restore_paused(asking.one(address, AaveFirstPool::pausedCall {}).await?);
    let strategies = reserves(asking, &mut pool, rate_oracle).await?;

    let contract = |role, address| MarketContract { role, address };
    let mut contracts = vec![
        contract(ContractRole::Pool, address),
        contract(ContractRole::AddressesProvider, provider),
        contract(ContractRole::Configurator, configurator),
        contract(ContractRole::Oracle, oracle),
    ];
    for reserve in pool.reserves() {
        contracts.push(contract(ContractRole::AToken, reserve.params.a_token));
        contracts.push(contract(ContractRole::VariableDebtToken, reserve.params.variable_debt));
        contracts.push(contract(ContractRole::StableDebtToken, reserve.params.stable_debt));
    }
    contracts.extend(
        strategies
            .into_iter()
            .map(|strategy| contract(ContractRole::RateStrategy, strategy)),
    );
    let assets: Vec<Address> = pool.reserves().iter().map(|reserve| reserve.params.asset).collect();
    let priced = prices::read(asking, oracle, &assets).await?;
    let mut state = LendingState {
        oracle: priced.oracle,
        feeds: priced.feeds.states.clone(),
        ..asking.state(address, LendingBody::AaveV2 { pool: Box::new(pool) })
    };
    state.add_contracts(contracts.into_iter().chain(priced.feeds.contracts()));
    Ok(state)
}

/// Lists every reserve in the pool; returns the contracts that set their rates.
async fn reserves(asking: &Asking<'_>, pool: &mut Pool, rate_oracle: Address) -> Result<Vec<Address>, NodeError> {
    let address = pool.params().pool;
    let assets = asking.one(address, AaveFirstPool::getReservesListCall {}).await?;
    let ask = |asset: &Address| (address, AaveFirstPool::getReserveDataCall { asset: *asset });
    let data = asking.all(&assets.iter().map(ask).collect::<Vec<_>>()).await?;
    let ask = |asset: &Address| (rate_oracle, AaveRateOracle::getMarketBorrowRateCall { asset: *asset });
    let market_rates = asking.all(&assets.iter().map(ask).collect::<Vec<_>>()).await?;
    let a_tokens: Vec<Address> = data.iter().map(|data| data.aToken).collect();
    let debts: Vec<Address> = data.iter().map(|data| data.variableDebtToken).collect();
    let stable_debts: Vec<Address> = data.iter().map(|data| data.stableDebtToken).collect();
    let strategies: Vec<Address> = data.iter().map(|data| data.strategy).collect();
    let treasuries = asking
        .all_of(&a_tokens, AaveToken::RESERVE_TREASURY_ADDRESSCall {})
        .await?;
    let supplies = asking.all_of(&a_tokens, AaveToken::scaledTotalSupplyCall {}).await?;
    let scaled_debts = asking.all_of(&debts, AaveToken::scaledTotalSupplyCall {}).await?;
    let stable = asking
        .all_of(&stable_debts, AaveStableDebt::getSupplyDataCall {})
        .await?;
    let decimals = asking.all_of(&assets, Token::decimalsCall {}).await?;
    let held: Vec<_> = assets
        .iter()
        .zip(&a_tokens)
        .map(|(asset, a_token)| (*asset, Token::balanceOfCall { account: *a_token }))
        .collect();
    let held = asking.all(&held).await?;
    let curves = curves(asking, &strategies).await?;
    for (place, (asset, data)) in assets.iter().copied().zip(&data).enumerate() {
        let at = |numbers: &[U256]| numbers.get(place).copied().unwrap_or_default();
        let word = |what: &str, value| asking.narrow::<u128>(asset, what, value);
        let digits: u8 = asking.narrow(asset, "decimals", at(&decimals))?;
        let params = ReserveParams {
            asset,
            a_token: data.aToken,
            stable_debt: data.stableDebtToken,
            variable_debt: data.variableDebtToken,
            treasury: treasuries.get(place).copied().unwrap_or_default(),
        };
        let id = asking.narrow(asset, "number", data.id)?;
        let mut reserve = Reserve::new(params, id, digits, curves.get(place).copied().unwrap_or_default());
        reserve.configuration = ReserveConfiguration(data.configuration);
        if reserve.configuration.decimals() != digits {
            let said = reserve.configuration.decimals();
            return Err(asking.refused(asset, format!("it has {digits} decimals, but its reserve says {said}")));
        }
        reserve.market_borrow_rate = at(&market_rates);
        reserve.liquidity_index = word("liquidity index", data.liquidityIndex)?;
        reserve.variable_borrow_index = word("variable borrow index", data.variableBorrowIndex)?;
        reserve.current_liquidity_rate = word("liquidity rate", data.liquidityRate)?;
        reserve.current_variable_borrow_rate = word("variable borrow rate", data.variableBorrowRate)?;
        reserve.current_stable_borrow_rate = word("stable borrow rate", data.stableBorrowRate)?;
        reserve.last_update = asking.narrow(asset, "last update", data.lastUpdate)?;
        reserve.scaled_supply = at(&supplies);
        reserve.scaled_variable_debt = at(&scaled_debts);
        reserve.available_liquidity = at(&held);
        if let Some(stable) = stable.get(place) {
            reserve.stable = StableSupply {
                principal: stable.principal,
                average_rate: stable.averageRate,
                last_update: asking.narrow(asset, "stable debt's last update", stable.lastUpdate)?,
            };
        }
        let listed = pool
            .list(reserve)
            .map_err(|error| asking.refused(asset, error.to_string()))?;
        if listed != id {
            return Err(asking.refused(asset, format!("its number is {id}, but it stands at place {listed}")));
        }
    }
    Ok(strategies)
}

async fn curves(asking: &Asking<'_>, of: &[Address]) -> Result<Vec<InterestRateStrategy>, NodeError> {
    let optimal = asking
        .all_of(of, AaveV2Strategy::OPTIMAL_UTILIZATION_RATECall {})
        .await?;
    let base = asking.all_of(of, AaveV2Strategy::baseVariableBorrowRateCall {}).await?;
    let slope1 = asking.all_of(of, AaveV2Strategy::variableRateSlope1Call {}).await?;
    let slope2 = asking.all_of(of, AaveV2Strategy::variableRateSlope2Call {}).await?;
    let stable1 = asking.all_of(of, AaveV2Strategy::stableRateSlope1Call {}).await?;
    let stable2 = asking.all_of(of, AaveV2Strategy::stableRateSlope2Call {}).await?;
    let each = (0..of.len()).map(|place| {
        let at = |numbers: &[U256]| numbers.get(place).copied().unwrap_or_default();
        InterestRateStrategy {
            optimal_utilization_rate: at(&optimal),
            base_variable_borrow_rate: at(&base),
            variable_rate_slope1: at(&slope1),
            variable_rate_slope2: at(&slope2),
            stable_rate_slope1: at(&stable1),
            stable_rate_slope2: at(&stable2),
        }
    });
    Ok(each.collect())
}

/// What these users have, owe and pledge, in the order asked for.
pub(super) async fn accounts(
    asking: &Asking<'_>,
    pool: &Pool,
    users: &[Address],
) -> Result<Vec<(Address, User)>, NodeError> {
    let address = pool.params().pool;
    let calls: Vec<_> = users
        .iter()
        .map(|user| (address, AavePool::getUserConfigurationCall { user: *user }))
        .collect();
    let words = asking.aggregated(&calls).await?;
    let mut found: Vec<(Address, User)> = Vec::with_capacity(users.len());
    for (user, word) in users.iter().zip(words) {
        let mut known = User::default();
        known.configuration = UserConfiguration(word);
        found.push((*user, known));
    }
    for reserve in pool.reserves() {
        let id = reserve.id;
        let ReserveParams {
            a_token,
            stable_debt,
            variable_debt,
            ..
        } = reserve.params;
        let supplies = of_users(asking, a_token, users, |user| AaveToken::scaledBalanceOfCall { user }).await?;
        // Whoever owes has the flag.
        let owing: Vec<usize> = (0..found.len())
            .filter(|place| {
                found
                    .get(*place)
                    .is_some_and(|(_, user)| user.configuration.is_borrowing(id))
            })
            .collect();
        let debtors: Vec<Address> = owing.iter().filter_map(|place| users.get(*place)).copied().collect();
        let debts = of_users(asking, variable_debt, &debtors, |user| AaveToken::scaledBalanceOfCall {
            user,
        })
        .await?;
        let principal = |user| AaveStableDebt::principalBalanceOfCall { user };
        let principals = of_users(asking, stable_debt, &debtors, principal).await?;
        let rate = |user| AaveStableDebt::getUserStableRateCall { user };
        let rates = of_users(asking, stable_debt, &debtors, rate).await?;
        let updated = |user| AaveStableDebt::getUserLastUpdatedCall { user };
        let updates = of_users(asking, stable_debt, &debtors, updated).await?;
        for ((_, user), supply) in found.iter_mut().zip(supplies) {
            user.set_position(Position {
                reserve: id,
                scaled_supply: supply,
                scaled_variable_debt: U256::ZERO,
            });
        }
        let stable = principals.into_iter().zip(rates).zip(updates);
        for ((place, debt), ((principal, rate), last_update)) in owing.into_iter().zip(debts).zip(stable) {
            let Some((_, user)) = found.get_mut(place) else {
                continue;
            };
            user.set_position(Position {
                scaled_variable_debt: debt,
                ..user.position(id)
            });
            user.set_stable_debt(StableDebt {
                reserve: id,
                principal,
                rate: asking.narrow(stable_debt, "rate", rate)?,
                last_update: asking.narrow(stable_debt, "last update", last_update)?,
            });
        }
    }
    Ok(found)
}

/// A function of a token about each user.
async fn of_users<C: SolCall>(
    asking: &Asking<'_>,
    token: Address,
    users: &[Address],
    call: impl Fn(Address) -> C,
) -> Result<Vec<C::Return>, NodeError> {
    let calls: Vec<(Address, C)> = users.iter().map(|user| (token, call(*user))).collect();
    asking.aggregated(&calls).await
}
