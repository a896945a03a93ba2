//! What the treasury is owed becomes its aTokens (`PoolLogic`).

use super::{Call, Change, Context, Event, Pool, PoolEvent, Revert, Revision, TokenKind, pool_abi};
use alloy_primitives::{Address, U256};

impl Pool {
    /// Mints to the treasury what reserves have accrued for it (`mintToTreasury`); assets without an active reserve are left out.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn mint_to_treasury(&mut self, context: &Context<'_>, assets: &[Address]) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| {
            let ids: Vec<u16> = assets.iter().filter_map(|&asset| call.pool.id(asset)).collect();
            ids.into_iter().try_for_each(|id| call.mint_to_treasury(id))
        })
    }
}

impl Call<'_> {
    pub(super) fn mint_to_treasury(&mut self, id: u16) -> Result<(), Revert> {
        let reserve = *self.reserve(id)?;
        let accrued = U256::from(reserve.accrued_to_treasury);
        if !reserve.configuration.active() || accrued.is_zero() {
            return Ok(());
        }
        self.reserve_mut(id)?.accrued_to_treasury = 0;
        let kind = TokenKind::AToken;
        let index = reserve.normalized_income(self.now)?;
        let scaling = self.revision().scaling();
        let amount = scaling.balance(kind, accrued, index)?;
        // Up to 3.4 the amount is scaled once more.
        let early = self.revision() < Revision::V3_5;
        let scaled = if early {
            scaling.minted(kind, amount, index)?
        } else {
            accrued
        };
        if !early || !amount.is_zero() {
            let change = Change {
                id,
                kind,
                amount,
                scaled,
                index,
            };
            self.mint(self.pool.params().address, reserve.treasury, change)?;
        }
        self.emit(PoolEvent::MintedToTreasury(pool_abi::MintedToTreasury {
            reserve: reserve.asset,
            amountMinted: amount,
        }));
        Ok(())
    }
}
