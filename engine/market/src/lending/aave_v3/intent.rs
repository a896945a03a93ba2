//! Which call a market's logs tell of.

use alloy_primitives::{Address, U256};
use plimsoll_protocols::aave_v3::{Action, Event, Liquidation, PoolEvent, TokenEvent};

/// Whether an event ends the call whose events so far are `before`.
pub(super) fn ends_call(before: &[Event], event: &Event) -> bool {
    match event {
        Event::Pool(
            PoolEvent::Supply(_)
            | PoolEvent::Withdraw(_)
            | PoolEvent::Borrow(_)
            | PoolEvent::Repay(_)
            | PoolEvent::FlashLoan(_)
            | PoolEvent::LiquidationCall(_)
            | PoolEvent::MintedToTreasury(_)
            | PoolEvent::UserEModeSet(_)
            | PoolEvent::DeficitCovered(_),
        ) => true,
        // A transfer's own, if nothing but the token and flags come before; else a liquidation's.
        Event::Token(token, TokenEvent::BalanceTransfer(_)) => before.iter().all(|event| match event {
            Event::Token(other, TokenEvent::Mint(_) | TokenEvent::Transfer(_)) => other == token,
            Event::Pool(
                PoolEvent::ReserveUsedAsCollateralEnabled(_) | PoolEvent::ReserveUsedAsCollateralDisabled(_),
            ) => true,
            _ => false,
        }),
        _ => false,
    }
}

/// Whether an event says that a supply counts as collateral or no longer: by a call of its own, or first of a liquidation's.
pub(super) const fn is_flag(event: &Event) -> bool {
    matches!(
        event,
        Event::Pool(PoolEvent::ReserveUsedAsCollateralEnabled(_) | PoolEvent::ReserveUsedAsCollateralDisabled(_))
    )
}

/// The call that ends with the last of these events: who made it, and what it may have asked for, the likeliest first. `asset_of` says
/// what an aToken stands for.
pub(super) fn of(events: &[Event], asset_of: impl Fn(Address) -> Option<Address>) -> Option<(Address, Vec<Action>)> {
    let all = U256::MAX;
    Some(match events.last()? {
        Event::Pool(PoolEvent::Supply(e)) => {
            let supply = Action::Supply {
                asset: e.reserve,
                amount: e.amount,
                on_behalf_of: e.onBehalfOf,
            };
            (e.user, vec![supply])
        }
        Event::Pool(PoolEvent::Withdraw(e)) => {
            let withdraw = |amount| Action::Withdraw {
                asset: e.reserve,
                amount,
                to: e.to,
            };
            (e.user, vec![withdraw(e.amount), withdraw(all)])
        }
        Event::Pool(PoolEvent::Borrow(e)) => {
            let borrow = |release| Action::Borrow {
                asset: e.reserve,
                amount: e.amount,
                release,
            };
            (e.onBehalfOf, vec![borrow(true), borrow(false)])
        }
        Event::Pool(PoolEvent::Repay(e)) if e.useATokens => {
            let repay = |amount| Action::RepayWithATokens {
                asset: e.reserve,
                amount,
            };
            (e.user, vec![repay(e.amount), repay(all)])
        }
        Event::Pool(PoolEvent::Repay(e)) => {
            let repay = |amount| Action::Repay {
                asset: e.reserve,
                amount,
                on_behalf_of: e.user,
            };
            // All of another's debt cannot be asked for by the greatest number; it is no other call for that.
            (e.repayer, vec![repay(e.amount), repay(all)])
        }
        Event::Pool(PoolEvent::FlashLoan(e)) if e.interestRateMode == 0 => {
            let loan = Action::FlashLoan {
                asset: e.asset,
                amount: e.amount,
                receiver: e.target,
            };
            (e.initiator, vec![loan])
        }
        Event::Pool(PoolEvent::LiquidationCall(e)) => {
            let liquidate = |debt_to_cover| {
                Action::Liquidate(Liquidation {
                    collateral_asset: e.collateralAsset,
                    debt_asset: e.debtAsset,
                    user: e.user,
                    debt_to_cover,
                    receive_a_token: e.receiveAToken,
                })
            };
            (e.liquidator, vec![liquidate(e.debtToCover), liquidate(all)])
        }
        Event::Pool(PoolEvent::MintedToTreasury(e)) => {
            (Address::ZERO, vec![Action::MintToTreasury { asset: e.reserve }])
        }
        Event::Pool(PoolEvent::UserEModeSet(e)) => (e.user, vec![Action::SetEMode { category: e.categoryId }]),
        Event::Pool(PoolEvent::DeficitCovered(e)) => {
            let cover = Action::EliminateDeficit {
                asset: e.reserve,
                amount: e.amountCovered,
            };
            (e.caller, vec![cover])
        }
        Event::Pool(PoolEvent::ReserveUsedAsCollateralEnabled(e)) => {
            let (asset, using) = (e.reserve, true);
            (e.user, vec![Action::UseAsCollateral { asset, using }])
        }
        Event::Pool(PoolEvent::ReserveUsedAsCollateralDisabled(e)) => {
            let (asset, using) = (e.reserve, false);
            (e.user, vec![Action::UseAsCollateral { asset, using }])
        }
        Event::Token(token, TokenEvent::BalanceTransfer(e)) => {
            let amount = events.iter().rev().find_map(|event| match event {
                Event::Token(other, TokenEvent::Transfer(transfer)) if other == token => {
                    (transfer.from == e.from && transfer.to == e.to).then_some(transfer.value)
                }
                _ => None,
            });
            let transfer = Action::Transfer {
                asset: asset_of(*token)?,
                to: e.to,
                amount: amount?,
            };
            (e.from, vec![transfer])
        }
        _ => return None,
    })
}
