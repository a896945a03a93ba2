//! Lending beside the pools: Aave v3.6.0 and Compound v2, for the pools' tokens and three more.

mod aave;
mod aave_borrowers;
mod account;
mod coin;
mod compound;
mod compound_borrowers;
mod feeds;
mod lenders;
mod liquidators;
mod markets;
mod opening;
mod sundry;

pub use aave::AaveMarket;
pub use compound::CompoundMarket;
pub(super) use opening::set_up;

use super::{Storm, dice::Dice, outside::Moment};
use crate::{Devnet, DevnetError, Tx};
use aave::AccountData;
use aave_borrowers::AaveBorrowers;
use coin::Coin;
use compound::Holdings;
use compound_borrowers::CompoundBorrowers;
use feeds::Feeds;
use lenders::Lenders;
use liquidators::Liquidators;
use sundry::Sundry;

/// The lending markets and all who use them.
#[derive(Debug)]
pub(super) struct Lending {
    pub(super) aave: AaveMarket,
    pub(super) compound: CompoundMarket,
    feeds: Feeds,
    people: People,
    sundry: Sundry,
    order: Dice,
    /// The accounts as they were when somebody last looked.
    seen: (Vec<AccountData>, Vec<Holdings>),
    /// Whether the last block has moved a price, or liquidated.
    moved: bool,
}

/// Who lends, borrows and liquidates.
#[derive(Debug)]
struct People {
    aave_borrowers: AaveBorrowers,
    compound_borrowers: CompoundBorrowers,
    lenders: Lenders,
    liquidators: Liquidators,
}

/// The first of the dice that are not the pools'.
const DICE: u64 = 100;
/// Where no price is told, accounts are looked at once in so many blocks.
const LOOK_EVERY: u64 = 100;

impl Lending {
    fn people(storm: Storm) -> People {
        let dice = |actor| Dice::new(storm.seed, DICE + actor);
        People {
            aave_borrowers: AaveBorrowers::new(dice(0)),
            compound_borrowers: CompoundBorrowers::new(dice(1)),
            lenders: Lenders::new(dice(2)),
            liquidators: Liquidators::new(dice(3)),
        }
    }

    fn new(storm: Storm, people: People, aave: AaveMarket, compound: CompoundMarket) -> Self {
        Self {
            aave,
            compound,
            feeds: Feeds::new(Dice::new(storm.seed, DICE + 4)),
            people,
            sundry: Sundry::new(storm.blocks),
            order: Dice::new(storm.seed, DICE + 5),
            seen: (Vec::new(), Vec::new()),
            moved: true,
        }
    }

    /// How all accounts are opened, in order: nothing can be borrowed before it is lent.
    fn openings(&self) -> Vec<Vec<Tx>> {
        let prices = self.feeds.prices();
        let mut openings = self.people.lenders.open(&self.aave, &self.compound);
        openings.extend(self.people.aave_borrowers.open(&self.aave, &prices));
        openings.extend(self.people.compound_borrowers.open(&self.compound, &prices));
        openings
    }

    /// What happens in a block, counted from the storm's first: prices first, then who liquidates at those of the last block, then the
    /// rest as it comes.
    pub(super) fn act(&mut self, devnet: &Devnet, block: u64, moment: &Moment) -> Result<Vec<Tx>, DevnetError> {
        let prices = self.feeds.prices();
        let told = self.feeds.step(block, moment);
        let looked = self.moved || block.is_multiple_of(LOOK_EVERY);
        let People {
            aave_borrowers,
            compound_borrowers,
            lenders,
            liquidators,
        } = &mut self.people;
        let mut liquidations = Vec::new();
        if looked {
            self.seen = (
                self.aave.accounts(devnet, &aave_borrowers.addresses())?,
                self.compound.holdings(devnet, &compound_borrowers.addresses())?,
            );
            let accounts = aave_borrowers.accounts().iter().zip(&self.seen.0);
            let accounts = accounts.map(|(account, data)| (account.address, account.plan.e_mode, data.clone()));
            liquidations = liquidators.on_aave(devnet, &self.aave, &prices, moment, accounts)?;
            let accounts = compound_borrowers
                .addresses()
                .into_iter()
                .zip(self.seen.1.iter().copied());
            liquidations.extend(liquidators.on_compound(&self.compound, &prices, moment, accounts));
        }
        let mut rest = self.sundry.act(devnet, block, &self.aave, &self.compound)?;
        rest.extend(aave_borrowers.act(&self.aave, &prices, moment, &self.seen.0, looked));
        rest.extend(compound_borrowers.act(&self.compound, &prices, moment, &self.seen.1, looked));
        rest.extend(lenders.act(&self.aave, &self.compound, moment));
        self.order.shuffle(&mut rest);
        self.moved = !told.is_empty() || !liquidations.is_empty();
        let mut txs = Vec::new();
        for told in told {
            txs.push(self.aave.tell(told.coin, told.answer));
            if Coin::COMPOUND.contains(&told.coin) {
                txs.push(self.compound.post(told.coin, told.answer));
            }
        }
        txs.extend(liquidations);
        txs.extend(rest.into_iter().flatten());
        Ok(txs)
    }
}
