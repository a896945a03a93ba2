//! From a configuration's tables to sources.

use super::config::{KindName, Number, SourceConfig};
use crate::{
    config::{Document, resolve},
    exit::Failure,
};
use plimsoll_data::columns::read_columns;
use plimsoll_optimizer::source::{
    Comet, CometParams, FixedRate, Kind, KinkedPool, KinkedPoolParams, LiquidityRange, RangeParams, SECONDS_PER_YEAR,
    SharePrice, ShareYield, Source, SourceError,
};
use std::path::Path;
use toml::Spanned;

/// A source with what the configuration says besides.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) source: Source,
    pub(super) kind: &'static str,
    pub(super) protocol: Option<String>,
    pub(super) asset: Option<String>,
    pub(super) chain: Option<String>,
    /// The least that must be held, in USD.
    pub(super) min_usd: f64,
    /// The least that is held where anything is, in USD.
    pub(super) min_position_usd: Option<f64>,
    /// What its reader should know.
    pub(super) note: Option<String>,
}

/// Where a configuration's values are read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) document: Document<'a>,
    /// The configuration's folder.
    pub(super) base: Option<&'a Path>,
}

impl Reader<'_> {
    /// All sources, each checked; two of one name are refused.
    pub(super) fn sources(&self, configs: &[SourceConfig]) -> Result<Vec<Listed>, Failure> {
        let mut sources: Vec<Listed> = Vec::with_capacity(configs.len());
        for config in configs {
            let id = config.id.get_ref();
            let wrong = |message: &str| Err(self.document.wrong(config.id.span().start, message));
            if id.trim().is_empty() {
                return wrong("`id` is empty");
            }
            if sources.iter().any(|listed| listed.source.id() == id) {
                return wrong(&format!("source `{id}` is given twice"));
            }
            sources.push(self.source(config)?);
        }
        Ok(sources)
    }

    /// A number that is at least 0 and finite; `None` where it is not given.
    pub(super) fn amount(&self, key: &str, number: &Number) -> Result<Option<f64>, Failure> {
        let within = |value: f64| (0.0..=1e30).contains(&value);
        self.within(key, number, within, "a finite number that is at least 0")
    }

    /// A number that keeps to a rule; `None` where it is not given.
    pub(super) fn within(
        &self,
        key: &str,
        number: &Number,
        rule: impl Fn(f64) -> bool,
        words: &str,
    ) -> Result<Option<f64>, Failure> {
        let Some(number) = number else {
            return Ok(None);
        };
        let value = *number.get_ref();
        if rule(value) {
            return Ok(Some(value));
        }
        let at = number.span().start;
        Err(self
            .document
            .wrong(at, format!("`{key}` is {value}: it must be {words}")))
    }

    fn source(&self, config: &SourceConfig) -> Result<Listed, Failure> {
        let id = config.id.get_ref().as_str();
        let kind_name = *config.kind.get_ref();
        if let Some(key) = config.foreign() {
            let (at, kind) = (config.place(key), kind_name.text());
            return Err(self
                .document
                .wrong(at, format!("source `{id}`: `{key}` is no key of kind `{kind}`")));
        }
        let mut note = None;
        let kind = match kind_name {
            KindName::Kinked => self.kinked(config)?,
            KindName::Comet => self.comet(config)?,
            KindName::Fixed => {
                let apr = self.needed(config, "apr", &config.apr)?;
                let fixed = FixedRate::new(id, apr).map_err(|error| self.located(config, &error))?;
                Kind::Fixed(self.withdrawable(config, fixed)?)
            }
            KindName::Vault => {
                let (fixed, words) = self.vault(config)?;
                note = Some(words);
                Kind::Fixed(self.withdrawable(config, fixed)?)
            }
            KindName::Range => self.range(config)?,
        };
        let value = |number: &Number| number.as_ref().map(|number| *number.get_ref());
        let max_usd = value(&config.max_usd).unwrap_or(f64::INFINITY);
        let source = Source::new(id, kind, max_usd).map_err(|error| self.located(config, &error))?;
        Ok(Listed {
            source,
            kind: kind_name.text(),
            protocol: config.protocol.clone(),
            asset: config.asset.clone(),
            chain: config.chain.clone(),
            min_usd: self.amount("min_usd", &config.min_usd)?.unwrap_or(0.0),
            min_position_usd: self.amount("min_position_usd", &config.min_position_usd)?,
            note,
        })
    }

    fn kinked(&self, config: &SourceConfig) -> Result<Kind, Failure> {
        let of = |key: &'static str, number: &Number| self.needed(config, key, number);
        let params = KinkedPoolParams {
            base: of("base", &config.base)?,
            slope1: of("slope1", &config.slope1)?,
            slope2: of("slope2", &config.slope2)?,
            optimal_utilization: of("optimal_utilization", &config.optimal_utilization)?,
            reserve_factor: of("reserve_factor", &config.reserve_factor)?,
            supplied_usd: of("supplied_usd", &config.supplied_usd)?,
            borrowed_usd: of("borrowed_usd", &config.borrowed_usd)?,
        };
        let pool = KinkedPool::new(config.id.get_ref(), params).map_err(|error| self.located(config, &error))?;
        Ok(Kind::Kinked(pool))
    }

    fn comet(&self, config: &SourceConfig) -> Result<Kind, Failure> {
        let a_second = |key: &'static str, number: &Number| {
            let a_year = self.needed(config, key, number)?;
            if (0.0..=1e30).contains(&a_year) {
                return Ok(a_year / SECONDS_PER_YEAR);
            }
            let id = config.id.get_ref();
            let words = format!("source `{id}`: `{key}` is {a_year}: it must be a finite number that is at least 0");
            Err(self.document.wrong(config.place(key), words))
        };
        let params = CometParams {
            base_per_second: a_second("base", &config.base)?,
            slope_low_per_second: a_second("slope_low", &config.slope_low)?,
            slope_high_per_second: a_second("slope_high", &config.slope_high)?,
            kink: self.needed(config, "kink", &config.kink)?,
            supplied_usd: self.needed(config, "supplied_usd", &config.supplied_usd)?,
            borrowed_usd: self.needed(config, "borrowed_usd", &config.borrowed_usd)?,
        };
        let comet = Comet::new(config.id.get_ref(), params).map_err(|error| self.located(config, &error))?;
        Ok(Kind::Comet(comet))
    }

    fn range(&self, config: &SourceConfig) -> Result<Kind, Failure> {
        let of = |key: &'static str, number: &Number| self.needed(config, key, number);
        let params = RangeParams {
            fees_usd_per_year: of("fees_usd_per_year", &config.fees_usd_per_year)?,
            depth_usd: of("depth_usd", &config.depth_usd)?,
            volatility: of("volatility", &config.volatility)?,
            recentre_cost: of("recentre_cost", &config.recentre_cost)?,
        };
        let half_width = of("half_width", &config.half_width)?;
        let range = LiquidityRange::new(config.id.get_ref(), params, half_width);
        Ok(Kind::Range(range.map_err(|error| self.located(config, &error))?))
    }

    /// The rate that a share price's history tells; one that fell earns nothing.
    fn vault(&self, config: &SourceConfig) -> Result<(FixedRate, String), Failure> {
        let id = config.id.get_ref().as_str();
        let Some(file) = &config.share_prices else {
            return Err(self.missing(config, "share_prices"));
        };
        let path = resolve(self.base, file.get_ref());
        let wrong = |words: String| self.document.wrong(file.span().start, words);
        let columns = read_columns(&path, &["timestamp", "assets_per_share"]);
        let columns = columns.map_err(|error| wrong(format!("`share_prices`: {error}")))?;
        let [timestamps, prices] = columns.as_slice() else {
            return Err(wrong("`share_prices`: two columns are needed".to_owned()));
        };
        let mut history = Vec::with_capacity(prices.len());
        for (row, (&timestamp, &assets_per_share)) in (1..).zip(timestamps.iter().zip(prices)) {
            if !(0.0..=1e15).contains(&timestamp) || timestamp.fract() != 0.0 {
                return Err(wrong(format!(
                    "`share_prices`: row {row}: timestamp is {timestamp}: it must be whole seconds"
                )));
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked to be whole and to fit
            let timestamp = timestamp as u64;
            history.push(SharePrice {
                timestamp,
                assets_per_share,
            });
        }
        let told = ShareYield::from_history(id, &history).map_err(|error| self.located(config, &error))?;
        let percent = |fraction: f64| crate::report::decimal(fraction * 100.0, 2);
        let spread = match told.low.is_finite() {
            true => format!("{} % to {} %", percent(told.low), percent(told.high)),
            false => "nothing is known of its spread".to_owned(),
        };
        let fell = if told.apr < 0.0 { ": taken as 0" } else { "" };
        let words = format!(
            "{id}: {} % a year by {} share prices ({spread}){fell}",
            percent(told.apr),
            history.len()
        );
        let fixed = FixedRate::new(id, told.apr.max(0.0)).map_err(|error| self.located(config, &error))?;
        Ok((fixed, words))
    }

    fn withdrawable(&self, config: &SourceConfig, fixed: FixedRate) -> Result<FixedRate, Failure> {
        let value = |number: &Number, all: f64| number.as_ref().map_or(all, |number| *number.get_ref());
        let (share, usd) = (
            value(&config.instant_share, 1.0),
            value(&config.instant_usd, f64::INFINITY),
        );
        fixed
            .with_withdrawable(config.id.get_ref(), share, usd)
            .map_err(|error| self.located(config, &error))
    }

    fn needed(&self, config: &SourceConfig, key: &str, number: &Number) -> Result<f64, Failure> {
        let value = number.as_ref().map(Spanned::get_ref);
        value.copied().ok_or_else(|| self.missing(config, key))
    }

    fn missing(&self, config: &SourceConfig, key: &str) -> Failure {
        let id = config.id.get_ref();
        self.document
            .wrong(config.id.span().start, format!("source `{id}`: `{key}` is missing"))
    }

    /// A source's error with its line; keys that are named otherwise in the configuration have that name.
    fn located(&self, config: &SourceConfig, error: &SourceError) -> Failure {
        let field = error.field;
        self.document.wrong(
            config.place(field),
            format!("source `{}`: `{field}` {}", error.id, error.problem),
        )
    }
}
