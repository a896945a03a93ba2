use crate::{SimulatedExecutor, executor::Reverted};
use alloy_primitives::{Address, U256};
use plimsoll_runtime::{Size, TokenFlow};

/// What the wallet has, and what goes out of it and into it.
impl SimulatedExecutor {
    pub(crate) fn size(&self, token: Address, size: Size) -> Result<U256, Reverted> {
        let balance = self.account.balance(token);
        match size {
            Size::All => Ok(balance),
            Size::Exact(amount) if amount <= balance => Ok(amount),
            Size::Exact(amount) => Err(format!("insufficient balance: {amount} asked, {balance} held")),
        }
    }

    pub(crate) fn take(&mut self, token: Address, amount: U256) -> Result<(), Reverted> {
        let balance = self.account.wallet.entry(token).or_default();
        *balance = balance
            .checked_sub(amount)
            .ok_or_else(|| format!("insufficient balance: {amount} needed, {balance} held"))?;
        Ok(())
    }

    pub(crate) fn give(&mut self, token: Address, amount: U256) {
        let balance = self.account.wallet.entry(token).or_default();
        *balance = balance.saturating_add(amount);
    }
}

pub(crate) const fn flow(token: Address, paid: U256, received: U256) -> TokenFlow {
    TokenFlow { token, paid, received }
}
