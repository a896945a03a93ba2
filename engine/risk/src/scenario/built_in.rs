use super::{Scenario, ScenarioShock, Selector};
use crate::OracleLag;

impl Scenario {
    /// The scenarios that come with Plimsoll, after what has happened. The sizes are round numbers in the style of the event, stated in
    /// each description; none is a replay of its prices.
    pub fn built_in() -> Vec<Self> {
        let stable = || Selector::class("stablecoin");
        let crypto = |change| ScenarioShock::of_all_but(vec![stable()], change);
        let names = |names: &[&str]| names.iter().map(|name| Selector::Pattern((*name).to_owned())).collect();
        vec![
            Self {
                shocks: vec![crypto(-0.2)],
                ..Self::calm(
                    "market_fall",
                    "Every asset but stablecoins falls by 20 %: what the scenarios of liquidity, gas and oracle are compared with.",
                )
            },
            Self {
                shocks: vec![crypto(-0.5)],
                gas_factor: 20.0,
                ..Self::calm(
                    "march_2020",
                    "In the style of 12 March 2020: every asset but stablecoins falls by 50 % in a day, and gas costs 20 times as much.",
                )
            },
            Self {
                shocks: vec![ScenarioShock::alike(vec![Selector::class("staked_ether")], -0.07)],
                horizon_hours: 168.0,
                ..Self::calm(
                    "steth_depeg",
                    "In the style of June 2022: staked ether falls by 7 % against ether, which stands still.",
                )
            },
            Self {
                shocks: vec![ScenarioShock::alike(names(&["USDC", "USDC.e", "USDbC"]), -0.12)],
                horizon_hours: 48.0,
                ..Self::calm(
                    "usdc_depeg",
                    "In the style of March 2023: USDC falls to 0.88 USD, held or owed; other stablecoins hold.",
                )
            },
            Self {
                shocks: vec![crypto(-0.2)],
                oracle: OracleLag {
                    rounds: Some(3),
                    share: 0.5,
                },
                horizon_hours: 1.0,
                ..Self::calm(
                    "oracle_lag",
                    "Every asset but stablecoins falls by 20 % on the market; the oracle shows half of it for three rounds.",
                )
            },
            Self {
                shocks: vec![crypto(-0.2)],
                oracle: OracleLag {
                    rounds: None,
                    share: 0.0,
                },
                ..Self::calm(
                    "oracle_stuck",
                    "Every asset but stablecoins falls by 20 % on the market; the oracle never shows it.",
                )
            },
            Self {
                shocks: vec![crypto(-0.2)],
                liquidity_factor: 0.2,
                ..Self::calm(
                    "liquidity_withdrawal",
                    "Every asset but stablecoins falls by 20 %, and 80 % of the liquidity is withdrawn.",
                )
            },
            Self {
                shocks: vec![crypto(-0.2)],
                gas_factor: 20.0,
                ..Self::calm(
                    "gas_x20",
                    "Every asset but stablecoins falls by 20 %, and gas costs 20 times as much.",
                )
            },
        ]
    }
}
