use super::Text;
use crate::exit::Failure;
use plimsoll_optimizer::rules::Rule;
use plimsoll_strategies::{Allocator, Recenter};
use serde::Deserialize;

/// One flat table, so that an error can point at its line; which keys go with which name is checked after.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StrategyConfig {
    name: StrategyName,
    pub(crate) pool: Option<String>,
    width_ticks: Option<i32>,
    recenter: Option<RecenterConfig>,
    market: Option<String>,
    markets: Option<Vec<String>>,
    asset: Option<String>,
    horizon_hours: Option<u64>,
    move_cost: Option<Text>,
    collateral: Option<String>,
    debt: Option<String>,
    target_health_factor: Option<Text>,
    band: Option<Text>,
    rule: Option<RuleName>,
    every_blocks: Option<u64>,
    holding_hours: Option<u64>,
    slippage: Option<f64>,
    margin: Option<f64>,
    max_share: Option<f64>,
    min_change: Option<f64>,
    trigger: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StrategyName {
    Hold,
    RangeLiquidity,
    Lend,
    LeveragedLoop,
    YieldRotation,
}

impl StrategyName {
    const fn text(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::RangeLiquidity => "range-liquidity",
            Self::Lend => "lend",
            Self::LeveragedLoop => "leveraged-loop",
            Self::YieldRotation => "yield-rotation",
        }
    }

    /// The keys that are its own; `pool` is everybody's.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Hold => &[],
            Self::RangeLiquidity => &["width_ticks", "recenter"],
            Self::Lend => &["markets", "asset", "horizon_hours", "move_cost"],
            Self::LeveragedLoop => &["market", "collateral", "debt", "target_health_factor", "band"],
            Self::YieldRotation => &[
                "markets",
                "asset",
                "move_cost",
                "rule",
                "every_blocks",
                "holding_hours",
                "slippage",
                "margin",
                "max_share",
                "min_change",
                "trigger",
                "low",
                "high",
            ],
        }
    }
}

/// Who allocates in `yield-rotation`: the optimizer, or a rule that it is to beat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RuleName {
    #[default]
    Optimum,
    EqualWeight,
    BestSpotRate,
    EqualizedUtilization,
    ApyBand,
}

impl RuleName {
    const fn text(self) -> &'static str {
        match self {
            Self::Optimum => "optimum",
            Self::EqualWeight => "equal-weight",
            Self::BestSpotRate => "best-spot-rate",
            Self::EqualizedUtilization => "equalized-utilization",
            Self::ApyBand => "apy-band",
        }
    }

    /// The keys that belong to some rules only, and are this one's.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Optimum => &["move_cost", "holding_hours", "slippage", "margin"],
            Self::EqualWeight | Self::BestSpotRate => &["min_change"],
            Self::EqualizedUtilization => &["min_change", "trigger"],
            Self::ApyBand => &["min_change", "low", "high"],
        }
    }
}

/// The keys of `yield-rotation` that some of its rules do without.
const RULE_KEYS: [&str; 8] = [
    "move_cost",
    "holding_hours",
    "slippage",
    "margin",
    "min_change",
    "trigger",
    "low",
    "high",
];

/// A strategy with its own keys.
#[derive(Debug, Clone)]
pub(crate) enum Strategy {
    Hold,
    RangeLiquidity { width_ticks: i32, recenter: Recenter },
    Lend(LendConfig),
    LeveragedLoop(LoopConfig),
    YieldRotation(RotationConfig),
}

/// The keys of `lend`; names are looked up later.
#[derive(Debug, Clone)]
pub(crate) struct LendConfig {
    /// All of the data's where none is named.
    pub(crate) markets: Vec<String>,
    pub(crate) asset: String,
    pub(crate) horizon_hours: u64,
    pub(crate) move_cost: Option<Text>,
}

/// The keys of `leveraged-loop`; names are looked up later.
#[derive(Debug, Clone)]
pub(crate) struct LoopConfig {
    pub(crate) market: String,
    pub(crate) collateral: String,
    pub(crate) debt: String,
    pub(crate) target_health_factor: Text,
    pub(crate) band: Text,
}

/// The keys of `yield-rotation`; names are looked up later.
#[derive(Debug, Clone)]
pub(crate) struct RotationConfig {
    /// All of the data's where none is named.
    pub(crate) markets: Vec<String>,
    pub(crate) asset: String,
    pub(crate) allocator: Allocator,
    pub(crate) move_cost: Option<Text>,
    pub(crate) every_blocks: Option<u64>,
    pub(crate) holding_hours: Option<u64>,
    pub(crate) slippage: Option<f64>,
    pub(crate) margin: Option<f64>,
    pub(crate) max_share: Option<f64>,
    pub(crate) min_change: Option<f64>,
}

impl StrategyConfig {
    /// The strategy, with the keys that are its own and no others.
    pub(crate) fn checked(&self, name: &str) -> Result<Strategy, Failure> {
        let wrong = |message: &str| Failure::usage(format!("{name}: [strategy] {message}"));
        let missing = |key: &str| wrong(&format!("{key} is missing"));
        let given = [
            ("width_ticks", self.width_ticks.is_some()),
            ("recenter", self.recenter.is_some()),
            ("market", self.market.is_some()),
            ("markets", self.markets.is_some()),
            ("asset", self.asset.is_some()),
            ("horizon_hours", self.horizon_hours.is_some()),
            ("move_cost", self.move_cost.is_some()),
            ("collateral", self.collateral.is_some()),
            ("debt", self.debt.is_some()),
            ("target_health_factor", self.target_health_factor.is_some()),
            ("band", self.band.is_some()),
            ("rule", self.rule.is_some()),
            ("every_blocks", self.every_blocks.is_some()),
            ("holding_hours", self.holding_hours.is_some()),
            ("slippage", self.slippage.is_some()),
            ("margin", self.margin.is_some()),
            ("max_share", self.max_share.is_some()),
            ("min_change", self.min_change.is_some()),
            ("trigger", self.trigger.is_some()),
            ("low", self.low.is_some()),
            ("high", self.high.is_some()),
        ];
        let own = self.name.keys();
        if let Some((key, _)) = given.iter().find(|(key, given)| *given && !own.contains(key)) {
            return Err(wrong(&format!("{key} is no key of {}", self.name.text())));
        }
        let needed = |key: &'static str, text: &Option<String>| text.clone().ok_or_else(|| missing(key));
        Ok(match self.name {
            StrategyName::Hold => Strategy::Hold,
            StrategyName::RangeLiquidity => Strategy::RangeLiquidity {
                width_ticks: self.width_ticks.ok_or_else(|| missing("width_ticks"))?,
                recenter: self.recenter.unwrap_or_default().into(),
            },
            StrategyName::Lend => Strategy::Lend(LendConfig {
                markets: self.markets.clone().unwrap_or_default(),
                asset: needed("asset", &self.asset)?,
                horizon_hours: self.horizon_hours.unwrap_or(168),
                move_cost: self.move_cost.clone(),
            }),
            StrategyName::LeveragedLoop => Strategy::LeveragedLoop(LoopConfig {
                market: needed("market", &self.market)?,
                collateral: needed("collateral", &self.collateral)?,
                debt: needed("debt", &self.debt)?,
                target_health_factor: self
                    .target_health_factor
                    .clone()
                    .ok_or_else(|| missing("target_health_factor"))?,
                band: self.band.clone().ok_or_else(|| missing("band"))?,
            }),
            StrategyName::YieldRotation => {
                let rule = self.rule.unwrap_or_default();
                let strays =
                    |(key, given): &&(&str, bool)| *given && RULE_KEYS.contains(key) && !rule.keys().contains(key);
                if let Some((key, _)) = given.iter().find(strays) {
                    return Err(wrong(&format!("{key} is no key of rule {}", rule.text())));
                }
                Strategy::YieldRotation(RotationConfig {
                    markets: self.markets.clone().unwrap_or_default(),
                    asset: needed("asset", &self.asset)?,
                    allocator: self.allocator(rule).map_err(missing)?,
                    move_cost: self.move_cost.clone(),
                    every_blocks: self.every_blocks,
                    holding_hours: self.holding_hours,
                    slippage: self.slippage,
                    margin: self.margin,
                    max_share: self.max_share,
                    min_change: self.min_change,
                })
            }
        })
    }

    /// The allocator that a rule names, or the key that it lacks.
    fn allocator(&self, rule: RuleName) -> Result<Allocator, &'static str> {
        Ok(match rule {
            RuleName::Optimum => Allocator::Optimum,
            RuleName::EqualWeight => Allocator::Rule(Rule::EqualWeight),
            RuleName::BestSpotRate => Allocator::Rule(Rule::BestSpotRate),
            RuleName::EqualizedUtilization => Allocator::Rule(Rule::EqualizedUtilization {
                trigger: self.trigger.unwrap_or(0.025),
            }),
            RuleName::ApyBand => Allocator::Rule(Rule::ApyBand {
                low: self.low.ok_or("low")?,
                high: self.high.ok_or("high")?,
            }),
        })
    }

    /// Whether it lends, so that the data's lending markets are needed.
    pub(crate) const fn lends(&self) -> bool {
        matches!(
            self.name,
            StrategyName::Lend | StrategyName::LeveragedLoop | StrategyName::YieldRotation
        )
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RecenterConfig {
    #[default]
    Never,
    OnExit,
    #[serde(rename = "every_blocks")]
    EveryBlocks(u64),
}

impl From<RecenterConfig> for Recenter {
    fn from(config: RecenterConfig) -> Self {
        match config {
            RecenterConfig::Never => Self::Never,
            RecenterConfig::OnExit => Self::OnExit,
            RecenterConfig::EveryBlocks(blocks) => Self::EveryBlocks(blocks),
        }
    }
}
