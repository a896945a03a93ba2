use super::{
    aave::AaveMarket,
    coin::Coin,
    compound::{COLLATERAL_PERCENT, CompoundMarket, mantissa},
    feeds::answer,
};
use crate::{
    Devnet, DevnetError, NodeChain,
    aave_v3::{
        DeployError, EModeSpec, GenuineMarket, MarketSpec, OWNER, Rates, ReserveSpec, Version,
        calls::{LaterConfiguratorCalls, PoolCalls},
    },
    compound_v2::{CErc20Calls, Codes, ComptrollerCalls, GenuineCompound, Model, Plan},
    contracts::token::Token,
    uniswap_v3::Failure,
};
use alloy_primitives::{Address, U256};

/// The ids of Aave's efficiency modes: dollars against dollars, and ether against dollars.
pub(super) const DOLLARS: u8 = 1;
pub(super) const ETHER: u8 = 2;

/// Aave's reserves: loan to value, liquidation threshold, bonus, reserve factor, the rates, all in basis points.
const RESERVES: [(u16, u16, u16, u16, Rates); 5] = [
    (8_050, 8_300, 10_500, 1_500, rates(9_000, 270, 8_000)),
    (7_500, 7_800, 10_450, 1_000, rates(9_200, 550, 4_000)),
    (7_300, 7_800, 10_500, 2_000, rates(8_000, 400, 30_000)),
    (6_300, 7_700, 10_500, 1_000, rates(9_200, 550, 4_000)),
    (6_500, 7_000, 10_700, 2_000, rates(4_500, 700, 30_000)),
];

const fn rates(optimal_usage: u16, slope1: u32, slope2: u32) -> Rates {
    Rates {
        optimal_usage,
        base: 0,
        slope1,
        slope2,
    }
}

/// A reserve's loan to value and liquidation threshold, as shares.
pub(super) fn thresholds(coin: Coin, e_mode: u8) -> (f64, f64) {
    let mode = e_modes().into_iter().find(|mode| mode.id == e_mode);
    let (ltv, threshold) = match mode.filter(|mode| mode.collateral.contains(&coin.index())) {
        Some(mode) => (mode.ltv, mode.liquidation_threshold),
        None => (RESERVES[coin.index()].0, RESERVES[coin.index()].1),
    };
    (f64::from(ltv) / 1e4, f64::from(threshold) / 1e4)
}

fn e_modes() -> Vec<EModeSpec> {
    let mode = |id, ltv, liquidation_threshold, liquidation_bonus, collateral: &[Coin]| EModeSpec {
        id,
        ltv,
        liquidation_threshold,
        liquidation_bonus,
        price_source: Address::ZERO,
        collateral: collateral.iter().map(|coin| coin.index()).collect(),
        borrowable: vec![Coin::Usdc.index(), Coin::Dai.index()],
    };
    vec![
        mode(DOLLARS, 9_300, 9_500, 10_100, &[Coin::Usdc, Coin::Dai]),
        mode(ETHER, 8_500, 8_700, 10_400, &[Coin::Weth]),
    ]
}

/// Deploys Aave v3.6.0 for these tokens.
pub(super) fn aave(devnet: &Devnet, tokens: &[Token; 5]) -> Result<AaveMarket, DevnetError> {
    let reserve = |coin: Coin| {
        let (ltv, liquidation_threshold, liquidation_bonus, reserve_factor, rates) = RESERVES[coin.index()];
        let dollar = matches!(coin, Coin::Usdc | Coin::Dai);
        ReserveSpec {
            asset: Some(tokens[coin.index()].address),
            symbol: coin.symbol(),
            decimals: coin.decimals(),
            price: answer(coin.start_price()).saturating_to(),
            rates,
            ltv,
            liquidation_threshold,
            liquidation_bonus,
            reserve_factor,
            liquidation_protocol_fee: 1_000,
            supply_cap: 2_000_000_000,
            borrow_cap: 1_000_000_000,
            // Five million dollars.
            debt_ceiling: if coin == Coin::Link { 500_000_000 } else { 0 },
            borrowable_in_isolation: dollar,
            ..ReserveSpec::default()
        }
    };
    let spec = MarketSpec {
        version: Version::V3_6_0,
        reserves: Coin::ALL.map(reserve).to_vec(),
        e_modes: e_modes(),
        users: Vec::new(),
    };
    let mut market = GenuineMarket::deploy_on(NodeChain::new(devnet, OWNER), &spec)?;
    let premium = LaterConfiguratorCalls::updateFlashloanPremiumCall { newFlashloanPremium: 5 };
    went("updateFlashloanPremium", market.configure(&premium))?;
    let asset = tokens[0].address;
    let first = market.read(&PoolCalls::getReserveDataCall { asset });
    let revision = market.read(&PoolCalls::POOL_REVISIONCall {});
    Ok(AaveMarket {
        provider: market.provider(),
        pool: market.pool(),
        revision: went("POOL_REVISION", revision)?.saturating_to(),
        configurator: market.configurator(),
        oracle: market.oracle(),
        rate_strategy: went("getReserveData", first)?.interestRateStrategyAddress,
        reserves: market.listings().to_vec(),
        receivers: [market.simple_receiver(), market.receiver()],
    })
}

/// Deploys Compound v2 for the first of these tokens.
pub(super) fn compound(devnet: &Devnet, tokens: &[Token; 5]) -> Result<CompoundMarket, DevnetError> {
    let percent = |percent: u64| U256::from(percent) * U256::from(10).pow(U256::from(16));
    let plan = |coin: Coin| {
        let plan = Plan {
            decimals: Some(coin.decimals()),
            // The published code of the others is larger than a node takes.
            delegated: true,
            // Fifty cTokens for a coin.
            initial_exchange_rate: U256::from(2) * U256::from(10).pow(U256::from(8 + coin.decimals())),
            model: match coin {
                Coin::Usdc | Coin::Dai => Model::JumpV2(U256::ZERO, percent(4), percent(109), percent(80)),
                Coin::Weth => Model::Jump(percent(2), percent(10), percent(200), percent(85)),
                _ => Model::WhitePaper(percent(2), percent(30)),
            },
        };
        (plan, Some(tokens[coin.index()].address))
    };
    let codes = Codes::load()?;
    let admin = GenuineCompound::ADMIN;
    let chain = NodeChain::new(devnet, admin);
    let mut genuine = GenuineCompound::deploy_for(chain, &codes, &Coin::COMPOUND.map(plan));
    let (comptroller, markets) = (genuine.comptroller(), genuine.markets().to_vec());
    let close = ComptrollerCalls::_setCloseFactorCall { mantissa: percent(50) };
    accepted("_setCloseFactor", genuine.call(admin, comptroller, &close))?;
    let incentive = ComptrollerCalls::_setLiquidationIncentiveCall { mantissa: percent(108) };
    accepted("_setLiquidationIncentive", genuine.call(admin, comptroller, &incentive))?;
    for ((coin, market), factor) in Coin::COMPOUND.into_iter().zip(&markets).zip(COLLATERAL_PERCENT) {
        let c_token = market.c_token;
        let support = ComptrollerCalls::_supportMarketCall { cToken: c_token };
        accepted("_supportMarket", genuine.call(admin, comptroller, &support))?;
        let price = mantissa(coin, answer(coin.start_price()));
        went("setUnderlyingPrice", genuine.set_price(*market, price))?;
        let factor = ComptrollerCalls::_setCollateralFactorCall {
            cToken: c_token,
            mantissa: percent(factor),
        };
        accepted("_setCollateralFactor", genuine.call(admin, comptroller, &factor))?;
        let reserve = CErc20Calls::_setReserveFactorCall { mantissa: percent(10) };
        accepted("_setReserveFactor", genuine.call(admin, c_token, &reserve))?;
    }
    Ok(CompoundMarket {
        comptroller,
        oracle: genuine.oracle(),
        markets,
    })
}

fn went<T>(call: &'static str, result: Result<T, Failure>) -> Result<T, DevnetError> {
    result.map_err(|failure| DeployError::Refused { call, failure }.into())
}

/// A call of Compound's that answers with an error's code.
fn accepted(call: &'static str, result: Result<U256, Failure>) -> Result<(), DevnetError> {
    match went(call, result)? {
        U256::ZERO => Ok(()),
        code => went(call, Err(Failure::Reverted(format!("error {code}")))),
    }
}
