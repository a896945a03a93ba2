//! Where a cToken keeps what no function of it tells: its first exchange rate, and borrows as of their last change.
//!
//! The place is found by the numbers that stand around it and that functions do tell, and is believed only where all of them fit.
//! Mappings and their slots are those of the Solidity documentation, "Layout of State Variables in Storage".

use crate::{error::NodeError, lending::asking::Asking};
use alloy_primitives::{Address, B256, U256, keccak256};
use plimsoll_protocols::compound_v2::Market;

/// How many words are looked at: what stands before are names, offices and flags.
const WORDS: u64 = 24;
/// From the first exchange rate to the mapping of borrows: reserve factor, accrual block, borrow index, borrows, reserves, supply,
/// balances, allowances.
const TO_BORROWS: u64 = 9;

/// A cToken's words that matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) initial_exchange_rate: U256,
    /// The slot of the mapping from accounts to borrows.
    borrows: u64,
}

impl Words {
    /// Finds them in the storage of a market whose other numbers are known.
    pub(super) async fn find(asking: &Asking<'_>, market: &Market) -> Result<Self, NodeError> {
        let slots: Vec<B256> = (0..WORDS).map(slot).collect();
        let words = asking.storage(market.c_token, &slots).await?;
        let around = [
            market.reserve_factor,
            U256::from(market.accrual_block_number),
            market.borrow_index,
            market.total_borrows,
            market.total_reserves,
            market.total_supply,
        ];
        let place = words
            .windows(around.len() + 1)
            .position(|window| window.get(1..) == Some(&around));
        let found = place.and_then(|place| Some((u64::try_from(place).ok()?, *words.get(place)?)));
        let (place, initial_exchange_rate) = found.ok_or_else(|| {
            asking.refused(
                market.c_token,
                "its storage is not laid out as a cToken's: its first exchange rate cannot be found",
            )
        })?;
        Ok(Self {
            initial_exchange_rate,
            borrows: place + TO_BORROWS,
        })
    }

    /// The two slots of an account's borrow: what it was at its last change, and the index of that moment.
    pub(super) fn borrow_slots(self, account: Address) -> [B256; 2] {
        let first = U256::from_be_bytes(keccak256([account.into_word(), slot(self.borrows)].concat()).0);
        [first, first.wrapping_add(U256::ONE)].map(B256::from)
    }
}

fn slot(number: u64) -> B256 {
    B256::from(U256::from(number))
}
