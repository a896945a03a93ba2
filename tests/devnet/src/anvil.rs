use crate::artifacts::{self, ArtifactError};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};
use tempfile::TempDir;

/// A running `anvil`, stopped by its own process id when it is dropped.
#[derive(Debug)]
pub struct Anvil {
    node: Child,
    watchdog: Option<Child>,
    url: String,
    /// Removed after the node is gone.
    _folder: TempDir,
}

/// How a chain is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Most gas of one block; far above mainnet's, so that thousands of transactions fit into one.
    pub block_gas_limit: u64,
    /// How many blocks' states can still be asked for.
    pub kept_states: usize,
    /// Further arguments, as the command line of `anvil` takes them.
    pub arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            block_gas_limit: 3_000_000_000,
            kept_states: 5_000,
            arguments: Vec::new(),
        }
    }
}

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No program to run.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// It does not start.
    #[error("{program}: {cause}")]
    NotStarted {
        /// What was run.
        program: PathBuf,
        /// The operating system's answer.
        cause: io::Error,
    },
    /// It ended, or it took too long.
    #[error("anvil does not listen: {0}")]
    NotListening(String),
}

/// The second of the first block.
pub(crate) const GENESIS_TIMESTAMP: u64 = 1_700_000_000;
/// How often, and how many times, a starting node is looked at: a minute, for a machine with much else to do.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const LOOKS: u32 = 12_000;

impl Anvil {
    /// Starts a node on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No program, or one that does not listen within a minute.
    pub fn start(options: &Options) -> Result<Self, StartError> {
        let program = program()?;
        let not_started = |cause| StartError::NotStarted {
            program: program.clone(),
            cause,
        };
        let folder = tempfile::Builder::new()
            .prefix("plimsoll-anvil-")
            .tempdir()
            .map_err(not_started)?;
        let out_path = folder.path().join("out");
        let out = File::create(&out_path).map_err(not_started)?;
        let mut command = Command::new(&program);
        // Nothing of the user's: no .env, no foundry.toml, no settings from the environment.
        command
            .env_clear()
            .env("HOME", folder.path())
            .current_dir(folder.path());
        command.args([
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--hardfork",
            "cancun",
            "--order",
            "fifo",
        ]);
        command.args(["--auto-impersonate", "--no-request-size-limit"]);
        command.args(["--timestamp", &GENESIS_TIMESTAMP.to_string()]);
        command.args(["--gas-limit", &options.block_gas_limit.to_string()]);
        command.args(["--prune-history", &options.kept_states.to_string()]);
        command.arg("--cache-path").arg(folder.path()).args(&options.arguments);
        let err = out.try_clone().map_err(not_started)?;
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let node = spawn(&mut command).map_err(not_started)?;
        // From here on, dropping it stops the node.
        let mut anvil = Self {
            watchdog: watchdog(&node, folder.path()),
            node,
            url: String::new(),
            _folder: folder,
        };
        for _ in 0..LOOKS {
            let text = fs::read_to_string(&out_path).unwrap_or_default();
            if let Some(address) = listening(&text) {
                anvil.url = format!("http://{address}");
                return Ok(anvil);
            }
            if let Ok(Some(status)) = anvil.node.try_wait() {
                let said = text.lines().rev().find(|line| !line.trim().is_empty());
                let said = said.unwrap_or_default();
                return Err(StartError::NotListening(format!("{status}: {said}")));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(StartError::NotListening("it took longer than a minute".to_owned()))
    }

    /// Where it answers, over HTTP.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it answers, over WebSocket.
    pub fn ws_url(&self) -> String {
        self.url.replacen("http", "ws", 1)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.node.id()
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // The watchdog goes first: while the node is not waited for, its process id is nobody else's.
        if let Some(watchdog) = &mut self.watchdog {
            stop(watchdog);
        }
        stop(&mut self.node);
    }
}

fn stop(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// The program, found once per process.
fn program() -> Result<PathBuf, ArtifactError> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = PROGRAM.get() {
        return Ok(program.clone());
    }
    let program = artifacts::anvil_program()?;
    Ok(PROGRAM.get_or_init(|| program).clone())
}

/// Spawns, and tries again while another thread's new process still holds the program's file open for writing.
fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..100 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::sleep(LOOK_EVERY),
            result => return result,
        }
    }
    command.spawn()
}

/// A shell that waits for the end of its input, which comes when this process ends, however that happens; then it
/// stops the node and removes its folder. Where there is no shell, a killed test leaves its node behind.
fn watchdog(node: &Child, folder: &Path) -> Option<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", "read -r _; kill -9 \"$1\"; rm -rf \"$2\"", "sh"]);
    command.arg(node.id().to_string()).arg(folder);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().ok()
}

/// The address that the node says it listens on.
fn listening(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("Listening on ")?;
    let (address, _) = rest.split_once('\n')?;
    Some(address.trim())
}
