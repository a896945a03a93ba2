//! A Comet by its logs: a borrower's health, an absorption and a sale, each with its numbers worked out by hand.

use super::{CompoundV3Replay, CompoundV3Upgrade, LendingError};
use crate::{Feeds, Oracle, PriceSource};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use plimsoll_protocols::{
    RawLog, aave_v3,
    chainlink::Answer,
    compound_v3::{AssetConfig, Comet, Configuration, Curve, comet_abi},
};
use plimsoll_units::{LogRef, Network};

const COMET: Address = Address::repeat_byte(0xc3);
const USDC: Address = Address::repeat_byte(0xdc);
const WETH: Address = Address::repeat_byte(0xee);
const LENDER: Address = Address::repeat_byte(0x1e);
const BORROWER: Address = Address::repeat_byte(0xb0);
const NOW: u64 = 1_700_000_000;
const PER_MILLE: u64 = 1_000_000_000_000_000;

fn comet() -> Comet {
    let curve = Curve::per_year(0, 0, 0, 800 * PER_MILLE);
    let configuration = Configuration {
        governor: COMET,
        pause_guardian: COMET,
        base_token: USDC,
        base_scale: 1_000_000,
        supply: curve,
        borrow: curve,
        store_front_price_factor: 600 * PER_MILLE,
        base_borrow_min: 100_000_000,
        target_reserves: 5_000_000_000_000,
        assets: vec![AssetConfig {
            asset: WETH,
            scale: 1_000_000_000_000_000_000,
            borrow_collateral_factor: 825 * PER_MILLE,
            liquidate_collateral_factor: 895 * PER_MILLE,
            liquidation_factor: 950 * PER_MILLE,
            supply_cap: u128::MAX,
        }],
    };
    Comet::new(configuration, NOW).expect("one asset")
}

fn replay() -> CompoundV3Replay {
    let mut oracle = Oracle::default();
    oracle.set_source(USDC, PriceSource::Fixed(U256::from(100_000_000)));
    oracle.set_source(
        WETH,
        PriceSource::Feed {
            aggregator: WETH,
            scale: 0,
        },
    );
    CompoundV3Replay::new(Network::DEVNET, COMET, comet(), oracle)
}

/// What an ether costs, in whole dollars.
fn ether_at(dollars: i64) -> Feeds {
    let mut feeds = Feeds::default();
    let answer = Answer {
        value: (dollars * 100_000_000).try_into().expect("it fits"),
        round_id: U256::ONE,
        updated_at: NOW,
    };
    feeds.set(WETH, answer);
    feeds
}

fn log(event: &impl SolEvent) -> RawLog {
    let data = event.encode_log_data();
    RawLog {
        at: LogRef {
            block_number: 7,
            transaction_index: 1,
            log_index: 2,
            transaction_hash: B256::ZERO,
        },
        block_timestamp: Some(NOW),
        address: COMET,
        topics: data.topics().to_vec(),
        data: data.data,
    }
}

fn dollars(whole: u64) -> U256 {
    U256::from(whole) * U256::from(1_000_000)
}

fn ether() -> U256 {
    U256::from(10u64.pow(18))
}

/// 10,000 USDC lent, and 1,500 of them borrowed against an ether.
fn opened(feeds: &Feeds) -> CompoundV3Replay {
    let mut replay = replay();
    let (supplied, borrowed) = (dollars(10_000), dollars(1_500));
    for log in [
        log(&comet_abi::Supply {
            from: LENDER,
            dst: LENDER,
            amount: supplied,
        }),
        log(&comet_abi::Transfer {
            from: Address::ZERO,
            to: LENDER,
            amount: supplied,
        }),
        log(&comet_abi::SupplyCollateral {
            from: BORROWER,
            dst: BORROWER,
            asset: WETH,
            amount: ether(),
        }),
        log(&comet_abi::Withdraw {
            src: BORROWER,
            to: BORROWER,
            amount: borrowed,
        }),
    ] {
        replay.apply(&log, feeds).unwrap_or_else(|error| panic!("{error}"));
    }
    replay
}

fn absorbed(usd_value: U256) -> RawLog {
    log(&comet_abi::AbsorbCollateral {
        absorber: LENDER,
        borrower: BORROWER,
        asset: WETH,
        collateralAbsorbed: ether(),
        usdValue: usd_value,
    })
}

#[test]
fn a_borrowers_health_is_collateral_by_its_threshold_over_debt() {
    let feeds = ether_at(2_000);
    let replay = opened(&feeds);
    let accounts = replay.accounts(&feeds).expect("every price");
    let health = |account| {
        accounts
            .iter()
            .find(|health| health.account == account)
            .expect("it is there")
    };
    // 2,000 · 0.895 / 1,500 = 1.19333…
    assert_eq!(
        health(BORROWER).health_factor_wad,
        Some(U256::from(1_193_333_333_333_333_333u64))
    );
    assert_eq!(health(BORROWER).collateral_value, U256::from(2_000u64 * 100_000_000));
    assert_eq!(health(BORROWER).debt_value, U256::from(1_500u64 * 100_000_000));
    assert_eq!(health(LENDER).health_factor_wad, None);
    assert_eq!(health(LENDER).positions[0].collateral_amount, dollars(10_000));
}

#[test]
fn an_absorption_and_a_sale_are_held_against_prices() {
    // 1,600 · 0.895 = 1,432 does not cover 1,500.
    let feeds = ether_at(1_600);
    let mut replay = opened(&feeds);
    replay
        .apply(&absorbed(U256::from(1_600u64 * 100_000_000)), &feeds)
        .expect("its value");
    // The collateral is credited with 1,600 · 0.95 = 1,520: the debt is paid and 20 remain supplied.
    let paid = log(&comet_abi::AbsorbDebt {
        absorber: LENDER,
        borrower: BORROWER,
        basePaidOut: dollars(1_520),
        usdValue: U256::from(1_520u64 * 100_000_000),
    });
    let appeared = log(&comet_abi::Transfer {
        from: Address::ZERO,
        to: BORROWER,
        amount: dollars(20),
    });
    for log in [paid, appeared] {
        replay.apply(&log, &feeds).unwrap_or_else(|error| panic!("{error}"));
    }
    // 776 USDC at a discount of 0.6 · (1 − 0.95) = 3 %: 776 / (1,600 · 0.97) = 0.5 ether.
    let bought = |amount: U256| {
        log(&comet_abi::BuyCollateral {
            buyer: LENDER,
            asset: WETH,
            baseAmount: dollars(776),
            collateralAmount: amount,
        })
    };
    let half = ether() / U256::from(2);
    let wrong = replay.clone().apply(&bought(half + U256::ONE), &feeds);
    assert!(matches!(wrong, Err(LendingError::Divergence(_))), "{wrong:?}");
    replay.apply(&bought(half), &feeds).expect("its price");
    assert_eq!((replay.counts().proven, replay.counts().unverifiable), (2, 0));
}

#[test]
fn a_false_value_diverges_with_its_place() {
    let feeds = ether_at(1_600);
    let mut replay = opened(&feeds);
    let error = replay
        .apply(&absorbed(U256::ONE), &feeds)
        .expect_err("not its value")
        .to_string();
    assert!(error.contains("block 7, transaction index 1, log index 2"), "{error}");
}

/// A proxy's word that its code is another one.
fn upgraded() -> RawLog {
    let mut told = log(&comet_abi::Approval {
        owner: COMET,
        spender: COMET,
        amount: U256::ZERO,
    });
    told.topics = vec![aave_v3::proxy_abi::Upgraded::SIGNATURE_HASH, COMET.into_word()];
    told.data = Default::default();
    told
}

#[test]
fn an_upgrade_brings_what_was_read_of_it_and_is_undone_with_its_block() {
    let old = comet().configuration().clone();
    let mut later = old.clone();
    later.base_borrow_min = 7;
    later.assets.push(AssetConfig {
        asset: LENDER,
        ..later.assets[0]
    });
    let upgrade = CompoundV3Upgrade {
        block_number: 7,
        configuration: later.clone(),
        sources: vec![(LENDER, PriceSource::Fixed(U256::from(3)))],
    };
    let feeds = Feeds::default();
    let mut replay = replay().with_upgrades(vec![upgrade.clone()]);
    let before = replay.before();
    replay.apply(&upgraded(), &feeds).expect("it is known");
    assert_eq!(replay.comet().configuration(), &later);
    assert_eq!(replay.comet().asset_totals().len(), 2);
    assert_eq!(replay.price(LENDER, &feeds), U256::from(3));
    replay.restore(before);
    assert_eq!(replay.comet(), &comet());
    assert_eq!(replay.price(LENDER, &feeds), U256::ZERO);

    let refused = |change: &dyn Fn(&mut CompoundV3Upgrade)| {
        let mut other = upgrade.clone();
        change(&mut other);
        let mut replay = self::replay().with_upgrades(vec![other]);
        let error = replay.apply(&upgraded(), &feeds).expect_err("refused").to_string();
        assert!(error.contains("the Comet was upgraded"), "{error}");
        assert_eq!(replay.comet(), &comet());
    };
    refused(&|upgrade| upgrade.block_number = 8);
    refused(&|upgrade| upgrade.configuration.base_token = LENDER);
    refused(&|upgrade| upgrade.configuration.base_scale = 1);
    refused(&|upgrade| upgrade.configuration.assets[0].scale = 1);
    refused(&|upgrade| upgrade.configuration.assets.swap(0, 1));
    refused(&|upgrade| upgrade.configuration.assets.clear());
    refused(&|upgrade| {
        let asset = upgrade.configuration.assets[1];
        upgrade.configuration.assets.resize(25, asset);
    });
}
