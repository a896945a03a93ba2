//! Calls that a market's logs tell of, carried out again: the state moves on only where the engine emits what was recorded.

use super::{
    Call, Context, Event, InterestRateMode, Liquidation, Pool, PoolEvent, Revert, TokenEvent, borrow_logic::Payment,
};
use alloy_primitives::{Address, U256};

/// A call that changes the market, with everything that its effect depends on. Amounts are base units; the greatest number asks for
/// all there is, where the contract takes it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `supply`.
    Supply {
        /// The asset.
        asset: Address,
        /// How much.
        amount: U256,
        /// Who receives the aTokens.
        on_behalf_of: Address,
    },
    /// `withdraw` of the caller's.
    Withdraw {
        /// The asset.
        asset: Address,
        /// How much.
        amount: U256,
        /// Who receives it.
        to: Address,
    },
    /// `borrow` at the variable rate; the caller is the debtor.
    Borrow {
        /// The asset.
        asset: Address,
        /// How much.
        amount: U256,
        /// Whether the underlying leaves the reserve; a flash loan that becomes debt has left it already.
        release: bool,
    },
    /// `repay` of debt at the variable rate.
    Repay {
        /// The asset.
        asset: Address,
        /// How much.
        amount: U256,
        /// Whose debt.
        on_behalf_of: Address,
    },
    /// `repayWithATokens` of the caller's debt at the variable rate.
    RepayWithATokens {
        /// The asset.
        asset: Address,
        /// How much.
        amount: U256,
    },
    /// `transfer` of the caller's aTokens.
    Transfer {
        /// The underlying.
        asset: Address,
        /// Who receives them.
        to: Address,
        /// How much.
        amount: U256,
    },
    /// `setUserUseReserveAsCollateral` of the caller's.
    UseAsCollateral {
        /// The asset.
        asset: Address,
        /// Whether it counts.
        using: bool,
    },
    /// `setUserEMode` of the caller's.
    SetEMode {
        /// The category; zero for none.
        category: u8,
    },
    /// One asset of a flash loan, taken and repaid.
    FlashLoan {
        /// The asset.
        asset: Address,
        /// How much.
        amount: U256,
        /// Who received it.
        receiver: Address,
    },
    /// `liquidationCall`; the caller is the liquidator.
    Liquidate(Liquidation),
    /// `mintToTreasury` of one asset.
    MintToTreasury {
        /// The asset.
        asset: Address,
    },
    /// `eliminateReserveDeficit` with the caller's aTokens (from 3.3).
    EliminateDeficit {
        /// The asset.
        asset: Address,
        /// How much.
        amount: U256,
    },
}

/// Why a call is not the one that was recorded; the state is as before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAsRecorded {
    /// The rules refuse it.
    Reverts(Revert),
    /// It emits something else: the first event that differs, as recorded and as computed.
    Differs {
        /// In the chain's record; `None` where that ends first.
        recorded: Option<Box<Event>>,
        /// By the rules; `None` where they emit no more.
        computed: Option<Box<Event>>,
    },
}

impl Pool {
    /// Carries a call out where it emits what was recorded, in the record's order; what it emits beyond the record is returned, and
    /// has to come next. Who called on whose behest is not compared, nor are referral codes: nothing depends on them.
    ///
    /// # Errors
    /// The call reverts or emits something else; the state is as before.
    pub fn reenact(
        &mut self,
        context: &Context<'_>,
        action: &Action,
        recorded: &[Event],
    ) -> Result<Vec<Event>, NotAsRecorded> {
        let mut difference = None;
        let result = self.transact(context, |call| {
            call.act(action)?;
            difference = first_difference(recorded, call.events());
            match difference {
                Some(_) => Err(Revert::WithoutReason),
                None => Ok(()),
            }
        });
        match (result, difference) {
            (Ok(mut events), _) => Ok(events.split_off(recorded.len())),
            (Err(_), Some(difference)) => Err(difference),
            (Err(revert), None) => Err(NotAsRecorded::Reverts(revert)),
        }
    }
}

impl Call<'_> {
    fn act(&mut self, action: &Action) -> Result<(), Revert> {
        let mode = InterestRateMode::Variable;
        match *action {
            Action::Supply {
                asset,
                amount,
                on_behalf_of,
            } => self.supply(asset, amount, on_behalf_of),
            Action::Withdraw { asset, amount, to } => self.withdraw(asset, amount, to),
            Action::Borrow { asset, amount, release } => self.borrow(asset, amount, mode, self.caller, release),
            Action::Repay {
                asset,
                amount,
                on_behalf_of,
            } => self.repay(asset, amount, mode, on_behalf_of, Payment::Underlying),
            Action::RepayWithATokens { asset, amount } => {
                self.repay(asset, amount, mode, self.caller, Payment::ATokens)
            }
            Action::Transfer { asset, to, amount } => self.transfer(asset, to, amount),
            Action::UseAsCollateral { asset, using } => self.use_as_collateral(asset, using),
            Action::SetEMode { category } => self.set_user_e_mode(category),
            Action::FlashLoan {
                asset,
                amount,
                receiver,
            } => {
                self.lend(asset, receiver, amount)?;
                self.take_back(asset, receiver, amount)
            }
            Action::Liquidate(liquidation) if self.revision().deficit() => self.liquidate(&liquidation),
            Action::Liquidate(liquidation) => self.liquidate_early(&liquidation),
            Action::MintToTreasury { asset } => {
                let id = self.id(asset)?;
                self.mint_to_treasury(id)
            }
            Action::EliminateDeficit { asset, amount } => self.eliminate_deficit(asset, amount),
        }
    }
}

fn first_difference(recorded: &[Event], computed: &[Event]) -> Option<NotAsRecorded> {
    let place = recorded.iter().zip(computed).position(|(a, b)| !alike(a, b));
    let place = place.or_else(|| (computed.len() < recorded.len()).then_some(computed.len()))?;
    let event = |events: &[Event]| events.get(place).cloned().map(Box::new);
    Some(NotAsRecorded::Differs {
        recorded: event(recorded),
        computed: event(computed),
    })
}

impl Event {
    /// Whether two events say the same, whoever called and by whose referral.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        alike(self, other)
    }
}

fn alike(a: &Event, b: &Event) -> bool {
    match (a, b) {
        (Event::Pool(PoolEvent::Supply(a)), Event::Pool(PoolEvent::Supply(b))) => {
            (a.reserve, a.onBehalfOf, a.amount) == (b.reserve, b.onBehalfOf, b.amount)
        }
        (Event::Pool(PoolEvent::Borrow(a)), Event::Pool(PoolEvent::Borrow(b))) => {
            let numbers = |e: &super::pool_abi::Borrow| (e.amount, e.interestRateMode, e.borrowRate);
            (a.reserve, a.onBehalfOf, numbers(a)) == (b.reserve, b.onBehalfOf, numbers(b))
        }
        (Event::Pool(PoolEvent::FlashLoan(a)), Event::Pool(PoolEvent::FlashLoan(b))) => {
            let numbers = |e: &super::pool_abi::FlashLoan| (e.amount, e.interestRateMode, e.premium);
            (a.target, a.asset, numbers(a)) == (b.target, b.asset, numbers(b))
        }
        (Event::Token(token_a, TokenEvent::Mint(a)), Event::Token(token_b, TokenEvent::Mint(b))) => {
            let numbers = |e: &super::token_abi::Mint| (e.value, e.balanceIncrease, e.index);
            (token_a, a.onBehalfOf, numbers(a)) == (token_b, b.onBehalfOf, numbers(b))
        }
        _ => a == b,
    }
}
