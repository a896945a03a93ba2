//! The published compilers, run by Node.

use crate::{
    artifacts::{ArtifactError, Cache},
    packages::Package,
};
use serde_json::Value;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Calls the compiler in the file named by the argument, from standard input to standard output.
const SCRIPT: &str = "const solc = require(process.argv[1]);
const compile = solc.cwrap('solidity_compile', 'string', ['string', 'number', 'number']);
process.stdout.write(compile(require('fs').readFileSync(0, 'utf8'), 0, 0));";

/// What a compiler makes of a standard JSON input; `contract` is what an error calls it.
///
/// # Errors
/// No Node, no compiler, or an answer that is no JSON. What the sources' mistakes are, the answer says.
pub(crate) fn compile(
    cache: &Cache,
    compiler: &Package,
    contract: &'static str,
    input: &Value,
) -> Result<Value, ArtifactError> {
    let failed = |said: String| ArtifactError::NotCompiled {
        contract,
        compiler: compiler.name,
        said,
    };
    let program = tempfile::NamedTempFile::with_suffix(".js").map_err(|error| failed(error.to_string()))?;
    std::fs::write(program.path(), cache.entry(compiler, "soljson.js")?).map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new("node");
    command.args(["-e", SCRIPT]).arg(program.path());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut node = command.spawn().map_err(ArtifactError::NoNode)?;
    if let Some(mut stdin) = node.stdin.take() {
        // A compiler that ended early says so below.
        let _ = stdin.write_all(input.to_string().as_bytes());
    }
    let output = node.wait_with_output().map_err(ArtifactError::NoNode)?;
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}
