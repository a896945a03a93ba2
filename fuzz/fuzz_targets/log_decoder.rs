//! Any topics and data as a log of a Uniswap v3 pool or position manager: an event or an error, never a panic.
#![no_main]

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolEvent;
use libfuzzer_sys::fuzz_target;
use plimsoll_protocols::{
    RawLog,
    uniswap_v3::{ManagerEvent, PoolEvent, manager, pool_abi as pool},
};
use plimsoll_units::LogRef;

/// A fuzzer cannot guess a hash.
const SIGNATURES: [B256; 15] = [
    pool::Initialize::SIGNATURE_HASH,
    pool::Mint::SIGNATURE_HASH,
    pool::Collect::SIGNATURE_HASH,
    pool::Burn::SIGNATURE_HASH,
    pool::Swap::SIGNATURE_HASH,
    pool::Flash::SIGNATURE_HASH,
    pool::IncreaseObservationCardinalityNext::SIGNATURE_HASH,
    pool::SetFeeProtocol::SIGNATURE_HASH,
    pool::CollectProtocol::SIGNATURE_HASH,
    manager::IncreaseLiquidity::SIGNATURE_HASH,
    manager::DecreaseLiquidity::SIGNATURE_HASH,
    manager::Collect::SIGNATURE_HASH,
    manager::Transfer::SIGNATURE_HASH,
    manager::Approval::SIGNATURE_HASH,
    manager::ApprovalForAll::SIGNATURE_HASH,
];

// One byte picks the signature, one the number of topics after it; words of topics, then the data.
fuzz_target!(|bytes: &[u8]| {
    let [signature, topics, rest @ ..] = bytes else { return };
    let mut topics_left = usize::from(topics % 6);
    let mut log = RawLog {
        at: LogRef {
            block_number: 1,
            transaction_index: 0,
            log_index: 0,
            transaction_hash: B256::ZERO,
        },
        block_timestamp: None,
        address: Address::repeat_byte(0xaa),
        topics: SIGNATURES
            .get(usize::from(signature % 16))
            .copied()
            .into_iter()
            .collect(),
        data: Bytes::new(),
    };
    let mut rest = rest;
    while topics_left > 0 && rest.len() >= 32 {
        let (word, after) = rest.split_at(32);
        log.topics.push(B256::from_slice(word));
        (rest, topics_left) = (after, topics_left - 1);
    }
    log.data = Bytes::copy_from_slice(rest);
    for message in [PoolEvent::decode(&log).err(), ManagerEvent::decode(&log).err()]
        .into_iter()
        .flatten()
    {
        assert!(message.to_string().starts_with("block 1, "), "{message}");
    }
});
