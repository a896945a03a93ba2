//! Contracts of our own, in a few dozen bytes each: tokens with next to no rules, and callers that pay what they are asked.
//!
//! Tokens and callers are not what is judged here, so they are kept small; the pool is the published bytecode.

use alloy_primitives::{Address, Bytes, U256, hex};

/// `balanceOf` and `transfer` over wrapping balances, kept in the slot of the owner's address; anyone can overdraw.
pub(crate) const TOKEN: &[u8] = &hex!(
    "60003560e01c" // the selector
    "6370a0823114602b57" // balanceOf?
    "602435803354033355" // transfer: balance[caller] -= amount
    "600435540160043555" // balance[to] += amount
    "600160005260206000f3" // true
    "5b6004355460005260206000f3"
);

/// As [`TOKEN`], but a transfer of more than the caller has reverts.
pub(crate) const STRICT_TOKEN: &[u8] = &hex!(
    "60003560e01c" // the selector
    "6370a0823114603457" // balanceOf?
    "602435335410604157" // less than the amount?
    "602435803354033355" // transfer: balance[caller] -= amount
    "600435540160043555" // balance[to] += amount
    "600160005260206000f3" // true
    "5b6004355460005260206000f3"
    "5b60006000fd"
);

/// A caller: what the pool calls back is paid, anything else is passed on to the pool with its answer or revert.
///
/// A mint's and a swap's callback pays the amounts that are asked; a flash's pays the two words of its data.
pub(crate) fn payer(pool: Address, tokens: [Address; 2]) -> Bytes {
    let mut code = passes_on(pool);
    for (index, token) in (0u8..).zip(tokens) {
        // 4 + 32·index, and 128 further for a flash: what to pay, if it is above zero.
        code.extend(hex!("60003560e01c63e9cbafb014608002"));
        code.extend([0x60, 4 + 32 * index, 0x01, 0x35]);
        code.extend(hex!("8060001202"));
        pays(&mut code, token);
    }
    code.push(0x00);
    code.into()
}

/// A caller as [`payer`], for a pair: a swap's callback pays the two words of its data.
pub(crate) fn callee(pair: Address, tokens: [Address; 2]) -> Bytes {
    let mut code = passes_on(pair);
    for (index, token) in (0u8..).zip(tokens) {
        // The selector, then four words and the data's length before its words.
        code.extend([0x60, 4 + 32 * (5 + index), 0x35]);
        pays(&mut code, token);
    }
    code.push(0x00);
    code.into()
}

/// Passes any call but the pool's own on to the pool, with its answer or revert; what follows runs in the pool's callback.
fn passes_on(pool: Address) -> Vec<u8> {
    let mut code = Vec::new();
    code.push(0x33); // CALLER
    push(&mut code, pool);
    code.extend(hex!("14605257")); // EQ, jump to 0x52 where it is the pool
    code.extend(hex!("366000600037")); // copy the call's data
    code.extend(hex!("600060003660006000"));
    push(&mut code, pool);
    code.extend(hex!("5af13d600060003e604d573d6000fd5b3d6000f3")); // call the pool, pass its answer on
    code.push(0x5b);
    code
}

/// Transfers as much of a token as the stack says to the caller.
fn pays(code: &mut Vec<u8>, token: Address) {
    code.extend(hex!("63a9059cbb60e01b600052")); // transfer(
    code.extend(hex!("33600452602452")); //           pool, amount)
    code.extend(hex!("60006000604460006000"));
    push(code, token);
    code.extend(hex!("5af150"));
}

fn push(code: &mut Vec<u8>, address: Address) {
    code.push(0x73); // PUSH20
    code.extend(address);
}

/// The slot of an owner's balance.
pub(crate) fn balance_slot(owner: Address) -> U256 {
    U256::from_be_slice(owner.as_slice())
}
