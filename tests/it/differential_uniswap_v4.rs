//! Random sequences on the published pool manager and on the engine's pool: every number and event equal, every revert for
//! the same reason.

use alloy_primitives::{Address, B256, I256, U256, aliases::U24};
use plimsoll_devnet::uniswap_v3::{Failure, i24, u160};
use plimsoll_devnet::uniswap_v4::{
    Creation, GenuineManager, ManagerCalls as calls, ManagerCalls::*, OWNER, TOKENS, TRADER, ViewCalls::*, halves,
    specified,
};
use plimsoll_devnet::{Chain, Evm};
use plimsoll_protocols::RawLog;
use plimsoll_protocols::uniswap_v4::{
    Amount, BalanceDelta, DYNAMIC_FEE, LiquidityChange, Pool, PoolEvent, PoolKey, PositionKey, ProtocolFee,
    ProtocolFees, Revert, SwapRecord, max_liquidity_per_tick,
};
use plimsoll_units::{LogRef, Side, SqrtPriceX96, Tick};

use super::random_sequences::{Dice, Ended, Twice, compare, play, run, run_on_nodes};

const FEES: [u32; 7] = [100, 500, 3000, 10_000, 0, 999_999, 1_000_000];
const SPACINGS: [i32; 5] = [1, 10, 60, 200, 32_767];

#[test]
fn the_engine_does_what_the_pool_manager_does() {
    let creation = Creation::fetch().unwrap_or_else(|error| panic!("{error}"));
    run(|seed| play(Pair::new(seed, Evm::new(OWNER), &creation)));
}

#[test]
fn the_engine_does_what_the_pool_manager_does_on_a_node() {
    let creation = Creation::fetch().unwrap_or_else(|error| panic!("{error}"));
    run_on_nodes(OWNER, |seed, node| play(Pair::new(seed, node, &creation)));
}

/// The same pool twice.
struct Pair<C = Evm> {
    dice: Dice,
    genuine: GenuineManager<C>,
    engine: Pool,
    fees: ProtocolFees,
    positions: Vec<PositionKey>,
    seed: u64,
    /// For messages.
    doing: String,
}

/// What a call answers, and the event it emits.
type Done = (Vec<i128>, Option<PoolEvent>);
/// What the bytecode and the engine answer.
type Both = (Result<Done, Failure>, Result<Done, Revert>);

impl<C: Chain> Pair<C> {
    fn new(seed: u64, chain: C, creation: &Creation) -> Self {
        let mut dice = Dice::new(seed);
        let fee = match dice.below(4) {
            0 => small(&mut dice, 1_000_001),
            _ => dice.pick(&FEES),
        };
        let tick_spacing = match dice.below(4) {
            0 => 1 + i32::try_from(dice.below(32_767)).expect("small"),
            _ => dice.pick(&SPACINGS),
        };
        let key = PoolKey {
            currency0: TOKENS[0],
            currency1: TOKENS[1],
            fee,
            tick_spacing,
            hooks: Address::ZERO,
        };
        Self {
            dice,
            genuine: GenuineManager::deploy_on(chain, creation),
            engine: Pool::new(key).expect("no hook"),
            fees: ProtocolFees::default(),
            positions: Vec::new(),
            seed,
            doing: String::new(),
        }
    }

    fn saying(&self) -> String {
        let key = self.engine.key();
        format!(
            "seed {}, fee {}, spacing {}: {}",
            self.seed, key.fee, key.tick_spacing, self.doing
        )
    }

    /// The event that the last call emitted about the pool, as the engine decodes it.
    fn event(&self) -> Option<PoolEvent> {
        let mut logs = self.genuine.logs();
        let log = logs.next()?;
        assert_eq!(logs.next(), None, "one event a call");
        let raw = RawLog {
            at: LogRef {
                block_number: 1,
                transaction_index: 0,
                log_index: 0,
                transaction_hash: B256::ZERO,
            },
            block_timestamp: None,
            address: log.address,
            topics: log.topics().to_vec(),
            data: log.data.data.clone(),
        };
        let (id, event) = PoolEvent::decode(&raw).expect("a genuine log").expect("about a pool");
        assert_eq!(id, self.engine.key().id());
        Some(event)
    }

    fn initialize(&mut self) -> Both {
        let price = self.dice.price();
        self.doing = format!("initialize at {price}");
        let key = *self.engine.key();
        let call = initializeCall {
            key: abi(&key),
            sqrtPriceX96: u160(price),
        };
        let genuine = self.genuine.call_as_owner(&call);
        let genuine = genuine.map(|tick| (vec![tick.as_i32().into()], self.event()));
        let sqrt_price = SqrtPriceX96::new(price).expect("160 bits");
        let engine = self.engine.initialize(sqrt_price).map(|tick| {
            let event = PoolEvent::Initialize { key, sqrt_price, tick };
            (vec![tick.get().into()], Some(event))
        });
        (genuine, engine)
    }

    /// A key that the manager may refuse; its pool is never used.
    fn initialize_another(&mut self) -> Both {
        let mut key = *self.engine.key();
        match self.dice.below(5) {
            0 => key.tick_spacing = self.dice.pick(&[-1, 0, 32_768, -8_388_608, 8_388_607]),
            1 => key.currency1 = self.dice.pick(&[key.currency0, Address::ZERO]),
            2 => key.fee = self.dice.pick(&[1_000_001, DYNAMIC_FEE, DYNAMIC_FEE + 1, 0xff_ffff]),
            _ => {}
        }
        if self.dice.below(3) > 0 {
            // Without the permissions that have the manager call it when a pool begins: there is no code to call.
            let bits = u16::try_from(self.dice.below(1 << 12)).expect("small");
            let bits = if self.dice.below(4) == 0 { 0 } else { bits };
            let salt = self.dice.bits(64) + U256::ONE;
            key.hooks = Address::from_word(B256::from((salt << 16) | U256::from(bits)));
        } else if key == *self.engine.key() {
            key.fee = DYNAMIC_FEE;
        }
        // A price that has no tick comes last of all demands, and keeps what is left of the pools out of the way.
        self.doing = format!("initialize {key:?} without a price");
        let call = initializeCall {
            key: abi(&key),
            sqrtPriceX96: u160(U256::ZERO),
        };
        let genuine = self.genuine.call_as_owner(&call).map(|_| (Vec::new(), None));
        let engine = key.validate().and(Err(Revert("InvalidSqrtPrice")));
        (genuine, engine)
    }

    fn add(&mut self) -> Both {
        let spacing = self.engine.key().tick_spacing;
        let (lower, upper) = self.dice.range(self.engine.tick(), spacing);
        let position = key(lower, upper, self.dice.below(3));
        let most = max_liquidity_per_tick(spacing);
        let amount: u128 = if self.dice.below(10) == 0 {
            // Around what the tick still holds.
            let room = most.saturating_sub(self.engine.ticks().get(lower).liquidity_gross);
            (room + 1).saturating_sub(u128::from(self.dice.below(4)))
        } else {
            self.dice.amount(&[20, 64, 90, 127]).to()
        };
        self.positions.push(position);
        self.modify(position, i128::try_from(amount).unwrap_or(i128::MAX))
    }

    fn remove(&mut self) -> Both {
        if self.positions.is_empty() {
            return self.swap();
        }
        let position = self.dice.pick(&self.positions);
        let held = self.engine.position(&position).map_or(0, |position| position.liquidity);
        let amount = match self.dice.below(5) {
            0 => held,
            1 => 0,
            2 => held / 2,
            3 => held.saturating_add(1),
            _ => self.dice.bits(127).to(),
        };
        self.modify(position, -i128::try_from(amount).unwrap_or(i128::MAX))
    }

    fn modify(&mut self, position: PositionKey, delta: i128) -> Both {
        self.doing = format!("modify {position:?} by {delta}");
        let call = modifyLiquidityCall {
            key: abi(self.engine.key()),
            params: calls::ModifyLiquidityParams {
                tickLower: i24(position.lower.get()),
                tickUpper: i24(position.upper.get()),
                liquidityDelta: I256::try_from(delta).expect("fits"),
                salt: position.salt,
            },
            hookData: Default::default(),
        };
        let genuine = self.genuine.call(&call).map(|moved| {
            let amounts = [halves(moved.callerDelta), halves(moved.feesAccrued)];
            (amounts.concat(), self.event())
        });
        let engine = self.engine.modify_liquidity(position, delta).map(|(all, fees)| {
            let change = LiquidityChange { position, delta };
            let amounts = [amounts(all), amounts(fees)].concat();
            (amounts, Some(PoolEvent::ModifyLiquidity(change)))
        });
        (genuine, engine)
    }

    fn set_protocol_fee(&mut self) -> Both {
        let [zero_for_one, one_for_zero] = [0, 0].map(|_: u8| match self.dice.below(3) {
            0 => 0,
            _ => u16::try_from(self.dice.below(1050)).expect("small"),
        });
        let fee = ProtocolFee {
            zero_for_one,
            one_for_zero,
        };
        self.doing = format!("set {fee:?}");
        let call = setProtocolFeeCall {
            key: abi(self.engine.key()),
            newProtocolFee: U24::from(fee.to_packed()),
        };
        let genuine = self.genuine.call_as_owner(&call).map(|_| (Vec::new(), self.event()));
        let engine = self.engine.set_protocol_fee(fee);
        let event = PoolEvent::ProtocolFeeUpdated(fee);
        (genuine, engine.map(|()| (Vec::new(), Some(event))))
    }

    fn collect_protocol_fees(&mut self) -> Both {
        let currency = self.dice.pick(&TOKENS);
        let accrued = self.fees.accrued(currency);
        let amount = match self.dice.below(4) {
            0 => U256::ZERO,
            1 => accrued,
            2 => accrued >> 1,
            _ => self.dice.bits(100),
        };
        self.doing = format!("collect {amount} of {accrued} protocol fees in {currency}");
        let call = collectProtocolFeesCall {
            recipient: TRADER,
            currency,
            amount,
        };
        let word = |paid: U256| (vec![i128::try_from(paid).expect("fees of 127 bits")], None);
        let genuine = self.genuine.call_as_owner(&call).map(word);
        (genuine, self.fees.collect(currency, amount).map(word))
    }

    fn donate(&mut self) -> Both {
        let [amount0, amount1] = [0, 0].map(|_: u8| self.dice.amount(&[1, 60, 100, 128]));
        self.doing = format!("donate {amount0} and {amount1}");
        let call = donateCall {
            key: abi(self.engine.key()),
            amount0,
            amount1,
            hookData: Default::default(),
        };
        let genuine = self
            .genuine
            .call(&call)
            .map(|delta| (halves(delta).to_vec(), self.event()));
        let engine = self.engine.donate(amount0, amount1);
        let event = PoolEvent::Donate { amount0, amount1 };
        (genuine, engine.map(|given| (amounts(given).to_vec(), Some(event))))
    }

    fn swap(&mut self) -> Both {
        let token_in = self.dice.pick(&[Side::Token0, Side::Token1]);
        let exact_in = self.dice.below(3) > 0;
        let amount = match self.dice.below(60) {
            0 => U256::ZERO,
            _ => self.dice.amount(&[30, 60, 90, 128, 255]),
        };
        let limit = self.dice.limit(self.engine.sqrt_price(), token_in);
        let limit = if self.dice.below(40) == 0 {
            // At and beyond either end.
            let end = self.dice.pick(&[SqrtPriceX96::MIN.get(), SqrtPriceX96::MAX.get()]);
            end + U256::ONE - U256::from(self.dice.below(3))
        } else {
            limit
        };
        self.doing = format!("swap of {token_in:?}, exact in {exact_in}, {amount}, to {limit}");
        let call = swapCall {
            key: abi(self.engine.key()),
            params: calls::SwapParams {
                zeroForOne: token_in == Side::Token0,
                amountSpecified: specified(amount, exact_in),
                sqrtPriceLimitX96: u160(limit),
            },
            hookData: Default::default(),
        };
        let genuine = self
            .genuine
            .call(&call)
            .map(|delta| (halves(delta).to_vec(), self.event()));
        let amount = if exact_in {
            Amount::ExactIn(amount)
        } else {
            Amount::ExactOut(amount)
        };
        let limit = SqrtPriceX96::new(limit).expect("160 bits");
        let engine = self.engine.swap(token_in, amount, Some(limit)).map(|outcome| {
            let currency = match token_in {
                Side::Token0 => self.engine.key().currency0,
                Side::Token1 => self.engine.key().currency1,
            };
            self.fees.accrue(currency, outcome.protocol_fee);
            let delta = BalanceDelta::of_swap(&outcome).expect("127 bits");
            let record = SwapRecord {
                delta,
                sqrt_price: outcome.sqrt_price,
                liquidity: outcome.liquidity,
                tick: outcome.tick,
                fee_pips: self.engine.swap_fee(token_in),
            };
            (amounts(delta).to_vec(), Some(PoolEvent::Swap(record)))
        });
        (genuine, engine)
    }
}

impl<C: Chain> Twice for Pair<C> {
    fn step(&mut self, operation: u64) -> bool {
        let before = (self.engine.clone(), self.fees.clone());
        // Now and then a sequence starts with calls on a pool that has no price yet.
        let kind = if operation == self.seed % 4 {
            0
        } else {
            self.dice.below(24)
        };
        let (genuine, engine) = match kind {
            0 => self.initialize(),
            1 => self.initialize_another(),
            2..=6 => self.add(),
            7..=10 => self.remove(),
            11 => self.set_protocol_fee(),
            12 => self.collect_protocol_fees(),
            13 | 14 => self.donate(),
            _ => self.swap(),
        };
        let doing = format!("{}, operation {operation}", self.saying());
        let ended = compare(genuine, engine.map_err(|revert| revert.0), &doing);
        match ended {
            Ended::Alike => {}
            Ended::Reverted => assert_eq!(
                (&self.engine, &self.fees),
                (&before.0, &before.1),
                "{doing}: a revert leaves no trace"
            ),
            Ended::TooLong => (self.engine, self.fees) = before,
        }
        ended == Ended::Reverted
    }

    /// Price, tick, fees, liquidity, fee growth and protocol fees.
    fn compare_pool(&mut self) {
        let (id, doing) = (self.engine.key().id(), self.saying());
        let (genuine, engine) = (&mut self.genuine, &self.engine);
        let slot0 = genuine.read_state(&getSlot0Call { poolId: id }).expect("a view");
        let price = engine.sqrt_price().map_or(U256::ZERO, SqrtPriceX96::get);
        assert_eq!(
            (U256::from(slot0.sqrtPriceX96), slot0.tick.as_i32()),
            (price, engine.tick().get()),
            "{doing}"
        );
        assert_eq!(
            (slot0.protocolFee.to::<u32>(), slot0.lpFee.to::<u32>()),
            (engine.protocol_fee().to_packed(), engine.lp_fee()),
            "{doing}"
        );
        assert_eq!(
            genuine.read_state(&getLiquidityCall { poolId: id }),
            Ok(engine.liquidity()),
            "{doing}"
        );
        let growth = genuine
            .read_state(&getFeeGrowthGlobalsCall { poolId: id })
            .expect("a view");
        let ours = engine.fee_growth_global();
        assert_eq!((growth.growth0, growth.growth1), (ours.token0, ours.token1), "{doing}");
        for currency in TOKENS {
            let accrued = genuine.read(&protocolFeesAccruedCall { currency });
            assert_eq!(accrued, Ok(self.fees.accrued(currency)), "{doing}");
        }
    }

    fn compare_everything(&mut self) {
        let (id, doing) = (self.engine.key().id(), self.saying());
        for position in std::mem::take(&mut self.positions) {
            for tick in [position.lower, position.upper] {
                let call = getTickInfoCall {
                    poolId: id,
                    tick: i24(tick.get()),
                };
                let theirs = self.genuine.read_state(&call).expect("a view");
                let ours = self.engine.ticks().get(tick.get());
                assert_eq!(
                    (theirs.liquidityGross, theirs.liquidityNet),
                    (ours.liquidity_gross, ours.liquidity_net),
                    "{doing}: tick {tick}"
                );
                let outside = ours.fee_growth_outside;
                assert_eq!(
                    (theirs.outside0, theirs.outside1),
                    (outside.token0, outside.token1),
                    "{doing}: tick {tick}"
                );
            }
            let call = getPositionInfoCall {
                poolId: id,
                owner: position.owner,
                tickLower: i24(position.lower.get()),
                tickUpper: i24(position.upper.get()),
                salt: position.salt,
            };
            let theirs = self.genuine.read_state(&call).expect("a view");
            let ours = self.engine.position(&position).copied().unwrap_or_default();
            let inside = ours.fee_growth_inside_last;
            assert_eq!(
                (theirs.liquidity, theirs.inside0, theirs.inside1),
                (ours.liquidity, inside.token0, inside.token1),
                "{doing}: {position:?}"
            );
        }
    }
}

fn small(dice: &mut Dice, below: u64) -> u32 {
    u32::try_from(dice.below(below)).expect("small")
}

fn key(lower: i32, upper: i32, salt: u64) -> PositionKey {
    PositionKey {
        owner: TRADER,
        lower: Tick::clamped(lower),
        upper: Tick::clamped(upper),
        salt: B256::from(U256::from(salt)),
    }
}

fn amounts(delta: BalanceDelta) -> [i128; 2] {
    [delta.amount0, delta.amount1]
}

fn abi(key: &PoolKey) -> calls::PoolKey {
    calls::PoolKey {
        currency0: key.currency0,
        currency1: key.currency1,
        fee: U24::from(key.fee),
        tickSpacing: i24(key.tick_spacing),
        hooks: key.hooks,
    }
}
