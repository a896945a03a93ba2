use crate::{exit::Failure, inputs, progress::Progress};
use plimsoll_data::samples::Sample;
use plimsoll_market::Market;
use plimsoll_protocols::BlockHeader;
use plimsoll_runtime::{LogSource, Role, Source};
use std::collections::BTreeMap;

/// Where lending markets are read from, and up to which block.
#[derive(Debug, clap::Args)]
pub(super) struct DataArgs {
    /// The block after which accounts are looked at; the data's last by default.
    #[arg(long, value_name = "BLOCK")]
    block: Option<u64>,
}

/// Lending markets, followed up to a block.
pub(super) struct Followed {
    pub(super) market: Market,
    /// The block.
    pub(super) block: BlockHeader,
    /// The sample that it comes from.
    pub(super) sample: &'static Sample,
}

impl DataArgs {
    pub(super) fn follow(&self, progress: &mut Progress) -> Result<Followed, Failure> {
        let [sample] = &plimsoll_data::samples::SAMPLES;
        let (first, last) = sample.blocks_spanned;
        let number = self.block.unwrap_or(last);
        if !(first..=last).contains(&number) {
            return Err(Failure::usage(format!(
                "--block {number}: sample '{}' has blocks {first} to {last}",
                sample.name
            )));
        }
        let mut market = Market::default();
        let mut roles = BTreeMap::new();
        for lending in sample.lending {
            let known = lending.market(sample.network);
            market.insert_lending(known.map_err(|error| Failure::failed(error.to_string()))?);
            let role = Role::Lending(lending.address());
            roles.extend(lending.contracts().into_iter().map(|contract| (contract, role)));
        }
        for feed in sample.lending.iter().flat_map(|lending| lending.feeds()) {
            roles.insert(feed, Role::Aggregator);
        }
        let mut source = LogSource::new(sample.logs()?, roles).within(0..=number);
        let place = format!("sample '{}'", sample.name);
        while let Some(block) = source.next_block().map_err(|error| inputs::located(error, &place))? {
            progress.at(block.at.number);
            for event in &block.events {
                market.apply(event)?;
            }
            market.end_block()?;
        }
        let mut headers = sample.blocks()?;
        let header = headers.find_map(|header| match header {
            Ok(header) if header.number == number => Some(Ok(header)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        });
        let block = header.ok_or_else(|| Failure::failed(format!("{place}: no header of block {number}")))??;
        Ok(Followed { market, block, sample })
    }
}
