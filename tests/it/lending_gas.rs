//! Gas of lending, as the genuine contracts use it, held against the table that backtests charge by.

use alloy_primitives::{Address, U256};
use plimsoll_backtest::{GasTable, LendingGas};
use plimsoll_devnet::Evm;
use plimsoll_devnet::aave_v3::{GenuineMarket as GenuineAave, MarketSpec, ReserveSpec, Version};
use plimsoll_devnet::compound_v2::{Codes, ComptrollerCalls, GenuineCompound, Model, Plan};

const OTHER: Address = Address::repeat_byte(0x61);
const OWN: Address = Address::repeat_byte(0x62);

fn units(whole: u64, decimals: u8) -> U256 {
    U256::from(whole) * U256::from(10).pow(U256::from(decimals))
}

/// Ether and dollars in a market that others use; each step a minute after the one before it.
#[test]
fn aave_v3_uses_the_gas_that_is_charged() {
    let dollar = ReserveSpec {
        symbol: "USDC",
        decimals: 6,
        price: 100_000_000,
        ..ReserveSpec::default()
    };
    let spec = MarketSpec {
        version: Version::V3_6_0,
        reserves: vec![ReserveSpec::default(), dollar],
        e_modes: Vec::new(),
        users: vec![OTHER, OWN],
    };
    let mut market = GenuineAave::deploy(&spec).unwrap_or_else(|error| panic!("{error}"));
    let assets = market.assets();
    let (ether, dollar) = (assets[0], assets[1]);
    for (asset, supplied, borrowed) in [
        (ether, units(1_000, 18), units(100, 18)),
        (dollar, units(2_000_000, 6), units(500_000, 6)),
    ] {
        market.supply(OTHER, asset, supplied, OTHER).expect("supplies");
        market.borrow(OTHER, asset, borrowed, OTHER).expect("borrows");
    }
    let mut gas = |act: &mut dyn FnMut(&mut GenuineAave)| {
        market.wait(60);
        act(&mut market);
        market.chain().gas_used()
    };
    let measured = LendingGas {
        supply: gas(&mut |market| market.supply(OWN, ether, units(10, 18), OWN).expect("supplies")),
        borrow: gas(&mut |market| market.borrow(OWN, dollar, units(5_000, 6), OWN).expect("borrows")),
        withdraw: gas(&mut |market| {
            market.withdraw(OWN, ether, units(1, 18), OWN).expect("withdraws");
        }),
        repay: gas(&mut |market| {
            market.repay(OWN, dollar, U256::MAX, OWN).expect("repays");
        }),
    };
    assert_eq!(measured, GasTable::MEASURED.aave_v3);
}

/// The same in Compound's markets; each step five blocks after the one before it.
#[test]
fn compound_v2_uses_the_gas_that_is_charged() {
    let mantissa = |per_mille: u64| U256::from(per_mille) * units(1, 15);
    let plan = |decimals| Plan {
        decimals: Some(decimals),
        delegated: true,
        initial_exchange_rate: U256::from(200_000_000) * units(1, decimals),
        model: Model::JumpV2(mantissa(0), mantissa(40), mantissa(1_090), mantissa(800)),
    };
    let codes = Codes::load().unwrap_or_else(|error| panic!("{error}"));
    let plans = [plan(18), plan(6)];
    let chain = Evm::new(GenuineCompound::ADMIN);
    let mut compound = GenuineCompound::deploy_on(chain, &codes, &plans, &[OTHER, OWN]);
    let (comptroller, admin) = (compound.comptroller(), GenuineCompound::ADMIN);
    let markets = compound.markets().to_vec();
    let prices = [units(2_000, 18), units(1, 30)];
    for (market, price) in markets.iter().zip(prices) {
        compound.set_price(*market, price).expect("posts");
        let support = ComptrollerCalls::_supportMarketCall { cToken: market.c_token };
        assert_eq!(compound.call(admin, comptroller, &support).expect("lists"), U256::ZERO);
        let factor = ComptrollerCalls::_setCollateralFactorCall {
            cToken: market.c_token,
            mantissa: mantissa(800),
        };
        assert_eq!(compound.call(admin, comptroller, &factor).expect("sets"), U256::ZERO);
    }
    let done = |code: Result<U256, _>| assert_eq!(code, Ok::<_, plimsoll_devnet::compound_v2::Failure>(U256::ZERO));
    for (market, supplied, borrowed) in [
        (markets[0], units(1_000, 18), units(100, 18)),
        (markets[1], units(2_000_000, 6), units(500_000, 6)),
    ] {
        done(compound.mint(OTHER, market, supplied));
        compound.enter_markets(OTHER, vec![market.c_token]).expect("enters");
        done(compound.borrow(OTHER, market, borrowed));
    }
    let (ether, dollar) = (markets[0], markets[1]);
    let mut gas = |act: &mut dyn FnMut(&mut GenuineCompound)| {
        compound.roll(5);
        act(&mut compound);
        compound.chain().gas_used()
    };
    let mint = gas(&mut |compound| done(compound.mint(OWN, ether, units(10, 18))));
    let enter = gas(&mut |compound| {
        compound.enter_markets(OWN, vec![ether.c_token]).expect("enters");
    });
    let measured = LendingGas {
        supply: mint + enter,
        borrow: gas(&mut |compound| done(compound.borrow(OWN, dollar, units(5_000, 6)))),
        withdraw: gas(&mut |compound| done(compound.redeem_underlying(OWN, ether, units(1, 18)))),
        repay: gas(&mut |compound| done(compound.repay_borrow(OWN, dollar, U256::MAX))),
    };
    assert_eq!(measured, GasTable::MEASURED.compound_v2);
}
