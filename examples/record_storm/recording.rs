use plimsoll_chain::{EndpointOptions, Nodes, Proof, Scan, scan};
use plimsoll_data::{
    lake::Lake,
    samples::{self, SAMPLES},
};
use plimsoll_devnet::{
    Devnet,
    storm::{BLOCKS_A_DAY, Course, Storm},
};
use plimsoll_units::Network;
use std::path::{Path, PathBuf};

/// A storm as it was ingested.
#[derive(Debug)]
pub(crate) struct Recording {
    /// What was played.
    pub(crate) course: Course,
    /// How many logs its contracts have.
    pub(crate) logs: u64,
    /// The logs' file and the blocks'.
    pub(crate) files: [PathBuf; 2],
}

/// Plays a storm on a new chain, reads it back as `plimsoll ingest` does, every log proven by the receipts' root, and writes
/// it under a folder; `seen` is told how many blocks are played.
pub(crate) fn record(storm: Storm, folder: &Path, seen: impl FnMut(u64)) -> anyhow::Result<Recording> {
    let network = Network::DEVNET;
    let devnet = Devnet::start()?;
    let course = storm.play(&devnet, seen)?;
    let contracts = course.contracts();
    let lake_folder = tempfile::tempdir()?;
    let mut lake = Lake::create_or_open(lake_folder.path())?;
    let what = Scan {
        contracts: contracts.clone(),
        blocks: course.blocks.clone(),
        proof: Proof::Receipts,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ingested = runtime.block_on(async {
        let url = devnet.anvil().url().parse()?;
        let nodes = Nodes::connect([url], Some(network.chain_id), EndpointOptions::default()).await?;
        anyhow::Ok(scan(&nodes, &mut lake, &what, &mut |_| {}).await?)
    })?;
    let (from, to) = (Some(*course.blocks.start()), Some(*course.blocks.end()));
    let files = samples::write(
        folder,
        network,
        &description(storm),
        lake.logs(network, &contracts, from, to)?,
        lake.blocks(network, from, to)?,
    )?;
    Ok(Recording {
        course,
        logs: ingested.logs,
        files,
    })
}

/// The bundled storm's own words; any other names its seed.
fn description(storm: Storm) -> String {
    let bundled = &SAMPLES[0];
    if (storm.seed, storm.blocks) == (bundled.seed, 2 * BLOCKS_A_DAY) {
        return bundled.description.to_owned();
    }
    format!(
        "synthetic: {} blocks of USDC/WETH on the published Uniswap v3 contracts, with lending on Aave v3 and Compound v2, recorded \
         from a local chain under the scenario of seed {}; no market ever saw these prices",
        storm.blocks, storm.seed
    )
}
