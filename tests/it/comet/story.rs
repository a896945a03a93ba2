//! What happens to the Comet. Every number is worked out by hand from the written rules, its arithmetic beside it; indexes are scaled by
//! 1e15, rates and utilizations by 1e18, and every quotient is rounded down but a borrow's principal.

use super::stand::{
    BITCOIN, BORROWER, COMET, CometViews, DOLLAR, ETHER, LENDER, LINK, LINK_FEED, NEWCOMER, OUTSIDER, Others, SECOND,
    Stand, TOKENS, USD, USDC_FEED, WBTC, WBTC_FEED, WETH, WETH_AGGREGATOR, WETH_FEED, canned,
};
use alloy_primitives::{Address, I256, U256};
use alloy_sol_types::SolEvent;
use plimsoll_devnet::{
    BLOCK_SECONDS, Devnet, Tx,
    canned_contract::{code, emits},
    multicall3,
};
use plimsoll_market::LendingState;
use std::collections::BTreeMap;

/// A Comet that was used, and what it was after each block that changed it.
pub(super) struct Story {
    pub(super) devnet: Devnet,
    pub(super) stands: Vec<Stand>,
}

/// An event that a contract tells.
trait Told {
    fn by(&self, contract: Address) -> Tx;
}

impl<E: SolEvent> Told for E {
    fn by(&self, contract: Address) -> Tx {
        emits(contract, &self.encode_log_data())
    }
}

/// A transaction of all these, in a block of its own; returns the block.
pub(super) fn send(devnet: &Devnet, all: &[Tx]) -> u64 {
    let tx = multicall3::aggregate(all);
    let receipt = devnet.send(&tx).unwrap_or_else(|error| panic!("{error}"));
    receipt.block_number
}

fn usdc(dollars: u64) -> U256 {
    U256::from(dollars) * U256::from(DOLLAR)
}

impl Story {
    pub(super) fn head(&self) -> u64 {
        self.devnet.block_number().expect("a node")
    }

    /// The block in which the Comet begins.
    pub(super) fn first(&self) -> u64 {
        self.stands[0].block
    }

    /// The block with an upgrade.
    pub(super) fn upgrade(&self) -> u64 {
        let upgraded = self.stands.iter().find(|stand| stand.upgraded);
        upgraded.expect("it is upgraded").block
    }

    /// What it was after a block.
    pub(super) fn at(&self, block: u64) -> &Stand {
        let mut stands = self.stands.iter().rev();
        stands.find(|stand| stand.block <= block).expect("it is there")
    }

    /// The state that a reading gives after a block.
    pub(super) fn state(&self, block: u64) -> LendingState {
        self.at(block).state(&self.devnet, block)
    }

    /// Lets blocks pass, and in the last of them things be so and these events be told.
    fn goes_on(&mut self, blocks: u64, stand: &mut Stand, events: &[(Address, &dyn Told)]) {
        self.devnet.mine(blocks - 1).expect("blocks");
        let mut all = stand.told();
        all.extend(events.iter().map(|(contract, event)| event.by(*contract)));
        stand.block = send(&self.devnet, &all);
        self.stands.push(stand.clone());
    }

    /// Plays it on a fresh node.
    pub(super) fn play() -> Self {
        use CometViews::*;
        let devnet = Devnet::start().unwrap_or_else(|error| panic!("{error}"));
        let feeds = [USDC_FEED, WETH_FEED, WETH_AGGREGATOR, WBTC_FEED, LINK_FEED];
        for contract in TOKENS.map(|(token, _)| token).into_iter().chain(feeds).chain([COMET]) {
            devnet.set_code(contract, &code()).expect("a node");
        }
        let decimals = TOKENS.map(|(token, decimals)| canned(token, &Others::decimalsCall {}, &decimals));
        let named = send(&devnet, &decimals.concat());
        devnet.mine(4).expect("blocks");
        // The next block's.
        let begin = devnet.timestamp(named).expect("a block") + 5 * BLOCK_SECONDS;
        let mut story = Self {
            devnet,
            stands: Vec::new(),
        };

        // A Comet in the middle of its life. Supplied 1e12 · 1.02 = 1,020,000 USDC; owed 5e11 · 1.05 = 525,000 USDC: a utilization of
        // 525/1020 = 0.514705882352941176. Rates: 2e9 · 0.5147… = 1,029,411,764 and 1e9 more. It has 1,020,000 − 525,000 and 5,000 of
        // its own, and an ether of its own.
        let mut stand = Stand {
            block: 0,
            indexes: [1_020_000_000_000_000, 1_050_000_000_000_000],
            totals: [1_000_000_000_000, 500_000_000_000],
            last_accrual: begin,
            buying_is_paused: false,
            base: 500_000 * DOLLAR,
            assets: vec![[380 * ETHER, 381 * ETHER], [5 * BITCOIN, 5 * BITCOIN]],
            accounts: [
                (LENDER, 1_000_000_000_000, [0, 0]),
                (BORROWER, -400_000_000_000, [300 * ETHER, 5 * BITCOIN]),
                (SECOND, -100_000_000_000, [80 * ETHER, 0]),
                (NEWCOMER, 0, [0, 0]),
                // Logs will name him, but he has nothing.
                (OUTSIDER, 0, [0, 0]),
            ],
            now: [514_705_882_352_941_176, 1_029_411_764, 2_029_411_764],
            prices: BTreeMap::from([
                (USDC_FEED, (USD, 1, begin)),
                (WETH_AGGREGATOR, (2_000 * USD, 7, begin)),
                (WBTC_FEED, (40_000 * USD, 3, begin)),
            ]),
            upgraded: false,
        };
        let put_in = |dst, asset, amount| SupplyCollateral {
            from: dst,
            dst,
            asset,
            amount: U256::from(amount),
        };
        let taken = |src, amount| Withdraw { src, to: src, amount };
        let paid = |dst, amount| Supply { from: dst, dst, amount };
        let lent = |to, amount: u64| Transfer {
            from: Address::ZERO,
            to,
            amount: U256::from(amount),
        };
        let left = |from, amount: u64| Transfer {
            from,
            to: Address::ZERO,
            amount: U256::from(amount),
        };
        // What led there is told only as far as it names those who were there.
        story.goes_on(
            1,
            &mut stand,
            &[
                (COMET, &paid(LENDER, usdc(1_000_000))),
                (COMET, &put_in(BORROWER, WETH, 300 * ETHER)),
                (COMET, &put_in(BORROWER, WBTC, 5 * BITCOIN)),
                (COMET, &put_in(SECOND, WETH, 80 * ETHER)),
            ],
        );

        // 1,200 s later a newcomer supplies 50,000 USDC. The indexes grow by
        //   1.02e15 · 1,029,411,764 · 1,200 / 1e18 = 1,259,999,999.1 and 1.05e15 · 2,029,411,764 · 1,200 / 1e18 = 2,557,058,822.6.
        // 5e10 · 1e15 / 1,020,001,259,999,999 = 49,019,547,289.6, which is worth 49,999,999,999.3.
        // Utilization: 525,001,278,529 / 1,070,001,259,999 = 0.490654822714405639; rates 2e9 · that, and 1e9 more.
        stand.indexes = [1_020_001_259_999_999, 1_050_002_557_058_822];
        stand.last_accrual += 1_200;
        stand.totals[0] += 49_019_547_289;
        stand.accounts[3].1 = 49_019_547_289;
        stand.base += 50_000 * DOLLAR;
        stand.now = [490_654_822_714_405_639, 981_309_645, 1_981_309_645];
        story.goes_on(
            100,
            &mut stand,
            &[
                (COMET, &paid(NEWCOMER, usdc(50_000))),
                (COMET, &lent(NEWCOMER, 49_999_999_999)),
            ],
        );

        // An ether is 1,400 dollars now.
        let fallen = begin + 101 * BLOCK_SECONDS;
        stand.prices.insert(WETH_AGGREGATOR, (1_400 * USD, 8, fallen));
        story.goes_on(1, &mut stand, &[(WETH_AGGREGATOR, &answered(1_400, 8, fallen))]);

        // 600 s after the last accrual the second borrower is absorbed: 80 · 1,400 · 0.9 = 100,800 does not cover 105,000. The indexes grow by
        //   1,020,001,259,999,999 · 981,309,645 · 600 / 1e18 = 600,562,244.6 and
        //   1,050,002,557,058,822 · 1,981,309,645 · 600 / 1e18 = 1,248,228,116.1.
        // 80 · 1,400 = 112,000 dollars, of which 95 % are 106,400 USDC. Of 1e11 · 1.050003805286938 = 105,000.380528 owed, 1,399.619472 remain
        // supplied: 1,399,619,472 · 1e15 / 1,020,001,860,562,243 = 1,372,173,449.6, worth 1,399,619,470.9.
        // Utilization: 420,001,522,114 / 1,071,401,509,471 = 0.392011321993912430.
        stand.indexes = [1_020_001_860_562_243, 1_050_003_805_286_938];
        stand.last_accrual += 600;
        stand.totals = [1_049_019_547_289 + 1_372_173_449, 400_000_000_000];
        stand.accounts[2] = (SECOND, 1_372_173_449, [0, 0]);
        stand.assets[0] = [300 * ETHER, 381 * ETHER];
        stand.now = [392_011_321_993_912_430, 784_022_643, 1_784_022_643];
        story.goes_on(
            49,
            &mut stand,
            &[
                (
                    COMET,
                    &AbsorbCollateral {
                        absorber: OUTSIDER,
                        borrower: SECOND,
                        asset: WETH,
                        collateralAbsorbed: U256::from(80 * ETHER),
                        usdValue: U256::from(112_000 * USD),
                    },
                ),
                (
                    COMET,
                    &AbsorbDebt {
                        absorber: OUTSIDER,
                        borrower: SECOND,
                        basePaidOut: usdc(106_400),
                        usdValue: U256::from(106_400 * USD),
                    },
                ),
                (COMET, &lent(SECOND, 1_399_619_470)),
            ],
        );

        // Somebody buys ten ether of it, at a discount of 0.6 · (1 − 0.95) = 3 %: 10 · 1,400 · 0.97 = 13,580. Nothing accrues.
        stand.base += 13_580 * DOLLAR;
        stand.assets[0] = [300 * ETHER, 371 * ETHER];
        story.goes_on(
            1,
            &mut stand,
            &[(
                COMET,
                &BuyCollateral {
                    buyer: OUTSIDER,
                    asset: WETH,
                    baseAmount: usdc(13_580),
                    collateralAmount: U256::from(10 * ETHER),
                },
            )],
        );

        // 1,800 s after the last accrual the borrower takes a bitcoin out and 20,000 USDC more. The indexes grow by
        //   1,020,001,860,562,243 · 784,022,643 · 1,800 / 1e18 = 1,439,468,198.2 and
        //   1,050,003,805,286,938 · 1,784,022,643 · 1,800 / 1e18 = 3,371,815,014.9.
        // 4e11 · 1.050007177101952 = 420,002,870,840.8 and 20,000,000,000 are 440,002,870,840; · 1e15 / 1,050,007,177,101,952 =
        // 419,047,488,850.2, rounded up.
        stand.indexes = [1_020_003_300_030_441, 1_050_007_177_101_952];
        stand.last_accrual += 1_800;
        stand.totals[1] = 419_047_488_851;
        stand.accounts[1] = (BORROWER, -419_047_488_851, [300 * ETHER, 4 * BITCOIN]);
        stand.assets[1] = [4 * BITCOIN, 4 * BITCOIN];
        stand.base -= 20_000 * DOLLAR;
        stand.now = [410_679_139_427_315_512, 821_358_278, 1_821_358_278];
        story.goes_on(
            149,
            &mut stand,
            &[
                (
                    COMET,
                    &WithdrawCollateral {
                        src: BORROWER,
                        to: BORROWER,
                        asset: WBTC,
                        amount: U256::from(BITCOIN),
                    },
                ),
                (COMET, &taken(BORROWER, usdc(20_000))),
            ],
        );

        // 12 s later the lender sends the newcomer 100,000 USDC. The indexes grow by
        //   1,020,003,300,030,441 · 821,358,278 · 12 / 1e18 = 10,053,457.8 and 1,050,007,177,101,952 · 1,821,358,278 · 12 / 1e18 = 22,949,271.2.
        // 1e12 · 1.020003310083898 − 1e11 = 920,003,310,083; · 1e15 / 1,020,003,310,083,898 = 901,961,102,466: 98,038,897,534 less, worth
        // 100,000,000,001. 49,019,547,289 · 1.020003310083898 + 1e11 = 150,000,100,493; · 1e15 / 1,020,003,310,083,898 = 147,058,444,820:
        // 98,038,897,531 more, worth 99,999,999,998. So three units of principal go astray.
        stand.indexes = [1_020_003_310_083_898, 1_050_007_200_051_223];
        stand.last_accrual += 12;
        stand.totals[0] = 1_050_391_720_738 - 98_038_897_534 + 98_038_897_531;
        stand.accounts[0].1 = 901_961_102_466;
        stand.accounts[3].1 = 147_058_444_820;
        stand.now = [410_679_144_355_862_630, 821_358_288, 1_821_358_288];
        story.goes_on(
            1,
            &mut stand,
            &[
                (COMET, &left(LENDER, 100_000_000_001)),
                (COMET, &lent(NEWCOMER, 99_999_999_998)),
            ],
        );

        // 120 s later collateral moves, the second borrower takes all that was left, buying is paused and reserves are taken. The indexes
        // grow by
        //   1,020,003,310,083,898 · 821,358,288 · 120 / 1e18 = 100,534,580.7 and
        //   1,050,007,200,051,223 · 1,821,358,288 · 120 / 1e18 = 229,492,717.9.
        // 1,372,173,449 · 1.020003410618478 = 1,399,621,597.9.
        stand.indexes = [1_020_003_410_618_478, 1_050_007_429_543_940];
        stand.last_accrual += 120;
        stand.totals[0] = 1_050_391_720_735 - 1_372_173_449;
        stand.accounts[1].2 = [290 * ETHER, 4 * BITCOIN];
        stand.accounts[2] = (SECOND, 0, [10 * ETHER, 0]);
        stand.accounts[3].2 = [0, 2 * BITCOIN];
        stand.assets[1] = [6 * BITCOIN, 6 * BITCOIN];
        stand.base -= 1_399_621_597 + 1_000 * DOLLAR;
        stand.buying_is_paused = true;
        stand.now = [411_216_383_899_980_562, 822_432_767, 1_822_432_767];
        story.goes_on(
            10,
            &mut stand,
            &[
                (
                    COMET,
                    &TransferCollateral {
                        from: BORROWER,
                        to: SECOND,
                        asset: WETH,
                        amount: U256::from(10 * ETHER),
                    },
                ),
                (COMET, &put_in(NEWCOMER, WBTC, 2 * BITCOIN)),
                (COMET, &taken(SECOND, U256::from(1_399_621_597))),
                (COMET, &left(SECOND, 1_399_621_597)),
                (
                    COMET,
                    &PauseAction {
                        supplyPaused: false,
                        transferPaused: false,
                        withdrawPaused: false,
                        absorbPaused: false,
                        buyPaused: true,
                    },
                ),
                (
                    COMET,
                    &WithdrawReserves {
                        to: OUTSIDER,
                        amount: usdc(1_000),
                    },
                ),
            ],
        );

        // The Comet is upgraded: dearer curves, a third asset with a feed of its own. Nothing accrues, but from now on the rates are
        // 3e9 · 0.411216383899980562 = 1,233,649,151 and 2e9 more.
        let listed = begin + 312 * BLOCK_SECONDS;
        stand.upgraded = true;
        stand.assets.push([0, 0]);
        stand.prices.insert(LINK_FEED, (15 * USD, 1, listed));
        stand.now = [411_216_383_899_980_562, 1_233_649_151, 3_233_649_151];
        story.goes_on(
            1,
            &mut stand,
            &[
                (COMET, &Upgraded { implementation: LINK }),
                (LINK_FEED, &answered(15, 1, listed)),
            ],
        );

        // 1,200 s after the last accrual the borrower repays 100,000 USDC. The indexes grow by
        //   1,020,003,410,618,478 · 1,233,649,151 · 1,200 / 1e18 = 1,509,991,609.8 and
        //   1,050,007,429,543,940 · 3,233,649,151 · 1,200 / 1e18 = 4,074,426,759.7.
        // 419,047,488,851 · 1.050011503970699 − 1e11 = 340,004,684,003; · 1e15 / 1,050,011,503,970,699 = 323,810,437,044.4, rounded up.
        // Utilization: 340,004,684,003 / 1,070,005,100,047 = 0.317759872348332999.
        stand.indexes = [1_020_004_920_610_087, 1_050_011_503_970_699];
        stand.last_accrual += 1_200;
        stand.totals[1] = 323_810_437_045;
        stand.accounts[1].1 = -323_810_437_045;
        stand.base += 100_000 * DOLLAR;
        stand.now = [317_759_872_348_332_999, 953_279_617, 2_953_279_617];
        story.goes_on(99, &mut stand, &[(COMET, &paid(BORROWER, usdc(100_000)))]);
        story.devnet.mine(3).expect("blocks");
        let times = story
            .stands
            .iter()
            .map(|stand| story.devnet.timestamp(stand.block).expect("a block") - begin);
        assert_eq!(
            times.collect::<Vec<_>>(),
            [0, 1_200, 1_212, 1_800, 1_812, 3_600, 3_612, 3_732, 3_744, 4_932]
        );
        story
    }
}

fn answered(dollars: u64, round: u64, at: u64) -> Others::AnswerUpdated {
    Others::AnswerUpdated {
        current: I256::try_from(dollars * USD).expect("small"),
        roundId: U256::from(round),
        updatedAt: U256::from(at),
    }
}
