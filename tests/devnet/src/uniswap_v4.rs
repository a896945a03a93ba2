//! A genuine Uniswap v4 pool manager with a trader before it, read through the published `StateView`.

use crate::uniswap_v3::Failure;
use crate::{Answer, ArtifactError, Chain, Evm, UNISWAP_V4_PERIPHERY, creation_code, stubs};
use alloy_primitives::{Address, Bytes, I256, Log, U256, hex};
use alloy_sol_types::{SolCall, SolValue, sol};

sol! {
    /// The pool manager's functions, as v4-core publishes them.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ManagerCalls {
        struct PoolKey { address currency0; address currency1; uint24 fee; int24 tickSpacing; address hooks; }
        struct ModifyLiquidityParams { int24 tickLower; int24 tickUpper; int256 liquidityDelta; bytes32 salt; }
        struct SwapParams { bool zeroForOne; int256 amountSpecified; uint160 sqrtPriceLimitX96; }
        function initialize(PoolKey key, uint160 sqrtPriceX96) external returns (int24 tick);
        function modifyLiquidity(PoolKey key, ModifyLiquidityParams params, bytes hookData) external returns (int256 callerDelta, int256 feesAccrued);
        function swap(PoolKey key, SwapParams params, bytes hookData) external returns (int256 swapDelta);
        function donate(PoolKey key, uint256 amount0, uint256 amount1, bytes hookData) external returns (int256 delta);
        function setProtocolFeeController(address controller) external;
        function setProtocolFee(PoolKey key, uint24 newProtocolFee) external;
        function collectProtocolFees(address recipient, address currency, uint256 amount) external returns (uint256 amountCollected);
        function protocolFeesAccrued(address currency) external view returns (uint256 amount);
    }
    /// The state's lens, as v4-periphery publishes it.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface ViewCalls {
        function getSlot0(bytes32 poolId) external view returns (uint160 sqrtPriceX96, int24 tick, uint24 protocolFee, uint24 lpFee);
        function getLiquidity(bytes32 poolId) external view returns (uint128 liquidity);
        function getFeeGrowthGlobals(bytes32 poolId) external view returns (uint256 growth0, uint256 growth1);
        function getTickInfo(bytes32 poolId, int24 tick) external view returns (uint128 liquidityGross, int128 liquidityNet, uint256 outside0, uint256 outside1);
        function getPositionInfo(bytes32 poolId, address owner, int24 tickLower, int24 tickUpper, bytes32 salt) external view returns (uint128 liquidity, uint256 inside0, uint256 inside1);
    }
    /// Every error that a call may end with.
    interface Errors {
        error AlreadyUnlocked();
        error CannotUpdateEmptyPosition();
        error CurrenciesOutOfOrderOrEqual(address currency0, address currency1);
        error CurrencyNotSettled();
        error HookAddressNotValid(address hooks);
        error InvalidCaller();
        error InvalidFeeForExactOut();
        error InvalidPrice();
        error InvalidPriceOrLiquidity();
        error InvalidSqrtPrice(uint160 sqrtPriceX96);
        error InvalidTick(int24 tick);
        error LPFeeTooLarge(uint24 fee);
        error ManagerLocked();
        error NoLiquidityToReceiveFees();
        error NotEnoughLiquidity();
        error PoolAlreadyInitialized();
        error PoolNotInitialized();
        error PriceLimitAlreadyExceeded(uint160 sqrtPriceCurrentX96, uint160 sqrtPriceLimitX96);
        error PriceLimitOutOfBounds(uint160 sqrtPriceLimitX96);
        error PriceOverflow();
        error ProtocolFeeCurrencySynced();
        error ProtocolFeeTooLarge(uint24 fee);
        error SafeCastOverflow();
        error SwapAmountCannotBeZero();
        error TickLiquidityOverflow(int24 tick);
        error TickLowerOutOfBounds(int24 tickLower);
        error TickMisaligned(int24 tick, int24 tickSpacing);
        error TickSpacingTooLarge(int24 tickSpacing);
        error TickSpacingTooSmall(int24 tickSpacing);
        error TickUpperOutOfBounds(int24 tickUpper);
        error TicksMisordered(int24 tickLower, int24 tickUpper);
    }
}

/// `Panic(uint256)`, which the compiler adds to checked arithmetic.
const PANIC: [u8; 4] = hex!("4e487b71");

/// The manager's owner and its protocol fees' controller.
pub const OWNER: Address = Address::with_last_byte(1);

/// What is deployed.
#[derive(Debug, Clone)]
pub struct Creation {
    manager: Bytes,
    view: Bytes,
}

impl Creation {
    /// The published creation codes.
    ///
    /// # Errors
    /// As [`creation_code`].
    pub fn fetch() -> Result<Self, ArtifactError> {
        let code = |artifact| creation_code(&UNISWAP_V4_PERIPHERY, artifact);
        Ok(Self {
            manager: code("foundry-out/PoolManager.sol/PoolManager.default.json")?,
            view: code("foundry-out/StateView.sol/StateView.json")?,
        })
    }
}

/// A genuine pool manager. Every position is its trader's, which settles whatever it owes.
#[derive(Debug)]
pub struct GenuineManager<C = Evm> {
    chain: C,
    manager: Address,
    view: Address,
}

/// Whoever calls the manager within an unlock: every position's owner.
pub const TRADER: Address = Address::repeat_byte(0xcc);
/// Two tokens, in order, of which there is enough of both.
pub const TOKENS: [Address; 2] = [Address::with_last_byte(0xa0), Address::with_last_byte(0xb0)];

impl GenuineManager {
    /// Deploys the manager and the lens, in the process.
    pub fn deploy(creation: &Creation) -> Self {
        Self::deploy_on(Evm::new(OWNER), creation)
    }
}

impl<C: Chain> GenuineManager<C> {
    /// Deploys the manager and the lens on a chain, whose sender owns the manager and controls its fees.
    pub fn deploy_on(mut chain: C, creation: &Creation) -> Self {
        let owner = chain.sender();
        let mut deploy = |code: &Bytes, argument: Address| {
            let code = [code.as_ref(), &argument.abi_encode()].concat();
            chain.deploy(code.into()).unwrap_or_default()
        };
        let manager = deploy(&creation.manager, owner);
        let view = deploy(&creation.view, manager);
        let control = ManagerCalls::setProtocolFeeControllerCall { controller: owner };
        chain.send(manager, control.abi_encode().into());
        chain.set_code(TRADER, stubs::unlocker(manager, TOKENS));
        for token in TOKENS {
            chain.set_code(token, Bytes::from_static(stubs::TOKEN));
            // No number of payments brings either near zero or 2^256.
            for holder in [TRADER, manager] {
                chain.set_storage(token, stubs::balance_slot(holder), U256::ONE << 254);
            }
        }
        Self { chain, manager, view }
    }

    /// Calls the manager as a trader or provider does, within an unlock, and settles.
    ///
    /// # Errors
    /// How it failed.
    pub fn call<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        let answer = self.chain.send(TRADER, call.abi_encode().into());
        let wrapped = returned(answer)?;
        let data = Bytes::abi_decode(&wrapped).map_err(|_| Failure::Halted)?;
        F::abi_decode_returns(&data).map_err(|_| Failure::Halted)
    }

    /// Calls the manager as its owner does, who controls its protocol fees.
    ///
    /// # Errors
    /// How it failed.
    pub fn call_as_owner<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        let answer = self.chain.send(self.manager, call.abi_encode().into());
        decode::<F>(answer)
    }

    /// Reads the manager's own view.
    ///
    /// # Errors
    /// How it failed.
    pub fn read<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        let answer = self.chain.view(self.manager, call.abi_encode().into());
        decode::<F>(answer)
    }

    /// Reads the manager's state through the lens.
    ///
    /// # Errors
    /// How it failed.
    pub fn read_state<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        let answer = self.chain.view(self.view, call.abi_encode().into());
        decode::<F>(answer)
    }

    /// What the manager emitted in the last transaction; nothing where it reverted.
    pub fn logs(&self) -> impl Iterator<Item = &Log> {
        self.chain.logs().iter().filter(|log| log.address == self.manager)
    }
}

fn decode<C: SolCall>(answer: Answer) -> Result<C::Return, Failure> {
    C::abi_decode_returns(&returned(answer)?).map_err(|_| Failure::Halted)
}

fn returned(answer: Answer) -> Result<Bytes, Failure> {
    match answer {
        Answer::Returned(data) => Ok(data),
        Answer::Reverted(reason) => Err(Failure::Reverted(named(reason))),
        Answer::Halted => Err(Failure::Halted),
        Answer::Lost(reason) => Err(Failure::Lost(reason)),
    }
}

/// The error's name for its selector; what is no known error's stays as it is.
fn named(reason: String) -> String {
    let selector: Option<[u8; 4]> = hex::decode(&reason).ok().and_then(|bytes| bytes.try_into().ok());
    let name = selector.and_then(|selector| match selector {
        PANIC => Some("Panic"),
        _ => Errors::ErrorsErrors::name_by_selector(selector),
    });
    name.map_or(reason, str::to_owned)
}

/// A packed balance delta: token0 in the high half, token1 in the low one.
pub fn halves(delta: I256) -> [i128; 2] {
    let [high, low] = [delta.asr(128), delta].map(|word| word.into_raw().wrapping_to::<u128>());
    [high.cast_signed(), low.cast_signed()]
}

/// A swap's specified amount: negative for an exact input, positive for an exact output.
pub fn specified(amount: U256, exact_in: bool) -> I256 {
    let amount = I256::from_raw(amount);
    if exact_in { amount.wrapping_neg() } else { amount }
}
