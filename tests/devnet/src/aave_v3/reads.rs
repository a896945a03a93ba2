use super::{
    calls::{AssetCalls, PoolCalls, ScaledTokenCalls},
    market::GenuineMarket,
    spec::Version,
};
use crate::{
    Chain,
    uniswap_v2::{Failure, decode},
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;

/// Everything that the pool and its tokens say of a reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveState {
    /// The configuration word.
    pub configuration: U256,
    /// Ray.
    pub liquidity_index: u128,
    /// Ray a year.
    pub liquidity_rate: u128,
    /// Ray.
    pub variable_borrow_index: u128,
    /// Ray a year.
    pub variable_borrow_rate: u128,
    /// Ray a year.
    pub stable_borrow_rate: u128,
    /// Seconds since the Unix epoch.
    pub last_update: u64,
    /// Its place in the list.
    pub id: u16,
    /// The treasury's, scaled.
    pub accrued_to_treasury: u128,
    /// Minted without backing, in the token's smallest unit.
    pub unbacked: u128,
    /// In cents of USD.
    pub isolation_mode_total_debt: u128,
    /// All aTokens, scaled.
    pub scaled_a_token: U256,
    /// All variable debt, scaled.
    pub scaled_variable_debt: U256,
    /// What the aToken holds of the underlying.
    pub underlying_balance: U256,
    /// What the pool believes that it holds; zero in 3.0.2.
    pub virtual_balance: u128,
    /// Bad debt; zero in 3.0.2.
    pub deficit: U256,
}

/// A user's account in the oracle's unit and basis points, and his health factor as a wad.
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
        let later = self.version != Version::V3_0_2;
        let scaled = ScaledTokenCalls::scaledTotalSupplyCall {};
        let account = data.aTokenAddress;
        Ok(ReserveState {
            configuration: data.configuration,
            liquidity_index: data.liquidityIndex,
            liquidity_rate: data.currentLiquidityRate,
            variable_borrow_index: data.variableBorrowIndex,
            variable_borrow_rate: data.currentVariableBorrowRate,
            stable_borrow_rate: data.currentStableBorrowRate,
            last_update: data.lastUpdateTimestamp.to(),
            id: data.id,
            accrued_to_treasury: data.accruedToTreasury,
            unbacked: data.unbacked,
            isolation_mode_total_debt: data.isolationModeTotalDebt,
            scaled_a_token: self.read_at(data.aTokenAddress, &scaled)?,
            scaled_variable_debt: self.read_at(data.variableDebtTokenAddress, &scaled)?,
            underlying_balance: self.read_at(asset, &AssetCalls::balanceOfCall { account })?,
            virtual_balance: if later {
                self.read(&PoolCalls::getVirtualUnderlyingBalanceCall { asset })?
            } else {
                0
            },
            deficit: if later {
                self.read(&PoolCalls::getReserveDeficitCall { asset })?
            } else {
                U256::ZERO
            },
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

    /// A user's aTokens and variable debt with interest, in the token's smallest unit.
    ///
    /// # Errors
    /// How it failed.
    pub fn balances(&mut self, user: Address, asset: Address) -> Result<[U256; 2], Failure> {
        let listing = self.listing(asset);
        let call = ScaledTokenCalls::balanceOfCall { user };
        Ok([
            self.read_at(listing.a_token, &call)?,
            self.read_at(listing.variable_debt, &call)?,
        ])
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

    /// The efficiency mode that a user is in; zero for none.
    ///
    /// # Errors
    /// How it failed.
    pub fn user_e_mode(&mut self, user: Address) -> Result<u8, Failure> {
        let id = self.read(&PoolCalls::getUserEModeCall { user })?;
        Ok(id.saturating_to())
    }
}
