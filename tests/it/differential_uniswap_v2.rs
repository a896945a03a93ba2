//! Random sequences on the published pair bytecode and on the engine's pair: every number and every event equal, every
//! revert for the same reason.

mod operations;

use super::random_sequences::{Dice, OPERATIONS, SEEDS, run_on_nodes, seeds, spread};
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use plimsoll_devnet::uniswap_v2::{Failure, GenuinePair, PairCalls::*};
use plimsoll_devnet::{Chain, Evm, UNISWAP_V2_CORE, UNISWAP_V2_PERIPHERY, creation_code};
use plimsoll_protocols::RawLog;
use plimsoll_protocols::uniswap_v2::{
    Pair, PairCreated, PairEvent, PairParams, PairState, Revert, factory::pair_address,
};
use plimsoll_units::{LogRef, Side};
use std::collections::BTreeMap;

/// Every reason that a pair or the library has, but for a call back into the pair: each must come up in a run.
const REASONS: [&str; 17] = [
    "",
    "UniswapV2: INSUFFICIENT_INPUT_AMOUNT",
    "UniswapV2: INSUFFICIENT_LIQUIDITY",
    "UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED",
    "UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED",
    "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT",
    "UniswapV2: INVALID_TO",
    "UniswapV2: K",
    "UniswapV2: OVERFLOW",
    "UniswapV2: TRANSFER_FAILED",
    "UniswapV2Library: INSUFFICIENT_AMOUNT",
    "UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT",
    "UniswapV2Library: INSUFFICIENT_LIQUIDITY",
    "UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT",
    "ds-math-add-overflow",
    "ds-math-mul-overflow",
    "ds-math-sub-underflow",
];

/// How often each call went through, and how often it was refused for each reason.
type Tally = BTreeMap<(&'static str, Option<String>), u64>;

/// The creation codes of factory and router.
fn codes() -> [Bytes; 2] {
    let factory = creation_code(&UNISWAP_V2_CORE, "build/UniswapV2Factory.json");
    let router = creation_code(&UNISWAP_V2_PERIPHERY, "build/UniswapV2Router02.json");
    [factory, router].map(|code| code.unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn the_engine_does_what_the_bytecode_does_on_a_node() {
    let codes = codes();
    run_on_nodes(GenuinePair::OWNER, |seed, node| {
        let tally = sequence(seed, node, &codes);
        let reverts = tally.into_iter().filter(|((_, reason), _)| reason.is_some());
        reverts.map(|(_, count)| count).sum()
    });
}

#[test]
fn the_engine_does_what_the_bytecode_does() {
    let codes = codes();
    let seeds = seeds();
    let mut tally = Tally::new();
    for (what, count) in spread(|seed| sequence(seed, Evm::new(GenuinePair::OWNER), &codes))
        .into_iter()
        .flatten()
    {
        *tally.entry(what).or_default() += count;
    }
    let reverts: u64 = tally
        .iter()
        .filter(|((_, reason), _)| reason.is_some())
        .map(|(_, count)| count)
        .sum();
    let calls: u64 = tally.values().sum();
    println!(
        "{} operations, {calls} calls on both sides, {reverts} of them reverted alike",
        seeds * OPERATIONS
    );
    for ((call, reason), count) in &tally {
        println!(
            "{count:>9} {call} {}",
            reason
                .as_deref()
                .map_or("done", |text| if text.is_empty() { "no reason" } else { text })
        );
    }
    for reason in REASONS {
        let seen = tally.keys().any(|(_, seen)| seen.as_deref() == Some(reason));
        assert!(seen || seeds < SEEDS, "no call was refused for the reason {reason:?}");
    }
    assert!(reverts * 2 < calls, "most calls go through");
}

/// One sequence on both sides.
fn sequence<C: Chain>(seed: u64, chain: C, codes: &[Bytes; 2]) -> Tally {
    let mut both = Both::new(seed, chain, codes);
    for operation in 0..OPERATIONS {
        both.operation = operation;
        both.step();
        both.compare();
    }
    both.tally
}

/// What a call returned and what it emitted; `None` for a view.
type Done = (Vec<U256>, Option<Vec<PairEvent>>);

/// The same pair twice.
struct Both<C = Evm> {
    dice: Dice,
    genuine: GenuinePair<C>,
    engine: Pair,
    /// The usual length of an amount, in bits.
    scale: u64,
    tally: Tally,
    seed: u64,
    operation: u64,
}

/// Who may hold liquidity and receive tokens, besides the pair itself.
const HOLDERS: [Address; 4] = [GenuinePair::CALLEE, GenuinePair::OWNER, PROTOCOL, Address::ZERO];
const PROTOCOL: Address = Address::repeat_byte(0xfe);
const SIDES: [Side; 2] = [Side::Token0, Side::Token1];
const NONE: [U256; 2] = [U256::ZERO; 2];

impl<C: Chain> Both<C> {
    fn new(seed: u64, chain: C, codes: &[Bytes; 2]) -> Self {
        let mut dice = Dice::new(seed);
        let genuine = GenuinePair::deploy_on(chain, &codes[0], &codes[1]);
        let [token0, token1] = GenuinePair::TOKENS;
        let address = genuine.address();
        assert_eq!(pair_address(genuine.factory(), token1, token0), address);
        let created = genuine.logs().first().map(|log| PairCreated::decode(&raw(log)));
        let expected = PairCreated {
            token0,
            token1,
            pair: address,
            pairs: U256::ONE,
        };
        assert_eq!(created, Some(Ok(expected)));
        let scale = dice.pick(&[16, 40, 64, 90, 111]);
        Self {
            dice,
            genuine,
            engine: Pair::new(PairParams {
                address,
                token0,
                token1,
            }),
            scale,
            tally: Tally::new(),
            seed,
            operation: 0,
        }
    }

    /// An amount of the sequence's usual size, else a tiny or a huge one.
    fn amount(&mut self) -> U256 {
        let scale = self.scale;
        match self.dice.below(40) {
            0 => self.dice.bits(200),
            1 | 2 => self.dice.bits(112),
            3..=6 => self.dice.bits(10),
            _ => self.dice.bits(8) << usize::try_from(scale - 8).expect("small") | self.dice.bits(scale),
        }
    }

    fn receiver(&mut self) -> Address {
        let address = self.engine.params().address;
        self.dice
            .pick(&[HOLDERS[0], HOLDERS[0], HOLDERS[1], HOLDERS[1], PROTOCOL, address])
    }

    fn caller(&mut self) -> Address {
        self.dice.pick(&[GenuinePair::CALLEE, GenuinePair::OWNER])
    }

    fn reserves(&self) -> [U256; 2] {
        SIDES.map(|side| U256::from(self.engine.reserve(side)))
    }

    /// The same call on both sides; returns whether it went through.
    fn both(
        &mut self,
        what: &'static str,
        genuine: impl FnOnce(&mut GenuinePair<C>) -> Result<Vec<U256>, Failure>,
        engine: impl FnOnce(&mut Pair, u64) -> Result<Done, Revert>,
    ) -> bool {
        let doing = self.doing(what);
        let before = self.engine.clone();
        let returned = genuine(&mut self.genuine);
        let reason = match (returned, engine(&mut self.engine, self.genuine.now())) {
            (Ok(returned), Ok((words, events))) => {
                assert_eq!(words, returned, "{doing}");
                if let Some(events) = events {
                    let emitted = self.genuine.logs().iter().map(|log| PairEvent::decode(&raw(log)));
                    assert_eq!(emitted.collect::<Result<Vec<_>, _>>(), Ok(events), "{doing}");
                }
                None
            }
            (Err(failure), Err(revert)) => {
                let reason = match failure {
                    Failure::Reverted(reason) => reason,
                    // The compiler's check of a division takes all gas; nothing else here comes near the limit.
                    Failure::Halted => String::new(),
                    Failure::Lost(reason) => panic!("{doing}: {reason}"),
                };
                assert_eq!(revert.0, reason, "{doing}");
                assert_eq!(self.engine, before, "{doing}: a revert leaves no trace");
                Some(reason)
            }
            (genuine, engine) => panic!("{doing}: the bytecode {genuine:?}, the engine {engine:?}, on {before:?}"),
        };
        let done = reason.is_none();
        *self.tally.entry((what, reason)).or_default() += 1;
        done
    }

    /// A question on both sides that changes nothing; returns whether it was answered.
    fn view(
        &mut self,
        what: &'static str,
        genuine: impl FnOnce(&mut GenuinePair<C>) -> Result<U256, Failure>,
        engine: impl FnOnce(&Pair) -> Result<U256, Revert>,
    ) -> bool {
        let genuine = |pair: &mut GenuinePair<C>| genuine(pair).map(|word| vec![word]);
        self.both(what, genuine, |pair, _| engine(pair).map(|word| (vec![word], None)))
    }

    /// Every number of the pair's, and every holder's liquidity.
    fn compare(&mut self) {
        let doing = self.doing("compare");
        let genuine = &mut self.genuine;
        let reserves = genuine.read(&getReservesCall {}).expect("a view");
        let [balance0, balance1] = genuine.balances(genuine.address()).expect("views");
        let state = PairState {
            reserve0: reserves.reserve0,
            reserve1: reserves.reserve1,
            block_timestamp_last: reserves.blockTimestampLast,
            price0_cumulative_last: genuine.read(&price0CumulativeLastCall {}).expect("a view"),
            price1_cumulative_last: genuine.read(&price1CumulativeLastCall {}).expect("a view"),
            k_last: genuine.read(&kLastCall {}).expect("a view"),
            total_supply: genuine.read(&totalSupplyCall {}).expect("a view"),
            balance0,
            balance1,
        };
        assert_eq!(self.engine.state(), state, "{doing}");
        let mut held = U256::ZERO;
        for owner in HOLDERS.into_iter().chain([self.engine.params().address]) {
            let liquidity = self.genuine.read(&balanceOfCall { owner }).expect("a view");
            assert_eq!(self.engine.liquidity_of(owner), liquidity, "{doing}: {owner}");
            held += liquidity;
        }
        assert_eq!(held, state.total_supply, "{doing}: nobody else holds any");
    }

    fn doing(&self, what: &str) -> String {
        format!("seed {}, operation {}: {what}", self.seed, self.operation)
    }
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
