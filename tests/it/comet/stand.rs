//! What a Comet, its tokens and its feeds say at one block, as canned answers, and the state that reading them must give.

use alloy_primitives::{
    Address, B256, I256, U256,
    aliases::{I104, U40, U80, U104},
};
use alloy_sol_types::{SolCall, sol};
use plimsoll_devnet::canned_contract::answers;
use plimsoll_devnet::{Devnet, Tx};
use plimsoll_market::{ContractRole, FeedState, LendingBody, LendingState, MarketContract, Oracle, PriceSource};
use plimsoll_protocols::chainlink::Answer;
use plimsoll_protocols::compound_v3::{AssetConfig, AssetTotals, Comet, Configuration, Curve, Paused, Totals};
use std::collections::BTreeMap;

sol! {
    /// Comet's functions and events, as its interface has them.
    #[allow(missing_docs)]
    interface CometViews {
        function governor() external view returns (address);
        function pauseGuardian() external view returns (address);
        function baseToken() external view returns (address);
        function baseTokenPriceFeed() external view returns (address);
        function baseScale() external view returns (uint256);
        function supplyKink() external view returns (uint256);
        function supplyPerSecondInterestRateBase() external view returns (uint256);
        function supplyPerSecondInterestRateSlopeLow() external view returns (uint256);
        function supplyPerSecondInterestRateSlopeHigh() external view returns (uint256);
        function borrowKink() external view returns (uint256);
        function borrowPerSecondInterestRateBase() external view returns (uint256);
        function borrowPerSecondInterestRateSlopeLow() external view returns (uint256);
        function borrowPerSecondInterestRateSlopeHigh() external view returns (uint256);
        function storeFrontPriceFactor() external view returns (uint256);
        function baseBorrowMin() external view returns (uint256);
        function targetReserves() external view returns (uint256);
        function numAssets() external view returns (uint8);
        function getAssetInfo(uint8 i) external view returns (uint8 offset, address asset, address priceFeed, uint64 scale, uint64 borrowCollateralFactor, uint64 liquidateCollateralFactor, uint64 liquidationFactor, uint128 supplyCap);
        function isSupplyPaused() external view returns (bool);
        function isTransferPaused() external view returns (bool);
        function isWithdrawPaused() external view returns (bool);
        function isAbsorbPaused() external view returns (bool);
        function isBuyPaused() external view returns (bool);
        function getPrice(address priceFeed) external view returns (uint256);
        function getUtilization() external view returns (uint256);
        function getSupplyRate(uint256 utilization) external view returns (uint64);
        function getBorrowRate(uint256 utilization) external view returns (uint64);
        function totalsCollateral(address asset) external view returns (uint128 totalSupplyAsset, uint128 reserved);
        function userBasic(address account) external view returns (int104 principal, uint64 baseTrackingIndex, uint64 baseTrackingAccrued, uint16 assetsIn, uint8 reserved);
        function userCollateral(address account, address asset) external view returns (uint128 balance, uint128 reserved);
        function totalsBasic() external view returns (uint64 baseSupplyIndex, uint64 baseBorrowIndex, uint64 trackingSupplyIndex, uint64 trackingBorrowIndex, uint104 totalSupplyBase, uint104 totalBorrowBase, uint40 lastAccrualTime, uint8 pauseFlags);
        function baseIndexScale() external view returns (uint64);
        function factorScale() external view returns (uint64);
        function priceScale() external view returns (uint64);
        function maxAssets() external view returns (uint8);

        event Supply(address indexed from, address indexed dst, uint256 amount);
        event Transfer(address indexed from, address indexed to, uint256 amount);
        event Withdraw(address indexed src, address indexed to, uint256 amount);
        event SupplyCollateral(address indexed from, address indexed dst, address indexed asset, uint256 amount);
        event TransferCollateral(address indexed from, address indexed to, address indexed asset, uint256 amount);
        event WithdrawCollateral(address indexed src, address indexed to, address indexed asset, uint256 amount);
        event AbsorbDebt(address indexed absorber, address indexed borrower, uint256 basePaidOut, uint256 usdValue);
        event AbsorbCollateral(address indexed absorber, address indexed borrower, address indexed asset, uint256 collateralAbsorbed, uint256 usdValue);
        event BuyCollateral(address indexed buyer, address indexed asset, uint256 baseAmount, uint256 collateralAmount);
        event PauseAction(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused);
        event WithdrawReserves(address indexed to, uint256 amount);
        event Upgraded(address indexed implementation);
    }

    /// Tokens and feeds.
    #[allow(missing_docs)]
    interface Others {
        function decimals() external view returns (uint8);
        function balanceOf(address account) external view returns (uint256);
        function aggregator() external view returns (address);
        function latestAnswer() external view returns (int256);
        function latestRoundData() external view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

        event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    }
}

pub(super) const COMET: Address = Address::repeat_byte(0xc3);
pub(super) const GOVERNOR: Address = Address::repeat_byte(0x60);
pub(super) const USDC: Address = Address::repeat_byte(0xdc);
pub(super) const WETH: Address = Address::repeat_byte(0xee);
pub(super) const WBTC: Address = Address::repeat_byte(0xbc);
pub(super) const LINK: Address = Address::repeat_byte(0x11);
/// Feeds without rounds' logs, before an aggregator, and by themselves.
pub(super) const USDC_FEED: Address = Address::repeat_byte(0xf1);
pub(super) const WETH_FEED: Address = Address::repeat_byte(0xf2);
pub(super) const WETH_AGGREGATOR: Address = Address::repeat_byte(0xa2);
pub(super) const WBTC_FEED: Address = Address::repeat_byte(0xf3);
pub(super) const LINK_FEED: Address = Address::repeat_byte(0xf4);
pub(super) const TOKENS: [(Address, u8); 4] = [(USDC, 6), (WETH, 18), (WBTC, 8), (LINK, 18)];

pub(super) const LENDER: Address = Address::repeat_byte(0x1e);
pub(super) const BORROWER: Address = Address::repeat_byte(0xb0);
pub(super) const SECOND: Address = Address::repeat_byte(0x52);
pub(super) const NEWCOMER: Address = Address::repeat_byte(0x4e);
pub(super) const OUTSIDER: Address = Address::repeat_byte(0x07);

pub(super) const DOLLAR: u64 = 1_000_000;
pub(super) const ETHER: u128 = 1_000_000_000_000_000_000;
pub(super) const BITCOIN: u128 = 100_000_000;
/// A percent, and a price's unit.
pub(super) const PERCENT: u64 = 10_000_000_000_000_000;
pub(super) const USD: u64 = 100_000_000;

/// What the Comet is deployed with, before its upgrade and after.
pub(super) fn configuration(upgraded: bool) -> Configuration {
    let asset = |asset, scale: u128, [borrow, liquidate, penalty]: [u64; 3], cap| AssetConfig {
        asset,
        scale: u64::try_from(scale).expect("64 bits"),
        borrow_collateral_factor: borrow * PERCENT,
        liquidate_collateral_factor: liquidate * PERCENT,
        liquidation_factor: penalty * PERCENT,
        supply_cap: cap,
    };
    let curve = |base, low, high, kink| Curve {
        base_per_second: base,
        slope_low_per_second: low,
        slope_high_per_second: high,
        kink: kink * PERCENT,
    };
    let giga = 1_000_000_000;
    let mut assets = vec![
        asset(WETH, ETHER, [85, 90, 95], 5_000 * ETHER),
        asset(WBTC, BITCOIN, [70, 80, 93], 100 * BITCOIN),
    ];
    let (supply, borrow) = if upgraded {
        assets.push(asset(LINK, ETHER, [60, 65, 90], 9_000 * ETHER));
        (
            curve(0, 3 * giga, 20 * giga, 90),
            curve(2 * giga, 3 * giga, 30 * giga, 90),
        )
    } else {
        (curve(0, 2 * giga, 20 * giga, 80), curve(giga, 2 * giga, 30 * giga, 80))
    };
    Configuration {
        governor: GOVERNOR,
        pause_guardian: OUTSIDER,
        base_token: USDC,
        base_scale: DOLLAR,
        supply,
        borrow,
        store_front_price_factor: 60 * PERCENT,
        base_borrow_min: if upgraded { 200 } else { 100 } * u128::from(DOLLAR),
        target_reserves: 5_000_000 * u128::from(DOLLAR),
        assets,
    }
}

/// The rates of supply and borrow at utilizations of 0, 50, 85 and 100 %.
const fn sampled_rates(upgraded: bool) -> [(u64, u64, u64); 4] {
    if upgraded {
        // Supply: 3·0.5 = 1.5; 3·0.85 = 2.55; 3·0.9 + 20·0.1 = 4.7. Borrow: 2, and thrice as much: 3·0.9 + 30·0.1 + 2 = 7.7.
        [
            (0, 0, 2_000_000_000),
            (50, 1_500_000_000, 3_500_000_000),
            (85, 2_550_000_000, 4_550_000_000),
            (100, 4_700_000_000, 7_700_000_000),
        ]
    } else {
        // Supply: 2·0.5 = 1; 2·0.8 + 20·0.05 = 2.6; 2·0.8 + 20·0.2 = 5.6.
        // Borrow: 1; 1 + 1 = 2; 1 + 1.6 + 30·0.05 = 4.1; 1 + 1.6 + 30·0.2 = 8.6.
        [
            (0, 0, 1_000_000_000),
            (50, 1_000_000_000, 2_000_000_000),
            (85, 2_600_000_000, 4_100_000_000),
            (100, 5_600_000_000, 8_600_000_000),
        ]
    }
}

/// What everything answers from one block on.
#[derive(Debug, Clone)]
pub(super) struct Stand {
    pub(super) block: u64,
    pub(super) indexes: [u64; 2],
    pub(super) totals: [u128; 2],
    pub(super) last_accrual: u64,
    pub(super) buying_is_paused: bool,
    pub(super) base: u64,
    /// Collateral in its order: supplied, and held.
    pub(super) assets: Vec<[u128; 2]>,
    /// Principals, WETH and WBTC.
    pub(super) accounts: [(Address, i128, [u128; 2]); 5],
    /// The utilization, and the rates there.
    pub(super) now: [u64; 3],
    /// Price, round and time, by aggregator.
    pub(super) prices: BTreeMap<Address, (u64, u64, u64)>,
    pub(super) upgraded: bool,
}

impl Stand {
    /// The Comet that says all this.
    pub(super) fn comet(&self) -> Comet {
        let mut comet = Comet::new(configuration(self.upgraded), self.last_accrual).expect("few assets");
        comet.set_totals(Totals {
            base_supply_index: self.indexes[0],
            base_borrow_index: self.indexes[1],
            total_supply_base: self.totals[0],
            total_borrow_base: self.totals[1],
            last_accrual_time: self.last_accrual,
            paused: Paused {
                buy: self.buying_is_paused,
                ..Paused::default()
            },
            balance: U256::from(self.base),
        });
        for (asset, [supplied, held]) in comet.asset_totals_mut().iter_mut().zip(&self.assets) {
            *asset = AssetTotals {
                total_supply_asset: *supplied,
                balance: U256::from(*held),
            };
        }
        for (account, principal, collateral) in self.accounts {
            comet.accounts_mut().set_principal(account, principal);
            for (place, amount) in (0u8..).zip(collateral) {
                comet.accounts_mut().set_collateral(account, place, amount);
            }
        }
        comet
    }

    /// Token, feed and aggregator of each price.
    pub(super) fn sources(&self) -> impl Iterator<Item = (Address, Address, Address)> {
        let sources = [
            (USDC, USDC_FEED, USDC_FEED),
            (WETH, WETH_FEED, WETH_AGGREGATOR),
            (WBTC, WBTC_FEED, WBTC_FEED),
            (LINK, LINK_FEED, LINK_FEED),
        ];
        sources.into_iter().take(if self.upgraded { 4 } else { 3 })
    }

    /// The state that a reading of it gives.
    pub(super) fn state(&self, devnet: &Devnet, block: u64) -> LendingState {
        let mut oracle = Oracle::default();
        let mut feeds = BTreeMap::new();
        let contract = |role, address| MarketContract { role, address };
        let mut contracts = vec![contract(ContractRole::Comet, COMET)];
        for (token, feed, aggregator) in self.sources() {
            oracle.set_source(token, PriceSource::Feed { aggregator, scale: 0 });
            contracts.push(contract(ContractRole::PriceSource, feed));
            contracts.push(contract(ContractRole::Aggregator, aggregator));
            let (price, round, at) = self.prices[&aggregator];
            let answer = Some(Answer {
                value: I256::try_from(price).expect("small"),
                round_id: U256::from(round),
                updated_at: at,
            });
            let decimals = Some(8);
            feeds.insert(aggregator, FeedState { decimals, answer });
        }
        let mut state = LendingState {
            chain_id: 31_337,
            address: COMET,
            block_number: block,
            block_hash: devnet.block_hash(block).expect("a block"),
            block_timestamp: devnet.timestamp(block).expect("a block"),
            contracts: Vec::new(),
            oracle,
            feeds,
            body: LendingBody::CompoundV3 {
                comet: Box::new(self.comet()),
                upgrades: Vec::new(),
            },
        };
        state.add_contracts(contracts);
        state
    }

    /// Everything as canned answers.
    pub(super) fn told(&self) -> Vec<Tx> {
        use CometViews::*;
        let Configuration {
            supply, borrow, assets, ..
        } = configuration(self.upgraded);
        let words = [
            canned(COMET, &baseTokenPriceFeedCall {}, &USDC_FEED),
            canned(COMET, &baseTokenCall {}, &USDC),
            canned(COMET, &governorCall {}, &GOVERNOR),
            canned(COMET, &pauseGuardianCall {}, &OUTSIDER),
            canned(COMET, &baseScaleCall {}, &wide(DOLLAR)),
            canned(COMET, &supplyKinkCall {}, &wide(supply.kink)),
            canned(
                COMET,
                &supplyPerSecondInterestRateBaseCall {},
                &wide(supply.base_per_second),
            ),
            canned(
                COMET,
                &supplyPerSecondInterestRateSlopeLowCall {},
                &wide(supply.slope_low_per_second),
            ),
            canned(
                COMET,
                &supplyPerSecondInterestRateSlopeHighCall {},
                &wide(supply.slope_high_per_second),
            ),
            canned(COMET, &borrowKinkCall {}, &wide(borrow.kink)),
            canned(
                COMET,
                &borrowPerSecondInterestRateBaseCall {},
                &wide(borrow.base_per_second),
            ),
            canned(
                COMET,
                &borrowPerSecondInterestRateSlopeLowCall {},
                &wide(borrow.slope_low_per_second),
            ),
            canned(
                COMET,
                &borrowPerSecondInterestRateSlopeHighCall {},
                &wide(borrow.slope_high_per_second),
            ),
            canned(COMET, &storeFrontPriceFactorCall {}, &wide(60 * PERCENT)),
            canned(
                COMET,
                &baseBorrowMinCall {},
                &wide(if self.upgraded { 200 } else { 100 } * DOLLAR),
            ),
            canned(COMET, &targetReservesCall {}, &wide(5_000_000 * DOLLAR)),
            canned(COMET, &numAssetsCall {}, &if self.upgraded { 3 } else { 2 }),
            canned(COMET, &isSupplyPausedCall {}, &false),
            canned(COMET, &isTransferPausedCall {}, &false),
            canned(COMET, &isWithdrawPausedCall {}, &false),
            canned(COMET, &isAbsorbPausedCall {}, &false),
            canned(COMET, &isBuyPausedCall {}, &self.buying_is_paused),
            canned(COMET, &getUtilizationCall {}, &wide(self.now[0])),
            canned(COMET, &baseIndexScaleCall {}, &1_000_000_000_000_000),
            canned(COMET, &factorScaleCall {}, &1_000_000_000_000_000_000),
            canned(COMET, &priceScaleCall {}, &100_000_000),
            canned(COMET, &maxAssetsCall {}, &24),
            canned(USDC, &Others::balanceOfCall { account: COMET }, &wide(self.base)),
            canned(
                COMET,
                &totalsBasicCall {},
                &totalsBasicReturn {
                    baseSupplyIndex: self.indexes[0],
                    baseBorrowIndex: self.indexes[1],
                    // Rewards are not modelled: any number will do.
                    trackingSupplyIndex: 12_345,
                    trackingBorrowIndex: 67_890,
                    totalSupplyBase: U104::from(self.totals[0]),
                    totalBorrowBase: U104::from(self.totals[1]),
                    lastAccrualTime: U40::from(self.last_accrual),
                    pauseFlags: if self.buying_is_paused { 16 } else { 0 },
                },
            ),
        ];
        let mut all = words.concat();
        let samples = sampled_rates(self.upgraded).map(|(percent, supply, borrow)| (percent * PERCENT, supply, borrow));
        for (utilization, supply, borrow) in samples.into_iter().chain([self.now.into()]) {
            let utilization = wide(utilization);
            all.extend(canned(COMET, &getSupplyRateCall { utilization }, &supply));
            all.extend(canned(COMET, &getBorrowRateCall { utilization }, &borrow));
        }
        let feeds: BTreeMap<Address, Address> = self.sources().map(|(token, feed, _)| (token, feed)).collect();
        for ((place, info), [supplied, held]) in (0u8..).zip(&assets).zip(&self.assets) {
            let told = getAssetInfoReturn {
                offset: place,
                asset: info.asset,
                priceFeed: feeds[&info.asset],
                scale: info.scale,
                borrowCollateralFactor: info.borrow_collateral_factor,
                liquidateCollateralFactor: info.liquidate_collateral_factor,
                liquidationFactor: info.liquidation_factor,
                supplyCap: info.supply_cap,
            };
            all.extend(canned(COMET, &getAssetInfoCall { i: place }, &told));
            let told = totalsCollateralReturn {
                totalSupplyAsset: *supplied,
                reserved: 0,
            };
            all.extend(canned(COMET, &totalsCollateralCall { asset: info.asset }, &told));
            let held = U256::from(*held);
            all.extend(canned(info.asset, &Others::balanceOfCall { account: COMET }, &held));
        }
        for (account, principal, collateral) in self.accounts {
            let has = |place: usize| u16::from(collateral[place] > 0) << place;
            let told = userBasicReturn {
                principal: I104::try_from(principal).expect("104 bits"),
                baseTrackingIndex: 9,
                baseTrackingAccrued: 9,
                assetsIn: has(0) | has(1),
                reserved: 0,
            };
            all.extend(canned(COMET, &userBasicCall { account }, &told));
            for (asset, balance) in [WETH, WBTC].into_iter().zip(collateral) {
                let told = userCollateralReturn { balance, reserved: 0 };
                all.extend(canned(COMET, &userCollateralCall { account, asset }, &told));
            }
        }
        for (_, feed, aggregator) in self.sources() {
            let (price, round, at) = self.prices[&aggregator];
            all.extend(canned(COMET, &getPriceCall { priceFeed: feed }, &wide(price)));
            // A proxy counts phases above its aggregator's rounds.
            let phase = U256::from(u8::from(feed != aggregator)) << 64;
            all.extend(round_of(feed, price, phase + U256::from(round), at));
            if feed != aggregator {
                all.extend(canned(feed, &Others::aggregatorCall {}, &aggregator));
                all.extend(round_of(aggregator, price, U256::from(round), at));
            }
            all.extend(canned(feed, &Others::decimalsCall {}, &8));
        }
        all
    }
}

fn wide(number: u64) -> U256 {
    U256::from(number)
}

/// Lets a contract answer a call.
pub(super) fn canned<C: SolCall>(contract: Address, call: &C, answer: &C::Return) -> Vec<Tx> {
    let words: Vec<B256> = C::abi_encode_returns(answer).chunks(32).map(B256::from_slice).collect();
    answers(contract, call, &words)
}

fn round_of(feed: Address, price: u64, round: U256, at: u64) -> Vec<Tx> {
    let round = U80::saturating_from(round);
    let told = Others::latestRoundDataReturn {
        roundId: round,
        answer: I256::try_from(price).expect("small"),
        startedAt: wide(at),
        updatedAt: wide(at),
        answeredInRound: round,
    };
    canned(feed, &Others::latestRoundDataCall {}, &told)
}
