use crate::{
    artifacts::{self, ArtifactError, Cache},
    linkable::Linkable,
    packages::{AAVE_V3_ORIGIN, BGD_SOLIDITY_UTILS, OPENZEPPELIN, OPENZEPPELIN_UPGRADEABLE, Package, SOLC_0_8_27},
    solc,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What stands at the top, in the package's `src/contracts`.
const ENTRIES: [&str; 9] = [
    "instances/PoolInstance.sol",
    "instances/PoolConfiguratorInstance.sol",
    "instances/ATokenInstance.sol",
    "instances/VariableDebtTokenInstance.sol",
    "protocol/configuration/PoolAddressesProvider.sol",
    "protocol/configuration/ACLManager.sol",
    "misc/AaveOracle.sol",
    "misc/DefaultReserveInterestRateStrategyV2.sol",
    "helpers/AaveProtocolDataProvider.sol",
];

/// The packages by what imports call them, and the folder of theirs that an import starts in.
const PACKAGES: [(&Package, &str, &str); 4] = [
    (&AAVE_V3_ORIGIN, "aave-v3-origin/", ""),
    (&BGD_SOLIDITY_UTILS, "solidity-utils/", "src/"),
    (
        &OPENZEPPELIN_UPGRADEABLE,
        "openzeppelin-contracts-upgradeable/contracts/",
        "",
    ),
    (&OPENZEPPELIN, "openzeppelin-contracts/contracts/", ""),
];
/// What OpenZeppelin's packages call one another.
const OWN_NAMES: [(&str, &str); 2] = [
    (
        "@openzeppelin/contracts-upgradeable/",
        "openzeppelin-contracts-upgradeable/contracts/",
    ),
    ("@openzeppelin/contracts/", "openzeppelin-contracts/contracts/"),
];

/// Every contract of Aave v3.6.0 that is needed, by its name; compiled once.
///
/// # Errors
/// No Node, no registry, or sources that do not compile.
pub(super) fn contracts() -> Result<BTreeMap<String, Linkable>, ArtifactError> {
    let mut origin = PACKAGES.map(|(package, ..)| package.sha512).join(" ");
    origin.push(' ');
    origin.push_str(SOLC_0_8_27.sha512);
    let kept = artifacts::kept("aave-v3-origin/contracts.json", &origin, compile)?;
    let json: BTreeMap<String, Value> = serde_json::from_slice(&kept).map_err(|error| failed(error.to_string()))?;
    let linkable = |(name, artifact): (String, Value)| Some((name, Linkable::from_json(&artifact)?));
    Ok(json.into_iter().filter_map(linkable).collect())
}

fn compile(cache: &Cache) -> Result<Vec<u8>, ArtifactError> {
    let mut texts = BTreeMap::new();
    for (package, name, folder) in PACKAGES {
        for (path, text) in cache.texts(package, ".sol")? {
            if let Some(path) = path.strip_prefix(folder) {
                texts.insert(format!("{name}{path}"), text);
            }
        }
    }
    let mut sources = BTreeMap::new();
    let entries = ENTRIES.map(|entry| format!("aave-v3-origin/src/contracts/{entry}"));
    let mut wanted = BTreeSet::from(entries);
    while let Some(path) = wanted.pop_first() {
        let text = texts.get(&path).ok_or_else(|| failed(format!("no {path}")))?;
        let further = imports(text).map(|import| resolved(&path, import));
        wanted.extend(further.filter(|further| !sources.contains_key(further)));
        sources.insert(path, json!({"content": text}));
    }
    let remappings = OWN_NAMES.map(|(from, to)| format!("{from}={to}"));
    let input = json!({
        "language": "Solidity",
        "sources": sources,
        "settings": {
            "optimizer": {"enabled": true, "runs": 200},
            "evmVersion": "shanghai",
            "metadata": {"bytecodeHash": "none"},
            "remappings": remappings,
            "outputSelection": {"*": {"*": ["evm.bytecode.object", "evm.bytecode.linkReferences"]}},
        },
    });
    let output = solc::compile(cache, &SOLC_0_8_27, "Aave v3.6.0", &input)?;
    let files = output["contracts"].as_object();
    let files = files.ok_or_else(|| failed(output["errors"].to_string()))?;
    let mut contracts = BTreeMap::new();
    for (name, contract) in files.values().filter_map(Value::as_object).flatten() {
        let code = &contract["evm"]["bytecode"];
        // Interfaces have none.
        if code["object"].as_str().is_some_and(|code| !code.is_empty()) {
            contracts.insert(name, json!({"bytecode": code}));
        }
    }
    serde_json::to_vec(&contracts).map_err(|error| failed(error.to_string()))
}

fn failed(said: String) -> ArtifactError {
    ArtifactError::NotCompiled {
        contract: "Aave v3.6.0",
        compiler: SOLC_0_8_27.name,
        said,
    }
}

/// What a source imports: the last quoted text of each statement.
fn imports(source: &str) -> impl Iterator<Item = &str> {
    let starts = source.match_indices("import").map(|(start, _)| start);
    let starts = starts.filter(|&start| start == 0 || source[..start].ends_with('\n'));
    starts.filter_map(|start| {
        let statement = source[start..].split(';').next()?;
        statement.rsplit(['\'', '"']).nth(1)
    })
}

/// The name of an imported source.
fn resolved(from: &str, import: &str) -> String {
    if !import.starts_with('.') {
        let own = OWN_NAMES
            .iter()
            .find_map(|(own, name)| Some((name, import.strip_prefix(own)?)));
        return own.map_or_else(|| import.to_owned(), |(name, rest)| format!("{name}{rest}"));
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
