//! A Comet for USDC with two collateral assets, and random calls on it.

use super::*;
use alloy_primitives::{Address, U256};
use proptest::{collection::vec, prelude::*};

pub(super) const USDC: Address = Address::repeat_byte(0xdc);
pub(super) const WETH: Address = Address::repeat_byte(0xee);
pub(super) const WBTC: Address = Address::repeat_byte(0xbb);
pub(super) const GOVERNOR: Address = Address::repeat_byte(0x60);
pub(super) const ALICE: Address = Address::repeat_byte(0xa1);
pub(super) const BOB: Address = Address::repeat_byte(0xb0);
pub(super) const CAROL: Address = Address::repeat_byte(0xca);
pub(super) const PEOPLE: [Address; 3] = [ALICE, BOB, CAROL];
pub(super) const START: u64 = 1_700_000_000;

/// A tenth of a percent as a factor.
pub(super) const PER_MILLE: u64 = 1_000_000_000_000_000;

/// Whole USDC in base units.
pub(super) fn usdc(whole: u64) -> U256 {
    U256::from(whole) * U256::from(1_000_000)
}

/// Whole WETH in base units.
pub(super) fn weth(whole: u64) -> U256 {
    U256::from(whole) * U256::from(1_000_000_000_000_000_000_u64)
}

/// Whole WBTC in base units.
pub(super) fn wbtc(whole: u64) -> U256 {
    U256::from(whole) * U256::from(100_000_000)
}

/// Rates: supply 0 + 3.25 % and 40 % beyond the kink, borrow 1.5 % + 3.5 % and 25 %, both with the kink at 80 %.
pub(super) fn configuration() -> Configuration {
    let asset = |asset, scale, [borrow, liquidate, credit]: [u64; 3], supply_cap| AssetConfig {
        asset,
        scale,
        borrow_collateral_factor: borrow * PER_MILLE,
        liquidate_collateral_factor: liquidate * PER_MILLE,
        liquidation_factor: credit * PER_MILLE,
        supply_cap,
    };
    Configuration {
        governor: GOVERNOR,
        pause_guardian: GOVERNOR,
        base_token: USDC,
        base_scale: 1_000_000,
        supply: Curve::per_year(0, 32_500_000_000_000_000, 400 * PER_MILLE, 800 * PER_MILLE),
        borrow: Curve::per_year(15 * PER_MILLE, 35 * PER_MILLE, 250 * PER_MILLE, 800 * PER_MILLE),
        store_front_price_factor: 600 * PER_MILLE,
        base_borrow_min: 100_000_000,
        target_reserves: 5_000_000_000_000,
        assets: vec![
            asset(
                WETH,
                1_000_000_000_000_000_000,
                [825, 895, 950],
                350_000 * 10u128.pow(18),
            ),
            asset(WBTC, 100_000_000, [700, 770, 930], 6_000 * 10u128.pow(8)),
        ],
    }
}

/// Prices of USDC at 1, WETH and WBTC at these whole dollars.
pub(super) fn prices(weth: u64, wbtc: u64) -> impl Fn(Address) -> U256 + Clone {
    move |token| {
        let dollars = match token {
            USDC => 1,
            WETH => weth,
            WBTC => wbtc,
            _ => 0,
        };
        U256::from(dollars) * U256::from(100_000_000)
    }
}

/// One call, by or on one of three people.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Supply(usize, U256),
    Withdraw(usize, U256),
    Transfer(usize, usize, U256),
    SupplyCollateral(usize, bool, U256),
    WithdrawCollateral(usize, bool, U256),
    TransferCollateral(usize, usize, bool, U256),
    Absorb(usize),
    Buy(bool, U256),
    Prices(u64, u64),
    Wait(u64),
    Accrue,
}

pub(super) fn call() -> impl Strategy<Value = Call> {
    let who = || 0usize..3;
    let cents = || (0u64..40_000_000).prop_map(|cents| U256::from(cents) * U256::from(10_001));
    let dust = || (0u64..3).prop_map(U256::from);
    let amount = move || prop_oneof![6 => cents(), 1 => dust(), 1 => Just(U256::MAX)];
    let collateral = || (0u64..1_000_000).prop_map(|n| U256::from(n) * U256::from(100_000_001_u64));
    prop_oneof![
        3 => (who(), amount()).prop_map(|(who, amount)| Call::Supply(who, amount)),
        5 => (who(), amount()).prop_map(|(who, amount)| Call::Withdraw(who, amount)),
        2 => (who(), who(), amount()).prop_map(|(src, dst, amount)| Call::Transfer(src, dst, amount)),
        3 => (who(), any::<bool>(), collateral()).prop_map(|(who, asset, amount)| Call::SupplyCollateral(who, asset, amount)),
        2 => (who(), any::<bool>(), collateral()).prop_map(|(who, asset, amount)| Call::WithdrawCollateral(who, asset, amount)),
        1 => (who(), who(), any::<bool>(), collateral())
            .prop_map(|(src, dst, asset, amount)| Call::TransferCollateral(src, dst, asset, amount)),
        4 => who().prop_map(Call::Absorb),
        1 => (any::<bool>(), cents()).prop_map(|(asset, amount)| Call::Buy(asset, amount)),
        3 => (1u64..4_000, 1u64..80_000).prop_map(|(weth, wbtc)| Call::Prices(weth, wbtc)),
        4 => (1u64..40_000_000).prop_map(Call::Wait),
        1 => Just(Call::Accrue),
    ]
}

pub(super) fn calls() -> impl Strategy<Value = Vec<Call>> {
    vec(call(), 0..40)
}

/// A Comet in use, with everything that it has emitted.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) comet: Comet,
    pub(super) now: u64,
    pub(super) dollars: (u64, u64),
}

impl World {
    /// Alice has supplied a million dollars, Bob a hundred WETH and ten WBTC; Bob owes 150,000 dollars.
    pub(super) fn new() -> Self {
        let mut world = Self {
            comet: Comet::new(configuration(), START).expect("two assets"),
            now: START,
            dollars: (2_000, 40_000),
        };
        let at = (START, prices(2_000, 40_000));
        let at = Moment {
            timestamp: at.0,
            prices: &at.1,
        };
        let comet = &mut world.comet;
        comet.supply(at, ALICE, ALICE, USDC, usdc(1_000_000)).expect("it fits");
        comet.supply(at, BOB, BOB, WETH, weth(100)).expect("below the cap");
        comet.supply(at, BOB, BOB, WBTC, wbtc(10)).expect("below the cap");
        comet
            .withdraw(at, BOB, BOB, USDC, usdc(150_000))
            .expect("it is covered");
        world
    }

    /// Carries a call out; `None` for what is no call of Comet's.
    pub(super) fn call(&mut self, call: &Call) -> Option<Result<Vec<Event>, Revert>> {
        let prices = prices(self.dollars.0, self.dollars.1);
        let at = Moment {
            timestamp: self.now,
            prices: &prices,
        };
        let asset = |weth: bool| if weth { WETH } else { WBTC };
        // WBTC has fewer decimals.
        let scaled = |weth: bool, amount: U256| {
            if weth {
                amount * U256::from(1_000_000)
            } else {
                amount / U256::from(10_000)
            }
        };
        let comet = &mut self.comet;
        Some(match *call {
            Call::Supply(who, amount) => comet.supply(at, PEOPLE[who], PEOPLE[who], USDC, amount),
            Call::Withdraw(who, amount) => comet.withdraw(at, PEOPLE[who], PEOPLE[who], USDC, amount),
            Call::Transfer(src, dst, amount) => comet.transfer(at, PEOPLE[src], PEOPLE[dst], USDC, amount),
            Call::SupplyCollateral(who, weth, amount) => {
                comet.supply(at, PEOPLE[who], PEOPLE[who], asset(weth), scaled(weth, amount))
            }
            Call::WithdrawCollateral(who, weth, amount) => {
                comet.withdraw(at, PEOPLE[who], PEOPLE[who], asset(weth), scaled(weth, amount))
            }
            Call::TransferCollateral(src, dst, weth, amount) => {
                comet.transfer(at, PEOPLE[src], PEOPLE[dst], asset(weth), scaled(weth, amount))
            }
            Call::Absorb(who) => comet.absorb(at, CAROL, &[PEOPLE[who]]),
            Call::Buy(weth, amount) => comet.buy_collateral(at, CAROL, asset(weth), U256::ZERO, amount),
            Call::Accrue => comet.accrue(self.now).map(|()| Vec::new()),
            Call::Prices(weth, wbtc) => {
                self.dollars = (weth, wbtc);
                return None;
            }
            Call::Wait(seconds) => {
                self.now += seconds;
                return None;
            }
        })
    }
}
