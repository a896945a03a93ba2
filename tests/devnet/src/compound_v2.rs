//! A genuine Compound v2: comptroller behind its Unitroller, markets in tokens and in ether, their interest rate models and a
//! price oracle, with verbs that read like the protocol.

mod calls;
mod deployment;

pub use crate::uniswap_v3::Failure;
pub use calls::{CErc20Calls, CEtherCalls, ComptrollerCalls, ModelCalls, OracleCalls, TokenCalls};
pub use deployment::{Codes, Model, Plan};

use crate::{Answer, Chain, Evm, uniswap_v2::decode};
use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::SolCall;

/// One genuine market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenuineMarket {
    /// The cToken.
    pub c_token: Address,
    /// The token it lends; `None` for ether.
    pub underlying: Option<Address>,
    /// Its interest rate model.
    pub model: Address,
}

/// A genuine Compound v2, whose administrator is [`GenuineCompound::ADMIN`].
#[derive(Debug, Clone)]
pub struct GenuineCompound<C = Evm> {
    chain: C,
    comptroller: Address,
    oracle: Address,
    markets: Vec<GenuineMarket>,
}

impl GenuineCompound {
    /// Who deployed everything and may set what an administrator sets.
    pub const ADMIN: Address = deployment::ADMIN;
}

/// What a call returns as an error code; zero where it went through.
pub type Code = Result<U256, Failure>;

impl<C: Chain> GenuineCompound<C> {
    /// The comptroller's address: its Unitroller's.
    pub const fn comptroller(&self) -> Address {
        self.comptroller
    }

    /// The price oracle's address.
    pub const fn oracle(&self) -> Address {
        self.oracle
    }

    /// The markets, in the order of their plans.
    pub fn markets(&self) -> &[GenuineMarket] {
        &self.markets
    }

    /// Calls a contract from an account.
    ///
    /// # Errors
    /// How it failed.
    pub fn call<F: SolCall>(&mut self, from: Address, to: Address, call: &F) -> Result<F::Return, Failure> {
        self.chain.act_as(from);
        decode::<F>(self.chain.send(to, call.abi_encode().into()))
    }

    /// Calls a contract from an account with ether, in wei.
    ///
    /// # Errors
    /// How it failed.
    pub fn pay<F: SolCall>(&mut self, from: Address, to: Address, call: &F, value: U256) -> Result<F::Return, Failure> {
        self.chain.act_as(from);
        decode::<F>(self.chain.pay(to, call.abi_encode().into(), value))
    }

    /// Asks a contract.
    ///
    /// # Errors
    /// How it failed.
    pub fn ask<F: SolCall>(&mut self, to: Address, call: &F) -> Result<F::Return, Failure> {
        decode::<F>(self.chain.view(to, call.abi_encode().into()))
    }

    /// What the contracts emitted in the last call.
    pub fn logs(&self) -> &[Log] {
        self.chain.logs()
    }

    /// The number of the last call's block.
    pub fn block_number(&self) -> u64 {
        self.chain.block_number()
    }

    /// Lets so many blocks pass before the next call.
    pub fn roll(&mut self, blocks: u64) {
        self.chain.roll(blocks);
    }

    /// The chain below.
    pub const fn chain(&mut self) -> &mut C {
        &mut self.chain
    }

    /// Sets what one whole market's underlying is worth, scaled as the protocol wants it: 1e(36 − decimals). Ether's is fixed at
    /// 1e18 by the oracle.
    ///
    /// # Errors
    /// How it failed; always for ether.
    pub fn set_price(&mut self, market: GenuineMarket, mantissa: U256) -> Result<(), Failure> {
        let call = OracleCalls::setUnderlyingPriceCall {
            cToken: market.c_token,
            mantissa,
        };
        let oracle = self.oracle;
        self.call(deployment::ADMIN, oracle, &call).map(|_| ())
    }

    /// Supplies so much of the underlying.
    ///
    /// # Errors
    /// How it failed.
    pub fn mint(&mut self, minter: Address, market: GenuineMarket, amount: U256) -> Code {
        match market.underlying {
            Some(_) => self.call(minter, market.c_token, &CErc20Calls::mintCall { amount }),
            None => self.paid(minter, market, &CEtherCalls::mintCall {}, amount),
        }
    }

    /// Redeems so many cTokens.
    ///
    /// # Errors
    /// How it failed.
    pub fn redeem(&mut self, redeemer: Address, market: GenuineMarket, tokens: U256) -> Code {
        self.call(redeemer, market.c_token, &CErc20Calls::redeemCall { tokens })
    }

    /// Redeems cTokens for so much of the underlying.
    ///
    /// # Errors
    /// How it failed.
    pub fn redeem_underlying(&mut self, redeemer: Address, market: GenuineMarket, amount: U256) -> Code {
        self.call(redeemer, market.c_token, &CErc20Calls::redeemUnderlyingCall { amount })
    }

    /// Borrows so much of the underlying.
    ///
    /// # Errors
    /// How it failed.
    pub fn borrow(&mut self, borrower: Address, market: GenuineMarket, amount: U256) -> Code {
        self.call(borrower, market.c_token, &CErc20Calls::borrowCall { amount })
    }

    /// Repays so much of one's own borrow, all of it for the largest number (in tokens).
    ///
    /// # Errors
    /// How it failed.
    pub fn repay_borrow(&mut self, payer: Address, market: GenuineMarket, amount: U256) -> Code {
        match market.underlying {
            Some(_) => self.call(payer, market.c_token, &CErc20Calls::repayBorrowCall { amount }),
            None => self.paid(payer, market, &CEtherCalls::repayBorrowCall {}, amount),
        }
    }

    /// Repays so much of another's borrow, all of it for the largest number (in tokens).
    ///
    /// # Errors
    /// How it failed.
    pub fn repay_borrow_behalf(
        &mut self,
        payer: Address,
        borrower: Address,
        market: GenuineMarket,
        amount: U256,
    ) -> Code {
        match market.underlying {
            Some(_) => {
                let call = CErc20Calls::repayBorrowBehalfCall { borrower, amount };
                self.call(payer, market.c_token, &call)
            }
            None => self.paid(payer, market, &CEtherCalls::repayBorrowBehalfCall { borrower }, amount),
        }
    }

    /// Repays so much of a borrow in one market for cTokens of another.
    ///
    /// # Errors
    /// How it failed.
    pub fn liquidate_borrow(
        &mut self,
        liquidator: Address,
        borrower: Address,
        market: GenuineMarket,
        amount: U256,
        collateral: Address,
    ) -> Code {
        match market.underlying {
            Some(_) => {
                let call = CErc20Calls::liquidateBorrowCall {
                    borrower,
                    amount,
                    collateral,
                };
                self.call(liquidator, market.c_token, &call)
            }
            None => {
                let call = CEtherCalls::liquidateBorrowCall { borrower, collateral };
                self.paid(liquidator, market, &call, amount)
            }
        }
    }

    /// Moves cTokens; answers whether they moved.
    ///
    /// # Errors
    /// How it failed.
    pub fn transfer(
        &mut self,
        from: Address,
        market: GenuineMarket,
        to: Address,
        tokens: U256,
    ) -> Result<bool, Failure> {
        self.call(from, market.c_token, &CErc20Calls::transferCall { to, tokens })
    }

    /// Gives so much of the underlying to a market's reserves.
    ///
    /// # Errors
    /// How it failed.
    pub fn add_reserves(&mut self, benefactor: Address, market: GenuineMarket, amount: U256) -> Code {
        match market.underlying {
            Some(_) => self.call(benefactor, market.c_token, &CErc20Calls::_addReservesCall { amount }),
            None => self.pay(benefactor, market.c_token, &CEtherCalls::_addReservesCall {}, amount),
        }
    }

    /// Takes so much of the underlying out of a market's reserves; the administrator's alone.
    ///
    /// # Errors
    /// How it failed.
    pub fn reduce_reserves(&mut self, admin: Address, market: GenuineMarket, amount: U256) -> Code {
        self.call(admin, market.c_token, &CErc20Calls::_reduceReservesCall { amount })
    }

    /// Brings a market's interest up to date.
    ///
    /// # Errors
    /// How it failed.
    pub fn accrue_interest(&mut self, from: Address, market: GenuineMarket) -> Code {
        self.call(from, market.c_token, &CErc20Calls::accrueInterestCall {})
    }

    /// Enters markets; answers a code for each.
    ///
    /// # Errors
    /// How it failed.
    pub fn enter_markets(&mut self, account: Address, markets: Vec<Address>) -> Result<Vec<U256>, Failure> {
        let comptroller = self.comptroller;
        self.call(account, comptroller, &ComptrollerCalls::enterMarketsCall { markets })
    }

    /// Leaves a market.
    ///
    /// # Errors
    /// How it failed.
    pub fn exit_market(&mut self, account: Address, market: Address) -> Code {
        let comptroller = self.comptroller;
        self.call(account, comptroller, &ComptrollerCalls::exitMarketCall { market })
    }

    /// Sends underlying to a market without calling it.
    ///
    /// # Errors
    /// How it failed; always for ether, which counts as supplied.
    pub fn donate(&mut self, from: Address, market: GenuineMarket, amount: U256) -> Result<(), Failure> {
        let token = market.underlying.unwrap_or_default();
        let call = TokenCalls::transferCall {
            to: market.c_token,
            amount,
        };
        self.call(from, token, &call).map(|_| ())
    }

    /// A call with ether that returns nothing and reverts where another market would return an error.
    fn paid<F: SolCall>(&mut self, from: Address, market: GenuineMarket, call: &F, value: U256) -> Code {
        self.chain.act_as(from);
        match self.chain.pay(market.c_token, call.abi_encode().into(), value) {
            Answer::Returned(_) => Ok(U256::ZERO),
            Answer::Reverted(reason) => Err(Failure::Reverted(reason)),
            Answer::Halted => Err(Failure::Halted),
            Answer::Lost(reason) => Err(Failure::Lost(reason)),
        }
    }
}
