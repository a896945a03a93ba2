use super::{
    BLOCKS_A_DAY,
    dice::Dice,
    opening::{JUST_IN_TIME, PROVIDERS},
    outside::{Moment, Phase},
    traders::Trade,
    venue::Venue,
};
use crate::{Receipt, Tx, contracts::uniswap_v3::Pool};
use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolEvent, sol};

sol! {
    /// What the position manager says when liquidity comes in.
    event IncreaseLiquidity(uint256 indexed tokenId, uint128 liquidity, uint256 amount0, uint256 amount1);
}

/// Who provides liquidity: some at the pools themselves, some with positions of the position manager's.
#[derive(Debug)]
pub(super) struct Providers {
    dice: Dice,
    holders: Vec<Address>,
    positions: Vec<Position>,
    /// Positions that are on their way to the position manager: which of the block's transactions, and for whom.
    ordered: Vec<Order>,
}

#[derive(Debug)]
struct Position {
    owner: Owner,
    liquidity: u128,
    /// Since the market's opening; it stays in calm times.
    founder: bool,
}

#[derive(Debug, Clone, Copy)]
enum Owner {
    /// A payer of the pool's own, with the position's ticks.
    Direct { payer: Pool, lower: i32, upper: i32 },
    /// A token of the position manager's.
    Token {
        pool: Pool,
        holder: Address,
        token_id: U256,
    },
}

#[derive(Debug)]
struct Order {
    tx: Tx,
    pool: Pool,
    holder: Address,
    founder: bool,
}

/// The opening's ranges, in ticks, and their dollars, widest first: every market has some everywhere.
const OPENING: [&[(f64, f64)]; 2] = [
    &[
        (60_000.0, 6e6),
        (20_000.0, 7e6),
        (6_000.0, 7e6),
        (2_400.0, 6e6),
        (1_000.0, 5e6),
        (300.0, 3e6),
    ],
    &[(60_000.0, 5e6), (20_000.0, 6e6), (6_000.0, 5e6), (1_800.0, 2e6)],
];
const SHIFTS: [f64; 3] = [-0.3, 0.05, 0.3];
/// A trade from here on is worth liquidity for its one block.
const WORTH_JUST_IN_TIME: f64 = 120_000.0;

impl Providers {
    pub(super) fn new(dice: Dice, holders: Vec<Address>) -> Self {
        Self {
            dice,
            holders,
            positions: Vec::new(),
            ordered: Vec::new(),
        }
    }

    /// The first liquidity of a pool.
    pub(super) fn open(&mut self, number: usize, venue: &Venue) -> Vec<Tx> {
        let mut txs = Vec::new();
        for (width, dollars) in OPENING[number] {
            for shift in SHIFTS {
                let range = venue.range(*width, shift);
                txs.push(self.provide(venue, dollars / 3.0, range, true));
            }
        }
        txs
    }

    /// This block's changes, each of them in transactions that belong together.
    pub(super) fn act(&mut self, moment: &Moment, venues: &[Venue; 2]) -> Vec<Vec<Tx>> {
        // How often a day each of them happens.
        let (comes, leaves, collects) = match moment.phase {
            Phase::Calm => (80.0, 60.0, 50.0),
            Phase::Crash => (80.0, 500.0, 70.0),
            Phase::Recovery => (240.0, 60.0, 60.0),
            Phase::After => (100.0, 70.0, 50.0),
        };
        #[allow(clippy::cast_precision_loss)] // 7,200
        let a_day = BLOCKS_A_DAY as f64;
        let mut changes = Vec::new();
        for _ in 0..self.dice.times(comes / a_day) {
            changes.push(vec![self.come(moment, venues)]);
        }
        for _ in 0..self.dice.times(leaves / a_day) {
            changes.extend(self.leave(moment.phase));
        }
        for _ in 0..self.dice.times(collects / a_day) {
            changes.extend(self.collect());
        }
        changes
    }

    fn come(&mut self, moment: &Moment, venues: &[Venue; 2]) -> Tx {
        let venue = &venues[usize::from(self.dice.happens(0.35))];
        let spacing = f64::from(venue.tick_spacing);
        // From 6 to 400 spacings, every order of magnitude as likely.
        let width = spacing * libm::exp(self.dice.between(libm::log(6.0), libm::log(400.0)));
        // One in eight is a range order, beside the price.
        let shift = match self.dice.uniform() {
            side if side < 0.06 => -0.6,
            side if side < 0.12 => 0.6,
            _ => self.dice.between(-0.25, 0.25),
        };
        // Who comes after the fall comes with what others have taken out.
        let median = if moment.phase == Phase::Recovery {
            120_000.0
        } else {
            60_000.0
        };
        let dollars = self.dice.heavy_tailed(median, 1.1).min(2e6);
        let range = venue.range(width, shift);
        self.provide(venue, dollars, range, false)
    }

    fn provide(&mut self, venue: &Venue, dollars: f64, range: (i32, i32), founder: bool) -> Tx {
        let (lower, upper) = range;
        if self.dice.happens(0.5) {
            let payer = self.dice.one_of(&venue.payers[PROVIDERS]);
            let liquidity = venue.liquidity_for(dollars, range);
            self.positions.push(Position {
                owner: Owner::Direct { payer, lower, upper },
                liquidity,
                founder,
            });
            return payer.add_liquidity(lower, upper, liquidity);
        }
        let holder = self.dice.one_of(&self.holders);
        let tx = venue
            .pool
            .mint_position(holder, lower, upper, venue.amounts_for(dollars, range));
        self.ordered.push(Order {
            tx: tx.clone(),
            pool: venue.pool,
            holder,
            founder,
        });
        tx
    }

    /// Takes note of the positions that the position manager has opened; the receipts are those of `txs`.
    pub(super) fn see(&mut self, txs: &[Tx], receipts: &[Receipt]) {
        for order in std::mem::take(&mut self.ordered) {
            let mut sent = txs.iter().zip(receipts);
            let Some((_, receipt)) = sent.find(|(tx, _)| **tx == order.tx) else {
                continue;
            };
            let opened = receipt
                .logs
                .iter()
                .find_map(|log| IncreaseLiquidity::decode_log_data(&log.data).ok());
            if let Some(opened) = opened {
                self.positions.push(Position {
                    owner: Owner::Token {
                        pool: order.pool,
                        holder: order.holder,
                        token_id: opened.tokenId,
                    },
                    liquidity: opened.liquidity,
                    founder: order.founder,
                });
            }
        }
    }

    /// Closes a position, or a part of it; founders leave in the fall only.
    fn leave(&mut self, phase: Phase) -> Option<Vec<Tx>> {
        let index = self.dice.below(self.positions.len());
        let (partly, shaken) = (self.dice.happens(0.2), self.dice.happens(0.2));
        let position = self.positions.get_mut(index)?;
        if position.founder && (phase != Phase::Crash || !shaken) {
            return None;
        }
        let liquidity = match partly {
            true => position.liquidity / 3,
            false => position.liquidity,
        };
        position.liquidity -= liquidity;
        let owner = position.owner;
        if !partly {
            self.positions.swap_remove(index);
        }
        Some(match owner {
            Owner::Direct { payer, lower, upper } => vec![
                payer.remove_liquidity(lower, upper, liquidity),
                payer.collect(lower, upper, u128::MAX, u128::MAX),
            ],
            Owner::Token { pool, holder, token_id } => vec![
                pool.decrease_position(holder, token_id, liquidity),
                pool.collect_position(holder, token_id),
            ],
        })
    }

    /// Takes a position's fees, and leaves its liquidity.
    fn collect(&mut self) -> Option<Vec<Tx>> {
        let index = self.dice.below(self.positions.len());
        let only_dollars = self.dice.happens(0.1);
        Some(match self.positions.get(index)?.owner {
            Owner::Direct { payer, lower, upper } => vec![
                payer.remove_liquidity(lower, upper, 0),
                payer.collect(lower, upper, u128::MAX, if only_dollars { 0 } else { u128::MAX }),
            ],
            Owner::Token { pool, holder, token_id } => vec![pool.collect_position(holder, token_id)],
        })
    }

    /// A trade as it is mined: a large one may find liquidity around it that is there for its sake only.
    pub(super) fn around(&mut self, trade: Trade, venue: &Venue) -> Vec<Tx> {
        if trade.dollars < WORTH_JUST_IN_TIME || !self.dice.happens(0.3) {
            return vec![trade.tx];
        }
        let payer = &venue.payers[JUST_IN_TIME];
        let range = venue.range(3.0 * f64::from(venue.tick_spacing), 0.0);
        let (lower, upper) = range;
        let liquidity = venue.liquidity_for(8.0 * trade.dollars, range);
        vec![
            payer.add_liquidity(lower, upper, liquidity),
            trade.tx,
            payer.remove_liquidity(lower, upper, liquidity),
            payer.collect(lower, upper, u128::MAX, u128::MAX),
        ]
    }
}
