//! A node as commands are given it.

use crate::exit::Failure;
use plimsoll_chain::{EndpointOptions, Nodes, RpcUrl};
use plimsoll_units::Network;
use std::{future::Future, time::Duration};

/// Which node, and how it is treated.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct NodeArgs {
    /// A node's URL (http, https, ws, wss); more than one: the next is asked where one fails, and a sample compared.
    #[arg(
        long = "rpc",
        value_name = "URL",
        env = "PLIMSOLL_RPC_URL",
        hide_env_values = true,
        value_delimiter = ',',
        required = true
    )]
    // Texts: a parser's refusal would repeat the value, and a key in it.
    rpc: Vec<String>,
    /// The chain that the nodes must be of, by name or id; by default the first node's own.
    #[arg(long)]
    network: Option<Network>,
    /// Requests under way at once, a node.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Requests a second, a node.
    #[arg(long, value_name = "N")]
    max_requests_per_second: Option<f64>,
    /// Calls in one batch.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch: u16,
    /// How long one answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=600))]
    timeout: u16,
    /// Attempts at a request that fails for a moment.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=20))]
    attempts: u8,
}

impl NodeArgs {
    /// Connects, and checks that all nodes are of one chain.
    pub(crate) async fn connect(&self) -> Result<Nodes, Failure> {
        let urls: Result<Vec<RpcUrl>, _> = self.rpc.iter().map(|url| url.parse()).collect();
        let urls = urls.map_err(|error| Failure::usage(format!("--rpc: {error}")))?;
        if let Some(rate) = self
            .max_requests_per_second
            .filter(|rate| !rate.is_finite() || *rate <= 0.0)
        {
            return Err(Failure::usage(format!(
                "--max-requests-per-second {rate}: expected a number above 0"
            )));
        }
        let mut options = EndpointOptions {
            concurrency: usize::from(self.concurrency),
            requests_per_second: self.max_requests_per_second,
            batch: usize::from(self.batch),
            timeout: Duration::from_secs(u64::from(self.timeout)),
            ..EndpointOptions::default()
        };
        options.retry.attempts = u32::from(self.attempts);
        let chain_id = self.network.map(|network| network.chain_id);
        Ok(Nodes::connect(urls, chain_id, options).await?)
    }
}

/// Runs what waits for the network to its end.
pub(crate) fn wait_for<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no threads to wait for the network: {error}")))?;
    let result = runtime.block_on(work);
    // A request that hangs must not keep the program from ending.
    runtime.shutdown_background();
    result
}

/// Ready once the user or the system asks the program to stop.
pub(crate) async fn stop_asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
