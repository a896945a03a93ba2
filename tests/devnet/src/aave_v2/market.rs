use super::{
    calls::{ConfiguratorCalls, PoolCalls, ScaledTokenCalls, SetupCalls},
    deployment::strategy_code,
};
use crate::{
    Chain, Evm,
    aave_v3::{
        Listing, OWNER, Rates, Receiver,
        calls::{AssetCalls, PriceSourceCalls, ReceiverCalls},
    },
    uniswap_v2::{Failure, decode},
};
use alloy_primitives::{Address, Bytes, I256, Log, U256};
use alloy_sol_types::SolCall;

/// A genuine Aave v2 market.
#[derive(Debug, Clone)]
pub struct GenuineMarket<C = Evm> {
    pub(super) chain: C,
    pub(super) provider: Address,
    pub(super) pool: Address,
    pub(super) configurator: Address,
    pub(super) oracle: Address,
    pub(super) rate_oracle: Address,
    pub(super) listings: Vec<Listing>,
    pub(super) receiver: Address,
}

/// How interest is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At the rate of the day of borrowing.
    Stable,
    /// At the reserve's rate of every moment.
    Variable,
}

impl Mode {
    /// As calls take it.
    pub fn word(self) -> U256 {
        match self {
            Self::Stable => U256::ONE,
            Self::Variable => U256::from(2),
        }
    }
}

impl GenuineMarket {
    /// Deploys a market in the process.
    ///
    /// # Errors
    /// No contracts, or parameters that the configurator refuses.
    pub fn deploy(spec: &super::MarketSpec) -> Result<Self, crate::deployer::DeployError> {
        Self::deploy_on(Evm::new(OWNER), spec)
    }
}

impl<C: Chain> GenuineMarket<C> {
    /// The pool's address.
    pub const fn pool(&self) -> Address {
        self.pool
    }

    /// The configurator's address.
    pub const fn configurator(&self) -> Address {
        self.configurator
    }

    /// The oracle's address.
    pub const fn oracle(&self) -> Address {
        self.oracle
    }

    /// The address of who takes flash loans with [`flash_loan`](Self::flash_loan).
    pub const fn receiver(&self) -> Address {
        self.receiver
    }

    /// The contracts of every reserve, in the order of their ids.
    pub fn listings(&self) -> &[Listing] {
        &self.listings
    }

    /// The contracts of the reserve of an asset; zeros for an unknown one.
    pub fn listing(&self, asset: Address) -> Listing {
        let listed = self.listings.iter().find(|listing| listing.asset == asset);
        listed.copied().unwrap_or(Listing {
            asset,
            a_token: Address::ZERO,
            variable_debt: Address::ZERO,
            stable_debt: Address::ZERO,
            price_source: Address::ZERO,
        })
    }

    /// The underlying tokens, in the order of the reserves' ids.
    pub fn assets(&self) -> Vec<Address> {
        self.listings.iter().map(|listing| listing.asset).collect()
    }

    /// The chain that it is on.
    pub const fn chain(&mut self) -> &mut C {
        &mut self.chain
    }

    /// What was emitted in the last call, by whatever contract; nothing where it reverted.
    pub fn logs(&self) -> &[Log] {
        self.chain.logs()
    }

    /// The time of the last call, in seconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.chain.now()
    }

    /// Lets time pass until the next call.
    pub fn wait(&mut self, seconds: u64) {
        self.chain.wait(seconds);
    }

    /// Calls any contract as a user.
    ///
    /// # Errors
    /// How it failed.
    pub fn call_at<F: SolCall>(&mut self, user: Address, to: Address, call: &F) -> Result<F::Return, Failure> {
        self.chain.act_as(user);
        decode::<F>(self.chain.send(to, call.abi_encode().into()))
    }

    /// Calls the pool as a user.
    ///
    /// # Errors
    /// How it failed.
    pub fn call<F: SolCall>(&mut self, user: Address, call: &F) -> Result<F::Return, Failure> {
        self.call_at(user, self.pool, call)
    }

    /// Calls the configurator as the owner, who has every role.
    ///
    /// # Errors
    /// How it failed.
    pub fn configure<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        self.call_at(OWNER, self.configurator, call)
    }

    /// Deposits so much in the token's smallest unit.
    ///
    /// # Errors
    /// How it failed.
    pub fn deposit(&mut self, user: Address, asset: Address, amount: U256, for_whom: Address) -> Result<(), Failure> {
        let call = PoolCalls::depositCall {
            asset,
            amount,
            onBehalfOf: for_whom,
            referralCode: 0,
        };
        self.call(user, &call).map(|_| ())
    }

    /// Withdraws so much, or all for the greatest number; returns how much it was.
    ///
    /// # Errors
    /// How it failed.
    pub fn withdraw(&mut self, user: Address, asset: Address, amount: U256, to: Address) -> Result<U256, Failure> {
        self.call(user, &PoolCalls::withdrawCall { asset, amount, to })
    }

    /// Borrows so much; the debt is the second address's.
    ///
    /// # Errors
    /// How it failed.
    pub fn borrow(
        &mut self,
        user: Address,
        asset: Address,
        amount: U256,
        mode: Mode,
        for_whom: Address,
    ) -> Result<(), Failure> {
        let call = PoolCalls::borrowCall {
            asset,
            amount,
            interestRateMode: mode.word(),
            referralCode: 0,
            onBehalfOf: for_whom,
        };
        self.call(user, &call).map(|_| ())
    }

    /// Lets someone borrow so much on the user's account, in one mode.
    ///
    /// # Errors
    /// How it failed.
    pub fn approve_delegation(
        &mut self,
        user: Address,
        asset: Address,
        mode: Mode,
        delegatee: Address,
        amount: U256,
    ) -> Result<(), Failure> {
        let listing = self.listing(asset);
        let debt = match mode {
            Mode::Stable => listing.stable_debt,
            Mode::Variable => listing.variable_debt,
        };
        let call = ScaledTokenCalls::approveDelegationCall { delegatee, amount };
        self.call_at(user, debt, &call).map(|_| ())
    }

    /// Repays so much debt of one mode, or all for the greatest number; returns how much it was.
    ///
    /// # Errors
    /// How it failed.
    pub fn repay(
        &mut self,
        user: Address,
        asset: Address,
        amount: U256,
        mode: Mode,
        for_whom: Address,
    ) -> Result<U256, Failure> {
        let call = PoolCalls::repayCall {
            asset,
            amount,
            rateMode: mode.word(),
            onBehalfOf: for_whom,
        };
        self.call(user, &call)
    }

    /// Turns all debt of this mode into debt of the other.
    ///
    /// # Errors
    /// How it failed.
    pub fn swap_borrow_rate_mode(&mut self, user: Address, asset: Address, mode: Mode) -> Result<(), Failure> {
        let call = PoolCalls::swapBorrowRateModeCall {
            asset,
            rateMode: mode.word(),
        };
        self.call(user, &call).map(|_| ())
    }

    /// Turns the use of a deposit as collateral on or off.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_collateral(&mut self, user: Address, asset: Address, on: bool) -> Result<(), Failure> {
        let call = PoolCalls::setUserUseReserveAsCollateralCall {
            asset,
            useAsCollateral: on,
        };
        self.call(user, &call).map(|_| ())
    }

    /// Transfers so many aTokens, in the underlying's smallest unit.
    ///
    /// # Errors
    /// How it failed.
    pub fn transfer_a_token(
        &mut self,
        user: Address,
        asset: Address,
        to: Address,
        amount: U256,
    ) -> Result<(), Failure> {
        let token = self.listing(asset).a_token;
        let call = ScaledTokenCalls::transferCall { to, amount };
        self.call_at(user, token, &call).map(|_| ())
    }

    /// Has the receiver take flash loans of several assets, to be paid back at once or to become debt of the user's.
    ///
    /// # Errors
    /// How it failed.
    pub fn flash_loan(
        &mut self,
        user: Address,
        loans: &[(Address, U256, Option<Mode>)],
        receiver: Receiver,
    ) -> Result<(), Failure> {
        let fail = receiver == Receiver::Fails;
        let address = self.receiver;
        self.call_at(OWNER, address, &ReceiverCalls::setFailExecutionTransferCall { fail })?;
        self.call_at(OWNER, address, &ReceiverCalls::setSimulateEOACall { flag: fail })?;
        let amount = receiver.approves();
        self.call_at(
            OWNER,
            address,
            &ReceiverCalls::setAmountToApproveCall {
                amountToApprove: amount,
            },
        )?;
        let call = PoolCalls::flashLoanCall {
            receiverAddress: address,
            assets: loans.iter().map(|(asset, ..)| *asset).collect(),
            amounts: loans.iter().map(|(_, amount, _)| *amount).collect(),
            modes: loans
                .iter()
                .map(|(.., mode)| mode.map_or(U256::ZERO, Mode::word))
                .collect(),
            onBehalfOf: user,
            params: Bytes::new(),
            referralCode: 0,
        };
        self.call(user, &call).map(|_| ())
    }

    /// Liquidates: covers so much of a user's debt for collateral of his.
    ///
    /// # Errors
    /// How it failed.
    pub fn liquidate(
        &mut self,
        liquidator: Address,
        collateral: Address,
        debt: Address,
        user: Address,
        debt_to_cover: U256,
        receive_a_token: bool,
    ) -> Result<(), Failure> {
        let call = PoolCalls::liquidationCallCall {
            collateralAsset: collateral,
            debtAsset: debt,
            user,
            debtToCover: debt_to_cover,
            receiveAToken: receive_a_token,
        };
        self.call(liquidator, &call).map(|_| ())
    }

    /// Makes this an asset's price, in wei; emits `AnswerUpdated`.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_price(&mut self, asset: Address, price: U256) -> Result<(), Failure> {
        let source = self.listing(asset).price_source;
        let answer = I256::from_raw(price);
        self.call_at(OWNER, source, &PriceSourceCalls::submitCall { answer })
            .map(|_| ())
    }

    /// Makes this an asset's stable rate at no utilization, in ray a year.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_market_borrow_rate(&mut self, asset: Address, rate: U256) -> Result<(), Failure> {
        let set = SetupCalls::setMarketBorrowRateCall { asset, rate };
        self.call_at(OWNER, self.rate_oracle, &set).map(|_| ())
    }

    /// Gives a reserve other curves of interest rates.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_rates(&mut self, asset: Address, rates: Rates, stable_slopes: [u32; 2]) -> Result<(), Failure> {
        let code = strategy_code(self.provider, rates, stable_slopes);
        let code = code.map_err(|error| Failure::Lost(error.to_string()))?;
        self.chain.act_as(OWNER);
        let strategy = self.chain.deploy(code).ok_or(Failure::Reverted(String::new()))?;
        self.configure(&ConfiguratorCalls::setReserveInterestRateStrategyAddressCall {
            asset,
            rateStrategyAddress: strategy,
        })
        .map(|_| ())
    }

    /// Gives a user more of a token, in its smallest unit.
    ///
    /// # Errors
    /// How it failed.
    pub fn mint_asset(&mut self, user: Address, asset: Address, amount: U256) -> Result<(), Failure> {
        let call = AssetCalls::mintCall {
            account: user,
            value: amount,
        };
        self.call_at(user, asset, &call).map(|_| ())
    }
}
