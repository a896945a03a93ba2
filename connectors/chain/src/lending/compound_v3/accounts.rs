use super::reserved;
use crate::{
    error::NodeError,
    lending::{asking::Asking, calls::Comet as Calls},
};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::compound_v3::{Accounts, Comet};

/// Assets whose flags are in `assetsIn`; those of the others are in the byte beside it.
const FIRST_ASSETS: usize = 16;

/// What these accounts have and owe.
pub(in crate::lending) async fn read(
    asking: &Asking<'_>,
    address: Address,
    comet: &Comet,
    accounts: &[Address],
) -> Result<Accounts, NodeError> {
    let mut book = Accounts::default();
    let assets = &comet.configuration().assets;
    let calls: Vec<_> = accounts
        .iter()
        .map(|account| (address, Calls::userBasicCall { account: *account }))
        .collect();
    // Who has collateral of an asset, by the assets' places.
    let mut holders: Vec<Vec<Address>> = vec![Vec::new(); assets.len()];
    for (account, basic) in accounts.iter().zip(asking.aggregated(&calls).await?) {
        let principal = i128::try_from(basic.principal).map_err(|_| {
            asking.refused(
                address,
                format!("{account}'s principal is {}, which does not fit", basic.principal),
            )
        })?;
        book.set_principal(*account, principal);
        let flags = basic.assetsIn | (basic.reserved << FIRST_ASSETS);
        if flags >> assets.len() != U256::ZERO {
            let reason = format!("{account} has assets {flags:#b}, but only {} are known", assets.len());
            return Err(asking.refused(address, reason));
        }
        for (place, holders) in holders.iter_mut().enumerate() {
            if flags.bit(place) {
                holders.push(*account);
            }
        }
    }
    for ((place, info), holders) in (0u8..).zip(assets).zip(holders) {
        let calls: Vec<_> = holders
            .iter()
            .map(|account| {
                let (account, asset) = (*account, info.asset);
                (address, Calls::userCollateralCall { account, asset })
            })
            .collect();
        for (account, collateral) in holders.iter().zip(asking.aggregated(&calls).await?) {
            let of = format!("collateral of {account} in {}", info.asset);
            reserved(asking, address, &of, collateral.reserved)?;
            if collateral.balance.is_zero() {
                return Err(asking.refused(
                    address,
                    format!("it counts {account} in {}, of which it has none", info.asset),
                ));
            }
            book.set_collateral(*account, place, asking.narrow(address, &of, collateral.balance)?);
        }
    }
    Ok(book)
}
