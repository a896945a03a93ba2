use crate::{
    error::NodeError,
    lending::{
        asking::Asking,
        calls::{AaveConfigurator, AaveFirstStrategy, AaveLaterStrategy, AavePool, AaveToken, Token},
    },
};
use alloy_primitives::{Address, U256, map::HashMap};
use alloy_sol_types::SolCall;
use plimsoll_market::AaveV3Token;
use plimsoll_protocols::aave_v3::{InterestRateStrategy, Pool, Reserve, ReserveConfiguration, StableRates};

/// What is known of listed reserves beside their state.
pub(super) struct Listed {
    pub(super) tokens: HashMap<Address, AaveV3Token>,
    /// In the order of the reserves' numbers; zero where the revision has none.
    pub(super) stable_debt_tokens: Vec<Address>,
}

/// Lists every reserve in the pool.
pub(super) async fn read(asking: &Asking<'_>, pool: &mut Pool) -> Result<Listed, NodeError> {
    let address = pool.params().address;
    let revision = pool.revision();
    let assets = asking.one(address, AavePool::getReservesListCall {}).await?;
    let data = of_assets(asking, address, &assets, |asset| AavePool::getReserveDataCall { asset }).await?;
    let a_tokens: Vec<Address> = data.iter().map(|data| data.aToken).collect();
    let debt_tokens: Vec<Address> = data.iter().map(|data| data.variableDebtToken).collect();
    let treasuries = asking
        .all_of(&a_tokens, AaveToken::RESERVE_TREASURY_ADDRESSCall {})
        .await?;
    let supplies = asking.all_of(&a_tokens, AaveToken::scaledTotalSupplyCall {}).await?;
    let debts = asking.all_of(&debt_tokens, AaveToken::scaledTotalSupplyCall {}).await?;
    let decimals = asking.all_of(&assets, Token::decimalsCall {}).await?;
    let nothing = vec![U256::ZERO; assets.len()];
    let (available, grace_periods, pending) = if revision.virtual_balance() {
        let configurator = pool.params().configurator;
        (
            of_assets(asking, address, &assets, |asset| {
                AavePool::getVirtualUnderlyingBalanceCall { asset }
            })
            .await?,
            of_assets(asking, address, &assets, |asset| {
                AavePool::getLiquidationGracePeriodCall { asset }
            })
            .await?,
            of_assets(asking, configurator, &assets, |asset| {
                AaveConfigurator::getPendingLtvCall { asset }
            })
            .await?,
        )
    } else {
        let holders = assets.iter().zip(&a_tokens);
        let held: Vec<_> = holders
            .map(|(asset, a_token)| (*asset, Token::balanceOfCall { account: *a_token }))
            .collect();
        (asking.all(&held).await?, nothing.clone(), nothing.clone())
    };
    let deficits = if revision.deficit() {
        of_assets(asking, address, &assets, |asset| AavePool::getReserveDeficitCall {
            asset,
        })
        .await?
    } else {
        nothing
    };
    let curves: Vec<(Address, Address)> = assets
        .iter()
        .copied()
        .zip(data.iter().map(|data| data.strategy))
        .collect();
    let strategies = if revision.virtual_balance() {
        shared_strategies(asking, &curves).await?
    } else {
        let own: Vec<Address> = data.iter().map(|data| data.strategy).collect();
        own_strategies(asking, &own).await?
    };
    no_stable_debt(asking, &assets, &data).await?;

    let mut tokens = HashMap::default();
    let mut numbered = Vec::with_capacity(assets.len());
    let parts = data.iter().zip(treasuries).zip(supplies).zip(debts).zip(decimals);
    let more = available
        .into_iter()
        .zip(grace_periods)
        .zip(pending)
        .zip(deficits)
        .zip(strategies);
    for ((asset, ((((data, treasury), supply), debt), digits)), ((((available, grace), pending), deficit), strategy)) in
        assets.iter().copied().zip(parts).zip(more)
    {
        let word = |what: &str, value| asking.narrow::<u128>(asset, what, value);
        let time = |what: &str, value| asking.narrow::<u64>(asset, what, value);
        let configuration = ReserveConfiguration(data.configuration);
        let digits: u8 = asking.narrow(asset, "decimals", digits)?;
        if configuration.decimals() != digits {
            let reason = format!(
                "it has {digits} decimals, but its reserve says {}",
                configuration.decimals()
            );
            return Err(asking.refused(asset, reason));
        }
        let mut reserve = Reserve::new(asset, data.aToken, data.variableDebtToken, treasury, digits);
        reserve.id = asking.narrow(asset, "number", data.id)?;
        reserve.configuration = configuration;
        reserve.liquidity_index = word("liquidity index", data.liquidityIndex)?;
        reserve.liquidity_rate = word("liquidity rate", data.liquidityRate)?;
        reserve.variable_borrow_index = word("variable borrow index", data.variableBorrowIndex)?;
        reserve.variable_borrow_rate = word("variable borrow rate", data.variableBorrowRate)?;
        reserve.stable_borrow_rate = word("stable borrow rate", data.stableBorrowRate)?;
        reserve.last_update = time("last update", data.lastUpdate)?;
        reserve.accrued_to_treasury = word("accrual to the treasury", data.accruedToTreasury)?;
        reserve.unbacked = word("unbacked amount", data.unbacked)?;
        reserve.isolation_mode_total_debt = word("isolated debt", data.isolationModeTotalDebt)?;
        reserve.available_liquidity = available;
        reserve.deficit = word("deficit", deficit)?;
        reserve.liquidation_grace_period_until = time("grace period", grace)?;
        reserve.scaled_supply = supply;
        reserve.scaled_variable_debt = debt;
        reserve.strategy = strategy;
        reserve.pending_ltv = asking.narrow(asset, "pending LTV", pending)?;
        let known = AaveV3Token {
            a_token: reserve.a_token,
            variable_debt_token: reserve.variable_debt_token,
            decimals: digits,
            treasury,
        };
        tokens.insert(asset, known);
        numbered.push((reserve.id, data.stableDebtToken));
        pool.list_as_numbered(reserve)
            .map_err(|error| asking.refused(asset, error.to_string()))?;
    }
    numbered.sort_unstable();
    Ok(Listed {
        tokens,
        stable_debt_tokens: numbered.into_iter().map(|(_, token)| token).collect(),
    })
}

/// A function of one contract, for each asset.
async fn of_assets<C: SolCall>(
    asking: &Asking<'_>,
    of: Address,
    assets: &[Address],
    call: impl Fn(Address) -> C,
) -> Result<Vec<C::Return>, NodeError> {
    let calls: Vec<(Address, C)> = assets.iter().map(|asset| (of, call(*asset))).collect();
    asking.all(&calls).await
}

/// Debt at the stable rate, which up to 3.1 could be made, is not followed.
async fn no_stable_debt(
    asking: &Asking<'_>,
    assets: &[Address],
    data: &[AavePool::getReserveDataReturn],
) -> Result<(), NodeError> {
    let with: Vec<(Address, Address)> = assets
        .iter()
        .zip(data)
        .filter(|(_, data)| !data.stableDebtToken.is_zero())
        .map(|(asset, data)| (*asset, data.stableDebtToken))
        .collect();
    let tokens: Vec<Address> = with.iter().map(|(_, token)| *token).collect();
    let calls: Vec<_> = tokens.iter().map(|token| (*token, Token::totalSupplyCall {})).collect();
    for ((asset, _), owed) in with.into_iter().zip(asking.maybe(&calls).await?) {
        if let Some(owed) = owed.filter(|owed| !owed.is_zero()) {
            let reason = format!("{owed} base units of it are owed at a stable rate, which is not followed");
            return Err(asking.refused(asset, reason));
        }
    }
    Ok(())
}

/// The curves of 3.1 and later: one contract for all reserves, in basis points.
async fn shared_strategies(
    asking: &Asking<'_>,
    curves: &[(Address, Address)],
) -> Result<Vec<InterestRateStrategy>, NodeError> {
    let ask = |(asset, strategy): &(Address, Address)| {
        (
            *strategy,
            AaveLaterStrategy::getInterestRateDataBpsCall { reserve: *asset },
        )
    };
    let told = asking.maybe(&curves.iter().map(ask).collect::<Vec<_>>()).await?;
    let each = curves.iter().zip(told).map(|((_, strategy), told)| {
        let unknown = InterestRateStrategy {
            address: *strategy,
            ..InterestRateStrategy::default()
        };
        let Some(told) = told else { return Ok(unknown) };
        let points = |what: &str, value| asking.narrow::<u32>(*strategy, what, value);
        let curve = InterestRateStrategy::from_basis_points(
            *strategy,
            asking.narrow(*strategy, "kink", told.optimalUsageRatio)?,
            points("base rate", told.baseVariableBorrowRate)?,
            points("first slope", told.variableRateSlope1)?,
            points("second slope", told.variableRateSlope2)?,
        );
        // Numbers that the strategy itself would refuse are no curve of its kind.
        Ok(curve.unwrap_or(unknown))
    });
    each.collect()
}

/// The curves up to 3.0.2: one contract a reserve, in rays. One that does not tell its curve is an unknown one.
pub(super) async fn own_strategies(
    asking: &Asking<'_>,
    of: &[Address],
) -> Result<Vec<InterestRateStrategy>, NodeError> {
    let optimal = asking
        .maybe_of(of, AaveFirstStrategy::OPTIMAL_USAGE_RATIOCall {})
        .await?;
    let base = asking
        .maybe_of(of, AaveFirstStrategy::getBaseVariableBorrowRateCall {})
        .await?;
    let slope1 = asking
        .maybe_of(of, AaveFirstStrategy::getVariableRateSlope1Call {})
        .await?;
    let slope2 = asking
        .maybe_of(of, AaveFirstStrategy::getVariableRateSlope2Call {})
        .await?;
    let stable_base = asking
        .maybe_of(of, AaveFirstStrategy::getBaseStableBorrowRateCall {})
        .await?;
    let stable1 = asking
        .maybe_of(of, AaveFirstStrategy::getStableRateSlope1Call {})
        .await?;
    let stable2 = asking
        .maybe_of(of, AaveFirstStrategy::getStableRateSlope2Call {})
        .await?;
    let curve = |place: usize| {
        let at = |numbers: &[Option<U256>]| numbers.get(place).copied().flatten();
        let slope1 = at(&slope1)?;
        Some(InterestRateStrategy {
            address: *of.get(place)?,
            optimal_usage_ratio: at(&optimal)?,
            base_variable_borrow_rate: at(&base)?,
            variable_rate_slope1: slope1,
            variable_rate_slope2: at(&slope2)?,
            stable: StableRates {
                // The contract tells the sum.
                base_offset: at(&stable_base)?.checked_sub(slope1)?,
                slope1: at(&stable1)?,
                slope2: at(&stable2)?,
            },
        })
    };
    let each = of.iter().enumerate().map(|(place, strategy)| {
        curve(place).unwrap_or(InterestRateStrategy {
            address: *strategy,
            ..InterestRateStrategy::default()
        })
    });
    Ok(each.collect())
}
