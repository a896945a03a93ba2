use super::{
    calls::{
        AssetCalls, FirstConfiguratorCalls, LaterConfiguratorCalls, PoolCalls, PriceSourceCalls, ReceiverCalls,
        ScaledTokenCalls,
    },
    deployment::{OWNER, first_strategy_code, later_rates},
    spec::{EModeSpec, Rates, Version},
};
use crate::{
    Chain, Evm,
    uniswap_v2::{Failure, decode},
};
use alloy_primitives::{Address, Bytes, I256, Log, U256};
use alloy_sol_types::SolCall;

/// A genuine Aave v3 market.
#[derive(Debug, Clone)]
pub struct GenuineMarket<C = Evm> {
    pub(super) chain: C,
    pub(super) version: Version,
    pub(super) provider: Address,
    pub(super) pool: Address,
    pub(super) configurator: Address,
    pub(super) oracle: Address,
    pub(super) listings: Vec<Listing>,
    pub(super) receiver: Address,
    pub(super) simple_receiver: Address,
}

/// The contracts of one reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// The underlying token.
    pub asset: Address,
    /// Its aToken.
    pub a_token: Address,
    /// Its variable-debt token.
    pub variable_debt: Address,
    /// Its stable-debt token; zero where the version has none.
    pub stable_debt: Address,
    /// Its price feed.
    pub price_source: Address,
}

/// What the receiver of a flash loan does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// Pays it back with the premium.
    Repays,
    /// Lets the pool take one base unit back at most.
    Keeps,
    /// Answers that it failed.
    Fails,
}

impl Receiver {
    /// What the receiver is told to let the pool take; zero for all that is due.
    pub(crate) fn approves(self) -> U256 {
        U256::from(u8::from(self == Self::Keeps))
    }
}

/// The variable mode of interest, as calls take it.
pub const VARIABLE: U256 = U256::from_limbs([2, 0, 0, 0]);

impl GenuineMarket {
    /// Deploys a market in the process.
    ///
    /// # Errors
    /// No contracts, or parameters that the configurator refuses.
    pub fn deploy(spec: &super::MarketSpec) -> Result<Self, super::DeployError> {
        Self::deploy_on(Evm::new(OWNER), spec)
    }
}

impl<C: Chain> GenuineMarket<C> {
    /// Which of the genuine pools it is.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The address of the provider, which knows the pool's other contracts.
    pub const fn provider(&self) -> Address {
        self.provider
    }

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

    /// The address of who takes flash loans with [`flash_loan_simple`](Self::flash_loan_simple).
    pub const fn simple_receiver(&self) -> Address {
        self.simple_receiver
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

    /// Supplies so much in the token's smallest unit.
    ///
    /// # Errors
    /// How it failed.
    pub fn supply(&mut self, user: Address, asset: Address, amount: U256, for_whom: Address) -> Result<(), Failure> {
        let call = PoolCalls::supplyCall {
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

    /// Borrows so much at the variable rate; the debt is the second address's.
    ///
    /// # Errors
    /// How it failed.
    pub fn borrow(&mut self, user: Address, asset: Address, amount: U256, for_whom: Address) -> Result<(), Failure> {
        let call = PoolCalls::borrowCall {
            asset,
            amount,
            interestRateMode: VARIABLE,
            referralCode: 0,
            onBehalfOf: for_whom,
        };
        self.call(user, &call).map(|_| ())
    }

    /// Lets someone borrow so much on the user's account.
    ///
    /// # Errors
    /// How it failed.
    pub fn approve_delegation(
        &mut self,
        user: Address,
        asset: Address,
        delegatee: Address,
        amount: U256,
    ) -> Result<(), Failure> {
        let debt = self.listing(asset).variable_debt;
        let call = ScaledTokenCalls::approveDelegationCall { delegatee, amount };
        self.call_at(user, debt, &call).map(|_| ())
    }

    /// Repays so much variable debt, or all for the greatest number; returns how much it was.
    ///
    /// # Errors
    /// How it failed.
    pub fn repay(&mut self, user: Address, asset: Address, amount: U256, for_whom: Address) -> Result<U256, Failure> {
        let call = PoolCalls::repayCall {
            asset,
            amount,
            interestRateMode: VARIABLE,
            onBehalfOf: for_whom,
        };
        self.call(user, &call)
    }

    /// Repays so much of one's own variable debt with one's aTokens, or all for the greatest number; returns how much it was.
    ///
    /// # Errors
    /// How it failed.
    pub fn repay_with_a_tokens(&mut self, user: Address, asset: Address, amount: U256) -> Result<U256, Failure> {
        let call = PoolCalls::repayWithATokensCall {
            asset,
            amount,
            interestRateMode: VARIABLE,
        };
        self.call(user, &call)
    }

    /// Turns the use of a supply as collateral on or off.
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

    /// Enters an efficiency mode; leaves it for zero.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_e_mode(&mut self, user: Address, category: u8) -> Result<(), Failure> {
        let call = PoolCalls::setUserEModeCall { categoryId: category };
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

    /// Has the receiver take flash loans of several assets, to be paid back at once.
    ///
    /// # Errors
    /// How it failed.
    pub fn flash_loan(&mut self, user: Address, loans: &[(Address, U256)], receiver: Receiver) -> Result<(), Failure> {
        self.instruct(self.receiver, receiver)?;
        let (assets, amounts): (Vec<_>, Vec<_>) = loans.iter().copied().unzip();
        let call = PoolCalls::flashLoanCall {
            receiverAddress: self.receiver,
            interestRateModes: vec![U256::ZERO; assets.len()],
            assets,
            amounts,
            onBehalfOf: user,
            params: Bytes::new(),
            referralCode: 0,
        };
        self.call(user, &call).map(|_| ())
    }

    /// Has the simple receiver take a flash loan of one asset.
    ///
    /// # Errors
    /// How it failed.
    pub fn flash_loan_simple(
        &mut self,
        user: Address,
        asset: Address,
        amount: U256,
        receiver: Receiver,
    ) -> Result<(), Failure> {
        self.instruct(self.simple_receiver, receiver)?;
        let call = PoolCalls::flashLoanSimpleCall {
            receiverAddress: self.simple_receiver,
            asset,
            amount,
            params: Bytes::new(),
            referralCode: 0,
        };
        self.call(user, &call).map(|_| ())
    }

    fn instruct(&mut self, address: Address, receiver: Receiver) -> Result<(), Failure> {
        let fail = receiver == Receiver::Fails;
        self.call_at(OWNER, address, &ReceiverCalls::setFailExecutionTransferCall { fail })?;
        self.call_at(OWNER, address, &ReceiverCalls::setSimulateEOACall { flag: fail })?;
        let amount = receiver.approves();
        let set = ReceiverCalls::setAmountToApproveCall {
            amountToApprove: amount,
        };
        self.call_at(OWNER, address, &set).map(|_| ())
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

    /// Mints what the treasury has accrued.
    ///
    /// # Errors
    /// How it failed.
    pub fn mint_to_treasury(&mut self, assets: &[Address]) -> Result<(), Failure> {
        let assets = assets.to_vec();
        self.call(OWNER, &PoolCalls::mintToTreasuryCall { assets }).map(|_| ())
    }

    /// Makes this an asset's price, in the oracle's unit; emits `AnswerUpdated`.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_price(&mut self, asset: Address, price: U256) -> Result<(), Failure> {
        let source = self.listing(asset).price_source;
        let answer = I256::from_raw(price);
        self.call_at(OWNER, source, &PriceSourceCalls::submitCall { answer })
            .map(|_| ())
    }

    /// Gives a reserve another curve of interest rates.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_rates(&mut self, asset: Address, rates: Rates) -> Result<(), Failure> {
        match self.version {
            Version::V3_0_2 => {
                let code = first_strategy_code(self.provider, rates);
                let code = code.map_err(|error| Failure::Lost(error.to_string()))?;
                self.chain.act_as(OWNER);
                // Bad rates do not deploy; what was asked for then reverts without a reason.
                let strategy = self.chain.deploy(code).ok_or(Failure::Reverted(String::new()))?;
                self.configure(&FirstConfiguratorCalls::setReserveInterestRateStrategyAddressCall {
                    asset,
                    newRateStrategyAddress: strategy,
                })
                .map(|_| ())
            }
            Version::V3_6_0 => {
                let data = later_rates(rates);
                self.configure(&LaterConfiguratorCalls::setReserveInterestRateDataCall { asset, rateData: data })
                    .map(|_| ())
            }
        }
    }

    /// Adds an efficiency mode, with its assets.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_e_mode_category(&mut self, spec: &EModeSpec) -> Result<(), Failure> {
        let (id, label) = (spec.id, format!("mode {}", spec.id));
        let of = |listings: &[Listing], ids: &[usize]| -> Vec<Address> {
            let known = ids.iter().filter_map(|&id| listings.get(id));
            known.map(|listing| listing.asset).collect()
        };
        let collateral = of(&self.listings, &spec.collateral);
        let borrowable = of(&self.listings, &spec.borrowable);
        match self.version {
            Version::V3_0_2 => {
                self.configure(&FirstConfiguratorCalls::setEModeCategoryCall {
                    categoryId: id,
                    ltv: spec.ltv,
                    liquidationThreshold: spec.liquidation_threshold,
                    liquidationBonus: spec.liquidation_bonus,
                    oracle: spec.price_source,
                    label,
                })?;
                let more = borrowable.into_iter().filter(|asset| !collateral.contains(asset));
                let all: Vec<Address> = collateral.iter().copied().chain(more).collect();
                for asset in all {
                    self.set_asset_e_mode(asset, id)?;
                }
            }
            Version::V3_6_0 => {
                self.configure(&LaterConfiguratorCalls::setEModeCategoryCall {
                    categoryId: id,
                    ltv: spec.ltv,
                    liquidationThreshold: spec.liquidation_threshold,
                    liquidationBonus: spec.liquidation_bonus,
                    label,
                })?;
                for asset in collateral {
                    self.configure(&LaterConfiguratorCalls::setAssetCollateralInEModeCall {
                        asset,
                        categoryId: id,
                        collateral: true,
                    })?;
                }
                for asset in borrowable {
                    self.configure(&LaterConfiguratorCalls::setAssetBorrowableInEModeCall {
                        asset,
                        categoryId: id,
                        borrowable: true,
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Puts an asset into an efficiency mode; 3.0.2 only.
    ///
    /// # Errors
    /// How it failed.
    pub fn set_asset_e_mode(&mut self, asset: Address, category: u8) -> Result<(), Failure> {
        self.configure(&FirstConfiguratorCalls::setAssetEModeCategoryCall {
            asset,
            newCategoryId: category,
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
