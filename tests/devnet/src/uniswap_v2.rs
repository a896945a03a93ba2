//! A genuine Uniswap v2 pair made by its factory, with a router to ask for prices, and verbs that read like the protocol.

pub use crate::uniswap_v3::Failure;

use crate::{Answer, Evm, stubs};
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

/// A genuine pair, its factory and a router.
#[derive(Debug)]
pub struct GenuinePair {
    evm: Evm,
    factory: Address,
    router: Address,
    pair: Address,
}

impl GenuinePair {
    /// Who deployed the factory, sets its fee and may hold liquidity.
    pub const OWNER: Address = Address::with_last_byte(1);
    /// A contract that calls the pair, may hold liquidity, and pays in a swap's callback what the swap's data say.
    pub const CALLEE: Address = Address::repeat_byte(0xcc);
    /// Token0 and token1.
    pub const TOKENS: [Address; 2] = [Address::with_last_byte(0xa0), Address::with_last_byte(0xb0)];

    /// Deploys factory and router, whose creation codes are given, and has the factory make a pair.
    pub fn deploy(factory_code: &Bytes, router_code: &Bytes) -> Self {
        let mut evm = Evm::new(Self::OWNER);
        for token in Self::TOKENS {
            evm.set_code(token, Bytes::from_static(stubs::STRICT_TOKEN));
            for holder in [Self::OWNER, Self::CALLEE] {
                evm.set_storage(token, stubs::balance_slot(holder), U256::MAX >> 2);
            }
        }
        let setter = Self::OWNER.abi_encode();
        let factory = evm.deploy([&factory_code[..], &setter].concat().into());
        let factory = factory.unwrap_or_default();
        // The router asks the factory and WETH for nothing where it only computes.
        let places = (factory, Address::ZERO).abi_encode();
        let router = evm.deploy([&router_code[..], &places].concat().into());
        let create = Factory::createPairCall {
            tokenA: Self::TOKENS[1],
            tokenB: Self::TOKENS[0],
        };
        let pair = decode::<Factory::createPairCall>(evm.send(factory, create.abi_encode().into()));
        let pair = pair.unwrap_or_default();
        evm.set_code(Self::CALLEE, stubs::callee(pair, Self::TOKENS));
        Self {
            evm,
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

    /// Calls the pair, through [`Self::CALLEE`] or straight from [`Self::OWNER`].
    ///
    /// # Errors
    /// How it failed.
    pub fn call<C: SolCall>(&mut self, from: Address, call: &C) -> Result<C::Return, Failure> {
        let to = if from == Self::CALLEE { Self::CALLEE } else { self.pair };
        decode::<C>(self.evm.send(to, call.abi_encode().into()))
    }

    /// Reads the pair's state.
    ///
    /// # Errors
    /// How it failed.
    pub fn read<C: SolCall>(&mut self, call: &C) -> Result<C::Return, Failure> {
        decode::<C>(self.evm.view(self.pair, call.abi_encode().into()))
    }

    /// Asks the router's library.
    ///
    /// # Errors
    /// How it failed.
    pub fn ask<C: SolCall>(&mut self, call: &C) -> Result<C::Return, Failure> {
        decode::<C>(self.evm.view(self.router, call.abi_encode().into()))
    }

    /// Transfers tokens to the pair, in base units, without calling it.
    ///
    /// # Errors
    /// How it failed.
    pub fn pay(&mut self, amounts: [U256; 2]) -> Result<(), Failure> {
        for (token, amount) in Self::TOKENS.into_iter().zip(amounts) {
            let call = Token::transferCall { to: self.pair, amount };
            decode::<Token::transferCall>(self.evm.send(token, call.abi_encode().into()))?;
        }
        Ok(())
    }

    /// Turns the protocol fee on; off for the zero address.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_fee_to(&mut self, fee_to: Address) -> Result<(), Failure> {
        let call = Factory::setFeeToCall { feeTo: fee_to };
        decode::<Factory::setFeeToCall>(self.evm.send(self.factory, call.abi_encode().into())).map(|_| ())
    }

    /// Lets time pass until the next call.
    pub fn wait(&mut self, seconds: u64) {
        self.evm.wait(seconds);
    }

    /// What the pair emitted in the last call.
    pub fn logs(&self) -> &[Log] {
        self.evm.logs()
    }

    /// What a holder has of both tokens, in base units.
    ///
    /// # Errors
    /// How it failed.
    pub fn balances(&mut self, owner: Address) -> Result<[U256; 2], Failure> {
        let data: Bytes = Token::balanceOfCall { owner }.abi_encode().into();
        let [token0, token1] =
            Self::TOKENS.map(|token| decode::<Token::balanceOfCall>(self.evm.view(token, data.clone())));
        Ok([token0?, token1?])
    }

    /// Makes the pair's balances these, as a token does that rebases.
    pub fn rebase(&mut self, balances: [U256; 2]) {
        for (token, balance) in Self::TOKENS.into_iter().zip(balances) {
            self.evm.set_storage(token, stubs::balance_slot(self.pair), balance);
        }
    }
}

/// The data of a flash swap, whose callback pays these amounts.
pub fn pays(amounts: [U256; 2]) -> Bytes {
    amounts.abi_encode().into()
}

fn decode<C: SolCall>(answer: Answer) -> Result<C::Return, Failure> {
    match answer {
        Answer::Returned(data) => C::abi_decode_returns(&data).map_err(|_| Failure::Halted),
        Answer::Reverted(reason) => Err(Failure::Reverted(reason)),
        Answer::Halted => Err(Failure::Halted),
        Answer::Lost(reason) => Err(Failure::Lost(reason)),
    }
}
