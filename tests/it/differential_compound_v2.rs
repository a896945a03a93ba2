//! Random sequences on the published Compound v2 bytecode and on the engine's pool: every number, every event, every revert's
//! reason and every code of a failure that does not revert.

mod administration;
mod compare;
mod operations;
mod own_account;
mod questions;
mod sequence;

use super::random_sequences::{Dice, OPERATIONS, SEEDS, run_on_nodes, seeds, spread};
use alloy_primitives::{Address, B256, Log as RawEvent, U256};
use plimsoll_devnet::compound_v2::CErc20Calls::accrualBlockNumberCall;
use plimsoll_devnet::compound_v2::{Codes, Failure, GenuineCompound, Model, Plan};
use plimsoll_devnet::{Chain, Evm};
use plimsoll_protocols::RawLog;
use plimsoll_protocols::compound_v2::{
    AccountBook, Event, InterestRateModel, Log, MarketParams, Moment, Outcome, Pool, Refusal,
};
use plimsoll_units::LogRef;
use std::collections::{BTreeMap, BTreeSet};

/// How often each call went through, failed with a code, or was reverted for a reason.
type Tally = BTreeMap<(&'static str, String), u64>;

/// How calls end, each of which must come up in a run.
///
/// What is not here cannot be reached by calls: sums that overflow only beyond all supplies, markets that are not fresh within
/// their own call, a seizure refused after its liquidation was allowed.
const ENDINGS: [&str; 71] = [
    "Can not repay more than the total borrow",
    "Failure(1,11,0)",
    "Failure(1,18,0)",
    "Failure(1,49,0)",
    "Failure(1,6,0)",
    "Failure(1,66,0)",
    "Failure(1,71,0)",
    "Failure(10,17,0)",
    "Failure(12,2,0)",
    "Failure(13,9,0)",
    "Failure(14,3,13)",
    "Failure(14,3,4)",
    "Failure(14,3,9)",
    "Failure(14,47,0)",
    "Failure(14,50,0)",
    "Failure(14,9,0)",
    "Failure(2,52,0)",
    "Failure(2,73,0)",
    "Failure(2,75,0)",
    "Failure(3,14,13)",
    "Failure(3,14,4)",
    "Failure(3,14,9)",
    "Failure(3,18,13)",
    "Failure(3,18,17)",
    "Failure(3,18,3)",
    "Failure(3,18,9)",
    "Failure(3,27,9)",
    "Failure(3,31,9)",
    "Failure(3,40,13)",
    "Failure(3,40,4)",
    "Failure(3,40,9)",
    "Failure(3,56,9)",
    "Failure(3,74,13)",
    "Failure(3,74,4)",
    "Failure(3,74,9)",
    "Failure(6,23,0)",
    "Failure(6,8,0)",
    "Failure(7,21,0)",
    "Failure(9,41,2)",
    "Failure(9,42,2)",
    "Failure(9,45,3)",
    "Failure(9,46,3)",
    "Failure(9,7,0)",
    "Failure(9,76,0)",
    "LIQUIDATE_COMPTROLLER_CALCULATE_AMOUNT_SEIZE_FAILED",
    "LIQUIDATE_SEIZE_TOO_MUCH",
    "MINT_EXCHANGE_CALCULATION_FAILED",
    "REPAY_BORROW_NEW_ACCOUNT_BORROW_BALANCE_CALCULATION_FAILED",
    "REPAY_BORROW_NEW_TOTAL_BALANCE_CALCULATION_FAILED",
    "SafeMath: division by zero",
    "addition overflow",
    "borrow is paused",
    "borrow rate is absurdly high",
    "cannot pause a market that is not listed",
    "done",
    "liquidateBorrow failed (03)",
    "liquidateBorrow failed (06)",
    "liquidateBorrow failed (07)",
    "market borrow cap reached",
    "mint failed (03)",
    "mint is paused",
    "multiplication overflow",
    "only admin can set close factor",
    "only admin or borrow cap guardian can set borrow caps",
    "only pause guardian and admin can pause",
    "over 128 bits",
    "redeemTokens zero",
    "repayBorrow failed (03)",
    "repayBorrowBehalf failed (03)",
    "seize is paused",
    "transfer is paused",
];

const USERS: [Address; 5] = [
    Address::repeat_byte(0xa1),
    Address::repeat_byte(0xa2),
    Address::repeat_byte(0xa3),
    Address::repeat_byte(0xa4),
    Address::repeat_byte(0xa5),
];

/// A tenth of a percent, scaled.
const PER_MILLE: u64 = 1_000_000_000_000_000;

fn codes() -> Codes {
    Codes::load().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_engine_does_what_the_bytecode_does_on_a_node() {
    let codes = codes();
    run_on_nodes(GenuineCompound::ADMIN, |seed, node| {
        let tally = sequence(seed, node, &codes, 40);
        let others = tally.into_iter().filter(|((_, ending), _)| ending != "done");
        others.map(|(_, count)| count).sum()
    });
}

#[test]
fn the_engine_does_what_the_bytecode_does() {
    let codes = codes();
    let mut tally = Tally::new();
    let run = |seed| {
        let mut chain = Evm::new(GenuineCompound::ADMIN);
        for user in everyone() {
            chain.set_ether(user, U256::ONE << 120);
        }
        sequence(seed, chain, &codes, u64::MAX)
    };
    for (what, count) in spread(run).into_iter().flatten() {
        *tally.entry(what).or_default() += count;
    }
    let calls: u64 = tally.values().sum();
    let done: u64 = tally
        .iter()
        .filter(|((_, ending), _)| ending == "done")
        .map(|(_, count)| count)
        .sum();
    println!(
        "{} operations, {calls} calls on both sides, {done} of them went through",
        seeds() * OPERATIONS
    );
    for ((call, ending), count) in &tally {
        println!("{count:>9} {call}: {ending}");
    }
    let seen: BTreeSet<&str> = tally.keys().map(|(_, ending)| ending.as_str()).collect();
    for ending in ENDINGS {
        assert!(
            seen.contains(ending) || seeds() < SEEDS,
            "no call ended with {ending:?}"
        );
    }
    assert!(done * 2 > calls, "most calls go through");
}

/// How many kinds of pools there are: each market has another model in each.
const KINDS: usize = 4;

/// Four markets, three in tokens of 6, 18 and 8 decimals and one in ether.
fn plans(kind: usize) -> [Plan; 4] {
    let mantissa = |per_mille: u64| U256::from(per_mille) * U256::from(PER_MILLE);
    let models = [
        Model::JumpV2(mantissa(0), mantissa(40), mantissa(1_090), mantissa(800)),
        Model::Jump(mantissa(20), mantissa(200), mantissa(3_000), mantissa(900)),
        // Steep enough to reach what a market takes for absurd.
        Model::JumpV2(mantissa(0), mantissa(900), mantissa(60_000), mantissa(700)),
        Model::WhitePaper(mantissa(50), mantissa(450)),
    ];
    let plan = |place: usize, decimals: Option<u8>| Plan {
        decimals,
        delegated: place == 0,
        // A cToken, of 8 decimals, is worth 0.02 of the underlying.
        initial_exchange_rate: U256::from(200_000_000) * U256::from(10).pow(U256::from(decimals.unwrap_or(18))),
        model: models[(place + kind) % models.len()],
    };
    [plan(0, Some(6)), plan(1, Some(18)), plan(2, Some(8)), plan(3, None)]
}

/// The engine's counterpart of a model.
fn model(model: Model) -> InterestRateModel {
    let model = match model {
        Model::WhitePaper(base, slope) => InterestRateModel::white_paper(base, slope),
        Model::Jump(base, slope, jump, kink) => InterestRateModel::jump(base, slope, jump, kink),
        Model::JumpV2(base, slope, jump, kink) => InterestRateModel::jump_v2(base, slope, jump, kink),
    };
    model.expect("numbers that a constructor takes")
}

/// Everyone who acts.
fn everyone() -> impl Iterator<Item = Address> {
    USERS.into_iter().chain([GenuineCompound::ADMIN])
}

/// One sequence on both sides; a node mines every block that passes, so that there cannot be many at once.
fn sequence<C: Chain>(seed: u64, chain: C, codes: &Codes, most_blocks: u64) -> Tally {
    let kind = usize::try_from(seed).expect("small") % KINDS;
    let users: Vec<_> = everyone().collect();
    let genuine = GenuineCompound::deploy_on(chain, codes, &plans(kind), &users);
    let mut both = Both::new(seed, kind, genuine);
    both.most_blocks = most_blocks;
    both.open();
    for operation in 0..OPERATIONS {
        both.operation = operation;
        both.step();
        if operation % 8 == 7 {
            both.compare();
        }
    }
    both.close();
    both.tally
}

/// The same pool twice, and a third time from the logs.
struct Both<C> {
    dice: Dice,
    genuine: GenuineCompound<C>,
    engine: Pool,
    /// What follows the bytecode's logs and nothing else.
    follower: Pool,
    book: AccountBook,
    prices: BTreeMap<Address, U256>,
    /// The markets' models where they are others than at first.
    models: BTreeMap<Address, Address>,
    /// How many blocks may pass between two operations.
    most_blocks: u64,
    tally: Tally,
    kind: usize,
    seed: u64,
    operation: u64,
}

impl<C: Chain> Both<C> {
    fn new(seed: u64, kind: usize, mut genuine: GenuineCompound<C>) -> Self {
        let mut engine = Pool::new(genuine.comptroller(), GenuineCompound::ADMIN);
        let mut prices = BTreeMap::new();
        for (market, plan) in genuine.markets().to_vec().into_iter().zip(plans(kind)) {
            let deployed = genuine.ask(market.c_token, &accrualBlockNumberCall {});
            let model = model(plan.model);
            engine.know_model(market.model, model);
            let params = MarketParams {
                c_token: market.c_token,
                lends_ether: market.underlying.is_none(),
                initial_exchange_rate: plan.initial_exchange_rate,
                model: Some(model),
                block_number: deployed.expect("a view").to(),
            };
            engine.add_market(params).expect("a place");
            if market.underlying.is_none() {
                prices.insert(market.c_token, U256::from(1_000 * u128::from(PER_MILLE)));
            }
        }
        Self {
            dice: Dice::new(seed),
            genuine,
            follower: engine.clone(),
            engine,
            book: AccountBook::new(),
            prices,
            models: BTreeMap::new(),
            most_blocks: u64::MAX,
            kind,
            tally: Tally::new(),
            seed,
            operation: 0,
        }
    }

    /// The same call on both sides; returns whether it went through.
    fn both(
        &mut self,
        what: &'static str,
        genuine: impl FnOnce(&mut GenuineCompound<C>) -> Result<Vec<U256>, Failure>,
        engine: impl Fn(&mut Pool, Moment<'_>) -> Result<(Vec<u8>, Outcome), Refusal>,
    ) -> bool {
        let doing = self.doing(what);
        let before = self.engine.clone();
        let prices = self.prices.clone();
        let price = move |c_token: Address| prices.get(&c_token).copied().unwrap_or_default();
        let at = |block_number| Moment {
            block_number,
            prices: &price,
        };
        // What does not fit 128 bits is refused as a whole; the bytecode is not asked.
        let tried = engine(&mut self.engine, at(self.genuine.block_number()));
        if let Err(Refusal::TooWide(_)) = tried {
            assert_eq!(self.engine, before, "{doing}: a refusal leaves no trace");
            *self.tally.entry((what, "over 128 bits".to_owned())).or_default() += 1;
            return false;
        }
        self.engine = before.clone();
        let returned = genuine(&mut self.genuine);
        let expected = engine(&mut self.engine, at(self.genuine.block_number()));
        let ending = match (returned, expected) {
            (Ok(returned), Ok((codes, outcome))) => {
                let codes: Vec<_> = codes.into_iter().map(U256::from).collect();
                let emitted = self.follow(&doing);
                assert_eq!(outcome.logs, emitted, "{doing}");
                assert_eq!(codes, returned, "{doing}");
                ending(&outcome)
            }
            (Err(Failure::Reverted(reason)), Err(Refusal::Revert(revert))) => {
                assert_eq!(revert.reason(), reason, "{doing}");
                assert_eq!(self.engine, before, "{doing}: a revert leaves no trace");
                reason
            }
            (genuine, engine) => panic!("{doing}: the bytecode {genuine:?}, the engine {engine:?}, on {before:?}"),
        };
        let done = ending == "done";
        *self.tally.entry((what, ending)).or_default() += 1;
        done
    }

    /// The bytecode's events, which the follower and the book get to see; rewards and other contracts' are left out.
    fn follow(&mut self, doing: &str) -> Vec<Log> {
        let mut emitted = Vec::new();
        for log in self.genuine.logs() {
            if log.address != self.engine.comptroller() && self.engine.market_id(log.address).is_none() {
                continue;
            }
            let event = Event::decode(&raw(log)).unwrap_or_else(|error| panic!("{doing}: {error}"));
            if event != Event::Other {
                let emitter = log.address;
                emitted.push(Log { emitter, event });
            }
        }
        for log in &emitted {
            let followed = self.follower.follow(self.genuine.block_number(), log);
            followed.unwrap_or_else(|error| panic!("{doing}: {error}"));
            self.book.book(log).unwrap_or_else(|error| panic!("{doing}: {error}"));
        }
        emitted
    }

    fn doing(&self, what: &str) -> String {
        format!("seed {}, operation {}: {what}", self.seed, self.operation)
    }
}

/// The last failure of a call that returned a code, else that it went through.
fn ending(outcome: &Outcome) -> String {
    match outcome.logs.last() {
        Some(Log {
            event: Event::Failure { error, info, detail },
            ..
        }) => format!("Failure({error},{info},{detail})"),
        _ if outcome.code != 0 => format!("code {}", outcome.code),
        _ => "done".to_owned(),
    }
}

fn raw(log: &RawEvent) -> RawLog {
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
