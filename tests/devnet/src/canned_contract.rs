//! A contract of our own that knows no rules: it answers each call as it was told to, and emits what it is told to.
//!
//! It stands where the genuine contract is published nowhere. What it says is the test's word, never a contract's.

use crate::transaction::Tx;
use alloy_primitives::{Address, B256, Bytes, LogData, U256, hex, keccak256};
use alloy_sol_types::SolCall;

/// The first four bytes of a call that stores a word: the slot and the word follow.
const STORE: u8 = 0x01;
/// The same of calls that emit, with no topics; with as many as are added to it: topics, then data follow.
const EMIT: u8 = 0xe0;

/// Its code.
///
/// A call's answer begins at the slot that is the hash of the call's data: the number of words, then the words. Where there is none,
/// the call reverts.
pub fn code() -> Bytes {
    let mut code = hex!("60003560e01c").to_vec(); // the selector
    let store = on_selector(&mut code, STORE);
    let emits = [1, 2, 3, 4].map(|topics| (topics, on_selector(&mut code, EMIT + topics)));
    code.extend(hex!("3660006000373660002080548061")); // the hash of the call's data; how many words
    let any = target(&mut code, 0x57);
    code.extend(hex!("60006000fd"));
    land(&mut code, any);
    code.extend(hex!("6000")); // key, count, index
    let [.., high, low] = code.len().to_be_bytes();
    code.extend(hex!("5b81811461")); // all of them?
    let all = target(&mut code, 0x57);
    code.extend(hex!("80600101830154")); // the word at key + index + 1
    code.extend(hex!("8160051b52600101")); // into memory at 32 · index; index + 1
    code.extend([0x61, high, low, 0x56]);
    land(&mut code, all);
    code.extend(hex!("60051b6000f3"));
    land(&mut code, store);
    code.extend(hex!("6024356004355500"));
    for (topics, place) in emits {
        land(&mut code, place);
        let word = |number: u8| 4 + 32 * number;
        for topic in (0..topics).rev() {
            code.extend([0x60, word(topic), 0x35]);
        }
        // The data's size, the data, and the log.
        code.extend([
            0x60,
            word(topics),
            0x36,
            0x03,
            0x80,
            0x60,
            word(topics),
            0x60,
            0x00,
            0x37,
        ]);
        code.extend([0x60, 0x00, 0xa0 + topics, 0x00]);
    }
    code.into()
}

/// A jump where the selector, which stays on the stack, is this one; returns the place of the target.
fn on_selector(code: &mut Vec<u8>, selector: u8) -> usize {
    code.extend([0x80, 0x60, selector, 0x14, 0x61]);
    target(code, 0x57)
}

/// The two bytes of a jump's target, and the jump.
fn target(code: &mut Vec<u8>, jump: u8) -> usize {
    code.extend([0, 0, jump]);
    code.len() - 3
}

fn land(code: &mut Vec<u8>, place: usize) {
    let [.., high, low] = code.len().to_be_bytes();
    code[place..place + 2].copy_from_slice(&[high, low]);
    code.push(0x5b);
}

/// Lets a contract answer a call with these values from the transactions' block on; without any, it reverts.
pub fn answers<C: SolCall>(contract: Address, call: &C, words: &[B256]) -> Vec<Tx> {
    let key = U256::from_be_bytes(keccak256(call.abi_encode()).0);
    let count = B256::from(U256::from(words.len()));
    let words = std::iter::once(&count).chain(words);
    let store = |(place, word): (u64, &B256)| {
        let slot = B256::from(key.wrapping_add(U256::from(place)));
        say(contract, STORE, &[slot, *word], &[])
    };
    (0..).zip(words).map(store).collect()
}

/// Lets a contract emit a log of one topic to four.
pub fn emits(contract: Address, log: &LogData) -> Tx {
    let topics = log.topics();
    let selector = EMIT + u8::try_from(topics.len()).unwrap_or_default();
    say(contract, selector, topics, &log.data)
}

fn say(contract: Address, selector: u8, words: &[B256], data: &[u8]) -> Tx {
    let mut input = vec![0, 0, 0, selector];
    input.extend(words.iter().flat_map(|word| word.0));
    input.extend(data);
    Tx {
        to: Some(contract),
        ..Tx::create(input.into())
    }
}

#[cfg(test)]
mod tests {
    use super::{answers, code, emits};
    use crate::{Answer, Evm};
    use alloy_primitives::{Address, B256, Bytes, LogData, U256};
    use alloy_sol_types::{SolCall, sol};

    sol! {
        function pair(address of) external view returns (uint256 first, uint256 second);
    }

    const CONTRACT: Address = Address::repeat_byte(0xca);

    #[test]
    fn it_says_what_it_was_told() {
        let mut evm = Evm::new(Address::repeat_byte(1));
        evm.set_code(CONTRACT, code());
        let call = |byte| pairCall {
            of: Address::repeat_byte(byte),
        };
        let words = [3u64, 5].map(|number| B256::from(U256::from(number)));
        for tx in answers(CONTRACT, &call(1), &words) {
            assert!(matches!(evm.send(CONTRACT, tx.data), Answer::Returned(_)));
        }
        let Answer::Returned(answer) = evm.view(CONTRACT, call(1).abi_encode().into()) else {
            panic!("an answer")
        };
        let told = pairCall::abi_decode_returns(&answer).expect("two words");
        assert_eq!((told.first, told.second), (U256::from(3), U256::from(5)));
        assert!(!matches!(
            evm.view(CONTRACT, call(2).abi_encode().into()),
            Answer::Returned(_)
        ));
        for count in 1..=4 {
            let topics = (0..count).map(B256::repeat_byte).collect();
            let log = LogData::new(topics, Bytes::from(vec![7; 32 * usize::from(count) - 1])).expect("few topics");
            evm.send(CONTRACT, emits(CONTRACT, &log).data);
            let emitted: Vec<_> = evm.logs().iter().map(|log| log.data.clone()).collect();
            assert_eq!(emitted, [log]);
        }
    }
}
