use alloy_primitives::{Address, Bytes, Log, TxKind, U256, hex};
use alloy_sol_types::SolValue;
use revm::{
    Context, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext, MainnetEvm,
    context::{
        BlockEnv, CfgEnv, Journal, TxEnv,
        result::{ExecutionResult, Output},
    },
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
    state::{AccountInfo, Bytecode},
};
use std::collections::BTreeMap;

type Db = CacheDB<EmptyDB>;

/// A chain in the process: Cancun rules, no fees, every call a transaction of its own, from one sender at a time.
pub struct Evm {
    evm: MainnetEvm<Context<BlockEnv, TxEnv, CfgEnv, Db, Journal<Db>, ()>>,
    sender: Address,
    nonces: BTreeMap<Address, u64>,
    logs: Vec<Log>,
    gas_used: u64,
}

impl Clone for Evm {
    fn clone(&self) -> Self {
        Self {
            // The interpreter between two transactions holds nothing worth keeping.
            evm: self.evm.ctx.clone().build_mainnet(),
            nonces: self.nonces.clone(),
            logs: self.logs.clone(),
            ..*self
        }
    }
}

impl std::fmt::Debug for Evm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evm")
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With this return data.
    Returned(Bytes),
    /// Reverted, with the reason of `Error(string)`, or another error's selector in hex; empty where there is none.
    Reverted(String),
    /// Out of gas or halted otherwise: nothing is said about the contract's rules.
    Halted,
    /// The node did not answer: nothing is known. The EVM in the process always answers.
    Lost(String),
}

/// A block of mainnet: what costs more is no sequence a chain could see.
pub(crate) const GAS_LIMIT: u64 = 30_000_000;

impl Evm {
    /// The first block's time, seconds since the Unix epoch.
    pub const START: u64 = 1_700_000_000;

    /// An empty chain whose transactions come from `sender`.
    pub fn new(sender: Address) -> Self {
        let context = Context::mainnet().with_db(Db::default()).modify_cfg_chained(|cfg| {
            cfg.set_spec_and_mainnet_gas_params(SpecId::CANCUN);
            cfg.tx_gas_limit_cap = Some(GAS_LIMIT);
            cfg.limit_contract_code_size = Some(usize::MAX);
        });
        let context = context.modify_block_chained(|block| {
            block.timestamp = U256::from(Self::START);
            block.gas_limit = GAS_LIMIT;
        });
        Self {
            evm: context.build_mainnet(),
            sender,
            nonces: BTreeMap::new(),
            logs: Vec::new(),
            gas_used: 0,
        }
    }

    /// Who sends.
    pub const fn sender(&self) -> Address {
        self.sender
    }

    /// From now on transactions come from another sender.
    pub const fn act_as(&mut self, sender: Address) {
        self.sender = sender;
    }

    /// Deploys creation code; `None` where it does not.
    pub fn deploy(&mut self, creation_code: Bytes) -> Option<Address> {
        match self.transact(TxKind::Create, creation_code)? {
            ExecutionResult::Success {
                output: Output::Create(_, address),
                ..
            } => address,
            _ => None,
        }
    }

    /// Puts code at an address.
    pub fn set_code(&mut self, address: Address, code: Bytes) {
        let info = AccountInfo::from_bytecode(Bytecode::new_raw(code));
        self.evm.ctx.journaled_state.database.insert_account_info(address, info);
    }

    /// One word of storage.
    pub fn storage(&mut self, address: Address, slot: U256) -> U256 {
        let database = &mut self.evm.ctx.journaled_state.database;
        let Ok(account) = database.load_account(address);
        account.storage.get(&slot).copied().unwrap_or_default()
    }

    /// Writes one word of storage.
    pub fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        // A database in memory cannot fail.
        let _ = self
            .evm
            .ctx
            .journaled_state
            .database
            .insert_account_storage(address, slot, value);
    }

    /// Sends a transaction.
    pub fn send(&mut self, to: Address, data: Bytes) -> Answer {
        answer(self.transact(TxKind::Call(to), data))
    }

    /// Sends a transaction with ether, in wei, which the sender has.
    pub fn pay(&mut self, to: Address, data: Bytes, value: U256) -> Answer {
        let tx = self.transaction(TxKind::Call(to), data).map(|tx| TxEnv { value, ..tx });
        answer(tx.and_then(|tx| self.carry_out(tx)))
    }

    /// Makes an account's ether this much, in wei.
    pub fn set_ether(&mut self, address: Address, wei: U256) {
        let database = &mut self.evm.ctx.journaled_state.database;
        let Ok(account) = database.load_account(address);
        let info = AccountInfo {
            balance: wei,
            ..account.info.clone()
        };
        database.insert_account_info(address, info);
    }

    /// An account's ether, in wei.
    pub fn ether(&mut self, address: Address) -> U256 {
        let database = &mut self.evm.ctx.journaled_state.database;
        let Ok(account) = database.load_account(address);
        account.info.balance
    }

    /// Sends transactions to one address in a row and writes what they changed once, after the last: as fast as they can be executed.
    pub fn send_all(&mut self, to: Address, all: &[Bytes]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(all.len());
        for data in all {
            let tx = self.transaction(TxKind::Call(to), data.clone());
            self.count();
            answers.push(answer(tx.and_then(|tx| self.evm.transact_one(tx).ok())));
        }
        self.evm.commit_inner();
        answers
    }

    /// Calls without leaving a trace.
    pub fn view(&mut self, to: Address, data: Bytes) -> Answer {
        let result = self
            .transaction(TxKind::Call(to), data)
            .and_then(|tx| self.evm.transact(tx).ok());
        answer(result.map(|result| result.result))
    }

    /// Lets time pass: the next transaction's block is so many seconds later.
    pub fn wait(&mut self, seconds: u64) {
        self.evm.ctx.block.timestamp += U256::from(seconds);
    }

    /// Lets so many blocks pass: the next transaction's number is so much higher. Their time is [`Evm::wait`]'s.
    pub fn roll(&mut self, blocks: u64) {
        self.evm.ctx.block.number += U256::from(blocks);
    }

    /// The number of the block.
    pub fn block_number(&self) -> u64 {
        self.evm.ctx.block.number.saturating_to()
    }

    /// The time of the block, in seconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.evm.ctx.block.timestamp.saturating_to()
    }

    /// What the contracts emitted in the last transaction; nothing where it reverted.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// Gas that the last transaction used, refunds taken off, as its receipt would say.
    pub const fn gas_used(&self) -> u64 {
        self.gas_used
    }

    fn transact(&mut self, kind: TxKind, data: Bytes) -> Option<ExecutionResult> {
        let tx = self.transaction(kind, data)?;
        self.carry_out(tx)
    }

    fn carry_out(&mut self, tx: TxEnv) -> Option<ExecutionResult> {
        self.count();
        let result = self.evm.transact_commit(tx).ok();
        self.gas_used = result.as_ref().map_or(0, ExecutionResult::tx_gas_used);
        self.logs = result.as_ref().map(|result| result.logs().to_vec()).unwrap_or_default();
        result
    }

    /// Counts a transaction of the sender's.
    fn count(&mut self) {
        *self.nonces.entry(self.sender).or_default() += 1;
    }

    fn transaction(&self, kind: TxKind, data: Bytes) -> Option<TxEnv> {
        let tx = TxEnv::builder()
            .caller(self.sender)
            .kind(kind)
            .data(data)
            .nonce(self.nonces.get(&self.sender).copied().unwrap_or_default());
        tx.gas_limit(GAS_LIMIT).gas_price(0).build().ok()
    }
}

fn answer(result: Option<ExecutionResult>) -> Answer {
    let spent = result.as_ref().map_or(0, ExecutionResult::tx_gas_used);
    match result {
        Some(ExecutionResult::Success { output, .. }) => Answer::Returned(output.into_data()),
        Some(ExecutionResult::Revert { output, .. }) => reverted(&output, spent),
        _ => Answer::Halted,
    }
}

/// A revert with this output, after so much gas.
pub(crate) fn reverted(output: &[u8], gas_used: u64) -> Answer {
    // A call within the transaction that ran out of gas looks like a bare revert, but for what it has cost.
    if output.is_empty() && gas_used > GAS_LIMIT / 16 * 15 {
        Answer::Halted
    } else {
        Answer::Reverted(reason(output))
    }
}

/// The text of `Error(string)`, else the error's selector.
pub(crate) fn reason(output: &[u8]) -> String {
    match output.split_first_chunk::<4>() {
        Some(([0x08, 0xc3, 0x79, 0xa0], text)) => String::abi_decode(text).unwrap_or_default(),
        Some((selector, _)) => hex::encode_prefixed(selector),
        None => String::new(),
    }
}
