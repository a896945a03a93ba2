//! Random sequences on the genuine Aave v3 bytecode, 3.0.2 and 3.6.0, and on the engine's market: every number, every event,
//! every revert's reason; and a second market that hears the logs alone.

mod compare;
mod governance;
mod market;
mod operations;
mod outsiders;
mod own_account;

use super::random_sequences::{Dice, OPERATIONS, seeds_or, spread_over};
use alloy_primitives::{Address, B256, I256, Log, U256, map::HashMap};
use market::{USERS, engine, genuine};
use plimsoll_devnet::aave_v3::{Failure, GenuineMarket, Version};
use plimsoll_market::{AaveV3Contracts, AaveV3Replay, Feeds, Oracle, PriceSource};
use plimsoll_protocols::RawLog;
use plimsoll_protocols::aave_v3::{Context, Event, Pool, Revert};
use plimsoll_protocols::chainlink::Answer;
use plimsoll_units::{LogRef, Network};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Seeds of one run for each version; `PLIMSOLL_DIFFERENTIAL_SEEDS` asks for more.
const SEEDS: u64 = 100;

/// How often each call went through, how often it was refused for each reason, and how often each event came.
#[derive(Default)]
struct Tally {
    calls: BTreeMap<(&'static str, Option<String>), u64>,
    events: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (call, count) in other.calls {
            *self.calls.entry(call).or_default() += count;
        }
        for (event, count) in other.events {
            *self.events.entry(event).or_default() += count;
        }
    }
}

/// What both versions refuse calls for; each must come up in a run of either. Nothing else can be reached by these calls.
const REASONS: [&str; 45] = [
    "AssetNotBorrowableInIsolation",
    "AssetNotListed",
    "BorrowCapExceeded",
    "BorrowingNotEnabled",
    "Cast",
    "CollateralCannotBeLiquidated",
    "CollateralCannotCoverNewBorrow",
    "DebtCeilingExceeded",
    "EModeCategoryReserved",
    "FlashloanDisabled",
    "FlashloanPremiumInvalid",
    "HealthFactorLowerThanLiquidationThreshold",
    "HealthFactorNotBelowThreshold",
    "InconsistentEModeCategory",
    "InvalidAmount",
    "InvalidBorrowCap",
    "InvalidBurnAmount",
    "InvalidDebtCeiling",
    "InvalidEmodeCategoryParams",
    "InvalidInterestRateModeSelected",
    "InvalidLiquidationBonus",
    "InvalidLiquidationProtocolFee",
    "InvalidReserveFactor",
    "InvalidReserveParams",
    "InvalidSupplyCap",
    "LtvValidationFailed",
    "NoDebtOfSelectedType",
    "NoExplicitAmountToRepayOnBehalf",
    "NoPrice",
    "NotEnoughAvailableUserBalance",
    "Overflow",
    "ReserveDebtNotZero",
    "ReserveFrozen",
    "ReserveInactive",
    "ReserveLiquidityNotZero",
    "ReservePaused",
    "SiloedBorrowingViolation",
    "SpecifiedCurrencyNotBorrowedByUser",
    "SupplyCapExceeded",
    "Underlying",
    "UnderlyingBalanceZero",
    "UnderlyingClaimableRightsNotZero",
    "UserInIsolationModeOrLtvZero",
    "VariableDebtSupplyNotZero",
    "WithoutReason",
];

/// What 3.0.2 alone refuses calls for.
const REASONS_OF_3_0_2: [&str; 4] = [
    "CollateralBalanceIsZero",
    "InvalidEModeCategoryAssignment",
    "InvalidMintAmount",
    "StableBorrowingNotEnabled",
];

/// What 3.6.0 alone refuses calls for.
const REASONS_OF_3_6_0: [&str; 19] = [
    "InconsistentFlashloanParams",
    "InsufficientBorrowAllowance",
    "InvalidCollateralInEmode",
    "InvalidDebtInEmode",
    "InvalidFreezeState",
    "InvalidGracePeriod",
    "InvalidLtvzeroState",
    "InvalidMaxRate",
    "InvalidOptimalUsageRatio",
    "LiquidationGraceSentinelCheckFailed",
    "MustBeEmodeCollateral",
    "MustNotLeaveDust",
    "NotBorrowableInEMode",
    "ReserveNotInDeficit",
    "SelfLiquidation",
    "Slope2MustBeGteSlope1",
    "SupplyToAToken",
    "UserCannotHaveDebt",
    "WithdrawToAToken",
];

/// What both versions emit; each must come up in a run of either.
const EVENTS: [&str; 32] = [
    "BalanceTransfer",
    "Borrow",
    "BorrowAllowanceDelegated",
    "BorrowCapChanged",
    "BorrowableInIsolationChanged",
    "Burn",
    "CollateralConfigurationChanged",
    "DebtCeilingChanged",
    "EModeCategoryAdded",
    "FlashLoan",
    "FlashloanPremiumTotalUpdated",
    "IsolationModeTotalDebtUpdated",
    "LiquidationCall",
    "LiquidationProtocolFeeChanged",
    "Mint",
    "MintedToTreasury",
    "Repay",
    "ReserveActive",
    "ReserveBorrowing",
    "ReserveDataUpdated",
    "ReserveFactorChanged",
    "ReserveFlashLoaning",
    "ReserveFrozen",
    "ReservePaused",
    "ReserveUsedAsCollateralDisabled",
    "ReserveUsedAsCollateralEnabled",
    "SiloedBorrowingChanged",
    "Supply",
    "SupplyCapChanged",
    "Transfer",
    "UserEModeSet",
    "Withdraw",
];

/// What 3.0.2 alone emits.
const EVENTS_OF_3_0_2: [&str; 3] = [
    "EModeAssetCategoryChanged",
    "FlashloanPremiumToProtocolUpdated",
    "ReserveInterestRateStrategyChanged",
];

/// What 3.6.0 alone emits.
const EVENTS_OF_3_6_0: [&str; 10] = [
    "AssetBorrowableInEModeChanged",
    "AssetCollateralInEModeChanged",
    "AssetLtvzeroInEModeChanged",
    "DeficitCovered",
    "DeficitCreated",
    "LiquidationGracePeriodChanged",
    "LiquidationGracePeriodDisabled",
    "PendingLtvChanged",
    "RateDataUpdate",
    "ReserveInterestRateDataChanged",
];

#[test]
fn the_engine_does_what_the_bytecode_of_3_0_2_does() {
    plays(Version::V3_0_2, &REASONS_OF_3_0_2, &EVENTS_OF_3_0_2);
}

#[test]
fn the_engine_does_what_the_bytecode_of_3_6_0_does() {
    plays(Version::V3_6_0, &REASONS_OF_3_6_0, &EVENTS_OF_3_6_0);
}

/// Plays every seed; a run must come upon all reasons and events that both versions have, and on the version's own.
fn plays(version: Version, reasons: &[&str], events: &[&str]) {
    let seeds = seeds_or(SEEDS);
    let mut tally = Tally::default();
    for one in spread_over(seeds, |seed| sequence(seed, fresh(version))) {
        tally.add(one);
    }
    let calls: u64 = tally.calls.values().sum();
    let reverted = tally.calls.iter().filter(|((_, reason), _)| reason.is_some());
    let reverts: u64 = reverted.map(|(_, count)| count).sum();
    eprintln!(
        "{version:?}: {} operations, {calls} calls on both sides, {reverts} of them reverted alike",
        seeds * OPERATIONS
    );
    for ((call, reason), count) in &tally.calls {
        eprintln!("{count:>9} {call} {}", reason.as_deref().unwrap_or("done"));
    }
    for (event, count) in &tally.events {
        eprintln!("{count:>9} {event}");
    }
    let seen: BTreeSet<&str> = tally.calls.keys().filter_map(|(_, reason)| reason.as_deref()).collect();
    for reason in REASONS.iter().chain(reasons) {
        assert!(
            seen.contains(reason) || seeds < SEEDS,
            "no call was refused for the reason {reason}"
        );
    }
    for event in EVENTS.iter().chain(events) {
        assert!(
            tally.events.contains_key(*event) || seeds < SEEDS,
            "no call emitted {event}"
        );
    }
    assert!(reverts * 2 < calls, "most calls go through");
}

/// A market that nobody has used. Each thread deploys one: a chain in the process stays in its thread.
fn fresh(version: Version) -> GenuineMarket {
    thread_local!(static FRESH: RefCell<Option<GenuineMarket>> = const { RefCell::new(None) });
    FRESH.with_borrow_mut(|kept| kept.get_or_insert_with(|| genuine(version)).clone())
}

/// One sequence on both sides.
fn sequence(seed: u64, genuine: GenuineMarket) -> Tally {
    let mut both = Both::new(seed, genuine);
    both.open();
    for operation in 0..OPERATIONS {
        both.operation = operation;
        both.step();
        if operation % 20 == 19 {
            both.compare_everything();
        }
    }
    both.compare_everything();
    both.compare_book();
    both.compare_replay();
    both.tally
}

/// The same market twice, and a third time from its logs.
struct Both {
    dice: Dice,
    genuine: GenuineMarket,
    engine: Pool,
    book: Pool,
    replay: AaveV3Replay,
    feeds: Feeds,
    assets: Vec<Address>,
    prices: HashMap<Address, U256>,
    tally: Tally,
    seed: u64,
    operation: u64,
    /// Calls that went through, each a block of its own to the replay.
    calls: u64,
}

impl Both {
    fn new(seed: u64, mut genuine: GenuineMarket) -> Self {
        let engine = engine(&mut genuine);
        Self {
            dice: Dice::new(seed),
            assets: genuine.assets(),
            prices: market::prices(&genuine),
            book: engine.clone(),
            replay: replay(&genuine, engine.clone()),
            genuine,
            feeds: Feeds::default(),
            engine,
            tally: Tally::default(),
            seed,
            operation: 0,
            calls: 0,
        }
    }

    /// The same call on both sides; returns whether it went through.
    fn both(
        &mut self,
        what: &'static str,
        caller: Address,
        genuine: impl FnOnce(&mut GenuineMarket) -> Result<(), Failure>,
        engine: impl FnOnce(&mut Pool, &Context<'_>) -> Result<Vec<Event>, Revert>,
    ) -> bool {
        let doing = self.doing(what);
        let answer = genuine(&mut self.genuine);
        let now = self.genuine.now();
        let context = Context {
            now,
            caller,
            prices: &self.prices,
        };
        let reason = match (answer, engine(&mut self.engine, &context)) {
            (Ok(()), Ok(events)) => {
                let logs = self.genuine.logs().iter().map(|log| self.engine.decode(&raw(log)));
                let emitted = logs.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>();
                assert_eq!(emitted.as_ref(), Ok(&events), "{doing}");
                for event in &events {
                    *self.tally.events.entry(event_name(event)).or_default() += 1;
                    let applied = self.book.apply(event, now);
                    assert_eq!(applied, Ok(()), "{doing}: {event:?}");
                }
                self.follow(&doing);
                None
            }
            (Err(Failure::Reverted(reason)), Err(revert)) => {
                assert_eq!(text(&revert, &self.engine), reason, "{doing}: {revert}");
                Some(name(&revert))
            }
            (answer, outcome) => panic!("{doing}: the bytecode {answer:?}, the engine {outcome:?}"),
        };
        let done = reason.is_none();
        *self.tally.calls.entry((what, reason)).or_default() += 1;
        done
    }

    /// The logs of the last call, a transaction of its own, go through the replay.
    fn follow(&mut self, doing: &str) {
        for (asset, price) in &self.prices {
            let answer = Answer {
                value: I256::from_raw(*price),
                round_id: U256::ZERO,
                updated_at: self.genuine.now(),
            };
            self.feeds.set(*asset, answer);
        }
        let timestamp = Some(self.genuine.now());
        self.calls += 1;
        for (place, log) in (0u32..).zip(self.genuine.logs()) {
            let mut log = RawLog {
                block_timestamp: timestamp,
                ..raw(log)
            };
            (log.at.block_number, log.at.log_index) = (self.calls, place);
            if self.engine.decode(&log) != Ok(None) {
                let followed = self.replay.apply(&log, &self.feeds, None);
                assert_eq!(followed, Ok(()), "{doing}: {log:?}");
            }
        }
        assert_eq!(self.replay.end_block(&self.feeds), Ok(()), "{doing}");
    }

    fn doing(&self, what: &str) -> String {
        format!("seed {}, operation {}: {what}", self.seed, self.operation)
    }

    fn user(&mut self) -> Address {
        self.dice.pick(&USERS)
    }

    fn asset(&mut self) -> Address {
        let assets = self.assets.clone();
        self.dice.pick(&assets)
    }
}

/// A replay of the market from this state on; each asset's price is the answer of a feed of its own address.
fn replay(genuine: &GenuineMarket, engine: Pool) -> AaveV3Replay {
    let mut oracle = Oracle::default();
    for asset in genuine.assets() {
        let source = PriceSource::Feed {
            aggregator: asset,
            scale: 0,
        };
        oracle.set_source(asset, source);
    }
    AaveV3Replay::new(Network::DEVNET, engine, AaveV3Contracts::default(), oracle)
}

/// A revert as the chain in the process tells it: a string, or an error's selector.
fn text(revert: &Revert, pool: &Pool) -> String {
    let data = match revert {
        // The oracle asks a fallback that is none; the token says what its library says.
        Revert::NoPrice(_) => return String::new(),
        Revert::Underlying => return "ERC20: transfer amount exceeds balance".to_owned(),
        Revert::Unsupported(what) => panic!("{what}"),
        _ => revert.data(pool.revision()).expect("the protocol's own"),
    };
    match data.get(..4) {
        None => String::new(),
        Some([0x08, 0xc3, 0x79, 0xa0]) => {
            let length = usize::from(data[4 + 63]);
            String::from_utf8(data[4 + 64..][..length].to_vec()).expect("text")
        }
        Some(selector) => alloy_primitives::hex::encode_prefixed(selector),
    }
}

/// A revert's name for the tally.
fn name(revert: &Revert) -> String {
    match revert {
        Revert::Rule(error) => error.name().to_owned(),
        other => format!("{other:?}")
            .split([' ', '('])
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

/// An event's name for the tally.
fn event_name(event: &Event) -> String {
    let text = match event {
        Event::Pool(event) => format!("{event:?}"),
        Event::Token(_, event) => format!("{event:?}"),
        Event::Configurator(event) => format!("{event:?}"),
        Event::RateStrategy(event) => format!("{event:?}"),
    };
    text.split('(').next().unwrap_or_default().to_owned()
}

/// A log of the bytecode's as a node would give it.
fn raw(log: &Log) -> RawLog {
    RawLog {
        at: LogRef {
            block_number: 0,
            transaction_index: 0,
            log_index: 0,
            transaction_hash: B256::ZERO,
        },
        block_timestamp: None,
        address: log.address,
        topics: log.topics().to_vec(),
        data: log.data.data.clone(),
    }
}
