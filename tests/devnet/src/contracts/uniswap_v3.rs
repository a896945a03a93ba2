use super::{token::Token, tx, with_arguments};
use crate::uniswap_v3::{Factory, PoolCalls, i24, specified, u160};
use crate::{
    Devnet, DevnetError, Tx, UNISWAP_V3_CORE, UNISWAP_V3_PERIPHERY, creation_code, devnet::BLOCK_SECONDS, stubs,
};
use alloy_primitives::{Address, B256, Bytes, U160, U256, aliases::U24, keccak256};
use alloy_sol_types::{SolValue, sol};

sol! {
    /// The pool's events, as v3-core publishes them.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface PoolEvents {
        event Initialize(uint160 sqrtPriceX96, int24 tick);
        event Mint(address sender, address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1);
        event Burn(address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1);
        event Collect(address indexed owner, address recipient, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount0, uint128 amount1);
        event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick);
        event Flash(address indexed sender, address indexed recipient, uint256 amount0, uint256 amount1, uint256 paid0, uint256 paid1);
    }

    /// The position manager and the router, as v3-periphery publishes them.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface Periphery {
        struct MintParams { address token0; address token1; uint24 fee; int24 tickLower; int24 tickUpper; uint256 amount0Desired; uint256 amount1Desired; uint256 amount0Min; uint256 amount1Min; address recipient; uint256 deadline; }
        struct DecreaseLiquidityParams { uint256 tokenId; uint128 liquidity; uint256 amount0Min; uint256 amount1Min; uint256 deadline; }
        struct CollectParams { uint256 tokenId; address recipient; uint128 amount0Max; uint128 amount1Max; }
        struct ExactInputSingleParams { address tokenIn; address tokenOut; uint24 fee; address recipient; uint256 deadline; uint256 amountIn; uint256 amountOutMinimum; uint160 sqrtPriceLimitX96; }
        struct ExactOutputSingleParams { address tokenIn; address tokenOut; uint24 fee; address recipient; uint256 deadline; uint256 amountOut; uint256 amountInMaximum; uint160 sqrtPriceLimitX96; }
        function mint(MintParams params) external payable returns (uint256 tokenId, uint128 liquidity, uint256 amount0, uint256 amount1);
        function decreaseLiquidity(DecreaseLiquidityParams params) external payable returns (uint256 amount0, uint256 amount1);
        function collect(CollectParams params) external payable returns (uint256 amount0, uint256 amount1);
        function exactInputSingle(ExactInputSingleParams params) external payable returns (uint256 amountOut);
        function exactOutputSingle(ExactOutputSingleParams params) external payable returns (uint256 amountIn);
    }
}

/// The genuine factory, position manager and router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UniswapV3 {
    /// Makes pools; its owner is the deployer.
    pub factory: Address,
    /// Holds positions as NFTs.
    pub position_manager: Address,
    /// Swaps for whoever has approved it.
    pub router: Address,
}

/// What each payer of a pool has of each token: more than any script can spend.
const PURSE: U256 = U256::from_limbs([0, 1 << 36, 0, 0]);
/// Later than any block of a script.
const DEADLINE: U256 = U256::from_limbs([u64::MAX / BLOCK_SECONDS, 0, 0, 0]);

impl UniswapV3 {
    /// Deploys the three.
    ///
    /// # Errors
    /// No contract, or no node.
    pub fn deploy(devnet: &Devnet, weth: Token) -> Result<Self, DevnetError> {
        let factory = devnet.deploy(creation_code(
            &UNISWAP_V3_CORE,
            "artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
        )?)?;
        let manager = creation_code(
            &UNISWAP_V3_PERIPHERY,
            "artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
        )?;
        let router = creation_code(
            &UNISWAP_V3_PERIPHERY,
            "artifacts/contracts/SwapRouter.sol/SwapRouter.json",
        )?;
        // Without a descriptor, a position has no picture; nothing else needs it.
        let manager_arguments = (factory, weth.address, Address::ZERO).abi_encode_params();
        let router_arguments = (factory, weth.address).abi_encode_params();
        Ok(Self {
            factory,
            position_manager: devnet.deploy(with_arguments(&manager, &manager_arguments))?,
            router: devnet.deploy(with_arguments(&router, &router_arguments))?,
        })
    }

    /// Adds a fee tier to those that the factory is born with, as its owner does.
    ///
    /// # Errors
    /// A tier that is there, or no node.
    pub fn enable_tier(&self, devnet: &Devnet, fee_pips: u32, tick_spacing: i32) -> Result<(), DevnetError> {
        let call = Factory::enableFeeAmountCall {
            fee: U24::from(fee_pips),
            tickSpacing: i24(tick_spacing),
        };
        devnet.send(&tx(self.factory, call)).map(|_| ())
    }

    /// Has the factory make a pool, not yet initialized, with a payer of full purse before it.
    ///
    /// # Errors
    /// A pool that exists, or a tier that does not.
    pub fn create_pool(&self, devnet: &Devnet, tokens: [Token; 2], fee_pips: u32) -> Result<Pool, DevnetError> {
        let [mut token0, mut token1] = tokens;
        if token0.address > token1.address {
            std::mem::swap(&mut token0, &mut token1);
        }
        let call = Factory::createPoolCall {
            tokenA: token0.address,
            tokenB: token1.address,
            fee: U24::from(fee_pips),
        };
        let receipt = devnet.send(&tx(self.factory, call))?;
        let output = devnet.output(receipt.transaction_hash)?;
        let pool = Pool {
            address: Address::abi_decode(&output).unwrap_or_default(),
            tokens: [token0, token1],
            fee_pips,
            payer: Address::ZERO,
            contracts: *self,
        };
        pool.with_payer(devnet, 0)
    }
}

/// A genuine pool and the payer that speaks to it: every verb's position is that payer's, and it pays what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// The pool.
    pub address: Address,
    /// Its tokens, in the pool's order.
    pub tokens: [Token; 2],
    /// Its fee, in hundredths of a basis point.
    pub fee_pips: u32,
    /// Who calls the pool, and owns the positions.
    pub payer: Address,
    /// Whose pool it is.
    pub contracts: UniswapV3,
}

impl Pool {
    /// The same pool through its payer of this number, who is given code and tokens.
    ///
    /// # Errors
    /// No node.
    pub fn with_payer(self, devnet: &Devnet, number: u64) -> Result<Self, DevnetError> {
        let hash = keccak256((self.address, U256::from(number)).abi_encode());
        let payer = Address::from_word(hash);
        let [token0, token1] = self.tokens;
        for token in self.tokens {
            token.give(devnet, payer, PURSE)?;
        }
        // Wrapped ether is deposited in the payer's name, so its code comes last.
        devnet.set_code(payer, &stubs::payer(self.address, [token0.address, token1.address]))?;
        Ok(Self { payer, ..self })
    }

    /// Sets the first price.
    pub fn initialize(&self, sqrt_price_x96: U256) -> Tx {
        let call = PoolCalls::initializeCall {
            sqrtPriceX96: u160(sqrt_price_x96),
        };
        tx(self.address, call)
    }

    /// Adds liquidity to the payer's position.
    pub fn add_liquidity(&self, lower: i32, upper: i32, liquidity: u128) -> Tx {
        let (tick_lower, tick_upper) = (i24(lower), i24(upper));
        let call = PoolCalls::mintCall {
            recipient: self.payer,
            tickLower: tick_lower,
            tickUpper: tick_upper,
            amount: liquidity,
            data: Bytes::new(),
        };
        tx(self.payer, call)
    }

    /// Takes liquidity out of the payer's position; it is owed until it is collected. Zero brings its fees up to date.
    pub fn remove_liquidity(&self, lower: i32, upper: i32, liquidity: u128) -> Tx {
        let call = PoolCalls::burnCall {
            tickLower: i24(lower),
            tickUpper: i24(upper),
            amount: liquidity,
        };
        tx(self.payer, call)
    }

    /// Collects up to so much of what the payer's position is owed.
    pub fn collect(&self, lower: i32, upper: i32, most0: u128, most1: u128) -> Tx {
        let (tick_lower, tick_upper) = (i24(lower), i24(upper));
        let call = PoolCalls::collectCall {
            recipient: self.payer,
            tickLower: tick_lower,
            tickUpper: tick_upper,
            amount0: most0,
            amount1: most1,
        };
        tx(self.payer, call)
    }

    /// Swaps an exact input to the price limit, or to the end of all prices where there is none.
    pub fn swap(&self, zero_for_one: bool, amount_in: U256, limit: Option<U256>) -> Tx {
        self.swap_of(zero_for_one, amount_in, true, limit)
    }

    /// Swaps for an exact output, to the price limit or to the end of all prices.
    pub fn swap_for(&self, zero_for_one: bool, amount_out: U256, limit: Option<U256>) -> Tx {
        self.swap_of(zero_for_one, amount_out, false, limit)
    }

    fn swap_of(&self, zero_for_one: bool, amount: U256, exact_in: bool, limit: Option<U256>) -> Tx {
        let call = PoolCalls::swapCall {
            recipient: self.payer,
            zeroForOne: zero_for_one,
            amountSpecified: specified(amount, exact_in),
            sqrtPriceLimitX96: limit.map_or_else(|| last_price(zero_for_one), u160),
            data: Bytes::new(),
        };
        tx(self.payer, call)
    }

    /// Lends both amounts for the length of the call, and pays back those of `paid`.
    pub fn flash(&self, lent: [U256; 2], paid: [U256; 2]) -> Tx {
        let call = PoolCalls::flashCall {
            recipient: self.payer,
            amount0: lent[0],
            amount1: lent[1],
            data: crate::uniswap_v3::pays(paid[0], paid[1]),
        };
        tx(self.payer, call)
    }

    /// Sets the protocol's share of the fees, 1/n for each token; the deployer owns the factory and may.
    pub fn set_fee_protocol(&self, token0: u8, token1: u8) -> Tx {
        let call = PoolCalls::setFeeProtocolCall {
            feeProtocol0: token0,
            feeProtocol1: token1,
        };
        tx(self.address, call)
    }

    /// Lets the genuine router and position manager take both tokens of an account.
    pub fn approve_periphery(&self, owner: Address) -> Vec<Tx> {
        let spenders = [self.contracts.position_manager, self.contracts.router];
        let pairs = self
            .tokens
            .into_iter()
            .flat_map(|token| spenders.map(|spender| (token, spender)));
        pairs.map(|(token, spender)| token.approve(owner, spender)).collect()
    }

    /// Opens a position through the genuine position manager, of up to these amounts.
    pub fn mint_position(&self, owner: Address, lower: i32, upper: i32, amounts: [U256; 2]) -> Tx {
        let params = Periphery::MintParams {
            token0: self.tokens[0].address,
            token1: self.tokens[1].address,
            fee: U24::from(self.fee_pips),
            tickLower: i24(lower),
            tickUpper: i24(upper),
            amount0Desired: amounts[0],
            amount1Desired: amounts[1],
            amount0Min: U256::ZERO,
            amount1Min: U256::ZERO,
            recipient: owner,
            deadline: DEADLINE,
        };
        tx(self.contracts.position_manager, Periphery::mintCall { params }).from(owner)
    }

    /// Takes liquidity out of a position of the genuine position manager's.
    pub fn decrease_position(&self, owner: Address, token_id: U256, liquidity: u128) -> Tx {
        let params = Periphery::DecreaseLiquidityParams {
            tokenId: token_id,
            liquidity,
            amount0Min: U256::ZERO,
            amount1Min: U256::ZERO,
            deadline: DEADLINE,
        };
        tx(
            self.contracts.position_manager,
            Periphery::decreaseLiquidityCall { params },
        )
        .from(owner)
    }

    /// Collects all that a position of the genuine position manager's is owed.
    pub fn collect_position(&self, owner: Address, token_id: U256) -> Tx {
        let params = Periphery::CollectParams {
            tokenId: token_id,
            recipient: owner,
            amount0Max: u128::MAX,
            amount1Max: u128::MAX,
        };
        tx(self.contracts.position_manager, Periphery::collectCall { params }).from(owner)
    }

    /// Swaps an exact input through the genuine router.
    pub fn route(&self, trader: Address, zero_for_one: bool, amount_in: U256) -> Tx {
        let [token_in, token_out] = self.direction(zero_for_one);
        let params = Periphery::ExactInputSingleParams {
            tokenIn: token_in,
            tokenOut: token_out,
            fee: U24::from(self.fee_pips),
            recipient: trader,
            deadline: DEADLINE,
            amountIn: amount_in,
            amountOutMinimum: U256::ZERO,
            sqrtPriceLimitX96: U160::ZERO,
        };
        tx(self.contracts.router, Periphery::exactInputSingleCall { params }).from(trader)
    }

    /// Swaps for an exact output through the genuine router.
    pub fn route_for(&self, trader: Address, zero_for_one: bool, amount_out: U256) -> Tx {
        let [token_in, token_out] = self.direction(zero_for_one);
        let params = Periphery::ExactOutputSingleParams {
            tokenIn: token_in,
            tokenOut: token_out,
            fee: U24::from(self.fee_pips),
            recipient: trader,
            deadline: DEADLINE,
            amountOut: amount_out,
            amountInMaximum: U256::MAX,
            sqrtPriceLimitX96: U160::ZERO,
        };
        tx(self.contracts.router, Periphery::exactOutputSingleCall { params }).from(trader)
    }

    fn direction(&self, zero_for_one: bool) -> [Address; 2] {
        let [token0, token1] = self.tokens.map(|token| token.address);
        if zero_for_one {
            [token0, token1]
        } else {
            [token1, token0]
        }
    }

    /// The key under which the pool keeps the payer's position.
    pub fn position_key(&self, lower: i32, upper: i32) -> B256 {
        crate::uniswap_v3::position_key_of(self.payer, lower, upper)
    }
}

/// The last price that a swap may be limited to (TickMath's bounds, one inside).
fn last_price(zero_for_one: bool) -> U160 {
    if zero_for_one {
        U160::from_limbs([4_295_128_740, 0, 0])
    } else {
        // 0xfffd8963efd1fc6a506488495d951d5263988d26 − 1
        U160::from_be_slice(&alloy_primitives::hex!("fffd8963efd1fc6a506488495d951d5263988d25"))
    }
}
