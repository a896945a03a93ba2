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

/// A price feed as Chainlink's aggregators are read: `latestAnswer` is slot 0; any other call writes its first word there and
/// emits `AnswerUpdated` with the next round.
pub(crate) const PRICE_SOURCE: &[u8] = &hex!(
    "60003560e01c" // the selector
    "6350d25bcd14604c57" // latestAnswer?
    "60043580600055" // answer = word
    "60015460010180600155" // round += 1
    "42600052" // the time of the answer
    "90"
    "7f0559884fd3a460db3073b7fc896cc77986f16e378210ded43186175bf646fc5f"
    "60206000a300" // AnswerUpdated(answer, round, time)
    "5b60005460005260206000f3"
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

/// A caller of a pool manager: what it is sent it passes on from within an unlock, then it settles what it owes and takes
/// what it is owed, by the two halves of the first word that the manager answers. Its answer is the manager's, as `bytes`.
pub(crate) fn unlocker(manager: Address, tokens: [Address; 2]) -> Bytes {
    let mut code = Code(vec![0x33]); // CALLER
    code.push(manager).raw(&hex!("14"));
    let callback = code.jump_if();
    code.selector(hex!("48c89491")); // unlock(
    code.raw(&hex!("602060045236602452366000604437")); // the call's data as bytes)
    code.raw(&hex!("60006000" "36604401" "60006000")).push(manager);
    code.raw(&hex!("5af1")).pass_on_a_revert();
    code.raw(&hex!("3d6000f3")); // the answer is in memory already

    code.land(callback);
    code.raw(&hex!("602435" "8060446000" "37")); // the data, whose length stays on the stack
    code.raw(&hex!("60006000" "82" "60006000")).push(manager);
    code.raw(&hex!("5af1")).pass_on_a_revert();
    code.raw(&hex!("6020610100523d610120523d6000610140" "3e")); // the answer as bytes, from 0x100 on
    for (half, token) in [hex!("60801d"), hex!("600f0b")].into_iter().zip(tokens) {
        code.raw(&hex!("61014051")).raw(&half); // SAR by 128, or SIGNEXTEND from 128
        code.raw(&hex!("8015"));
        let nothing = code.jump_if();
        code.raw(&hex!("80600012"));
        let owed = code.jump_if();
        code.selector(hex!("a5841194")).push(token).raw(&hex!("600452")); // sync(token)
        code.call(manager, 0x24);
        code.selector(hex!("a9059cbb")).push(manager).raw(&hex!("600452")); // transfer(manager,
        code.raw(&hex!("80600003602452")).call(token, 0x44); //                         −amount)
        code.selector(hex!("11da60b4")).call(manager, 0x04); // settle()
        code.raw(&hex!("6001"));
        let settled = code.jump_if();
        code.land(owed);
        code.selector(hex!("0b0d9c09")).push(token).raw(&hex!("600452")); // take(token,
        code.raw(&hex!("30602452" "80604452")).call(manager, 0x64); //             itself, amount)
        code.land(nothing).land(settled);
        code.raw(&hex!("50"));
    }
    code.raw(&hex!("610120516040" "01610100f3"));
    code.0.into()
}

/// Code as it grows.
struct Code(Vec<u8>);

impl Code {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }

    fn push(&mut self, address: Address) -> &mut Self {
        self.raw(&[0x73]).raw(address.as_slice()) // PUSH20
    }

    /// A selector at the memory's begin.
    fn selector(&mut self, selector: [u8; 4]) -> &mut Self {
        self.raw(&[0x63]).raw(&selector).raw(&hex!("60e01b600052"))
    }

    /// Calls with so many bytes from the memory's begin, whatever comes of it.
    fn call(&mut self, to: Address, size: u8) -> &mut Self {
        self.raw(&hex!("60006000")).raw(&[0x60, size]).raw(&hex!("60006000"));
        self.push(to).raw(&hex!("5af150"))
    }

    /// Copies a call's answer to the memory's begin and, where it failed, reverts with it.
    fn pass_on_a_revert(&mut self) -> &mut Self {
        self.raw(&hex!("3d600060003e"));
        let went_well = self.jump_if();
        self.raw(&hex!("3d6000fd")).land(went_well)
    }

    /// A jump where the stack says so, to where [`Code::land`] will be; returns the place of the target.
    fn jump_if(&mut self) -> usize {
        self.raw(&hex!("61000057"));
        self.0.len() - 3
    }

    fn land(&mut self, jump: usize) -> &mut Self {
        let [.., high, low] = self.0.len().to_be_bytes();
        self.0[jump..jump + 2].copy_from_slice(&[high, low]);
        self.raw(&[0x5b])
    }
}
