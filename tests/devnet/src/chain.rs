use crate::{
    Answer, Devnet, DevnetError, Evm, RpcError, evm,
    transaction::{self, Tx},
};
use alloy_primitives::{Address, Bytes, Log, U64, U256};
use serde_json::json;
use std::{borrow::Borrow, collections::BTreeSet};

/// What a sequence of transactions runs on, from one sender at a time: the EVM in the process, or a node.
pub trait Chain {
    /// Who sends.
    fn sender(&self) -> Address;

    /// From now on transactions come from another sender.
    fn act_as(&mut self, sender: Address);

    /// What the contracts emitted in the last transaction; nothing where it reverted.
    fn logs(&self) -> &[Log];

    /// The time of the last transaction's block, in seconds since the Unix epoch.
    fn now(&self) -> u64;

    /// Lets time pass until the next transaction.
    fn wait(&mut self, seconds: u64);

    /// Deploys creation code; `None` where it does not.
    fn deploy(&mut self, creation_code: Bytes) -> Option<Address>;

    /// Puts code at an address.
    fn set_code(&mut self, address: Address, code: Bytes);

    /// One word of storage; `None` where the node does not answer.
    fn storage(&mut self, address: Address, slot: U256) -> Option<U256>;

    /// Writes one word of storage.
    fn set_storage(&mut self, address: Address, slot: U256, value: U256);

    /// Sends a transaction.
    fn send(&mut self, to: Address, data: Bytes) -> Answer;

    /// Calls without leaving a trace.
    fn view(&mut self, to: Address, data: Bytes) -> Answer;

    /// The number of the last transaction's block.
    fn block_number(&self) -> u64;

    /// Lets so many blocks pass before the next transaction's.
    fn roll(&mut self, blocks: u64);

    /// Sends a transaction with ether, in wei, which the sender has.
    fn pay(&mut self, to: Address, data: Bytes, value: U256) -> Answer;
}

impl Chain for Evm {
    fn sender(&self) -> Address {
        Evm::sender(self)
    }

    fn act_as(&mut self, sender: Address) {
        Evm::act_as(self, sender);
    }

    fn logs(&self) -> &[Log] {
        Evm::logs(self)
    }

    fn now(&self) -> u64 {
        Evm::now(self)
    }

    fn wait(&mut self, seconds: u64) {
        Evm::wait(self, seconds);
    }

    fn deploy(&mut self, creation_code: Bytes) -> Option<Address> {
        Evm::deploy(self, creation_code)
    }

    fn set_code(&mut self, address: Address, code: Bytes) {
        Evm::set_code(self, address, code);
    }

    fn storage(&mut self, address: Address, slot: U256) -> Option<U256> {
        Some(Evm::storage(self, address, slot))
    }

    fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        Evm::set_storage(self, address, slot, value);
    }

    fn send(&mut self, to: Address, data: Bytes) -> Answer {
        Evm::send(self, to, data)
    }

    fn view(&mut self, to: Address, data: Bytes) -> Answer {
        Evm::view(self, to, data)
    }

    fn block_number(&self) -> u64 {
        Evm::block_number(self)
    }

    fn roll(&mut self, blocks: u64) {
        Evm::roll(self, blocks);
    }

    fn pay(&mut self, to: Address, data: Bytes, value: U256) -> Answer {
        Evm::pay(self, to, data, value)
    }
}

/// A node as a [`Chain`], one's own or a borrowed one: every call a transaction, mined in a block of its own.
#[derive(Debug)]
pub struct NodeChain<D = Devnet> {
    devnet: D,
    sender: Address,
    given_ether: BTreeSet<Address>,
    now: u64,
    block_number: u64,
    logs: Vec<Log>,
    /// Why the node can no longer be trusted to have done what it was told.
    lost: Option<String>,
}

impl<D: Borrow<Devnet>> NodeChain<D> {
    /// Through this node, from this sender, who is given ether.
    pub fn new(devnet: D, sender: Address) -> Self {
        let lost = devnet.borrow().give_ether(sender).err().map(|error| error.to_string());
        Self {
            devnet,
            sender,
            given_ether: BTreeSet::from([sender]),
            now: 0,
            block_number: 0,
            logs: Vec::new(),
            lost,
        }
    }

    /// The node.
    pub fn devnet(&self) -> &Devnet {
        self.devnet.borrow()
    }

    fn told(&mut self, result: Result<(), DevnetError>) {
        if let Err(error) = result {
            self.lost.get_or_insert(error.to_string());
        }
    }

    fn sent(&mut self, to: Address, data: Bytes, value: U256) -> Result<Answer, DevnetError> {
        let tx = Tx {
            to: Some(to),
            ..Tx::create(data).from(self.sender).with_value(value)
        };
        let receipt = self.devnet().send_anyway(&tx)?;
        let output = self.devnet().output(receipt.transaction_hash)?;
        let log = |log: &transaction::Log| Log {
            address: log.address,
            data: log.data.clone(),
        };
        self.now = self.devnet().timestamp(receipt.block_number)?;
        self.block_number = receipt.block_number;
        self.logs = receipt.logs.iter().map(log).collect();
        Ok(if receipt.succeeded {
            Answer::Returned(output)
        } else {
            evm::reverted(&output, receipt.gas_used)
        })
    }
}

impl<D: Borrow<Devnet>> Chain for NodeChain<D> {
    fn sender(&self) -> Address {
        self.sender
    }

    fn act_as(&mut self, sender: Address) {
        if self.given_ether.insert(sender) {
            let result = self.devnet().give_ether(sender);
            self.told(result);
        }
        self.sender = sender;
    }

    fn now(&self) -> u64 {
        self.now
    }

    fn wait(&mut self, seconds: u64) {
        let result = self.devnet().rpc().call("evm_increaseTime", json!([seconds]));
        self.told(result.map(|_| ()).map_err(DevnetError::from));
    }

    fn logs(&self) -> &[Log] {
        &self.logs
    }

    fn deploy(&mut self, creation_code: Bytes) -> Option<Address> {
        let receipt = self.devnet().send(&Tx::create(creation_code).from(self.sender)).ok()?;
        receipt.created
    }

    fn set_code(&mut self, address: Address, code: Bytes) {
        let result = self.devnet().set_code(address, &code);
        self.told(result);
    }

    fn storage(&mut self, address: Address, slot: U256) -> Option<U256> {
        let word = self.devnet().storage(address, slot);
        word.ok().filter(|_| self.lost.is_none())
    }

    fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        let result = self.devnet().set_storage(address, slot, value);
        self.told(result);
    }

    fn send(&mut self, to: Address, data: Bytes) -> Answer {
        self.pay(to, data, U256::ZERO)
    }

    fn view(&mut self, to: Address, data: Bytes) -> Answer {
        if let Some(lost) = &self.lost {
            return Answer::Lost(lost.clone());
        }
        let call = json!({"from": self.sender, "to": to, "data": data});
        match self.devnet().rpc().call("eth_call", json!([call, "latest"])) {
            Ok(data) => {
                serde_json::from_value(data).map_or_else(|error| Answer::Lost(error.to_string()), Answer::Returned)
            }
            // The code of a revert.
            Err(RpcError::Refused { code: 3, data, .. }) => evm::reverted(&data, 0),
            // What takes all gas, such as the compiler's check of a division.
            Err(RpcError::Refused { message, .. }) if message.starts_with("EVM error") => Answer::Halted,
            Err(error) => Answer::Lost(error.to_string()),
        }
    }

    fn block_number(&self) -> u64 {
        self.block_number
    }

    fn roll(&mut self, blocks: u64) {
        let result = self
            .devnet()
            .rpc()
            .call("anvil_mine", json!([U64::from(blocks), U64::from(1)]));
        self.told(result.map(|_| ()).map_err(DevnetError::from));
    }

    fn pay(&mut self, to: Address, data: Bytes, value: U256) -> Answer {
        if let Some(lost) = &self.lost {
            return Answer::Lost(lost.clone());
        }
        self.sent(to, data, value)
            .unwrap_or_else(|error| Answer::Lost(error.to_string()))
    }
}
