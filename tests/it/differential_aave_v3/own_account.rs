//! A strategy's own account in a backtest against the genuine bytecode: the history has only what others did, on the bytecode; the backtest
//! adds own supply and debt to it. On a second chain the bytecode does both. Everything own must be the same there to the last unit.

use super::{
    market::{USERS, engine, genuine, prices},
    raw,
};
use crate::own_account::{self, Ask};
use crate::random_sequences::{Dice, seeds_or, spread_over};
use alloy_primitives::{Address, B256, I256, U256, keccak256, map::HashMap};
use plimsoll_backtest::BacktestOutput;
use plimsoll_devnet::aave_v3::{Failure, GenuineMarket, Version};
use plimsoll_market::{AaveV3Contracts, AaveV3Replay, Event, EventBody, LendingMarket, Market, Oracle, PriceSource};
use plimsoll_protocols::{
    RawLog,
    aave_v3::{PoolEvent, Revert},
    chainlink::{AggregatorEvent, Answer},
};
use plimsoll_runtime::{Action, Block, LendingChange, LendingRates, Outcome, Strategy, View};
use plimsoll_units::{BlockRef, LogRef, Network, wad_ray_math::WAD};
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

/// Seeds of one run for each version, and blocks a seed.
const SEEDS: u64 = 12;
const BLOCKS: u64 = 150;
/// Others alone fill the reserves first.
const BEFORE_OWN: u64 = 40;
/// Who does on the second chain what the backtest does.
const OWN: Address = Address::repeat_byte(0x5a);

/// Before the first block.
const START: LogRef = LogRef {
    block_number: 0,
    transaction_index: 0,
    log_index: 0,
    transaction_hash: B256::ZERO,
};

/// One block: what happens to prices, who else does what, and what is own, at its top.
struct Step {
    seconds: u64,
    price: Option<(Address, U256)>,
    own: Option<(Address, Ask)>,
    other: Option<(Address, Address, Ask)>,
}

/// What is seen at a block's end: own supply and debt and the rates of every reserve, and own health.
#[derive(Debug, PartialEq, Eq)]
struct Sight {
    reserves: Vec<(U256, U256, LendingRates)>,
    health_factor_wad: Option<U256>,
}

#[test]
fn own_supply_and_debt_are_what_the_bytecode_of_3_0_2_makes_of_them() {
    plays(Version::V3_0_2);
}

#[test]
fn own_supply_and_debt_are_what_the_bytecode_of_3_6_0_makes_of_them() {
    plays(Version::V3_6_0);
}

fn plays(version: Version) {
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    for one in spread_over(seeds_or(SEEDS), |seed| sequence(seed, genuine(version))) {
        for (what, count) in one {
            *tally.entry(what).or_default() += count;
        }
    }
    for (what, count) in &tally {
        eprintln!("{count:>6} {what}");
    }
    for call in ["supply", "withdraw", "borrow", "repay", "liquidated"] {
        assert!(tally.contains_key(call), "no own {call} in any sequence");
    }
    for reason in [
        "borrow: CollateralCannotCoverNewBorrow",
        "withdraw: NotEnoughAvailableUserBalance",
        "withdraw: HealthFactorLowerThanLiquidationThreshold",
        "repay: NoDebtOfSelectedType",
    ] {
        assert!(tally.contains_key(reason), "no own call was refused: {reason}");
    }
}

/// Plays a history without own, the backtest over it, and a history with own; returns how own calls ended.
fn sequence(seed: u64, mut market: GenuineMarket) -> BTreeMap<String, u64> {
    market.endow(OWN).expect("an account");
    let assets: Vec<Address> = market.assets().into_iter().take(3).collect();
    let steps = steps(seed, &assets);

    let mut alone = market.clone();
    let (blocks, done) = record(&mut alone, &steps);
    let (sights, output) = backtest(&mut market.clone(), &assets, &steps, blocks);

    let mut tally = BTreeMap::new();
    let mut prices = prices(&market);
    let mut receipts = output.receipts.iter();
    let mut liquidations = output.liquidations.iter();
    for ((number, step), (done, sight)) in (1..).zip(&steps).zip(done.into_iter().zip(&sights)) {
        let doing = format!("seed {seed}, block {number}");
        market.wait(step.seconds);
        if let Some((asset, ask)) = step.own {
            let held = market.asset_balance(OWN, asset).expect("a view");
            let answer = carry_out(&mut market, OWN, asset, ask);
            let receipt = receipts.next().expect("each is executed");
            let what = receipt.action.name();
            assert_eq!(receipt.executed_block, number, "{doing}");
            let ended = match (&receipt.outcome, answer) {
                (Outcome::Filled(filled), Ok(())) => {
                    let now = market.asset_balance(OWN, asset).expect("a view");
                    let flow = filled.flows[0];
                    assert_eq!(held - flow.paid + flow.received, now, "{doing}: {what}");
                    what.to_owned()
                }
                (Outcome::Reverted { reason }, Err(Failure::Reverted(text))) => {
                    assert_eq!(reverted(market.version(), reason), text, "{doing}: {what} {reason}");
                    format!("{what}: {reason}")
                }
                (outcome, answer) => panic!("{doing}: {what}: the bytecode {answer:?}, the backtest {outcome:?}"),
            };
            *tally.entry(ended).or_default() += 1;
        }
        if let Some((asset, price)) = step.price {
            market.set_price(asset, price).expect("the owner may");
            prices.insert(asset, price);
        }
        if let Some((user, asset, ask)) = step.other.filter(|_| done)
            && let Err(failure) = carry_out(&mut market, user, asset, ask)
        {
            // Own debt has left too little for others, or own supply left no room: no history has both.
            let left = market
                .asset_balance(market.listing(asset).a_token, asset)
                .expect("a view");
            let too_much = matches!(ask, Ask::Borrow(amount) | Ask::Withdraw(amount) if amount > left);
            assert!(too_much, "{doing}: {failure:?}");
            *tally.entry("others could not be served".to_owned()).or_default() += 1;
            return tally;
        }
        while let Some((debt, collateral)) = liquidate(&mut market, &assets, &prices) {
            let ours = liquidations.next().unwrap_or_else(|| panic!("{doing}: not liquidated"));
            assert_eq!(
                ((ours.debt_asset, ours.debt_repaid), ours.collateral_asset, ours.block),
                (debt, collateral, number),
                "{doing}"
            );
            *tally.entry("liquidated".to_owned()).or_default() += 1;
        }
        let nothing_own = sight
            .reserves
            .iter()
            .all(|(supplied, borrowed, _)| (*supplied + *borrowed).is_zero());
        if nothing_own && tally.contains_key("withdraw") {
            // The recorded market is used again from here on.
            return tally;
        }
        assert_eq!(*sight, seen(&mut market, &assets), "{doing}");
    }
    assert_eq!(liquidations.next(), None, "seed {seed}");
    assert_eq!(output.profit.sum(), Some(output.profit.total));
    tally
}

/// Liquidates what is own once, if the bytecode allows it: as much as it takes of the largest debt for the largest collateral. Returns
/// the debt's asset with what was repaid, and the collateral's.
fn liquidate(
    market: &mut GenuineMarket,
    assets: &[Address],
    prices: &HashMap<Address, U256>,
) -> Option<((Address, U256), Address)> {
    let account = market.user_account_data(OWN).expect("a view");
    if account.healthFactor >= WAD {
        return None;
    }
    let places = (0..).zip(assets.iter().copied()).zip([18u8, 6, 8]);
    let (mut debts, mut collaterals) = (Vec::new(), Vec::new());
    let pledged = market.user_configuration(OWN).expect("a view");
    for ((id, asset), decimals) in places {
        let price = prices[&asset];
        let [supplied, borrowed] = market.balances(OWN, asset).expect("views");
        let worth = |amount: U256| amount * price * U256::from(10).pow(U256::from(18 - decimals));
        if !borrowed.is_zero() {
            debts.push((worth(borrowed), asset));
        }
        if !supplied.is_zero() && pledged.bit(2 * id + 1) {
            collaterals.push((worth(supplied), asset));
        }
    }
    for row in [&mut debts, &mut collaterals] {
        row.sort_by_key(|(worth, _)| std::cmp::Reverse(*worth));
    }
    for (_, debt) in debts {
        for (_, collateral) in &collaterals {
            for a_tokens in [false, true] {
                let liquidated = market.liquidate(USERS[0], *collateral, debt, OWN, U256::MAX, a_tokens);
                if liquidated.is_ok() {
                    let repaid = market.logs().iter().find_map(|log| match PoolEvent::decode(&raw(log)) {
                        Ok(PoolEvent::LiquidationCall(call)) => Some(call.debtToCover),
                        _ => None,
                    });
                    return Some(((debt, repaid.expect("it says so")), *collateral));
                }
            }
        }
    }
    None
}

fn steps(seed: u64, assets: &[Address]) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let whole = [18u8, 6, 8].map(|decimals| U256::from(10).pow(U256::from(decimals)));
    // About as much worth of each, in thousandths.
    let size = |dice: &mut Dice, place: usize, most: u64| {
        let thousands = U256::from(1 + dice.below(most));
        thousands * whole[place] * U256::from([10u64, 20_000, 1][place]) / U256::from([1_000u64, 1_000, 2_000][place])
            + U256::from(dice.below(1_000))
    };
    let mut steps = Vec::new();
    for block in 1..=BLOCKS {
        let place = usize::try_from(dice.below(3)).expect("small");
        let other = match dice.below(if block <= BEFORE_OWN { 4 } else { 9 }) {
            0 | 1 => Some(Ask::Supply(size(&mut dice, place, 200_000))),
            2 | 3 => Some(Ask::Borrow(size(&mut dice, place, 20_000))),
            4 => Some(Ask::Withdraw(size(&mut dice, place, 1_000))),
            5 => Some(Ask::Repay(size(&mut dice, place, 1_000))),
            _ => None,
        };
        let other = other.map(|ask| (dice.pick(&USERS), assets[place], ask));
        let place = usize::try_from(dice.below(3)).expect("small");
        let amount = |dice: &mut Dice, most| match dice.below(4) {
            0 => U256::MAX,
            _ => size(dice, place, most),
        };
        let own = match dice.below(8) {
            _ if block <= BEFORE_OWN => None,
            0 | 1 => Some(Ask::Supply(size(&mut dice, place, 60_000))),
            2 | 3 => Some(Ask::Borrow(size(&mut dice, place, 60_000))),
            4 => Some(Ask::Withdraw(amount(&mut dice, 30_000))),
            5 => Some(Ask::Repay(amount(&mut dice, 10_000))),
            _ => None,
        };
        // A fall of up to three fifths or a small rise, seldom.
        let price = (block > BEFORE_OWN && dice.below(12) == 0).then(|| {
            let place = usize::try_from(dice.below(3)).expect("small");
            let first = U256::from([2_000u64, 1, 40_000][place]) * U256::from(1_000_000);
            (assets[place], first * U256::from(40 + dice.below(71)))
        });
        steps.push(Step {
            price,
            seconds: [1, 12, 3_600, 604_800][usize::try_from(dice.below(4)).expect("small")],
            own: own.map(|ask| (assets[place], ask)),
            other,
        });
    }
    steps
}

fn carry_out(market: &mut GenuineMarket, user: Address, asset: Address, ask: Ask) -> Result<(), Failure> {
    match ask {
        Ask::Supply(amount) => market.supply(user, asset, amount, user),
        Ask::Withdraw(amount) => market.withdraw(user, asset, amount, user).map(|_| ()),
        Ask::Borrow(amount) => market.borrow(user, asset, amount, user),
        Ask::Repay(amount) => market.repay(user, asset, amount, user).map(|_| ()),
    }
}

/// Others alone: the blocks as a source tells them, and whose call went through.
fn record(market: &mut GenuineMarket, steps: &[Step]) -> (VecDeque<Block>, Vec<bool>) {
    let address = market.pool();
    let feeds: Vec<Address> = market.listings().iter().map(|listing| listing.price_source).collect();
    let (mut blocks, mut done) = (VecDeque::new(), Vec::new());
    for (number, step) in (1..).zip(steps) {
        market.wait(step.seconds);
        let mut logs = Vec::new();
        if let Some((asset, price)) = step.price {
            market.set_price(asset, price).expect("the owner may");
            logs.extend(market.logs().to_vec());
        }
        let went = step.other.is_some_and(|(user, asset, ask)| {
            // All of a debt is another amount beside own debt; the backtest has others repay what the record says.
            let [_, debt] = market.balances(user, asset).expect("views");
            let is_all = matches!(ask, Ask::Repay(amount) if amount >= debt / U256::from(2));
            !is_all && carry_out(market, user, asset, ask).is_ok()
        });
        let timestamp = Some(market.now());
        if went {
            logs.extend(market.logs().to_vec());
        }
        let events = (0u32..).zip(&logs).map(|(log_index, log)| {
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
            let body = match AggregatorEvent::decode(&log) {
                Ok(Some(event)) if feeds.contains(&log.address) => EventBody::Aggregator(event),
                _ => EventBody::Lending {
                    market: address,
                    log: Box::new(log.clone()),
                },
            };
            Event {
                at,
                contract: log.address,
                body,
            }
        });
        // Transfers of the underlying are nobody's business here.
        let assets = market.assets();
        blocks.push_back(Block {
            at: BlockRef { number, timestamp },
            base_fee_per_gas: Some(0),
            events: events.filter(|event| !assets.contains(&event.contract)).collect(),
        });
        done.push(went);
    }
    (blocks, done)
}

/// Asks for what is own one block ahead, and writes down what it sees.
struct Script {
    market: Address,
    assets: Vec<Address>,
    own: BTreeMap<u64, Action>,
    sights: Rc<RefCell<Vec<Sight>>>,
}

impl Strategy for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        let venue = view.lending(self.market).expect("it is there");
        let reserves = self.assets.iter().map(|asset| {
            let position = venue.position(*asset);
            let rates = venue.rates_after(*asset, LendingChange::None).expect("rates");
            (position.supplied, position.borrowed, rates)
        });
        self.sights.borrow_mut().push(Sight {
            reserves: reserves.collect(),
            health_factor_wad: venue.health_factor_wad(),
        });
        self.own.remove(&(view.block().number + 1)).into_iter().collect()
    }
}

fn backtest(
    market: &mut GenuineMarket,
    assets: &[Address],
    steps: &[Step],
    blocks: VecDeque<Block>,
) -> (Vec<Sight>, BacktestOutput) {
    let mut oracle = Oracle::default();
    for asset in market.assets() {
        let aggregator = market.listing(asset).price_source;
        oracle.set_source(asset, PriceSource::Feed { aggregator, scale: 0 });
    }
    let address = market.pool();
    let replay = AaveV3Replay::new(Network::DEVNET, engine(market), AaveV3Contracts::default(), oracle);
    let mut recorded = Market::default();
    for (asset, price) in prices(market) {
        let answer = Answer {
            value: I256::from_raw(price),
            round_id: U256::ZERO,
            updated_at: 0,
        };
        let event = Event {
            at: START,
            contract: market.listing(asset).price_source,
            body: EventBody::Aggregator(AggregatorEvent::AnswerUpdated(answer)),
        };
        recorded.apply(&event).expect("an answer");
    }
    recorded.insert_lending(LendingMarket::AaveV3(replay));
    let own = (1..).zip(steps).filter_map(|(number, step)| {
        let (asset, ask) = step.own?;
        Some((number, ask.action(address, asset)))
    });
    let sights = Rc::new(RefCell::new(Vec::new()));
    let script = Script {
        market: address,
        assets: assets.to_vec(),
        own: own.collect(),
        sights: Rc::clone(&sights),
    };
    let output = own_account::backtest(recorded, blocks, assets, script);
    (sights.take(), output)
}

fn seen(market: &mut GenuineMarket, assets: &[Address]) -> Sight {
    let account = market.user_account_data(OWN).expect("a view");
    let reserves = assets.iter().map(|asset| {
        let [supplied, borrowed] = market.balances(OWN, *asset).expect("views");
        let state = market.reserve(*asset).expect("views");
        let rates = LendingRates {
            supply_ray: U256::from(state.liquidity_rate),
            borrow_ray: U256::from(state.variable_borrow_rate),
        };
        (supplied, borrowed, rates)
    });
    Sight {
        reserves: reserves.collect(),
        health_factor_wad: (account.healthFactor != U256::MAX).then_some(account.healthFactor),
    }
}

/// What the bytecode answers for a reason that the backtest names.
fn reverted(version: Version, reason: &str) -> String {
    use plimsoll_protocols::aave_v3::Errors;
    if reason == Revert::Overflow.to_string() {
        // `Panic(uint256)`: more is borrowed or withdrawn than there is.
        return "0x4e487b71".to_owned();
    }
    let error = Errors::ALL.iter().find(|error| error.name() == reason);
    let error = error.unwrap_or_else(|| panic!("{reason} is no error of the contract's"));
    match version {
        Version::V3_0_2 => error.code().to_owned(),
        Version::V3_6_0 => alloy_primitives::hex::encode_prefixed(&keccak256(format!("{}()", error.name()))[..4]),
    }
}
