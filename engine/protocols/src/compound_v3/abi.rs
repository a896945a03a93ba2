//! Comet's events and their decoding.

use crate::{
    DecodeError, RawLog,
    decode::{fields, unknown_topic},
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;

/// Comet's events (`CometMainInterface`, `CometExtInterface`).
#[allow(missing_docs)]
pub mod comet {
    alloy_sol_types::sol! {
        event Supply(address indexed from, address indexed dst, uint256 amount);
        event Transfer(address indexed from, address indexed to, uint256 amount);
        event Withdraw(address indexed src, address indexed to, uint256 amount);
        event SupplyCollateral(address indexed from, address indexed dst, address indexed asset, uint256 amount);
        event TransferCollateral(address indexed from, address indexed to, address indexed asset, uint256 amount);
        event WithdrawCollateral(address indexed src, address indexed to, address indexed asset, uint256 amount);
        event AbsorbDebt(address indexed absorber, address indexed borrower, uint256 basePaidOut, uint256 usdValue);
        event AbsorbCollateral(address indexed absorber, address indexed borrower, address indexed asset, uint256 collateralAbsorbed, uint256 usdValue);
        event BuyCollateral(address indexed buyer, address indexed asset, uint256 baseAmount, uint256 collateralAmount);
        event PauseAction(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused);
        event WithdrawReserves(address indexed to, uint256 amount);
        event Approval(address indexed owner, address indexed spender, uint256 amount);
    }
}

/// What a Comet says it did. Amounts are base units, values are in the price feeds' unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are the contract's own
pub enum Event {
    /// Base was paid in: it repaid a borrow, or was supplied.
    Supply { from: Address, dst: Address, amount: U256 },
    /// Supplied base came into being (from the zero address) or went away (to it); what was borrowed or repaid shows nowhere.
    Transfer { from: Address, to: Address, amount: U256 },
    /// Base was paid out: of a supply, or borrowed.
    Withdraw { src: Address, to: Address, amount: U256 },
    /// Collateral was paid in.
    SupplyCollateral {
        from: Address,
        dst: Address,
        asset: Address,
        amount: U256,
    },
    /// Collateral changed hands.
    TransferCollateral {
        from: Address,
        to: Address,
        asset: Address,
        amount: U256,
    },
    /// Collateral was paid out.
    WithdrawCollateral {
        src: Address,
        to: Address,
        asset: Address,
        amount: U256,
    },
    /// A borrow was paid out of the reserves.
    AbsorbDebt {
        absorber: Address,
        borrower: Address,
        base_paid_out: U256,
        usd_value: U256,
    },
    /// An absorbed account's collateral became Comet's own; its `AbsorbDebt` follows.
    AbsorbCollateral {
        absorber: Address,
        borrower: Address,
        asset: Address,
        collateral_absorbed: U256,
        usd_value: U256,
    },
    /// Comet sold collateral of its own for base.
    BuyCollateral {
        buyer: Address,
        asset: Address,
        base_amount: U256,
        collateral_amount: U256,
    },
    /// What is paused from now on.
    PauseAction {
        supply: bool,
        transfer: bool,
        withdraw: bool,
        absorb: bool,
        buy: bool,
    },
    /// Reserves were paid out.
    WithdrawReserves { to: Address, amount: U256 },
    /// An account let another act for it; nothing moved.
    Approval,
}

impl Event {
    /// Reads one log of a Comet.
    ///
    /// # Errors
    /// A topic that no Comet emits, or fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Self, DecodeError> {
        use comet::*;
        Ok(match log.topics.first().copied().unwrap_or_default() {
            Supply::SIGNATURE_HASH => {
                let Supply { from, dst, amount } = fields(log, "Supply")?;
                Self::Supply { from, dst, amount }
            }
            Transfer::SIGNATURE_HASH => {
                let Transfer { from, to, amount } = fields(log, "Transfer")?;
                Self::Transfer { from, to, amount }
            }
            Withdraw::SIGNATURE_HASH => {
                let Withdraw { src, to, amount } = fields(log, "Withdraw")?;
                Self::Withdraw { src, to, amount }
            }
            SupplyCollateral::SIGNATURE_HASH => {
                let e: SupplyCollateral = fields(log, "SupplyCollateral")?;
                Self::SupplyCollateral {
                    from: e.from,
                    dst: e.dst,
                    asset: e.asset,
                    amount: e.amount,
                }
            }
            TransferCollateral::SIGNATURE_HASH => {
                let e: TransferCollateral = fields(log, "TransferCollateral")?;
                Self::TransferCollateral {
                    from: e.from,
                    to: e.to,
                    asset: e.asset,
                    amount: e.amount,
                }
            }
            WithdrawCollateral::SIGNATURE_HASH => {
                let e: WithdrawCollateral = fields(log, "WithdrawCollateral")?;
                Self::WithdrawCollateral {
                    src: e.src,
                    to: e.to,
                    asset: e.asset,
                    amount: e.amount,
                }
            }
            AbsorbDebt::SIGNATURE_HASH => {
                let e: AbsorbDebt = fields(log, "AbsorbDebt")?;
                Self::AbsorbDebt {
                    absorber: e.absorber,
                    borrower: e.borrower,
                    base_paid_out: e.basePaidOut,
                    usd_value: e.usdValue,
                }
            }
            AbsorbCollateral::SIGNATURE_HASH => {
                let e: AbsorbCollateral = fields(log, "AbsorbCollateral")?;
                Self::AbsorbCollateral {
                    absorber: e.absorber,
                    borrower: e.borrower,
                    asset: e.asset,
                    collateral_absorbed: e.collateralAbsorbed,
                    usd_value: e.usdValue,
                }
            }
            BuyCollateral::SIGNATURE_HASH => {
                let e: BuyCollateral = fields(log, "BuyCollateral")?;
                Self::BuyCollateral {
                    buyer: e.buyer,
                    asset: e.asset,
                    base_amount: e.baseAmount,
                    collateral_amount: e.collateralAmount,
                }
            }
            PauseAction::SIGNATURE_HASH => {
                let e: PauseAction = fields(log, "PauseAction")?;
                Self::PauseAction {
                    supply: e.supplyPaused,
                    transfer: e.transferPaused,
                    withdraw: e.withdrawPaused,
                    absorb: e.absorbPaused,
                    buy: e.buyPaused,
                }
            }
            WithdrawReserves::SIGNATURE_HASH => {
                let WithdrawReserves { to, amount } = fields(log, "WithdrawReserves")?;
                Self::WithdrawReserves { to, amount }
            }
            Approval::SIGNATURE_HASH => {
                fields::<Approval>(log, "Approval")?;
                Self::Approval
            }
            _ => return Err(unknown_topic(log, "Compound v3 Comet")),
        })
    }
}
