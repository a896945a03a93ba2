//! Storage read through code of our own, put in the pool's place for the length of a call.

use crate::{
    endpoint::Endpoint,
    error::{NodeError, NodeErrorKind},
};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use serde_json::{Value, json};

/// Answers the words in the slots that the call's data names, 32 bytes a slot.
///
/// For i = 0, 32, … below the data's size: mem[i] = storage[data[i]]; then return mem.
pub(super) const LENS: &[u8] = &hex!(
    "6000" //                 i
    "5b3681101560" "15" "57" // i < size, else jump to 0x15
    "80355481" "52" //         mem[i] = storage[data[i]]
    "602001600256" //         i + 32, again
    "5b6000f3" //             return mem[0..i]
);

/// Slots of one call: 2,000 cold reads and their data are below 6 million gas, which every node allows.
const SLOTS_A_CALL: usize = 2_000;

/// The parameters of an `eth_call` through the lens; `block` as `eth_call` takes it.
pub(super) fn call(pool: Address, slots: &[B256], block: &Value) -> Value {
    let data: Bytes = slots.concat().into();
    let code = Bytes::from_static(LENS);
    json!([{"to": pool, "data": data}, block, {pool.to_string(): {"code": code}}])
}

/// Whether a call through the lens for so many slots was answered by the lens and not by the pool.
pub(super) fn answered(answer: &[u8], slots: usize) -> bool {
    answer.len() == slots * 32
}

impl Endpoint {
    /// The words in these slots of a contract at the end of a block, in order.
    pub(crate) async fn storage(
        &self,
        pool: Address,
        slots: &[B256],
        (block, hash): (u64, B256),
    ) -> Result<Vec<U256>, NodeError> {
        let at = json!({ "blockHash": hash });
        let chunks: Vec<&[B256]> = slots.chunks(SLOTS_A_CALL).collect();
        let params: Vec<Value> = chunks.iter().map(|slots| call(pool, slots, &at)).collect();
        let answers = self.eth_calls(&params, block).await?;
        let mut words = Vec::with_capacity(slots.len());
        for (answer, slots) in answers.into_iter().zip(chunks) {
            let answer = answer?;
            if !answered(&answer, slots.len()) {
                let reason = format!("{} bytes for {} storage words", answer.len(), slots.len());
                return Err(self.error(NodeErrorKind::Garbage {
                    method: "eth_call",
                    reason,
                }));
            }
            words.extend(super::words(&answer));
        }
        Ok(words)
    }
}
