use super::*;
use crate::{
    Book, CascadeRules,
    fixture::{account, asset, depth, one_account},
};

fn book_of(names: &[&str]) -> Book {
    let accounts: Vec<_> = names.iter().map(|name| account("a", name, 1.0, 0.0)).collect();
    let assets: Vec<_> = names.iter().map(|name| asset(name, 1.0, 0.8, 0.05)).collect();
    Book::new(&accounts, &assets, &[]).expect("a book")
}

fn select(text: &str) -> Selector {
    text.parse().expect("it selects")
}

fn shocked(book: &Book, shocks: Vec<ScenarioShock>) -> Result<Vec<f64>, ScenarioError> {
    let scenario = Scenario {
        shocks,
        ..Scenario::calm("s", "")
    };
    Ok(scenario.apply(book, CascadeRules::default())?.factors)
}

#[test]
fn patterns_fit_as_they_read() {
    for (pattern, fit, does_not) in [
        ("*", "", ""),
        ("WETH", "WETH", "WETH2"),
        ("W*", "WBTC", "BTC"),
        ("*ETH", "stETH", "ETHx"),
        ("a*a", "aba", "a"),
        ("*st*", "wstETH", "WETH"),
        ("a*b*c", "a-b-c", "a-c-b"),
    ] {
        assert!(classes::fits(pattern, fit), "{pattern} {fit}");
        assert!(
            does_not.is_empty() || !classes::fits(pattern, does_not),
            "{pattern} {does_not}"
        );
    }
    assert!(" ".parse::<Selector>().is_err() && "class: ".parse::<Selector>().is_err());
}

#[test]
fn assets_are_chosen_by_name_by_pattern_and_by_class() {
    let book = book_of(&["DAI", "USDC", "WBTC", "WETH", "wstETH"]);
    let but = vec![Selector::class("stablecoin")];
    let all = ScenarioShock {
        betas: vec![(select("class:bitcoin"), 0.5), (select("wst*"), 2.0)],
        ..ScenarioShock::of_all_but(but, -0.36)
    };
    let later = ScenarioShock::alike(vec![select("DAI")], 0.1);
    // √0.64 and 0.64².
    let factors = shocked(&book, vec![all, later]).expect("it fits");
    for (factor, expected) in factors.iter().zip([1.1, 1.0, 0.8, 0.64, 0.4096]) {
        assert!((factor - expected).abs() < 1e-15, "{factors:?}");
    }
}

#[test]
fn a_scenario_that_names_nothing_of_the_book_is_refused() {
    let book = book_of(&["USDC", "WETH"]);
    let error = |shock: ScenarioShock| shocked(&book, vec![shock]).expect_err("refused").to_string();
    assert_eq!(
        error(ScenarioShock::alike(
            vec![select("class:staked_ether"), select("DOGE")],
            -0.1
        )),
        "scenario s: no asset of the book is class:staked_ether or DOGE; it has USDC, WETH"
    );
    assert_eq!(
        error(ScenarioShock::alike(vec![select("class:cat")], -0.1)),
        "scenario s: there is no class cat; there are bitcoin, ether, stablecoin, staked_ether"
    );
    assert_eq!(
        error(ScenarioShock::alike(vec![select("WETH")], -1.0)),
        "scenario s: change is -1, expected a fall of less than 100 %"
    );
    let address = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
    let book = book_of(&[address, "WETH"]);
    let crypto = ScenarioShock::of_all_but(vec![Selector::class("stablecoin")], -0.5);
    let error = shocked(&book, vec![crypto.clone()]).expect_err("refused");
    assert_eq!(
        error.to_string(),
        format!("scenario s: {address} is named by its address: say which class it is of, or choose assets by name")
    );
    let told = Scenario {
        shocks: vec![crypto],
        classes: AssetClasses::default().with("stablecoin", [address.to_owned()]),
        ..Scenario::calm("s", "")
    };
    assert_eq!(
        told.apply(&book, CascadeRules::default()).expect("told").factors,
        [1.0, 0.5]
    );
}

#[test]
fn numbers_that_cannot_be_are_refused_by_name() {
    let book = book_of(&["WETH"]);
    let calm = Scenario::calm("s", "");
    for (what, scenario) in [
        (
            "liquidity_factor",
            Scenario {
                liquidity_factor: 0.0,
                ..calm.clone()
            },
        ),
        (
            "gas_factor",
            Scenario {
                gas_factor: f64::NAN,
                ..calm.clone()
            },
        ),
        (
            "horizon_hours",
            Scenario {
                horizon_hours: -1.0,
                ..calm.clone()
            },
        ),
        (
            "the oracle's share",
            Scenario {
                oracle: OracleLag {
                    rounds: None,
                    share: 1.5,
                },
                ..calm.clone()
            },
        ),
    ] {
        let error = scenario
            .apply(&book, CascadeRules::default())
            .expect_err("refused")
            .to_string();
        assert!(error.starts_with(&format!("scenario s: {what} is ")), "{error}");
    }
}

#[test]
fn liquidity_gas_and_oracle_reach_the_cascade() {
    let book = one_account(&[depth("ETH", 50.0, 50_000.0)]);
    let rules = CascadeRules {
        gas_usd: 2.0,
        extrapolate: true,
        ..CascadeRules::default()
    };
    let built_in = Scenario::built_in();
    let run = |name: &str| {
        let scenario = built_in
            .iter()
            .find(|scenario| scenario.name == name)
            .expect("built in");
        let applied = scenario.apply(&book, rules).expect("it fits");
        (applied.cascade().expect("it runs"), applied)
    };
    let (_, thin) = run("liquidity_withdrawal");
    let fall = thin.book.assets()[0].depth.as_ref().expect("known");
    let sold = crate::Sold {
        usd: 5_000.0,
        tokens: 0.0,
    };
    assert!((fall.fall(sold, false).expect("inside") - 0.25).abs() < 1e-15);
    assert_eq!(run("gas_x20").1.rules.gas_usd, 40.0);
    let (stuck, applied) = run("oracle_stuck");
    assert_eq!((stuck.rounds, applied.stress().liquidatable_positions), (0, 1));
    assert_eq!(run("march_2020").1.factors, [0.5, 1.0]);
    // What is owed falls by 12 %.
    assert_eq!(run("usdc_depeg").1.factors, [1.0, 0.88]);
    let steth = built_in
        .iter()
        .find(|scenario| scenario.name == "steth_depeg")
        .expect("built in");
    assert!(matches!(
        steth.apply(&book, rules),
        Err(ScenarioError::NothingOfBook { .. })
    ));
}

#[test]
fn what_a_scenario_cannot_do_is_told() {
    let book = one_account(&[]);
    let scenario = Scenario {
        shocks: vec![ScenarioShock::alike(vec![select("ETH"), select("DOGE")], -0.1)],
        gas_factor: 20.0,
        liquidity_factor: 0.5,
        ..Scenario::calm("s", "")
    };
    let notes = scenario.apply(&book, CascadeRules::default()).expect("it fits").notes;
    let nothing = ScenarioNote::ChoosesNothing {
        selector: "DOGE".to_owned(),
    };
    assert_eq!(notes, [nothing, ScenarioNote::GasIsFree, ScenarioNote::NoKnownDepth]);
}
