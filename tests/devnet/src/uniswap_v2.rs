//! A genuine Uniswap v2 pair made by its factory, with a router to ask for prices, and verbs that read like the protocol.

pub use crate::uniswap_v3::Failure;

use crate::{Answer, Chain, Evm, stubs};
use alloy_primitives::{Address, Bytes, Log, U256};
use alloy_sol_types::{SolCall, SolValue, sol};

sol! {
    interface Factory {
        function createPair(address tokenA, address tokenB) external returns (address pair);
        function setFeeTo(address feeTo) external;
    }
    interface Token {
        function balanceOf(address owner) external view returns (uint256 balance);
        function transfer(address to, uint256 amount) external returns (bool done);
    }
    /// The pair's functions, as v2-core publishes them.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface PairCalls {
        function mint(address to) external returns (uint256 liquidity);
        function burn(address to) external returns (uint256 amount0, uint256 amount1);
        function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes data) external;
        function skim(address to) external;
        function sync() external;
        function transfer(address to, uint256 value) external returns (bool done);
        function getReserves() external view returns (uint112 reserve0, uint112 reserve1, uint32 blockTimestampLast);
        function price0CumulativeLast() external view returns (uint256 sum);
        function price1CumulativeLast() external view returns (uint256 sum);
        function kLast() external view returns (uint256 k);
        function totalSupply() external view returns (uint256 liquidity);
        function balanceOf(address owner) external view returns (uint256 liquidity);
    }
    /// The router's pure functions, as v2-periphery publishes them: its library's.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface LibraryCalls {
        function quote(uint256 amountA, uint256 reserveA, uint256 reserveB) external pure returns (uint256 amountB);
        function getAmountOut(uint256 amountIn, uint256 reserveIn, uint256 reserveOut) external pure returns (uint256 amountOut);
        function getAmountIn(uint256 amountOut, uint256 reserveIn, uint256 reserveOut) external pure returns (uint256 amountIn);
    }
}

const OWNER: Address = Address::with_last_byte(1);
const CALLEE: Address = Address::repeat_byte(0xcc);
const TOKENS: [Address; 2] = [Address::with_last_byte(0xa0), Address::with_last_byte(0xb0)];

/// A genuine pair, its factory and a router.
#[derive(Debug)]
pub struct GenuinePair<C = Evm> {
    chain: C,
    factory: Address,
    router: Address,
    pair: Address,
}

impl GenuinePair {
    /// Who deployed the factory, sets its fee and may hold liquidity.
    pub const OWNER: Address = OWNER;
    /// A contract that calls the pair, may hold liquidity, and pays in a swap's callback what the swap's data say.
    pub const CALLEE: Address = CALLEE;
    /// Token0 and token1.
    pub const TOKENS: [Address; 2] = TOKENS;
}

impl<C: Chain> GenuinePair<C> {
    /// Deploys factory and router, whose creation codes are given, on a chain whose sender is [`GenuinePair::OWNER`], and has the
    /// factory make a pair.
    pub fn deploy_on(mut chain: C, factory_code: &Bytes, router_code: &Bytes) -> Self {
        for token in TOKENS {
            chain.set_code(token, Bytes::from_static(stubs::STRICT_TOKEN));
            for holder in [OWNER, CALLEE] {
                chain.set_storage(token, stubs::balance_slot(holder), U256::MAX >> 2);
            }
        }
        let setter = OWNER.abi_encode();
        let factory = chain.deploy([&factory_code[..], &setter].concat().into());
        let factory = factory.unwrap_or_default();
        // The router asks the factory and WETH for nothing where it only computes.
        let places = (factory, Address::ZERO).abi_encode();
        let router = chain.deploy([&router_code[..], &places].concat().into());
        let create = Factory::createPairCall {
            tokenA: TOKENS[1],
            tokenB: TOKENS[0],
        };
        let pair = decode::<Factory::createPairCall>(chain.send(factory, create.abi_encode().into()));
        let pair = pair.unwrap_or_default();
        chain.set_code(CALLEE, stubs::callee(pair, TOKENS));
        Self {
            chain,
            factory,
            router: router.unwrap_or_default(),
            pair,
        }
    }

    /// The pair's address.
    pub const fn address(&self) -> Address {
        self.pair
    }

    /// The factory's address.
    pub const fn factory(&self) -> Address {
        self.factory
    }

    /// Calls the pair, through the contract that answers its callback or straight from the owner.
    ///
    /// # Errors
    /// How it failed.
    pub fn call<F: SolCall>(&mut self, from: Address, call: &F) -> Result<F::Return, Failure> {
        let to = if from == CALLEE { CALLEE } else { self.pair };
        decode::<F>(self.chain.send(to, call.abi_encode().into()))
    }

    /// Reads the pair's state.
    ///
    /// # Errors
    /// How it failed.
    pub fn read<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        decode::<F>(self.chain.view(self.pair, call.abi_encode().into()))
    }

    /// Asks the router's library.
    ///
    /// # Errors
    /// How it failed.
    pub fn ask<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        decode::<F>(self.chain.view(self.router, call.abi_encode().into()))
    }

    /// Transfers tokens to the pair, in base units, without calling it.
    ///
    /// # Errors
    /// How it failed.
    pub fn pay(&mut self, amounts: [U256; 2]) -> Result<(), Failure> {
        for (token, amount) in TOKENS.into_iter().zip(amounts) {
            let call = Token::transferCall { to: self.pair, amount };
            decode::<Token::transferCall>(self.chain.send(token, call.abi_encode().into()))?;
        }
        Ok(())
    }

    /// Turns the protocol fee on; off for the zero address.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_fee_to(&mut self, fee_to: Address) -> Result<(), Failure> {
        let call = Factory::setFeeToCall { feeTo: fee_to };
        decode::<Factory::setFeeToCall>(self.chain.send(self.factory, call.abi_encode().into())).map(|_| ())
    }

    /// The time of the last call, in seconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.chain.now()
    }

    /// Lets time pass until the next call.
    pub fn wait(&mut self, seconds: u64) {
        self.chain.wait(seconds);
    }

    /// What the pair emitted in the last call.
    pub fn logs(&self) -> &[Log] {
        self.chain.logs()
    }

    /// What a holder has of both tokens, in base units.
    ///
    /// # Errors
    /// How it failed.
    pub fn balances(&mut self, owner: Address) -> Result<[U256; 2], Failure> {
        let data: Bytes = Token::balanceOfCall { owner }.abi_encode().into();
        let [token0, token1] = TOKENS.map(|token| decode::<Token::balanceOfCall>(self.chain.view(token, data.clone())));
        Ok([token0?, token1?])
    }

    /// Makes the pair's balances these, as a token does that rebases.
    pub fn rebase(&mut self, balances: [U256; 2]) {
        for (token, balance) in TOKENS.into_iter().zip(balances) {
            self.chain.set_storage(token, stubs::balance_slot(self.pair), balance);
        }
    }
}

/// The data of a flash swap, whose callback pays these amounts.
pub fn pays(amounts: [U256; 2]) -> Bytes {
    amounts.abi_encode().into()
}

/// What a call answered.
pub(crate) fn decode<C: SolCall>(answer: Answer) -> Result<C::Return, Failure> {
    match answer {
        Answer::Returned(data) => C::abi_decode_returns(&data).map_err(|_| Failure::Halted),
        Answer::Reverted(reason) => Err(Failure::Reverted(reason)),
        Answer::Halted => Err(Failure::Halted),
        Answer::Lost(reason) => Err(Failure::Lost(reason)),
    }
}
