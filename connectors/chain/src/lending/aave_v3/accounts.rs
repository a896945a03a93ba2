use crate::{
    error::NodeError,
    lending::{
        asking::Asking,
        calls::{AavePool, AaveToken},
    },
};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::aave_v3::{Pool, ScaledBalance, TokenKind, User, UserConfiguration};

/// What these users have, owe and chose, in the order asked for.
pub(in crate::lending) async fn read(
    asking: &Asking<'_>,
    pool: &Pool,
    users: &[Address],
) -> Result<Vec<(Address, User)>, NodeError> {
    let address = pool.params().address;
    let calls: Vec<_> = users
        .iter()
        .map(|user| (address, AavePool::getUserConfigurationCall { user: *user }))
        .collect();
    let configurations = asking.aggregated(&calls).await?;
    let calls: Vec<_> = users
        .iter()
        .map(|user| (address, AavePool::getUserEModeCall { user: *user }))
        .collect();
    let e_modes = asking.aggregated(&calls).await?;
    let mut found = Vec::with_capacity(users.len());
    for ((user, word), e_mode) in users.iter().zip(configurations).zip(e_modes) {
        let mut known = User::default();
        known.configuration = UserConfiguration(word);
        known.e_mode = asking.narrow(address, "user's category", e_mode)?;
        found.push((*user, known));
    }
    // Whoever owes has the flag; a supply need not be pledged.
    let mut balances = Vec::new();
    for (place, (user, known)) in found.iter().enumerate() {
        for reserve in pool.reserves() {
            let supply = (reserve.a_token, TokenKind::AToken);
            let debt = (reserve.variable_debt_token, TokenKind::VariableDebt);
            let owes = known.configuration.is_borrowing(reserve.id);
            for (token, kind) in [Some(supply), owes.then_some(debt)].into_iter().flatten() {
                balances.push((place, reserve.id, kind, token, *user));
            }
        }
    }
    let calls: Vec<_> = balances
        .iter()
        .map(|(.., token, user)| (*token, AaveToken::scaledBalanceOfCall { user: *user }))
        .collect();
    let amounts = asking.aggregated(&calls).await?;
    let held = balances
        .into_iter()
        .zip(amounts)
        .filter(|(_, amount)| !amount.is_zero());
    let held: Vec<_> = held.collect();
    let calls: Vec<_> = held
        .iter()
        .map(|((.., token, user), _)| (*token, AaveToken::getPreviousIndexCall { user: *user }))
        .collect();
    let indexes: Vec<U256> = asking.aggregated(&calls).await?;
    for (((place, id, kind, token, _), amount), last_index) in held.into_iter().zip(indexes) {
        let balance = ScaledBalance {
            amount: asking.narrow(token, "scaled balance", amount)?,
            last_index: asking.narrow(token, "previous index", last_index)?,
        };
        if let Some((_, known)) = found.get_mut(place) {
            known.set_balance(id, kind, balance);
        }
    }
    Ok(found)
}
