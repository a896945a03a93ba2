use crate::{
    Action, Block, Executor, Ledger, LedgerError, Liquidation, Outcome, OwnPosition, PriceBook, Prices, Receipt,
    Source, SourceError, Strategy, View,
};
use alloy_primitives::{Address, U256};
use plimsoll_market::{Market, MarketError};
use plimsoll_protocols::uniswap_v3::Pool;
use plimsoll_units::BlockRef;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The data cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The data diverge from the contracts' rules, or hold events of an unknown contract.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// Something owned has no price.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Gas was paid, and nothing prices the chain's own token.
    #[error("gas cannot be valued: no pool in the data prices the chain's own token in the numeraire")]
    GasWithoutPrice,
    /// Not one block in which everything owned has a price.
    #[error("the data hold no block of the asked range in which every token of the portfolio has a price")]
    NothingToRun,
}

/// One block as it ended, for whoever draws or stores it.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    /// The block.
    pub block: BlockRef,
    /// Value, profit and prices up to it.
    pub ledger: &'a Ledger,
    /// Own open positions.
    pub positions: &'a [OwnPosition],
    /// How many of them have the price in their range.
    pub in_range: usize,
}

/// Hears what happens in a run; it changes nothing.
pub trait Observer {
    /// A block was read, whether the run has begun or not.
    fn read(&mut self, _block: &Block) {}
    /// An action was carried out or reverted.
    fn receipt(&mut self, _receipt: &Receipt) {}
    /// An own position was liquidated.
    fn liquidation(&mut self, _liquidation: &Liquidation) {}
    /// A block of the run has ended.
    fn mark(&mut self, _mark: &Mark<'_>) {}
}

/// How everything owned is valued.
#[derive(Debug, Clone, Copy)]
pub struct Valuation<'a> {
    /// The token that everything is valued in.
    pub numeraire: Address,
    /// Pools that give prices, the preferred first.
    pub price_pools: &'a [Address],
    /// The token that stands for the chain's own, to value gas by.
    pub native: Option<Address>,
}

/// The loop. It begins at the first block, from `from_block` on, at whose end everything owned has a price;
/// blocks before that only build the market's state.
#[derive(Debug)]
pub struct Runner<S, T, E> {
    /// Where blocks come from.
    pub source: S,
    /// Who decides.
    pub strategy: T,
    /// Who carries out.
    pub executor: E,
    /// The recorded state.
    pub market: Market,
    /// First block to decide at; earlier ones only build state.
    pub from_block: Option<u64>,
}

impl<S: Source, T: Strategy, E: Executor> Runner<S, T, E> {
    /// Runs to the source's end and returns the books.
    ///
    /// # Errors
    /// See [`RunError`]; a divergence ends the run at its event.
    pub fn run(&mut self, valuation: &Valuation<'_>, observer: &mut impl Observer) -> Result<Ledger, RunError> {
        let book = PriceBook::new(valuation.numeraire, &self.market, valuation.price_pools);
        let mut ledger: Option<Ledger> = None;
        while let Some(block) = self.source.next_block()? {
            observer.read(&block);
            if let Some(ledger) = &mut ledger {
                let receipts = self.executor.begin_block(&block, &self.market);
                if !receipts.is_empty() {
                    settle(&receipts, ledger, &self.executor, &self.market, valuation.native)?;
                    receipts.iter().for_each(|receipt| observer.receipt(receipt));
                }
            }
            for event in &block.events {
                let applied = self.market.apply(event)?;
                self.executor.observe(event, &applied, &self.market);
            }
            self.market.end_block()?;
            self.executor.end_block(&block, &self.market);
            let prices = book.at(&self.market);
            match &mut ledger {
                Some(ledger) => {
                    ledger.block_ended(self.executor.holdings(&self.market), prices)?;
                    let liquidations = self.executor.liquidate(&self.market);
                    if !liquidations.is_empty() {
                        ledger.liquidated(self.executor.holdings(&self.market))?;
                        liquidations
                            .iter()
                            .for_each(|liquidation| observer.liquidation(liquidation));
                    }
                }
                None if self.may_begin(&block, &book, &prices) => {
                    ledger = Some(Ledger::new(self.executor.holdings(&self.market), prices)?)
                }
                None => continue,
            }
            if let Some(ledger) = &ledger {
                self.decide(block.at);
                let positions = &self.executor.account().positions;
                let in_range = positions
                    .iter()
                    .filter(|own| in_range(own, self.executor.pool(&self.market, own.pool)))
                    .count();
                observer.mark(&Mark {
                    block: block.at,
                    ledger,
                    positions,
                    in_range,
                });
            }
        }
        ledger.ok_or(RunError::NothingToRun)
    }

    fn may_begin(&self, block: &Block, book: &PriceBook, prices: &Prices) -> bool {
        let priced = |(token, amount): (&Address, &U256)| {
            prices.price_f64(*token).is_some() || (amount.is_zero() && !book.prices(*token))
        };
        self.from_block.is_none_or(|from| block.at.number >= from) && self.executor.account().wallet.iter().all(priced)
    }

    fn decide(&mut self, at: BlockRef) {
        let (executor, market) = (&self.executor, &self.market);
        let pools = |address| executor.pool(market, address);
        let lending = |address| executor.lending(market, address);
        let view = View::new(at, &pools, &lending, executor.account(), executor.pending());
        let actions = self.strategy.on_block(&view);
        if !actions.is_empty() {
            self.executor.submit(at, actions, &self.market);
        }
    }
}

/// Books the gas, the turnover and the effect of own actions.
fn settle(
    receipts: &[Receipt],
    ledger: &mut Ledger,
    executor: &impl Executor,
    market: &Market,
    native: Option<Address>,
) -> Result<(), RunError> {
    let mut gas = U256::ZERO;
    for receipt in receipts {
        if !receipt.gas_cost_wei.is_zero() {
            let native = native.ok_or(RunError::GasWithoutPrice)?;
            let cost = ledger
                .prices()
                .value(native, receipt.gas_cost_wei)
                .ok_or(RunError::GasWithoutPrice)?;
            gas = gas.saturating_add(cost);
        }
        if let (Action::Swap { .. }, Outcome::Filled(filled)) = (&receipt.action, &receipt.outcome) {
            for flow in filled.flows.iter().filter(|flow| !flow.paid.is_zero()) {
                let value = ledger.prices().value(flow.token, flow.paid);
                ledger.traded(value.unwrap_or_default());
            }
        }
    }
    ledger.acted(executor.holdings(market), gas)?;
    Ok(())
}

fn in_range(own: &OwnPosition, pool: Option<&Pool>) -> bool {
    pool.is_some_and(|pool| (own.lower..own.upper).contains(&pool.tick()))
}

/// Nobody listens.
impl Observer for () {}
