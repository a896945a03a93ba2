use crate::{Devnet, evm};
use alloy_primitives::{Address, B256, Bytes, LogData, U64, U256};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};

/// A transaction to send: the verbs make these, to be mined alone, many in a block, or many in one through Multicall3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tx {
    /// The sender; any address may send.
    pub from: Address,
    /// Whom it calls; `None` where it makes a contract.
    pub to: Option<Address>,
    /// The call's data, or creation code.
    pub data: Bytes,
    /// Ether that goes with it, in wei.
    pub value: U256,
    /// The most gas it may take.
    pub gas: u64,
}

impl Tx {
    /// A call, sent by the deployer.
    pub fn call<C: SolCall>(to: Address, call: &C) -> Self {
        Self {
            to: Some(to),
            ..Self::create(call.abi_encode().into())
        }
    }

    /// A contract to make, sent by the deployer.
    pub fn create(creation_code: Bytes) -> Self {
        Self {
            from: Devnet::DEPLOYER,
            to: None,
            data: creation_code,
            value: U256::ZERO,
            gas: evm::GAS_LIMIT,
        }
    }

    /// The same from another sender.
    #[must_use]
    pub fn from(self, from: Address) -> Self {
        Self { from, ..self }
    }

    /// The same with ether, in wei.
    #[must_use]
    pub fn with_value(self, value: U256) -> Self {
        Self { value, ..self }
    }

    /// The same with another limit of gas.
    #[must_use]
    pub fn with_gas(self, gas: u64) -> Self {
        Self { gas, ..self }
    }

    pub(crate) fn to_json(&self, nonce: Option<u64>) -> Value {
        let mut tx = json!({
            "from": self.from,
            "data": self.data,
            "value": self.value,
            "gas": U64::from(self.gas),
        });
        if let Some(to) = self.to {
            tx["to"] = json!(to);
        }
        if let Some(nonce) = nonce {
            tx["nonce"] = json!(U64::from(nonce));
        }
        tx
    }
}

/// What a transaction has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub transaction_hash: B256,
    /// Its block.
    pub block_number: u64,
    /// Its block's hash.
    pub block_hash: B256,
    /// Its place in the block.
    pub transaction_index: u64,
    /// Whether it was not reverted.
    pub succeeded: bool,
    /// What it has cost, in gas.
    pub gas_used: u64,
    /// The contract that it has made.
    pub created: Option<Address>,
    /// Its logs, in their order.
    pub logs: Vec<Log>,
}

/// A log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The contract.
    pub address: Address,
    /// Topics and data.
    pub data: LogData,
    /// Its place in the block.
    pub log_index: u64,
}

impl Log {
    /// Whether it is an event of this signature's hash.
    pub fn is(&self, signature_hash: B256) -> bool {
        self.data.topics().first() == Some(&signature_hash)
    }

    fn from_json(log: &Value) -> Option<Self> {
        let topics = parsed(&log["topics"])?;
        Some(Self {
            address: parsed(&log["address"])?,
            data: LogData::new(topics, parsed(&log["data"])?)?,
            log_index: parsed::<U64>(&log["logIndex"])?.to(),
        })
    }
}

impl Receipt {
    /// Its logs of one contract.
    pub fn logs_of(&self, address: Address) -> impl Iterator<Item = &Log> {
        self.logs.iter().filter(move |log| log.address == address)
    }

    pub(crate) fn from_json(receipt: &Value) -> Option<Self> {
        let number = |key: &str| parsed::<U64>(&receipt[key]).map(|number| number.to::<u64>());
        Some(Self {
            transaction_hash: parsed(&receipt["transactionHash"])?,
            block_number: number("blockNumber")?,
            block_hash: parsed(&receipt["blockHash"])?,
            transaction_index: number("transactionIndex")?,
            succeeded: number("status")? == 1,
            gas_used: number("gasUsed")?,
            created: parsed(&receipt["contractAddress"]),
            logs: receipt["logs"]
                .as_array()?
                .iter()
                .map(Log::from_json)
                .collect::<Option<_>>()?,
        })
    }
}

fn parsed<T: serde::de::DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}
