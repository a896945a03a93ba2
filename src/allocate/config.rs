//! The configuration of an allocation: TOML in, each value with the place where it stands.

use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};
use toml::Spanned;

/// A number that may be missing, with its place.
pub(super) type Number = Option<Spanned<f64>>;

/// The file as it is written. Amounts are in USD, rates yearly fractions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) capital_usd: Spanned<f64>,
    #[serde(default)]
    pub(super) source: Vec<SourceConfig>,
    #[serde(default)]
    pub(super) constraints: Constraints,
    /// What is held now, by source.
    #[serde(default)]
    pub(super) holdings: BTreeMap<String, Spanned<f64>>,
}

/// One flat table, so that an error can point at its line; which keys go with which kind is checked after.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceConfig {
    pub(super) id: Spanned<String>,
    pub(super) kind: Spanned<KindName>,
    pub(super) protocol: Option<String>,
    pub(super) asset: Option<String>,
    pub(super) chain: Option<String>,
    pub(super) max_usd: Number,
    pub(super) min_usd: Number,
    pub(super) min_position_usd: Number,
    pub(super) base: Number,
    pub(super) slope1: Number,
    pub(super) slope2: Number,
    pub(super) optimal_utilization: Number,
    pub(super) reserve_factor: Number,
    pub(super) supplied_usd: Number,
    pub(super) borrowed_usd: Number,
    pub(super) slope_low: Number,
    pub(super) slope_high: Number,
    pub(super) kink: Number,
    pub(super) apr: Number,
    pub(super) instant_share: Number,
    pub(super) instant_usd: Number,
    pub(super) share_prices: Option<Spanned<PathBuf>>,
    pub(super) fees_usd_per_year: Number,
    pub(super) depth_usd: Number,
    pub(super) volatility: Number,
    pub(super) recentre_cost: Number,
    pub(super) half_width: Number,
}

/// The kinds of source by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum KindName {
    Kinked,
    Comet,
    Fixed,
    Vault,
    Range,
}

impl KindName {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Kinked => "kinked",
            Self::Comet => "comet",
            Self::Fixed => "fixed",
            Self::Vault => "vault",
            Self::Range => "range",
        }
    }

    /// The keys that are its own; names and limits are everybody's.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Kinked => &[
                "base",
                "slope1",
                "slope2",
                "optimal_utilization",
                "reserve_factor",
                "supplied_usd",
                "borrowed_usd",
            ],
            Self::Comet => &[
                "base",
                "slope_low",
                "slope_high",
                "kink",
                "supplied_usd",
                "borrowed_usd",
            ],
            Self::Fixed => &["apr", "instant_share", "instant_usd"],
            Self::Vault => &["share_prices", "instant_share", "instant_usd"],
            Self::Range => &[
                "fees_usd_per_year",
                "depth_usd",
                "volatility",
                "recentre_cost",
                "half_width",
            ],
        }
    }
}

impl SourceConfig {
    /// Every number that only some kinds have.
    fn numbers(&self) -> [(&'static str, &Number); 18] {
        [
            ("base", &self.base),
            ("slope1", &self.slope1),
            ("slope2", &self.slope2),
            ("optimal_utilization", &self.optimal_utilization),
            ("reserve_factor", &self.reserve_factor),
            ("supplied_usd", &self.supplied_usd),
            ("borrowed_usd", &self.borrowed_usd),
            ("slope_low", &self.slope_low),
            ("slope_high", &self.slope_high),
            ("kink", &self.kink),
            ("apr", &self.apr),
            ("instant_share", &self.instant_share),
            ("instant_usd", &self.instant_usd),
            ("fees_usd_per_year", &self.fees_usd_per_year),
            ("depth_usd", &self.depth_usd),
            ("volatility", &self.volatility),
            ("recentre_cost", &self.recentre_cost),
            ("half_width", &self.half_width),
        ]
    }

    /// Where a key's value stands; the source's name where the key is not given.
    pub(super) fn place(&self, key: &str) -> usize {
        let limits = [
            ("max_usd", &self.max_usd),
            ("min_usd", &self.min_usd),
            ("min_position_usd", &self.min_position_usd),
        ];
        let mut numbers = self.numbers().into_iter().chain(limits);
        let number = numbers.find(|(name, _)| *name == key);
        let number = number.and_then(|(_, number)| number.as_ref().map(|number| number.span().start));
        let file = self.share_prices.as_ref().filter(|_| key == "share_prices");
        number
            .or_else(|| file.map(|file| file.span().start))
            .unwrap_or_else(|| self.id.span().start)
    }

    /// A key that its kind does not have.
    pub(super) fn foreign(&self) -> Option<&'static str> {
        let own = self.kind.get_ref().keys();
        let numbers = self.numbers().into_iter();
        let given = numbers.filter_map(|(name, number)| number.is_some().then_some(name));
        let file = self.share_prices.is_some().then_some("share_prices");
        given.chain(file).find(|name| !own.contains(name))
    }
}

/// What an allocation must keep to. Shares are of `capital_usd`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Constraints {
    #[serde(alias = "max_per_source")]
    pub(super) max_share: Number,
    pub(super) max_per_protocol: Number,
    pub(super) max_per_asset: Number,
    pub(super) max_per_chain: Number,
    pub(super) min_position_usd: Number,
    pub(super) min_liquid_share: Number,
    pub(super) max_turnover_usd: Number,
    pub(super) min_change_usd: Number,
    pub(super) gas_usd_per_change: Number,
    pub(super) change_cost: Number,
    pub(super) holding_days: Number,
    pub(super) margin: Number,
    #[serde(default)]
    pub(super) groups: Vec<GroupConfig>,
    pub(super) cvar: Option<CvarConfig>,
}

/// Sources that are limited together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupConfig {
    pub(super) name: Spanned<String>,
    pub(super) sources: Spanned<Vec<Spanned<String>>>,
    pub(super) max_usd: Number,
    pub(super) min_usd: Number,
    pub(super) max_share: Number,
    pub(super) min_share: Number,
}

/// The tail of the losses: what it may be, what it costs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CvarConfig {
    pub(super) scenarios: Spanned<PathBuf>,
    pub(super) level: Number,
    pub(super) limit_usd: Number,
    pub(super) limit_share: Number,
    pub(super) price: Number,
}
