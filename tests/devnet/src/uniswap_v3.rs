//! A genuine Uniswap v3 pool with a payer before it, and verbs that read like the protocol.

use crate::{Answer, Chain, Evm, stubs};
use alloy_primitives::{Address, B256, Bytes, I256, U160, U256, aliases::I24, aliases::U24, keccak256};
use alloy_sol_types::{SolCall, SolValue, sol};

sol! {
    /// The factory's functions, as v3-core publishes them.
    #[allow(missing_docs)]
    interface Factory {
        function createPool(address tokenA, address tokenB, uint24 fee) external returns (address pool);
        function enableFeeAmount(uint24 fee, int24 tickSpacing) external;
    }
    /// The pool's functions, as v3-core publishes them.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface PoolCalls {
        function initialize(uint160 sqrtPriceX96) external;
        function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes data) external returns (uint256 amount0, uint256 amount1);
        function burn(int24 tickLower, int24 tickUpper, uint128 amount) external returns (uint256 amount0, uint256 amount1);
        function collect(address recipient, int24 tickLower, int24 tickUpper, uint128 amount0, uint128 amount1) external returns (uint128 paid0, uint128 paid1);
        function swap(address recipient, bool zeroForOne, int256 amountSpecified, uint160 sqrtPriceLimitX96, bytes data) external returns (int256 amount0, int256 amount1);
        function flash(address recipient, uint256 amount0, uint256 amount1, bytes data) external;
        function setFeeProtocol(uint8 feeProtocol0, uint8 feeProtocol1) external;
        function collectProtocol(address recipient, uint128 amount0, uint128 amount1) external returns (uint128 paid0, uint128 paid1);
        function slot0() external view returns (uint160 sqrtPriceX96, int24 tick, uint16 observationIndex, uint16 observationCardinality, uint16 observationCardinalityNext, uint8 feeProtocol, bool unlocked);
        function liquidity() external view returns (uint128 liquidity);
        function feeGrowthGlobal0X128() external view returns (uint256 growth);
        function feeGrowthGlobal1X128() external view returns (uint256 growth);
        function protocolFees() external view returns (uint128 token0, uint128 token1);
        function ticks(int24 tick) external view returns (uint128 liquidityGross, int128 liquidityNet, uint256 feeGrowthOutside0X128, uint256 feeGrowthOutside1X128, int56 tickCumulativeOutside, uint160 secondsPerLiquidityOutsideX128, uint32 secondsOutside, bool initialized);
        function positions(bytes32 key) external view returns (uint128 liquidity, uint256 feeGrowthInside0LastX128, uint256 feeGrowthInside1LastX128, uint128 tokensOwed0, uint128 tokensOwed1);
    }
}

/// The pool's owner, who deploys the factory.
pub const OWNER: Address = Address::with_last_byte(1);
const TOKENS: [Address; 2] = [Address::with_last_byte(0xa0), Address::with_last_byte(0xb0)];

/// A genuine pool. Every position is its payer's, which pays whatever the pool asks.
#[derive(Debug, Clone)]
pub struct GenuinePool<C = Evm> {
    chain: C,
    pool: Address,
}

/// Why a call did not go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Reverted with this reason; empty where there is none.
    Reverted(String),
    /// Out of gas.
    Halted,
    /// The node did not answer.
    Lost(String),
}

/// Whoever calls the pool: every position's owner.
pub const PAYER: Address = Address::repeat_byte(0xcc);

impl GenuinePool {
    /// Whoever calls the pool: every position's owner.
    pub const PAYER: Address = PAYER;

    /// Deploys the factory, whose creation code is given, and has it make a pool, all in the process.
    pub fn deploy(factory_code: Bytes, fee_pips: u32, tick_spacing: i32) -> Self {
        Self::deploy_on(Evm::new(OWNER), factory_code, fee_pips, tick_spacing)
    }

    /// A call as [`GenuinePool::call_all`] takes it.
    pub fn encoded<F: SolCall>(call: &F) -> Bytes {
        call.abi_encode().into()
    }

    /// Makes calls that are encoded already, in a row; their answers are left encoded.
    pub fn call_all(&mut self, calls: &[Bytes]) -> Vec<Answer> {
        self.chain.send_all(PAYER, calls)
    }
}

impl<C: Chain> GenuinePool<C> {
    /// Deploys the factory, whose creation code is given, on a chain, and has it make a pool.
    pub fn deploy_on(mut chain: C, factory_code: Bytes, fee_pips: u32, tick_spacing: i32) -> Self {
        for token in TOKENS {
            chain.set_code(token, Bytes::from_static(stubs::TOKEN));
        }
        let factory = chain.deploy(factory_code).unwrap_or_default();
        let fee = U24::from(fee_pips);
        let enable = Factory::enableFeeAmountCall {
            fee,
            tickSpacing: i24(tick_spacing),
        };
        // The tiers that the factory is born with cannot be enabled again.
        chain.send(factory, enable.abi_encode().into());
        let create = Factory::createPoolCall {
            tokenA: TOKENS[0],
            tokenB: TOKENS[1],
            fee,
        };
        let pool = match chain.send(factory, create.abi_encode().into()) {
            Answer::Returned(data) => Address::abi_decode(&data).unwrap_or_default(),
            _ => Address::ZERO,
        };
        chain.set_code(PAYER, stubs::payer(pool, TOKENS));
        for token in TOKENS {
            chain.set_storage(token, stubs::balance_slot(PAYER), U256::MAX >> 1);
        }
        Self { chain, pool }
    }

    /// Calls the pool as a trader or provider does.
    ///
    /// # Errors
    /// How it failed.
    pub fn call<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        let answer = self.chain.send(PAYER, call.abi_encode().into());
        Self::decode::<F>(answer)
    }

    /// Calls the pool as the factory's owner does.
    ///
    /// # Errors
    /// How it failed.
    pub fn call_as_owner<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        let answer = self.chain.send(self.pool, call.abi_encode().into());
        Self::decode::<F>(answer)
    }

    /// Reads the pool's state.
    ///
    /// # Errors
    /// How it failed.
    pub fn read<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        let answer = self.chain.view(self.pool, call.abi_encode().into());
        Self::decode::<F>(answer)
    }

    fn decode<F: SolCall>(answer: Answer) -> Result<F::Return, Failure> {
        match answer {
            Answer::Returned(data) => F::abi_decode_returns(&data).map_err(|_| Failure::Halted),
            Answer::Reverted(reason) => Err(Failure::Reverted(reason)),
            Answer::Halted => Err(Failure::Halted),
            Answer::Lost(cause) => Err(Failure::Lost(cause)),
        }
    }
}

/// A genuine pool of tokens that are there already, on a chain that others are on too. Every position is its payer's, which pays what
/// the pool asks out of what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOfTokens {
    /// The pool.
    pub pool: Address,
    /// Who calls it.
    pub payer: Address,
    /// Its tokens, in its order.
    pub tokens: [Address; 2],
}

impl PoolOfTokens {
    /// Deploys a factory, whose creation code is given, and has it make a pool; zero addresses where that fails.
    pub fn deploy_on<C: Chain>(
        chain: &mut C,
        factory_code: Bytes,
        mut tokens: [Address; 2],
        (fee_pips, tick_spacing): (u32, i32),
    ) -> Self {
        tokens.sort_unstable();
        let factory = chain.deploy(factory_code).unwrap_or_default();
        let fee = U24::from(fee_pips);
        let enable = Factory::enableFeeAmountCall {
            fee,
            tickSpacing: i24(tick_spacing),
        };
        // The tiers that the factory is born with cannot be enabled again.
        chain.send(factory, enable.abi_encode().into());
        let create = Factory::createPoolCall {
            tokenA: tokens[0],
            tokenB: tokens[1],
            fee,
        };
        let pool = match chain.send(factory, create.abi_encode().into()) {
            Answer::Returned(data) => Address::abi_decode(&data).unwrap_or_default(),
            _ => Address::ZERO,
        };
        let payer = Address::from_word(keccak256(pool));
        chain.set_code(payer, stubs::payer(pool, tokens));
        Self { pool, payer, tokens }
    }

    /// Calls the pool as a trader or provider does.
    ///
    /// # Errors
    /// How it failed.
    pub fn call<C: Chain, F: SolCall>(&self, chain: &mut C, call: &F) -> Result<F::Return, Failure> {
        GenuinePool::<C>::decode::<F>(chain.send(self.payer, call.abi_encode().into()))
    }

    /// What a call would return, without a trace.
    ///
    /// # Errors
    /// How it would fail.
    pub fn foresee<C: Chain, F: SolCall>(&self, chain: &mut C, call: &F) -> Result<F::Return, Failure> {
        GenuinePool::<C>::decode::<F>(chain.view(self.payer, call.abi_encode().into()))
    }

    /// Reads the pool's state.
    ///
    /// # Errors
    /// How it failed.
    pub fn read<C: Chain, F: SolCall>(&self, chain: &mut C, call: &F) -> Result<F::Return, Failure> {
        GenuinePool::<C>::decode::<F>(chain.view(self.pool, call.abi_encode().into()))
    }
}

/// The key of a position of the payer's, as the pool hashes it.
pub fn position_key(lower: i32, upper: i32) -> B256 {
    position_key_of(PAYER, lower, upper)
}

/// The key of a position, as the pool hashes it.
pub fn position_key_of(owner: Address, lower: i32, upper: i32) -> B256 {
    let ticks = [&lower.to_be_bytes()[1..], &upper.to_be_bytes()[1..]].concat();
    keccak256([owner.as_slice(), &ticks].concat())
}

/// A tick as the ABI takes it; out of 24 bits it is zero.
pub fn i24(tick: i32) -> I24 {
    I24::try_from(tick).unwrap_or_default()
}

/// A price as the ABI takes it; cut to 160 bits.
pub fn u160(price: U256) -> U160 {
    price.wrapping_to()
}

/// What a flash's callback pays, as its data.
pub fn pays(amount0: U256, amount1: U256) -> Bytes {
    (amount0, amount1).abi_encode().into()
}

/// A swap's specified amount: positive for an exact input, negative for an exact output.
pub fn specified(amount: U256, exact_in: bool) -> I256 {
    let amount = I256::from_raw(amount);
    if exact_in { amount } else { amount.wrapping_neg() }
}
