use super::{
    calls::{PoolCalls, ScaledTokenCalls, StableTokenCalls},
    market::GenuineMarket,
};
use crate::{
    Chain,
    aave_v3::calls::AssetCalls,
    uniswap_v2::{Failure, decode},
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;

/// Everything that the pool and its tokens say of a reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReserveState {
    /// The configuration word.
    pub configuration: U256,
    /// Ray.
    pub liquidity_index: u128,
    /// Ray.
    pub variable_borrow_index: u128,
    /// Ray a year.
    pub liquidity_rate: u128,
    /// Ray a year.
    pub variable_borrow_rate: u128,
    /// Ray a year.
    pub stable_borrow_rate: u128,
    /// Seconds since the Unix epoch.
    pub last_update: u64,
    /// Its place in the list.
    pub id: u8,
    /// All aTokens, scaled.
    pub scaled_a_token: U256,
    /// All variable debt, scaled.
    pub scaled_variable_debt: U256,
    /// All stable debt, without the interest since its last change.
    pub stable_principal: U256,
    /// All stable debt with interest; the reason that the token gives where it outgrows its bits.
    pub stable_total: Result<U256, String>,
    /// Ray a year, weighted by principals.
    pub average_stable_rate: U256,
    /// The last change of stable debt, in seconds since the Unix epoch.
    pub stable_last_update: u64,
    /// What the aToken holds of the underlying.
    pub underlying_balance: U256,
}

/// A user's stable debt in one reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StableDebt {
    /// Without the interest since its last change.
    pub principal: U256,
    /// Ray a year.
    pub rate: U256,
    /// Its last change, in seconds since the Unix epoch.
    pub last_update: u64,
}

/// Where a stable-debt token keeps its principal in all: its only view of it reverts where the interest outgrows its bits.
pub(super) const STABLE_PRINCIPAL_SLOT: U256 = U256::from_limbs([2, 0, 0, 0]);

/// A user's account in wei and basis points, and his health factor as a wad.
pub type AccountData = PoolCalls::getUserAccountDataReturn;

impl<C: Chain> GenuineMarket<C> {
    /// Reads any contract.
    ///
    /// # Errors
    /// How it failed.
    pub fn read_at<F: SolCall>(&mut self, to: Address, call: &F) -> Result<F::Return, Failure> {
        decode::<F>(self.chain.view(to, call.abi_encode().into()))
    }

    /// Reads the pool.
    ///
    /// # Errors
    /// How it failed.
    pub fn read<F: SolCall>(&mut self, call: &F) -> Result<F::Return, Failure> {
        self.read_at(self.pool, call)
    }

    /// Everything about a reserve, as it was left by its last change.
    ///
    /// # Errors
    /// How it failed.
    pub fn reserve(&mut self, asset: Address) -> Result<ReserveState, Failure> {
        let data = self.read(&PoolCalls::getReserveDataCall { asset })?;
        let scaled = ScaledTokenCalls::scaledTotalSupplyCall {};
        let stable = data.stableDebtTokenAddress;
        let principal = self.chain.storage(stable, STABLE_PRINCIPAL_SLOT);
        let account = data.aTokenAddress;
        Ok(ReserveState {
            configuration: data.configuration,
            liquidity_index: data.liquidityIndex,
            variable_borrow_index: data.variableBorrowIndex,
            liquidity_rate: data.currentLiquidityRate,
            variable_borrow_rate: data.currentVariableBorrowRate,
            stable_borrow_rate: data.currentStableBorrowRate,
            last_update: data.lastUpdateTimestamp.to(),
            id: data.id,
            scaled_a_token: self.read_at(data.aTokenAddress, &scaled)?,
            scaled_variable_debt: self.read_at(data.variableDebtTokenAddress, &scaled)?,
            stable_principal: principal.ok_or_else(|| Failure::Lost("no storage".to_owned()))?,
            stable_total: match self.read_at(stable, &StableTokenCalls::totalSupplyCall {}) {
                Ok(total) => Ok(total),
                Err(Failure::Reverted(reason)) => Err(reason),
                Err(failure) => return Err(failure),
            },
            average_stable_rate: self.read_at(stable, &StableTokenCalls::getAverageStableRateCall {})?,
            stable_last_update: self
                .read_at(stable, &StableTokenCalls::getTotalSupplyLastUpdatedCall {})?
                .to(),
            underlying_balance: self.read_at(asset, &AssetCalls::balanceOfCall { account })?,
        })
    }

    /// A user's configuration word.
    ///
    /// # Errors
    /// How it failed.
    pub fn user_configuration(&mut self, user: Address) -> Result<U256, Failure> {
        self.read(&PoolCalls::getUserConfigurationCall { user })
    }

    /// A user's scaled aTokens and scaled variable debt.
    ///
    /// # Errors
    /// How it failed.
    pub fn scaled_balances(&mut self, user: Address, asset: Address) -> Result<[U256; 2], Failure> {
        let listing = self.listing(asset);
        let call = ScaledTokenCalls::scaledBalanceOfCall { user };
        Ok([
            self.read_at(listing.a_token, &call)?,
            self.read_at(listing.variable_debt, &call)?,
        ])
    }

    /// A user's aTokens, variable and stable debt with interest, in the token's smallest unit.
    ///
    /// # Errors
    /// How it failed.
    pub fn balances(&mut self, user: Address, asset: Address) -> Result<[U256; 3], Failure> {
        let listing = self.listing(asset);
        let call = ScaledTokenCalls::balanceOfCall { user };
        Ok([
            self.read_at(listing.a_token, &call)?,
            self.read_at(listing.variable_debt, &call)?,
            self.read_at(listing.stable_debt, &call)?,
        ])
    }

    /// A user's stable debt.
    ///
    /// # Errors
    /// How it failed.
    pub fn stable_debt(&mut self, user: Address, asset: Address) -> Result<StableDebt, Failure> {
        let token = self.listing(asset).stable_debt;
        let updated = self.read_at(token, &StableTokenCalls::getUserLastUpdatedCall { user })?;
        Ok(StableDebt {
            principal: self.read_at(token, &StableTokenCalls::principalBalanceOfCall { user })?,
            rate: self.read_at(token, &StableTokenCalls::getUserStableRateCall { user })?,
            last_update: updated.to(),
        })
    }

    /// What an account has of an underlying token, in its smallest unit.
    ///
    /// # Errors
    /// How it failed.
    pub fn asset_balance(&mut self, account: Address, asset: Address) -> Result<U256, Failure> {
        self.read_at(asset, &AssetCalls::balanceOfCall { account })
    }

    /// A user's account at the oracle's prices.
    ///
    /// # Errors
    /// How it failed.
    pub fn user_account_data(&mut self, user: Address) -> Result<AccountData, Failure> {
        self.read(&PoolCalls::getUserAccountDataCall { user })
    }
}
