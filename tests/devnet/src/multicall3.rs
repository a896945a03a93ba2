//! Multicall3, compiled from its published source into the bytecode that is at its address on every chain.

use crate::{
    artifacts::{self, ArtifactError, Cache},
    packages::{CHAINLINK_CONTRACTS, SOLC},
    solc,
    transaction::Tx,
};
use alloy_primitives::{Address, B256, Bytes, U256, address, b256, hex, keccak256};
use alloy_sol_types::{SolCall, sol};
use serde_json::json;

sol! {
    /// The functions that are used here.
    #[allow(missing_docs)]
    interface Multicall {
        struct Call3Value {
            address target;
            bool allowFailure;
            uint256 value;
            bytes callData;
        }
        struct Result {
            bool success;
            bytes returnData;
        }
        function aggregate3Value(Call3Value[] calls) external payable returns (Result[] returnData);
    }
}

/// Where it is, on mainnet as here.
pub const ADDRESS: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// keccak256 of the code at [`ADDRESS`] on mainnet.
const CODE_HASH: B256 = b256!("d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891");
const SOURCE: &str = "src/v0.8/vendor/multicall/ebd8b64/src/Multicall3.sol";
/// The name that the source had when it was published; the code's last bytes are a hash of it and of the source.
const NAME: &str = "Multicall3.sol";
/// The package asks for a compiler from this version on, the published source for this one.
const PRAGMAS: [&str; 2] = ["pragma solidity ^0.8.12;", "pragma solidity 0.8.12;"];
/// Many calls in one transaction, each with its ether; the first that reverts reverts them all.
///
/// Their sender is Multicall3 itself.
pub fn aggregate(calls: &[Tx]) -> Tx {
    let call = |call: &Tx| Multicall::Call3Value {
        target: call.to.unwrap_or_default(),
        allowFailure: false,
        value: call.value,
        callData: call.data.clone(),
    };
    let value = calls.iter().fold(U256::ZERO, |sum, call| sum.wrapping_add(call.value));
    let calls = calls.iter().map(call).collect();
    Tx::call(ADDRESS, &Multicall::aggregate3ValueCall { calls }).with_value(value)
}

/// What the calls of an aggregate have returned, in their order; `None` where the output is not an aggregate's.
pub fn returned(output: &[u8]) -> Option<Vec<Bytes>> {
    let results = Multicall::aggregate3ValueCall::abi_decode_returns(output).ok()?;
    Some(results.into_iter().map(|result| result.returnData).collect())
}

/// The code at its address.
///
/// # Errors
/// No Node, no registry, or a compilation that is not mainnet's code.
pub fn runtime_code() -> Result<Bytes, ArtifactError> {
    let origin = format!("{} {}", CHAINLINK_CONTRACTS.sha512, SOLC.sha512);
    let code = artifacts::kept("multicall3/Multicall3.runtime", &origin, compile)?;
    Ok(code.into())
}

fn compile(cache: &Cache) -> Result<Vec<u8>, ArtifactError> {
    let failed = |said: String| ArtifactError::NotCompiled {
        contract: "Multicall3",
        compiler: SOLC.name,
        said,
    };
    let source = cache.entry(&CHAINLINK_CONTRACTS, SOURCE)?;
    let source = String::from_utf8_lossy(&source).replace(PRAGMAS[0], PRAGMAS[1]);
    let input = json!({
        "language": "Solidity",
        "sources": {NAME: {"content": source}},
        "settings": {
            "optimizer": {"enabled": true, "runs": 10_000_000},
            "evmVersion": "london",
            "metadata": {"bytecodeHash": "ipfs"},
            "outputSelection": {"*": {"*": ["evm.deployedBytecode.object"]}},
        },
    });
    let output = solc::compile(cache, &SOLC, "Multicall3", &input)?;
    let code = output["contracts"][NAME]["Multicall3"]["evm"]["deployedBytecode"]["object"].as_str();
    let code = code.ok_or_else(|| failed(output["errors"].to_string()))?;
    let code = hex::decode(code).map_err(|error| failed(error.to_string()))?;
    match keccak256(&code) {
        CODE_HASH => Ok(code),
        other => Err(failed(format!("the code's hash is {other}, not mainnet's"))),
    }
}
