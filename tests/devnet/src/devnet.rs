use crate::{
    aave_v3,
    anvil::{Anvil, Options, StartError},
    artifacts::ArtifactError,
    evm, multicall3,
    rpc::{Rpc, RpcError, no_answer},
    transaction::{Receipt, Tx},
};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};

/// A chain on this machine, with the genuine contracts and verbs that read like the protocols.
///
/// Every block is twelve seconds after the one before. The same script makes the same block hashes. Any address may
/// send: no key is needed or held.
#[derive(Debug)]
pub struct Devnet {
    anvil: Anvil,
    rpc: Rpc,
}

/// Why a script cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// The node does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A contract cannot be had.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A lending market does not deploy, or refuses its parameters.
    #[error(transparent)]
    Market(#[from] aave_v3::DeployError),
    /// The node refuses or does not answer.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// A transaction that a script relies on has reverted.
    #[error("the transaction {hash} reverted: {reason}")]
    Reverted {
        /// The transaction.
        hash: B256,
        /// The reason of `Error(string)`, else the return data in hex.
        reason: String,
    },
    /// A transaction that is not in the block it was sent for.
    #[error("the transaction {0} is not in the block that was mined")]
    LeftOut(B256),
}

/// How many calls [`Devnet::view_all`] puts into one.
const CALLS_AT_ONCE: usize = 500;

/// Seconds from one block to the next.
pub const BLOCK_SECONDS: u64 = 12;

impl Devnet {
    /// Who sends where nobody else is named: the owner of what is deployed.
    pub const DEPLOYER: Address = Address::repeat_byte(0xde);

    /// Starts a chain with Multicall3 at its canonical address.
    ///
    /// # Errors
    /// No node, or no contract.
    pub fn start() -> Result<Self, DevnetError> {
        Self::start_with(&Options::default())
    }

    /// As [`start`](Self::start), with options.
    ///
    /// # Errors
    /// No node, or no contract.
    pub fn start_with(options: &Options) -> Result<Self, DevnetError> {
        let anvil = Anvil::start(options)?;
        let rpc = Rpc::new(anvil.url().to_owned());
        let devnet = Self { anvil, rpc };
        devnet
            .rpc
            .call("anvil_setBlockTimestampInterval", json!([BLOCK_SECONDS]))?;
        devnet.give_ether(Self::DEPLOYER)?;
        devnet.set_code(multicall3::ADDRESS, &multicall3::runtime_code()?)?;
        Ok(devnet)
    }

    /// The node.
    pub fn anvil(&self) -> &Anvil {
        &self.anvil
    }

    /// The node's calls.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Deploys creation code, arguments appended.
    ///
    /// # Errors
    /// A constructor that reverts.
    pub fn deploy(&self, creation_code: Bytes) -> Result<Address, DevnetError> {
        let receipt = self.send(&Tx::create(creation_code))?;
        receipt
            .created
            .ok_or_else(|| no_answer("eth_sendTransactionSync", "no contract's address").into())
    }

    /// Sends a transaction in a block of its own.
    ///
    /// # Errors
    /// It reverts.
    pub fn send(&self, tx: &Tx) -> Result<Receipt, DevnetError> {
        let receipt = self.send_anyway(tx)?;
        if receipt.succeeded {
            return Ok(receipt);
        }
        let output = self.output(receipt.transaction_hash)?;
        Err(DevnetError::Reverted {
            hash: receipt.transaction_hash,
            reason: match evm::reason(&output) {
                reason if reason.is_empty() => output.to_string(),
                reason => reason,
            },
        })
    }

    /// Sends a transaction in a block of its own; a revert is an outcome.
    ///
    /// # Errors
    /// The node refuses it.
    pub fn send_anyway(&self, tx: &Tx) -> Result<Receipt, DevnetError> {
        let method = "eth_sendTransactionSync";
        let receipt = self.rpc.call(method, json!([tx.to_json(None)]))?;
        Receipt::from_json(&receipt).ok_or_else(|| no_answer(method, "no receipt").into())
    }

    /// What a transaction has returned or reverted with.
    ///
    /// # Errors
    /// The node does not know it.
    pub fn output(&self, transaction_hash: B256) -> Result<Bytes, DevnetError> {
        let tracer = json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}});
        let trace = self
            .rpc
            .call("debug_traceTransaction", json!([transaction_hash, tracer]))?;
        Ok(serde_json::from_value(trace["output"].clone()).unwrap_or_default())
    }

    /// Mines one block with these transactions, in this order; a revert is an outcome.
    ///
    /// # Errors
    /// The node refuses one of them, or leaves it out.
    pub fn mine_block_with(&self, txs: &[Tx]) -> Result<Vec<Receipt>, DevnetError> {
        self.rpc.call("evm_setAutomine", json!([false]))?;
        let receipts = self.mine_together(txs);
        self.rpc.call("evm_setAutomine", json!([true]))?;
        receipts
    }

    fn mine_together(&self, txs: &[Tx]) -> Result<Vec<Receipt>, DevnetError> {
        // One after another, each with its nonce: the node takes a batch's calls in any order.
        let mut hashes = Vec::new();
        let mut nonces = alloy_primitives::map::HashMap::<Address, u64>::default();
        for tx in txs {
            let nonce = match nonces.get(&tx.from) {
                Some(nonce) => *nonce,
                None => self.nonce(tx.from)?,
            };
            nonces.insert(tx.from, nonce + 1);
            let hash = self.rpc.call("eth_sendTransaction", json!([tx.to_json(Some(nonce))]))?;
            hashes.push(parsed::<B256>("eth_sendTransaction", hash)?);
        }
        self.mine(1)?;
        let method = "eth_getBlockReceipts";
        let answer = self.rpc.call(method, json!(["latest"]))?;
        let mined: Option<Vec<Receipt>> = answer
            .as_array()
            .and_then(|list| list.iter().map(Receipt::from_json).collect());
        let mined = mined.ok_or_else(|| no_answer(method, "no receipts"))?;
        let (found, sent) = (mined.iter().map(|receipt| receipt.transaction_hash), &hashes);
        if found.eq(sent.iter().copied()) {
            return Ok(mined);
        }
        let left_out = sent
            .iter()
            .find(|hash| mined.iter().all(|receipt| receipt.transaction_hash != **hash));
        match left_out {
            Some(hash) => Err(DevnetError::LeftOut(*hash)),
            None => Err(no_answer(method, "the block has another order than the script").into()),
        }
    }

    /// Mines so many blocks without transactions.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn mine(&self, blocks: u64) -> Result<(), DevnetError> {
        if blocks == 1 {
            self.rpc.call("evm_mine", json!([]))?;
        } else if blocks > 0 {
            self.rpc.call("anvil_mine", json!([blocks, BLOCK_SECONDS]))?;
        }
        Ok(())
    }

    /// Calls without leaving a trace, on the latest block; a revert is refused with code 3.
    ///
    /// # Errors
    /// A revert.
    pub fn view<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, DevnetError> {
        let tx = json!({"to": to, "data": Bytes::from(call.abi_encode())});
        let data = self.rpc.call("eth_call", json!([tx, "latest"]))?;
        let data = parsed::<Bytes>("eth_call", data)?;
        C::abi_decode_returns(&data).map_err(|error| no_answer("eth_call", error).into())
    }

    /// Calls many contracts at once as [`view`](Self::view) does, through Multicall3; a revert of one fails them all.
    ///
    /// # Errors
    /// A revert.
    pub fn view_all<C: SolCall>(&self, calls: &[(Address, C)]) -> Result<Vec<C::Return>, DevnetError> {
        self.view_all_at(json!("latest"), calls)
    }

    /// The same after a block: its number, or a tag, as JSON-RPC takes it.
    ///
    /// # Errors
    /// A revert.
    pub fn view_all_at<C: SolCall>(&self, block: Value, calls: &[(Address, C)]) -> Result<Vec<C::Return>, DevnetError> {
        let method = "eth_call";
        let mut returned = Vec::with_capacity(calls.len());
        for calls in calls.chunks(CALLS_AT_ONCE) {
            let calls: Vec<Tx> = calls.iter().map(|(to, call)| Tx::call(*to, call)).collect();
            let tx = multicall3::aggregate(&calls);
            let data = self.rpc.call(method, json!([{"to": tx.to, "data": tx.data}, block]))?;
            let data = parsed::<Bytes>(method, data)?;
            let outputs = multicall3::returned(&data).ok_or_else(|| no_answer(method, "no aggregate's output"))?;
            for output in outputs {
                returned.push(C::abi_decode_returns(&output).map_err(|error| no_answer(method, error))?);
            }
        }
        Ok(returned)
    }

    /// The latest block's number.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn block_number(&self) -> Result<u64, DevnetError> {
        let number = self.rpc.call("eth_blockNumber", json!([]))?;
        Ok(parsed::<U64>("eth_blockNumber", number)?.to())
    }

    /// A block's hash.
    ///
    /// # Errors
    /// No such block.
    pub fn block_hash(&self, number: u64) -> Result<B256, DevnetError> {
        let block = self
            .rpc
            .call("eth_getBlockByNumber", json!([U64::from(number), false]))?;
        parsed("eth_getBlockByNumber", block["hash"].clone())
    }

    /// The chain's hashes from one block to another, both included.
    ///
    /// # Errors
    /// No such block.
    pub fn block_hashes(&self, from: u64, to: u64) -> Result<Vec<B256>, DevnetError> {
        let method = "eth_getBlockByNumber";
        let calls: Vec<_> = (from..=to)
            .map(|number| (method, json!([U64::from(number), false])))
            .collect();
        let mut hashes = Vec::with_capacity(calls.len());
        for calls in calls.chunks(500) {
            for block in self.rpc.batch(calls)? {
                hashes.push(parsed(method, block?["hash"].clone())?);
            }
        }
        Ok(hashes)
    }

    /// The time of a block, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// No such block, or no node.
    pub fn timestamp(&self, number: u64) -> Result<u64, DevnetError> {
        let method = "eth_getBlockByNumber";
        let block = self.rpc.call(method, json!([U64::from(number), false]))?;
        Ok(parsed::<U64>(method, block["timestamp"].clone())?.to())
    }

    /// Replaces so many of the latest blocks by as many others, with these transactions in the first of them.
    ///
    /// The new blocks are a second later than the old ones were, so that no hash comes again.
    ///
    /// # Errors
    /// More blocks than there are.
    pub fn reorg(&self, depth: u64, txs: &[Tx]) -> Result<(), DevnetError> {
        let head = self.block_number()?;
        let fork = head
            .checked_sub(depth)
            .ok_or_else(|| no_answer("anvil_rollback", "no such block"))?;
        self.rpc.call("anvil_rollback", json!([depth]))?;
        let seconds = self.timestamp(fork)?;
        if depth > 0 {
            let next = seconds + BLOCK_SECONDS + 1;
            self.rpc.call("evm_setNextBlockTimestamp", json!([next]))?;
            self.mine_block_with(txs)?;
            self.mine(depth - 1)?;
        }
        Ok(())
    }

    /// Remembers the chain as it is.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn snapshot(&self) -> Result<U256, DevnetError> {
        parsed("evm_snapshot", self.rpc.call("evm_snapshot", json!([]))?)
    }

    /// Goes back to a snapshot, once.
    ///
    /// # Errors
    /// There is none of this number.
    pub fn revert(&self, snapshot: U256) -> Result<(), DevnetError> {
        match self.rpc.call("evm_revert", json!([snapshot]))? {
            Value::Bool(true) => Ok(()),
            _ => Err(no_answer("evm_revert", "no such snapshot").into()),
        }
    }

    /// Gives an account more ether than it can spend.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn give_ether(&self, account: Address) -> Result<(), DevnetError> {
        self.rpc
            .call("anvil_setBalance", json!([account, U256::ONE << 120]))
            .map(|_| ())
            .map_err(DevnetError::from)
    }

    /// Puts code at an address.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn set_code(&self, address: Address, code: &Bytes) -> Result<(), DevnetError> {
        self.rpc.call("anvil_setCode", json!([address, code]))?;
        Ok(())
    }

    /// One word of storage.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn storage(&self, address: Address, slot: U256) -> Result<U256, DevnetError> {
        let method = "eth_getStorageAt";
        parsed(method, self.rpc.call(method, json!([address, slot, "latest"]))?)
    }

    /// Writes one word of storage.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn set_storage(&self, address: Address, slot: U256, value: U256) -> Result<(), DevnetError> {
        let value = B256::from(value);
        self.rpc.call("anvil_setStorageAt", json!([address, slot, value]))?;
        Ok(())
    }

    fn nonce(&self, account: Address) -> Result<u64, DevnetError> {
        let method = "eth_getTransactionCount";
        let nonce = self.rpc.call(method, json!([account, "latest"]))?;
        Ok(parsed::<U64>(method, nonce)?.to())
    }
}

fn parsed<T: serde::de::DeserializeOwned>(method: &str, value: Value) -> Result<T, DevnetError> {
    serde_json::from_value(value).map_err(|error| no_answer(method, error).into())
}
