use super::layout::Words;
use crate::{
    error::NodeError,
    lending::{
        asking::Asking,
        calls::{CToken, Comptroller},
    },
};
use alloy_primitives::{Address, B256, U256};
use plimsoll_protocols::compound_v2::{Accounts, Pool, Position};

/// What these accounts have and owe, and the markets that they have entered.
pub(in crate::lending) async fn read(
    asking: &Asking<'_>,
    pool: &Pool,
    accounts: &[Address],
) -> Result<Accounts, NodeError> {
    let mut book = Accounts::default();
    for market in pool.markets() {
        let c_token = market.c_token;
        let Some(id) = pool.market_id(c_token) else { continue };
        let calls: Vec<_> = accounts
            .iter()
            .map(|account| (c_token, CToken::balanceOfCall { account: *account }))
            .collect();
        let balances = asking.aggregated(&calls).await?;
        let calls: Vec<_> = accounts
            .iter()
            .map(|account| (c_token, CToken::borrowBalanceStoredCall { account: *account }))
            .collect();
        let owed = asking.aggregated(&calls).await?;
        let debtors: Vec<Address> = accounts
            .iter()
            .zip(&owed)
            .filter(|(_, owed)| !owed.is_zero())
            .map(|(account, _)| *account)
            .collect();
        let mut borrows = if debtors.is_empty() {
            Vec::new()
        } else {
            let words = Words::find(asking, market).await?;
            let slots: Vec<B256> = debtors.iter().flat_map(|debtor| words.borrow_slots(*debtor)).collect();
            asking.storage(c_token, &slots).await?
        }
        .into_iter();
        for ((account, tokens), owed) in accounts.iter().zip(balances).zip(owed) {
            let (principal, index) = if owed.is_zero() {
                (U256::ZERO, U256::ZERO)
            } else {
                (borrows.next().unwrap_or_default(), borrows.next().unwrap_or_default())
            };
            let position = Position {
                market: id,
                tokens: asking.narrow(c_token, "balance of an account", tokens)?,
                borrow_principal: asking.narrow(c_token, "borrow of an account", principal)?,
                borrow_index: asking.narrow(c_token, "borrow index of an account", index)?,
            };
            // The words are those of a borrow only where they make what the function tells.
            if market.borrow_balance_stored(&position) != Ok(owed) {
                let reason = format!("{account} owes {owed}, but its storage says {principal} at index {index}");
                return Err(asking.refused(c_token, reason));
            }
            book.set_position(*account, position);
        }
    }
    let calls: Vec<_> = accounts
        .iter()
        .map(|account| (pool.comptroller(), Comptroller::getAssetsInCall { account: *account }))
        .collect();
    for (account, entered) in accounts.iter().zip(asking.aggregated(&calls).await?) {
        for c_token in entered {
            let id = pool
                .market_id(c_token)
                .ok_or_else(|| asking.refused(c_token, format!("{account} has entered it, but it is not listed")))?;
            book.enter(*account, id);
        }
    }
    Ok(book)
}
