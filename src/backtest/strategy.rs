//! The strategy of a plan, its names looked up.

use super::plan::Plan;
use crate::{
    config::{LendConfig, LoopConfig, RotationConfig, Strategy, Text},
    exit::Failure,
    report::Token,
    universe::PoolInfo,
};
use alloy_primitives::{Address, U256};
use plimsoll_market::Start;
use plimsoll_strategies::{HealthTarget, Hold, Lend, LeveragedLoop, RangeLiquidity, RotationSettings, YieldRotation};
use plimsoll_units::parse_amount;

/// Decimals of a wad.
const WAD_DECIMALS: u8 = 18;

impl Plan<'_> {
    pub(super) fn strategy(&self) -> Result<Box<dyn plimsoll_runtime::Strategy>, Failure> {
        Ok(match &self.strategy {
            Strategy::Hold => Box::new(Hold),
            Strategy::RangeLiquidity { width_ticks, recenter } => {
                let pool = self.first_pool()?;
                let params = match self.starts.get(&pool.address) {
                    Some(Start::State(state)) => state.params(),
                    Some(Start::Logs(params)) => *params,
                    None => return Err(self.wrong("pool is not in the data")),
                };
                let tokens = (pool.token0, pool.token1);
                let made = RangeLiquidity::new(pool.address, tokens, params, *width_ticks, *recenter);
                Box::new(made.map_err(|error| self.wrong(error))?)
            }
            Strategy::Lend(config) => Box::new(self.lend(config)?),
            Strategy::LeveragedLoop(config) => Box::new(self.leveraged_loop(config)?),
            Strategy::YieldRotation(config) => Box::new(self.yield_rotation(config)?),
        })
    }

    fn lend(&self, config: &LendConfig) -> Result<Lend, Failure> {
        let asset = self.universe.token("[strategy] asset", &config.asset)?;
        let markets = self.markets_of(&asset, &config.markets)?;
        let move_cost = self.move_cost(&asset, config.move_cost.as_ref())?;
        Lend::new(markets, asset.address, config.horizon_hours, move_cost).map_err(|error| self.wrong(error))
    }

    fn yield_rotation(&self, config: &RotationConfig) -> Result<YieldRotation, Failure> {
        let asset = self.universe.token("[strategy] asset", &config.asset)?;
        let usual = RotationSettings::of(self.markets_of(&asset, &config.markets)?);
        let settings = RotationSettings {
            allocator: config.allocator,
            move_cost: self.move_cost(&asset, config.move_cost.as_ref())?,
            every_blocks: config.every_blocks.unwrap_or(usual.every_blocks),
            holding_hours: config.holding_hours.unwrap_or(usual.holding_hours),
            slippage: config.slippage.unwrap_or(usual.slippage),
            margin: config.margin.unwrap_or(usual.margin),
            max_share: config.max_share.unwrap_or(usual.max_share),
            min_change_share: config.min_change.unwrap_or(usual.min_change_share),
            markets: usual.markets,
        };
        YieldRotation::new(asset.address, asset.decimals, settings).map_err(|error| self.wrong(error))
    }

    /// The markets of these names, each of which must lend a token; all that lend it where none is named.
    fn markets_of(&self, asset: &Token, names: &[String]) -> Result<Vec<Address>, Failure> {
        let named = names.iter().map(|text| {
            let market = self.lending.named(text);
            market.map_err(|error| self.wrong(format!("markets: {error}")))
        });
        let markets = named.collect::<Result<Vec<_>, _>>()?;
        let lend_it = self.lending.of_token(asset);
        if let Some(market) = markets.iter().find(|market| !lend_it.contains(market)) {
            return Err(self.wrong(format!("markets: {market} does not lend {}", asset.symbol)));
        }
        Ok(if markets.is_empty() { lend_it } else { markets })
    }

    /// What a move is taken to cost, in base units of a token.
    fn move_cost(&self, asset: &Token, text: Option<&Text>) -> Result<U256, Failure> {
        text.map_or(Ok(U256::ZERO), |text| {
            let parsed = parse_amount(&text.to_string(), asset.decimals);
            parsed.map_err(|error| self.wrong(format!("move_cost: {error}")))
        })
    }

    fn leveraged_loop(&self, config: &LoopConfig) -> Result<LeveragedLoop, Failure> {
        let market = self.lending.named(&config.market);
        let market = market.map_err(|error| self.wrong(format!("market: {error}")))?;
        let mut tokens = Vec::new();
        for (key, text) in [("collateral", &config.collateral), ("debt", &config.debt)] {
            let token = self.universe.token(&format!("[strategy] {key}"), text)?;
            if !self.lending.of_token(&token).contains(&market) {
                return Err(self.wrong(format!("{key}: {market} does not lend {text}")));
            }
            tokens.push(token.address);
        }
        let wad = |key: &str, text: &crate::config::Text| {
            let parsed = parse_amount(&text.to_string(), WAD_DECIMALS);
            parsed.map_err(|error| self.wrong(format!("{key}: {error}")))
        };
        let target = HealthTarget {
            health_factor_wad: wad("target_health_factor", &config.target_health_factor)?,
            band_wad: wad("band", &config.band)?,
        };
        let pool = self.first_pool()?;
        let pool = (pool.address, pool.token0, pool.token1);
        LeveragedLoop::new(market, pool, (tokens[0], tokens[1]), target).map_err(|error| self.wrong(error))
    }

    fn first_pool(&self) -> Result<&PoolInfo, Failure> {
        self.pools.first().ok_or_else(|| self.wrong("pool is missing"))
    }

    fn wrong(&self, message: impl std::fmt::Display) -> Failure {
        Failure::usage(format!("{}: [strategy] {message}", self.name))
    }
}
