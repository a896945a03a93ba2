use super::{
    Storm,
    arbitrageur::Arbitrageur,
    dice::Dice,
    lending::Lending,
    opening::{BORROWER, Stage},
    outside::{Outside, START_PRICE},
    providers::Providers,
    traders::Traders,
    venue::{Venue, sqrt_price_x96, usdc, weth},
};
use crate::{Devnet, DevnetError, Tx, uniswap_v3::PoolCalls};
use alloy_primitives::U256;
use serde_json::json;

/// What happens in each block, and in which order.
#[derive(Debug)]
pub(super) struct Script {
    blocks: u64,
    outside: Outside,
    venues: [Venue; 2],
    arbitrageur: Arbitrageur,
    traders: Traders,
    providers: Providers,
    lending: Lending,
    order: Dice,
}

/// What happens once, as a share of the whole: the fee switch, what it has brought, and two flash loans.
const FEE_SWITCH: f64 = 0.35;
const PROTOCOL_COLLECTS: f64 = 0.9;
const LOANS: [f64; 2] = [0.22, 0.63];

impl Script {
    pub(super) fn new(storm: Storm, stage: Stage, lending: Lending) -> Self {
        let dice = |actor| Dice::new(storm.seed, actor);
        Self {
            blocks: storm.blocks,
            outside: Outside::new(dice(0), storm.blocks),
            venues: stage.venues,
            arbitrageur: Arbitrageur::new(dice(1)),
            traders: Traders::new(dice(2), stage.traders),
            providers: Providers::new(dice(3), stage.holders),
            lending,
            order: dice(4),
        }
    }

    /// Plays the block of this number, counted from the storm's first.
    pub(super) fn play(&mut self, devnet: &Devnet, block: u64) -> Result<(), DevnetError> {
        let moment = self.outside.step(block);
        let method = "anvil_setNextBlockBaseFeePerGas";
        devnet.rpc().call(method, json!([U256::from(moment.base_fee)]))?;
        let mut txs: Vec<Tx> = if block == 0 {
            self.opening()
        } else {
            // Who is quickest, and pays most, is first; the rest comes as it comes.
            let first = self.arbitrageur.act(&moment, &self.venues);
            let mut rest = self.once(block);
            for trade in self.traders.act(&moment, &self.venues) {
                let venue = &self.venues[trade.venue];
                rest.push(self.providers.around(trade, venue));
            }
            rest.extend(self.providers.act(&moment, &self.venues));
            self.order.shuffle(&mut rest);
            first.into_iter().chain(rest).flatten().collect()
        };
        txs.extend(self.lending.act(devnet, block, &moment)?);
        if txs.is_empty() {
            return devnet.mine(1);
        }
        let receipts = devnet.mine_block_with(&txs)?;
        for receipt in &receipts {
            for venue in &mut self.venues {
                venue.see(receipt);
            }
        }
        self.providers.see(&txs, &receipts);
        Ok(())
    }

    /// Both pools get their first price and their first liquidity.
    fn opening(&mut self) -> Vec<Tx> {
        let mut txs = Vec::new();
        for (number, venue) in self.venues.iter().enumerate() {
            txs.push(venue.pool.initialize(sqrt_price_x96(START_PRICE)));
            txs.extend(self.providers.open(number, venue));
        }
        txs
    }

    /// What happens once, in its block.
    fn once(&self, block: u64) -> Vec<Vec<Tx>> {
        let main = &self.venues[0];
        let is_at = |share: f64| block == at(share, self.blocks);
        let mut txs = Vec::new();
        if is_at(FEE_SWITCH) {
            txs.push(vec![main.pool.set_fee_protocol(6, 6)]);
        }
        if is_at(PROTOCOL_COLLECTS) {
            let call = PoolCalls::collectProtocolCall {
                recipient: Devnet::DEPLOYER,
                amount0: u128::MAX,
                amount1: u128::MAX,
            };
            txs.push(vec![Tx::call(main.pool.address, &call)]);
        }
        let borrower = &main.payers[BORROWER];
        if is_at(LOANS[0]) {
            txs.push(vec![borrow(borrower, [usdc(1_500_000.0), U256::ZERO])]);
        }
        if is_at(LOANS[1]) {
            txs.push(vec![borrow(borrower, [usdc(400_000.0), weth(250.0)])]);
        }
        txs
    }
}

/// Borrows both amounts for one call, at the pool's fee, rounded up.
fn borrow(borrower: &crate::contracts::uniswap_v3::Pool, lent: [U256; 2]) -> Tx {
    let fee = |lent: U256| (lent * U256::from(borrower.fee_pips)).div_ceil(U256::from(1_000_000));
    borrower.flash(lent, lent.map(|lent| lent + fee(lent)))
}

/// The block at this share of the whole.
pub(super) fn at(share: f64, blocks: u64) -> u64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss
    )] // counts of blocks
    {
        (share * blocks as f64) as u64
    }
}
