//! A strategy's own account in a backtest against the published bytecode: the history has only what others did, on the bytecode; the
//! backtest adds own supply and debt to it. On a second chain the bytecode does both. What is own must be the same there to the last unit.

use super::{Both, codes, everyone, plans, raw};
use crate::own_account::{self, Ask};
use crate::random_sequences::{Dice, seeds_or, spread_over};
use alloy_primitives::{Address, U256};
use alloy_sol_types::sol;
use plimsoll_backtest::BacktestOutput;
use plimsoll_devnet::Evm;
use plimsoll_devnet::compound_v2::{
    Codes, ComptrollerCalls::getAccountLiquidityCall, Failure, GenuineCompound, GenuineMarket,
};
use plimsoll_market::{
    CompoundV2Replay, CompoundV2Token, Event, EventBody, LendingMarket, Market, Oracle, PriceSource,
};
use plimsoll_protocols::{RawLog, compound_v2::Pool};
use plimsoll_runtime::{Action, Block, Liquidation, Outcome, Strategy, View};
use plimsoll_units::{BlockRef, LogRef, Network};
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

sol! {
    function balanceOfUnderlying(address owner) external returns (uint256 amount);
    function borrowBalanceCurrent(address account) external returns (uint256 amount);
    function balanceOf(address account) external view returns (uint256 amount);
}

/// Seeds of one run, and blocks a seed.
const SEEDS: u64 = 12;
const BLOCKS: u64 = 150;
/// Others alone fill the markets first.
const BEFORE_OWN: u64 = 40;
/// Models of ordinary steepness.
const KIND: usize = 3;
/// Whole prices in dollars, and decimals, of the markets that are used.
const PRICES: [u64; 3] = [1, 2_000, 40_000];
const DECIMALS: [u8; 3] = [6, 18, 8];
/// Who does on the second chain what the backtest does.
const OWN: Address = Address::repeat_byte(0xa5);
/// Who else acts.
const OTHERS: [Address; 4] = [
    Address::repeat_byte(0xa1),
    Address::repeat_byte(0xa2),
    Address::repeat_byte(0xa3),
    Address::repeat_byte(0xa4),
];

/// One block: what happens to a price, who else does what, and what is own, at its top. Markets by place.
struct Step {
    blocks: u64,
    price: Option<(usize, U256)>,
    own: Option<(usize, Ask)>,
    other: Option<(Address, usize, Ask)>,
}

/// Own supply and debt by market.
type Sight = Vec<(U256, U256)>;

#[test]
fn own_supply_and_debt_are_what_the_bytecode_makes_of_them() {
    let codes = codes();
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    for one in spread_over(seeds_or(SEEDS), |seed| sequence(seed, &codes)) {
        for (what, count) in one {
            *tally.entry(what).or_default() += count;
        }
    }
    for (what, count) in &tally {
        eprintln!("{count:>6} {what}");
    }
    for what in [
        "supply",
        "withdraw",
        "borrow",
        "repay",
        "liquidated",
        "borrow: COMPTROLLER_REJECTION (INSUFFICIENT_LIQUIDITY)",
        "withdraw: COMPTROLLER_REJECTION (INSUFFICIENT_LIQUIDITY)",
        "withdraw: MATH_ERROR",
    ] {
        assert!(tally.contains_key(what), "nothing own ended so: {what}");
    }
}

fn whole(place: usize) -> U256 {
    U256::from(10).pow(U256::from(DECIMALS[place]))
}

/// A price in dollars as the oracle wants it.
fn mantissa(place: usize, percent: u64) -> U256 {
    U256::from(PRICES[place] * percent) * U256::from(10).pow(U256::from(34 - DECIMALS[place]))
}

/// A pool that others may use: listed, priced, with factors.
fn open(codes: &Codes) -> Both<Evm> {
    let mut chain = Evm::new(GenuineCompound::ADMIN);
    for user in everyone() {
        chain.set_ether(user, U256::ONE << 120);
    }
    let users: Vec<_> = everyone().collect();
    let genuine = GenuineCompound::deploy_on(chain, codes, &plans(KIND), &users);
    let mut both = Both::new(0, KIND, genuine);
    let admin = GenuineCompound::ADMIN;
    let per_mille = |number: u64| U256::from(number) * U256::from(super::PER_MILLE);
    for (place, market) in both.genuine.markets().to_vec().into_iter().enumerate().take(3) {
        both.set_price(place, mantissa(place, 100));
        both.support(market, admin);
        both.set_collateral_factor(market, admin, per_mille(750));
        both.set_reserve_factor(market, admin, per_mille(100));
    }
    both.set_close_factor(admin, per_mille(500));
    both.set_incentive(admin, per_mille(1_080));
    both
}

/// Plays a history without own, the backtest over it, and a history with own; returns how own calls ended.
fn sequence(seed: u64, codes: &Codes) -> BTreeMap<String, u64> {
    let Both { genuine, engine, .. } = open(codes);
    let steps = steps(seed);
    let (blocks, done) = record(&mut genuine.clone(), &steps);
    let (sights, output) = backtest(&genuine, engine, &steps, blocks);

    let mut compound = genuine;
    let markets = compound.markets()[..3].to_vec();
    let mut tally = BTreeMap::new();
    let (mut receipts, mut liquidations) = (output.receipts.iter(), output.liquidations.iter().peekable());
    for (step, ((done, number), sight)) in steps.iter().zip(done.into_iter().zip(&sights)) {
        let doing = format!("seed {seed}, block {number}");
        let before = compound.block_number();
        compound.roll(step.blocks);
        if let Some((place, ask)) = step.own {
            let market = markets[place];
            let held = wallet(&mut compound, market);
            let answer = carry_out(&mut compound, OWN, market, ask);
            let receipt = receipts.next().expect("each is executed");
            let what = receipt.action.name();
            assert_eq!(receipt.decided_block, before, "{doing}");
            let ended = match (&receipt.outcome, answer) {
                (Outcome::Filled(filled), Ok(0)) => {
                    let flow = filled.flows[0];
                    let now = wallet(&mut compound, market);
                    assert_eq!(held - flow.paid + flow.received, now, "{doing}: {what}");
                    if matches!(ask, Ask::Supply(_)) {
                        let entered = compound.enter_markets(OWN, vec![market.c_token]);
                        assert_eq!(entered.ok(), Some(vec![U256::ZERO]), "{doing}");
                    }
                    what.to_owned()
                }
                (Outcome::Reverted { reason }, Ok(code)) if code > 0 => {
                    let name = match code {
                        3 => "COMPTROLLER_REJECTION",
                        9 => "MATH_ERROR",
                        14 => "TOKEN_INSUFFICIENT_CASH",
                        other => panic!("{doing}: code {other}"),
                    };
                    assert!(reason.starts_with(name), "{doing}: {what}: code {code}, {reason}");
                    format!("{what}: {reason}")
                }
                (Outcome::Reverted { reason }, Err(Failure::Reverted(text))) => {
                    assert_eq!(*reason, text, "{doing}: {what}");
                    format!("{what}: {reason}")
                }
                (outcome, answer) => panic!("{doing}: {what}: the bytecode {answer:?}, the backtest {outcome:?}"),
            };
            *tally.entry(ended).or_default() += 1;
        }
        if let Some((place, price)) = step.price {
            compound.set_price(markets[place], price).expect("anyone may");
        }
        if let Some((user, place, ask)) = step.other.filter(|_| done) {
            let answer = carry_out(&mut compound, user, markets[place], ask);
            if answer == Ok(14) || answer == Ok(9) {
                // Own debt has left too little for others: no history has both.
                *tally.entry("others could not be served".to_owned()).or_default() += 1;
                return tally;
            }
            assert_eq!(answer, Ok(0), "{doing}");
            if matches!(ask, Ask::Supply(_)) {
                let entered = compound.enter_markets(user, vec![markets[place].c_token]);
                assert_eq!(entered.ok(), Some(vec![U256::ZERO]), "{doing}");
            }
        }
        while let Some(ours) = liquidations.next_if(|liquidation| liquidation.block == number) {
            liquidate(&mut compound, &markets, ours, &doing);
            *tally.entry("liquidated".to_owned()).or_default() += 1;
        }
        assert_eq!(*sight, seen(&mut compound, &markets), "{doing}");
        let owes = sight.iter().any(|(_, borrowed)| !borrowed.is_zero());
        let owns = sight.iter().any(|(supplied, _)| !supplied.is_zero());
        if owes && owns {
            assert_eq!(shortfall(&compound, &markets), U256::ZERO, "{doing}: not liquidated");
        }
        if !owes && !owns && tally.contains_key("withdraw") {
            // The recorded market is used again from here on.
            return tally;
        }
    }
    assert_eq!(liquidations.next(), None, "seed {seed}");
    assert_eq!(output.profit.sum(), Some(output.profit.total));
    tally
}

/// Does what the backtest says was done: the bytecode takes just that, and not a unit more.
fn liquidate(compound: &mut GenuineCompound, markets: &[GenuineMarket], ours: &Liquidation, doing: &str) {
    assert!(shortfall(compound, markets) > U256::ZERO, "{doing}");
    for market in markets {
        assert_eq!(compound.accrue_interest(OTHERS[0], *market).ok(), Some(U256::ZERO));
    }
    let of = |asset: Address| {
        *markets
            .iter()
            .find(|market| market.underlying == Some(asset))
            .expect("one")
    };
    let (debt, collateral) = (of(ours.debt_asset), of(ours.collateral_asset));
    let mut more = compound.clone();
    let most = more.liquidate_borrow(OTHERS[0], OWN, debt, ours.debt_repaid + U256::ONE, collateral.c_token);
    let one_token = most.as_ref().is_ok_and(U256::is_zero);
    let held = supplied(compound, collateral);
    let code = compound.liquidate_borrow(OTHERS[0], OWN, debt, ours.debt_repaid, collateral.c_token);
    assert_eq!(code.ok(), Some(U256::ZERO), "{doing}: {ours:?}");
    assert_eq!(held - supplied(compound, collateral), ours.collateral_seized, "{doing}");
    assert!(!one_token, "{doing}: more could be repaid than {}", ours.debt_repaid);
}

/// What is owned too little of, by the comptroller, once every market has accrued.
fn shortfall(compound: &GenuineCompound, markets: &[GenuineMarket]) -> U256 {
    let mut accrued = compound.clone();
    for market in markets {
        assert_eq!(accrued.accrue_interest(OTHERS[0], *market).ok(), Some(U256::ZERO));
    }
    let comptroller = accrued.comptroller();
    let answer = accrued.ask(comptroller, &getAccountLiquidityCall { account: OWN });
    answer.expect("a view").shortfall
}

fn supplied(compound: &mut GenuineCompound, market: GenuineMarket) -> U256 {
    let call = balanceOfUnderlyingCall { owner: OWN };
    compound.ask(market.c_token, &call).expect("a call")
}

fn wallet(compound: &mut GenuineCompound, market: GenuineMarket) -> U256 {
    let call = balanceOfCall { account: OWN };
    compound
        .ask(market.underlying.expect("a token"), &call)
        .expect("a view")
}

fn seen(compound: &mut GenuineCompound, markets: &[GenuineMarket]) -> Sight {
    let one = |market: &GenuineMarket| {
        let call = borrowBalanceCurrentCall { account: OWN };
        let borrowed = compound.ask(market.c_token, &call).expect("a call");
        (supplied(compound, *market), borrowed)
    };
    markets.iter().map(one).collect()
}

fn steps(seed: u64) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    // About as much worth of each: thousandths of so many dollars.
    let size = |dice: &mut Dice, place: usize, most: u64| {
        let worth = U256::from(1 + dice.below(most)) * U256::from(20u64);
        worth * whole(place) / U256::from(PRICES[place]) + U256::from(dice.below(1_000))
    };
    let mut steps = Vec::new();
    let mut has_supplied = false;
    for block in 1..=BLOCKS {
        let place = usize::try_from(dice.below(3)).expect("small");
        let other = match dice.below(if block <= BEFORE_OWN { 4 } else { 9 }) {
            0 | 1 => Some(Ask::Supply(size(&mut dice, place, 200_000))),
            2 | 3 => Some(Ask::Borrow(size(&mut dice, place, 20_000))),
            4 => Some(Ask::Withdraw(size(&mut dice, place, 1_000))),
            5 => Some(Ask::Repay(size(&mut dice, place, 1_000))),
            _ => None,
        };
        let other = other.map(|ask| (dice.pick(&OTHERS), place, ask));
        let place = usize::try_from(dice.below(3)).expect("small");
        let amount = |dice: &mut Dice, most| match dice.below(4) {
            0 => U256::MAX,
            _ => size(dice, place, most),
        };
        let own = match dice.below(8) {
            _ if block <= BEFORE_OWN => None,
            // What fails before there is anything own leaves its accrual on the chain, and nothing in a backtest.
            2..=5 if !has_supplied => None,
            0 | 1 => Some(Ask::Supply(size(&mut dice, place, 60_000))),
            2 | 3 => Some(Ask::Borrow(size(&mut dice, place, 60_000))),
            4 => Some(Ask::Withdraw(amount(&mut dice, 30_000))),
            5 => Some(Ask::Repay(amount(&mut dice, 10_000))),
            _ => None,
        };
        has_supplied |= own.is_some();
        let price = (block > BEFORE_OWN && dice.below(12) == 0).then(|| {
            let place = usize::try_from(dice.below(3)).expect("small");
            (place, mantissa(place, 40 + dice.below(71)))
        });
        steps.push(Step {
            blocks: [1, 7, 300, 40_000][usize::try_from(dice.below(4)).expect("small")],
            price,
            own: own.map(|ask| (place, ask)),
            other,
        });
    }
    steps
}

/// The code that it ends with, or how it reverts.
fn carry_out(compound: &mut GenuineCompound, user: Address, market: GenuineMarket, ask: Ask) -> Result<u64, Failure> {
    let code = match ask {
        Ask::Supply(amount) => compound.mint(user, market, amount),
        Ask::Withdraw(U256::MAX) => {
            let call = balanceOfCall { account: user };
            let tokens = compound.ask(market.c_token, &call).expect("a view");
            compound.redeem(user, market, tokens)
        }
        Ask::Withdraw(amount) => compound.redeem_underlying(user, market, amount),
        Ask::Borrow(amount) => compound.borrow(user, market, amount),
        Ask::Repay(amount) => compound.repay_borrow(user, market, amount),
    };
    code.map(|code| code.to())
}

/// Others alone: the blocks as a source tells them, and whose call went through in which block.
fn record(compound: &mut GenuineCompound, steps: &[Step]) -> (VecDeque<Block>, Vec<(bool, u64)>) {
    let address = compound.comptroller();
    let markets = compound.markets()[..3].to_vec();
    let (mut blocks, mut done) = (VecDeque::new(), Vec::new());
    for step in steps {
        compound.roll(step.blocks);
        let number = compound.block_number();
        let mut logs = Vec::new();
        if let Some((place, price)) = step.price {
            compound.set_price(markets[place], price).expect("anyone may");
            logs.extend(compound.logs().to_vec());
        }
        let went = step.other.is_some_and(|(user, place, ask)| {
            // What fails without a revert leaves its accrual in the record.
            let went = carry_out(&mut compound.clone(), user, markets[place], ask) == Ok(0);
            if went {
                carry_out(compound, user, markets[place], ask).expect("as before");
                logs.extend(compound.logs().to_vec());
                if matches!(ask, Ask::Supply(_)) {
                    compound
                        .enter_markets(user, vec![markets[place].c_token])
                        .expect("enters");
                    logs.extend(compound.logs().to_vec());
                }
            }
            went
        });
        let timestamp = Some(12 * number);
        let tokens: Vec<_> = markets.iter().filter_map(|market| market.underlying).collect();
        // Transfers of the underlying are nobody's business here.
        let ours = logs.iter().filter(|log| !tokens.contains(&log.address));
        let events = (0u32..).zip(ours).map(|(log_index, log)| {
            let at = LogRef {
                block_number: number,
                log_index,
                ..raw(log).at
            };
            let log = RawLog {
                at,
                block_timestamp: timestamp,
                ..raw(log)
            };
            Event {
                at,
                contract: log.address,
                body: EventBody::Lending {
                    market: address,
                    log: Box::new(log),
                },
            }
        });
        blocks.push_back(Block {
            at: BlockRef { number, timestamp },
            base_fee_per_gas: Some(0),
            events: events.collect(),
        });
        done.push((went, number));
    }
    (blocks, done)
}

/// Asks for what is own one block ahead, and writes down what it sees.
struct Script {
    market: Address,
    assets: Vec<Address>,
    own: VecDeque<Option<Action>>,
    sights: Rc<RefCell<Vec<Sight>>>,
}

impl Strategy for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        let venue = view.lending(self.market).expect("it is there");
        let sight = self.assets.iter().map(|asset| {
            let position = venue.position(*asset);
            (position.supplied, position.borrowed)
        });
        self.sights.borrow_mut().push(sight.collect());
        self.own.pop_front().flatten().into_iter().collect()
    }
}

fn backtest(
    genuine: &GenuineCompound,
    engine: Pool,
    steps: &[Step],
    blocks: VecDeque<Block>,
) -> (Vec<Sight>, BacktestOutput) {
    let markets = &genuine.markets()[..3];
    let assets: Vec<Address> = markets.iter().filter_map(|market| market.underlying).collect();
    let mut oracle = Oracle::default();
    for (place, market) in markets.iter().enumerate() {
        let value = mantissa(place, 100);
        oracle.set_source(market.c_token, PriceSource::Posted { value, at: None });
    }
    let tokens = markets
        .iter()
        .zip(&assets)
        .zip(DECIMALS)
        .map(|((market, asset), decimals)| {
            let underlying = *asset;
            (market.c_token, CompoundV2Token { underlying, decimals })
        });
    let address = genuine.comptroller();
    let poster = Some(genuine.oracle());
    let replay = CompoundV2Replay::new(Network::DEVNET, engine, tokens.collect(), oracle, poster);
    let mut recorded = Market::default();
    recorded.insert_lending(LendingMarket::CompoundV2(replay));
    let own = steps.iter().skip(1).map(|step| {
        let (place, ask) = step.own?;
        Some(ask.action(address, assets[place]))
    });
    let sights = Rc::new(RefCell::new(Vec::new()));
    let script = Script {
        market: address,
        assets: assets.clone(),
        own: own.collect(),
        sights: Rc::clone(&sights),
    };
    let output = own_account::backtest(recorded, blocks, &assets, script);
    (sights.take(), output)
}
