//! What tests share that give a backtest's strategy an account of its own beside others' on the genuine bytecode.

use alloy_primitives::{Address, U256};
use plimsoll_backtest::{Backtest, BacktestOutput, Flow, Footprint, GasPrice, GasTable, Settings};
use plimsoll_market::Market;
use plimsoll_runtime::{Action, Block, Lend, Size, Source, SourceError, Strategy, Valuation};
use plimsoll_units::Network;
use std::collections::VecDeque;

/// What someone asks of a lending market, in base units.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask {
    Supply(U256),
    /// The greatest number for all.
    Withdraw(U256),
    Borrow(U256),
    /// The greatest number for all.
    Repay(U256),
}

impl Ask {
    /// The same as a strategy asks for it.
    pub(crate) fn action(self, market: Address, asset: Address) -> Action {
        let lend = |amount| Lend {
            market,
            asset,
            amount: match amount {
                U256::MAX => Size::All,
                amount => Size::Exact(amount),
            },
        };
        match self {
            Self::Supply(amount) => Action::Supply(lend(amount)),
            Self::Withdraw(amount) => Action::Withdraw(lend(amount)),
            Self::Borrow(amount) => Action::Borrow(lend(amount)),
            Self::Repay(amount) => Action::Repay(lend(amount)),
        }
    }
}

/// Blocks at hand.
pub(crate) struct Blocks(pub(crate) VecDeque<Block>);

impl Source for Blocks {
    fn next_block(&mut self) -> Result<Option<Block>, SourceError> {
        Ok(self.0.pop_front())
    }
}

/// Runs a strategy that has 2^100 of each asset, without gas; values are in the first.
pub(crate) fn backtest(
    market: Market,
    blocks: VecDeque<Block>,
    assets: &[Address],
    strategy: impl Strategy,
) -> BacktestOutput {
    let numeraire = assets[0];
    let backtest = Backtest {
        network: Network::DEVNET,
        settings: Settings {
            latency_blocks: 1,
            flow: Flow::Volume,
            footprint: Footprint::Own,
            arbitrage: true,
            max_slippage_bps: 50,
            gas_price: GasPrice::Constant(0),
        },
        gas: GasTable::MEASURED,
        portfolio: assets.iter().map(|asset| (*asset, U256::ONE << 100)).collect(),
        valuation: Valuation {
            numeraire,
            price_pools: &[],
            native: Some(numeraire),
        },
        charted: assets[1],
        from_block: None,
    };
    let output = plimsoll_backtest::run(&backtest, Blocks(blocks), market, strategy, &mut ());
    output.unwrap_or_else(|error| panic!("{error}"))
}
