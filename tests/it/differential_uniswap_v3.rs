//! Random sequences on the published pool bytecode and on the engine's pool: every number equal, every revert for the same reason.

use alloy_primitives::{Bytes, I256, U256};
use plimsoll_devnet::uniswap_v3::{
    Failure, GenuinePool, OWNER, PAYER, PoolCalls::*, i24, pays, position_key, specified, u160,
};
use plimsoll_devnet::{Chain, Evm, UNISWAP_V3_CORE, creation_code};
use plimsoll_protocols::uniswap_v3::{Amount, FeeProtocol, Pool, PoolParams, PositionKey, Revert, factory::FEE_TIERS};
use plimsoll_units::{Side, SqrtPriceX96, Tick};

use super::random_sequences::{Dice, Ended, Twice, compare, play, run, run_on_nodes};

fn factory_code() -> Bytes {
    let artifact = "artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";
    creation_code(&UNISWAP_V3_CORE, artifact).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_engine_does_what_the_bytecode_does() {
    let code = factory_code();
    run(|seed| play(Pair::new(seed, Evm::new(OWNER), &code)));
}

#[test]
fn the_engine_does_what_the_bytecode_does_on_a_node() {
    let code = factory_code();
    run_on_nodes(OWNER, |seed, node| play(Pair::new(seed, node, &code)));
}

/// The same pool twice.
struct Pair<C = Evm> {
    dice: Dice,
    genuine: GenuinePool<C>,
    engine: Pool,
    spacing: i32,
    ranges: Vec<(i32, i32)>,
    /// For messages.
    doing: String,
}

type Words = Vec<I256>;

impl<C: Chain> Pair<C> {
    fn new(seed: u64, chain: C, factory_code: &Bytes) -> Self {
        let mut dice = Dice::new(seed);
        let tier = dice.pick(&FEE_TIERS);
        let genuine = GenuinePool::deploy_on(chain, factory_code.clone(), tier.fee_pips, tier.tick_spacing);
        let params = PoolParams::new(tier.fee_pips, tier.tick_spacing).expect("a tier");
        let doing = format!("seed {seed}, fee {}", tier.fee_pips);
        Self {
            dice,
            genuine,
            engine: Pool::new(params),
            spacing: tier.tick_spacing,
            ranges: Vec::new(),
            doing,
        }
    }

    fn range(&mut self) -> Option<(i32, i32)> {
        (!self.ranges.is_empty()).then(|| self.dice.pick(&self.ranges))
    }

    fn initialize(&mut self) -> Both {
        let price = self.dice.price();
        self.doing(format!("initialize at {price}"));
        let genuine = self
            .genuine
            .call(&initializeCall {
                sqrtPriceX96: u160(price),
            })
            .map(|_| Words::new());
        let engine = SqrtPriceX96::new(price).map_or(Err(Revert("R")), |price| self.engine.initialize(price));
        (genuine, engine.map(|_| Words::new()))
    }

    fn mint(&mut self) -> Both {
        let (lower, upper) = self.dice.range(self.engine.tick(), self.spacing);
        let amount: u128 = self.dice.amount(&[20, 64, 90, 127]).to();
        self.doing(format!("mint {amount} in {lower}..{upper}"));
        self.ranges.push((lower, upper));
        let (tick_lower, tick_upper) = (i24(lower), i24(upper));
        let call = mintCall {
            recipient: PAYER,
            tickLower: tick_lower,
            tickUpper: tick_upper,
            amount,
            data: Bytes::new(),
        };
        let genuine = self.genuine.call(&call).map(|paid| words([paid.amount0, paid.amount1]));
        (
            genuine,
            self.engine
                .mint(key(lower, upper), amount)
                .map(|paid| words([paid.0, paid.1])),
        )
    }

    fn burn(&mut self) -> Both {
        let Some((lower, upper)) = self.range() else {
            return self.swap();
        };
        let held = self
            .engine
            .position(&key(lower, upper))
            .map_or(0, |position| position.liquidity);
        let amount = match self.dice.below(4) {
            0 => held,
            1 => 0,
            2 => held / 2,
            _ => self.dice.bits(100).to(),
        };
        self.doing(format!("burn {amount} of {held} in {lower}..{upper}"));
        let call = burnCall {
            tickLower: i24(lower),
            tickUpper: i24(upper),
            amount,
        };
        let genuine = self.genuine.call(&call).map(|got| words([got.amount0, got.amount1]));
        (
            genuine,
            self.engine
                .burn(key(lower, upper), amount)
                .map(|got| words([got.0, got.1])),
        )
    }

    fn collect(&mut self) -> Both {
        let Some((lower, upper)) = self.range() else {
            return self.swap();
        };
        let (amount0, amount1): (u128, u128) = (self.dice.bits(128).to(), self.dice.bits(128).to());
        self.doing(format!("collect {amount0} and {amount1} in {lower}..{upper}"));
        let (tick_lower, tick_upper) = (i24(lower), i24(upper));
        let call = collectCall {
            recipient: PAYER,
            tickLower: tick_lower,
            tickUpper: tick_upper,
            amount0,
            amount1,
        };
        let genuine = self.genuine.call(&call).map(|paid| words([paid.paid0, paid.paid1]));
        let engine = self.engine.collect(&key(lower, upper), amount0, amount1);
        (genuine, engine.map(|paid| words([paid.0, paid.1])))
    }

    fn set_fee_protocol(&mut self) -> Both {
        let [token0, token1] = [0, 0].map(|_: u8| u8::try_from(self.dice.below(12)).expect("small"));
        self.doing(format!("protocol fees 1/{token0} and 1/{token1}"));
        let call = setFeeProtocolCall {
            feeProtocol0: token0,
            feeProtocol1: token1,
        };
        let genuine = self.genuine.call_as_owner(&call).map(|_| Words::new());
        (
            genuine,
            self.engine
                .set_fee_protocol(FeeProtocol { token0, token1 })
                .map(|()| Words::new()),
        )
    }

    fn collect_protocol(&mut self) -> Both {
        let (amount0, amount1): (u128, u128) = (self.dice.bits(128).to(), self.dice.bits(128).to());
        self.doing(format!("collect protocol fees {amount0} and {amount1}"));
        let call = collectProtocolCall {
            recipient: PAYER,
            amount0,
            amount1,
        };
        let genuine = self
            .genuine
            .call_as_owner(&call)
            .map(|paid| words([paid.paid0, paid.paid1]));
        let engine = self.engine.collect_protocol(amount0, amount1);
        (genuine, engine.map(|paid| words([paid.0, paid.1])))
    }

    /// Borrows nothing, so that no balance is needed, or little; pays the fee, more, or less.
    fn flash(&mut self) -> Both {
        let lent = [0, 0].map(|_: u8| self.dice.amount(&[1, 40, 80]));
        let fee = |amount: U256| (amount * U256::from(self.engine.params().fee_pips)).div_ceil(U256::from(1_000_000));
        let due = lent.map(fee);
        let paid = due.map(|due| match self.dice.below(5) {
            0 => due.saturating_sub(U256::ONE),
            1 => due + self.dice.bits(60),
            _ => due,
        });
        self.doing(format!("flash of {lent:?}, paying {paid:?}"));
        let data = pays(lent[0] + paid[0], lent[1] + paid[1]);
        let call = flashCall {
            recipient: PAYER,
            amount0: lent[0],
            amount1: lent[1],
            data,
        };
        let genuine = self.genuine.call(&call).map(|_| Words::new());
        (
            genuine,
            self.engine
                .flash((lent[0], lent[1]), (paid[0], paid[1]))
                .map(|()| Words::new()),
        )
    }

    fn swap(&mut self) -> Both {
        let token_in = if self.dice.below(2) == 0 {
            Side::Token0
        } else {
            Side::Token1
        };
        let exact_in = self.dice.below(3) > 0;
        let amount = self.dice.amount(&[30, 60, 90, 128, 255]);
        let limit = self.dice.limit(self.engine.sqrt_price(), token_in);
        self.doing(format!(
            "swap of {token_in:?}, exact in {exact_in}, {amount}, to {limit}"
        ));
        let call = swapCall {
            recipient: PAYER,
            zeroForOne: token_in == Side::Token0,
            amountSpecified: specified(amount, exact_in),
            sqrtPriceLimitX96: u160(limit),
            data: Bytes::new(),
        };
        let genuine = self.genuine.call(&call).map(|moved| vec![moved.amount0, moved.amount1]);
        let amount = if exact_in {
            Amount::ExactIn(amount)
        } else {
            Amount::ExactOut(amount)
        };
        let limit = SqrtPriceX96::new(limit).expect("160 bits");
        let engine = self.engine.swap(token_in, amount, Some(limit));
        (genuine, engine.map(|outcome| vec![outcome.amount0, outcome.amount1]))
    }

    fn doing(&mut self, what: String) {
        let seed = self.doing.split(':').next().unwrap_or_default().to_owned();
        self.doing = format!("{seed}: {what}");
    }
}

impl<C: Chain> Twice for Pair<C> {
    fn step(&mut self, operation: u64) -> bool {
        let before = self.engine.clone();
        let kind = if operation == 0 { 0 } else { self.dice.below(24) };
        let (genuine, engine) = match kind {
            0 => self.initialize(),
            1..=5 => self.mint(),
            6..=8 => self.burn(),
            9 => self.collect(),
            10 => self.set_fee_protocol(),
            11 => self.collect_protocol(),
            12 | 13 => self.flash(),
            _ => self.swap(),
        };
        let doing = format!("{}, operation {operation}", self.doing);
        let ended = compare(genuine, engine.map_err(|revert| revert.0), &doing);
        match ended {
            Ended::Alike => {}
            Ended::Reverted => assert_eq!(self.engine, before, "{doing}: a revert leaves no trace"),
            Ended::TooLong => self.engine = before,
        }
        ended == Ended::Reverted
    }

    /// Price, tick, liquidity, fee growth and protocol fees.
    fn compare_pool(&mut self) {
        let (genuine, engine, doing) = (&mut self.genuine, &self.engine, &self.doing);
        let slot0 = genuine.read(&slot0Call {}).expect("a view");
        let price = engine.sqrt_price().map_or(U256::ZERO, SqrtPriceX96::get);
        assert_eq!(
            (U256::from(slot0.sqrtPriceX96), slot0.tick.as_i32()),
            (price, engine.tick().get()),
            "{doing}"
        );
        assert_eq!(slot0.feeProtocol, engine.fee_protocol().to_byte(), "{doing}");
        assert_eq!(genuine.read(&liquidityCall {}), Ok(engine.liquidity()), "{doing}");
        let growth = engine.fee_growth_global();
        assert_eq!(genuine.read(&feeGrowthGlobal0X128Call {}), Ok(growth.token0), "{doing}");
        assert_eq!(genuine.read(&feeGrowthGlobal1X128Call {}), Ok(growth.token1), "{doing}");
        let fees = genuine.read(&protocolFeesCall {}).expect("a view");
        assert_eq!((fees.token0, fees.token1), engine.protocol_fees(), "{doing}");
    }

    fn compare_everything(&mut self) {
        let doing = self.doing.clone();
        for (lower, upper) in std::mem::take(&mut self.ranges) {
            for tick in [lower, upper] {
                let theirs = self.genuine.read(&ticksCall { tick: i24(tick) }).expect("a view");
                let ours = self.engine.ticks().get(tick);
                assert_eq!(
                    (theirs.liquidityGross, theirs.liquidityNet),
                    (ours.liquidity_gross, ours.liquidity_net),
                    "{doing}"
                );
                let outside = ours.fee_growth_outside;
                let theirs = (theirs.feeGrowthOutside0X128, theirs.feeGrowthOutside1X128);
                assert_eq!(theirs, (outside.token0, outside.token1), "{doing}: tick {tick}");
            }
            let theirs = self
                .genuine
                .read(&positionsCall {
                    key: position_key(lower, upper),
                })
                .expect("a view");
            let ours = self.engine.position(&key(lower, upper)).copied().unwrap_or_default();
            assert_eq!(theirs.liquidity, ours.liquidity, "{doing}");
            assert_eq!(
                (theirs.tokensOwed0, theirs.tokensOwed1),
                (ours.tokens_owed0, ours.tokens_owed1),
                "{doing}"
            );
            let inside = ours.fee_growth_inside_last;
            let theirs = (theirs.feeGrowthInside0LastX128, theirs.feeGrowthInside1LastX128);
            assert_eq!(
                theirs,
                (inside.token0, inside.token1),
                "{doing}: position {lower}..{upper}"
            );
        }
    }
}

/// What the bytecode and the engine answer.
type Both = (Result<Words, Failure>, Result<Words, Revert>);

fn key(lower: i32, upper: i32) -> PositionKey {
    PositionKey {
        owner: PAYER,
        lower: Tick::clamped(lower),
        upper: Tick::clamped(upper),
    }
}

fn words<T>(amounts: [T; 2]) -> Words
where
    U256: alloy_primitives::ruint::UintTryFrom<T>,
{
    amounts.map(|amount| I256::from_raw(U256::from(amount))).to_vec()
}
