use super::{
    Factors, Scenarios, TILE,
    kernel::{Cell, GROUP, Group, Pass, Totals},
};
use crate::{Book, Standing, Stress};
use rayon::prelude::*;

/// Tiles that one task takes: their factors stay in the second cache together with a block of groups.
const TILES_A_TASK: usize = 32;

/// Groups whose sums are taken together before they are added up: what a scenario's sums round to depends on it, and on nothing else
/// of how the work is cut.
const GROUPS_A_SUM: usize = 64;

/// A book as matrices of positions by assets, at its own prices: Σ threshold − debt, debt, and collateral, each linear in the factors
/// on prices, so that a scenario is three dot products a position.
///
/// Positions that hold the same assets lie together, four to a group, and a group has only the assets that one of the four has or
/// owes: a dense book makes dense products, a sparse one skips the zeros, with the same sums to the last bit.
#[derive(Debug)]
pub struct BookMatrix<'a> {
    book: &'a Book,
    /// Positions with debt: no other can be liquidated, or leave bad debt.
    with_debt: usize,
    groups: Vec<Group>,
    cells: Vec<Cell>,
    /// Below this share of the debt a difference of threshold and debt is no answer.
    tie: f64,
}

impl<'a> BookMatrix<'a> {
    /// Lays a book out.
    pub fn new(book: &'a Book) -> Self {
        let with_debt = Assets::of(book);
        let (mut groups, mut cells) = (Vec::new(), Vec::new());
        for four in with_debt.by_assets().chunks(GROUP) {
            let start = cells.len();
            for (lane, &place) in four.iter().enumerate() {
                for holding in book.holdings_of(with_debt.positions[place] as usize) {
                    let listing = &book.listings()[holding.listing as usize];
                    let of_group = &cells[start..];
                    let cell = match of_group.binary_search_by_key(&listing.asset, |cell: &Cell| cell.asset) {
                        Ok(at) => start + at,
                        Err(at) => {
                            cells.insert(start + at, Cell::of(listing.asset));
                            start + at
                        }
                    };
                    let (supplied, owed) = (holding.collateral * listing.price_usd, holding.debt * listing.price_usd);
                    let cell = &mut cells[cell];
                    cell.gap[lane] += supplied * listing.liquidation_threshold - owed;
                    cell.debt[lane] += owed;
                    cell.collateral[lane] += supplied;
                }
            }
            let mut positions = [u32::MAX; GROUP];
            for (position, &place) in positions.iter_mut().zip(four) {
                *position = with_debt.positions[place];
            }
            groups.push(Group {
                positions,
                start,
                end: cells.len(),
            });
        }
        // Either sum is off by less than (terms + 3) roundings of what is summed, which near a tie is twice the debt.
        let tie = f64::max(1e-12, book.listings().len() as f64 * 1e-15);
        Self {
            book,
            with_debt: with_debt.positions.len(),
            groups,
            cells,
            tie,
        }
    }

    /// The share of all products of positions by assets that is computed, from 0 to 1: 1 is dense.
    pub fn density(&self) -> f64 {
        let most = self.groups.len() * self.book.assets().len();
        if most == 0 {
            return 0.0;
        }
        self.cells.len() as f64 / most as f64
    }

    /// Values the book in every scenario, in order. Runs on the threads of the pool that it is called in, with the same numbers on any.
    ///
    /// Which positions are below 1 is decided as [`stress`](crate::stress()) decides: where threshold and debt differ by less than
    /// 10⁻¹² of the debt, by its own arithmetic. Sums are of other roundings than its.
    ///
    /// # Panics
    /// Scenarios of more or fewer assets than the book's.
    pub fn stress(&self, scenarios: &Scenarios) -> Vec<Stress> {
        self.stress_on(scenarios, TILES_A_TASK, |pass| pulp::Arch::new().dispatch(pass))
    }

    pub(super) fn stress_on(
        &self,
        scenarios: &Scenarios,
        tiles_a_task: usize,
        run: impl Fn(Pass<'_>) + Sync,
    ) -> Vec<Stress> {
        let assets = self.book.assets().len();
        assert_eq!(scenarios.assets, assets, "a factor for every asset");
        let mut totals = vec![Totals::default(); scenarios.tiles.len() / assets];
        let tasks = scenarios.tiles.par_chunks(tiles_a_task * assets);
        tasks
            .zip(totals.par_chunks_mut(tiles_a_task))
            .for_each(|(tiles, totals)| {
                for groups in self.groups.chunks(GROUPS_A_SUM) {
                    run(Pass {
                        matrix: self,
                        groups,
                        tiles,
                        totals: &mut *totals,
                    });
                }
            });
        let lanes = totals
            .iter()
            .flat_map(|totals| (0..TILE).map(|lane| totals.stress(lane, self.with_debt)));
        lanes.take(scenarios.count).collect()
    }

    /// The same with every asset in every group.
    #[cfg(test)]
    pub(super) fn padded(mut self) -> Self {
        let mut cells = Vec::new();
        for group in &mut self.groups {
            let start = cells.len();
            cells.extend((0..self.book.assets().len() as u32).map(Cell::of));
            for cell in &self.cells[group.start..group.end] {
                cells[start + cell.asset as usize] = *cell;
            }
            (group.start, group.end) = (start, cells.len());
        }
        self.cells = cells;
        self
    }

    pub(super) fn cells(&self, group: &Group) -> &[Cell] {
        &self.cells[group.start..group.end]
    }

    pub(super) const fn tie(&self) -> f64 {
        self.tie
    }

    /// Threshold less debt as the oracle sums them. USD.
    pub(super) fn exact_gap(&self, position: u32, tile: &[Factors], lane: usize) -> f64 {
        let holdings = self.book.holdings_of(position as usize);
        let price = |at: usize| {
            let listing = &self.book.listings()[at];
            listing.price_usd * tile[listing.asset as usize].0[lane]
        };
        let standing = Standing::at(self.book, holdings, price);
        standing.weighted_usd - standing.debt_usd
    }
}

/// The positions with debt, and the assets of each.
struct Assets {
    positions: Vec<u32>,
    offsets: Vec<usize>,
    assets: Vec<u32>,
}

impl Assets {
    fn of(book: &Book) -> Self {
        let mut these = Self {
            positions: Vec::new(),
            offsets: vec![0],
            assets: Vec::new(),
        };
        for position in 0..book.positions().len() {
            let holdings = book.holdings_of(position);
            if holdings.iter().all(|holding| holding.debt == 0.0) {
                continue;
            }
            // Places are counted in 32 bits.
            these.positions.push(position as u32);
            let assets = holdings
                .iter()
                .map(|holding| book.listings()[holding.listing as usize].asset);
            these.assets.extend(assets);
            these.offsets.push(these.assets.len());
        }
        these
    }

    /// The places of the positions, so that those with the same assets follow each other, else by place.
    fn by_assets(&self) -> Vec<usize> {
        let assets = |place: usize| &self.assets[self.offsets[place]..self.offsets[place + 1]];
        let mut places: Vec<usize> = (0..self.positions.len()).collect();
        places.sort_unstable_by(|&a, &b| assets(a).cmp(assets(b)).then(a.cmp(&b)));
        places
    }
}
