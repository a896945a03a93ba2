//! What a market's contracts say of themselves: reserves listed, strategies and price sources changed, releases.

use super::{AaveV3Replay, AaveV3Token};
use crate::{LendingError, LendingErrorKind, PriceSource};
use alloy_primitives::Address;
use plimsoll_protocols::{
    RawLog,
    aave_v3::{AssetSourceUpdated, InterestRateStrategy, Reserve, Revision, is_upgrade},
};

impl AaveV3Replay {
    /// Whether an address is one of the market's that has not been listed yet, or whose logs say nothing here.
    pub(super) fn is_known(&self, address: Address) -> bool {
        let of = |token: &AaveV3Token| token.a_token == address || token.variable_debt_token == address;
        self.contracts.silent.contains(&address)
            || self.contracts.strategies.contains_key(&address)
            || self.contracts.tokens.values().any(of)
    }

    pub(super) fn set_source(&mut self, log: &RawLog) -> Result<(), LendingError> {
        if let Some(AssetSourceUpdated { asset, source }) = AssetSourceUpdated::decode(log)? {
            let aggregator = self.contracts.aggregators.get(&source).copied().unwrap_or(source);
            let source = PriceSource::Feed { aggregator, scale: 0 };
            self.oracle.set_source(asset, source);
        }
        Ok(())
    }

    /// A proxy's own log: of the pool, it may be the beginning of other rules.
    pub(super) fn upgrade(&mut self, log: &RawLog) -> Result<(), LendingError> {
        let of_pool = log.address == self.pool.params().address;
        if !(of_pool && is_upgrade(log)) {
            return Ok(());
        }
        let block = log.at.block_number;
        let known = self.contracts.revisions.iter().rev().find(|(from, _)| *from <= block);
        // An upgrade is to a release that was asked for at that block, or to one that nobody has said.
        match known {
            Some((from, revision)) if *from == block || *revision == self.pool.revision() => {
                self.pool.upgrade(*revision);
                Ok(())
            }
            _ => {
                let what = "the pool was upgraded, and to which release is not known".to_owned();
                Err(LendingError::refused(log, LendingErrorKind::Unsupported(what)))
            }
        }
    }

    /// Another contract sets a reserve's rates from here on; an unknown one has a curve of zeros, which nothing is held against.
    /// From 3.1 on one contract keeps all curves, and logs say them.
    pub(super) fn set_strategy(&mut self, asset: Address, address: Address) {
        if self.pool.revision().virtual_balance() {
            return;
        }
        let unknown = InterestRateStrategy {
            address,
            ..InterestRateStrategy::default()
        };
        let id = self.pool.id(asset);
        if let Some(reserve) = id.and_then(|id| self.pool.reserve_mut(id)) {
            reserve.strategy = self.contracts.strategies.get(&address).copied().unwrap_or(unknown);
        }
    }

    pub(super) fn list(&mut self, log: &RawLog, asset: Address) -> Result<(), LendingError> {
        let Some(token) = self.contracts.tokens.get(&asset) else {
            let what = format!("a reserve of {asset} is listed of which nothing is known");
            return Err(LendingError::refused(log, LendingErrorKind::Unsupported(what)));
        };
        let mut reserve = Reserve::new(
            asset,
            token.a_token,
            token.variable_debt_token,
            token.treasury,
            token.decimals,
        );
        // From 3.1 to 3.3 each listing chose, and no log tells what.
        if self.pool.revision() >= Revision::V3_4 {
            reserve.configuration.set_virtual_acc_active(true);
        }
        let listed = self.pool.list(reserve);
        listed
            .map(|_| ())
            .map_err(|error| LendingError::refused(log, LendingErrorKind::Unsupported(error.to_string())))
    }
}
