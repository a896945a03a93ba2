use super::{BookMatrix, Factors, TILE};
use crate::Stress;
use pulp::{Simd, WithSimd};

/// Positions that share one pass over factors.
pub(super) const GROUP: usize = 4;

/// What a group's positions have and owe of an asset, at the book's own prices. USD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// The asset, by its place in the book.
    pub(super) asset: u32,
    /// Supplied times its liquidation threshold, less owed.
    pub(super) gap: [f64; GROUP],
    /// Owed.
    pub(super) debt: [f64; GROUP],
    /// Supplied.
    pub(super) collateral: [f64; GROUP],
}

impl Cell {
    pub(super) const fn of(asset: u32) -> Self {
        Self {
            asset,
            gap: [0.0; GROUP],
            debt: [0.0; GROUP],
            collateral: [0.0; GROUP],
        }
    }
}

/// Four positions, the last group's fewer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// By place in the book.
    pub(super) positions: [u32; GROUP],
    /// The first of its cells, and the end of the last.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The sums of a tile's scenarios.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(128))]
pub(super) struct Totals {
    /// Positions below 1: whole numbers, exact up to 2⁵³.
    below_one: [f64; TILE],
    debt: [f64; TILE],
    collateral: [f64; TILE],
    bad_debt: [f64; TILE],
}

impl Totals {
    pub(super) const fn stress(&self, lane: usize, positions: usize) -> Stress {
        Stress {
            positions,
            liquidatable_positions: self.below_one[lane] as usize,
            debt_at_risk_usd: self.debt[lane],
            collateral_at_risk_usd: self.collateral[lane],
            bad_debt_usd: self.bad_debt[lane],
        }
    }

    fn add(&mut self, more: &Self) {
        let sums = [
            (&mut self.below_one, &more.below_one),
            (&mut self.debt, &more.debt),
            (&mut self.collateral, &more.collateral),
            (&mut self.bad_debt, &more.bad_debt),
        ];
        for (sums, more) in sums {
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum += more;
            }
        }
    }
}

/// Some groups in some tiles of scenarios. Each product and sum is of one lane and fused, in the order of assets and positions, so that
/// the width of the machine's registers changes no bit.
pub(super) struct Pass<'a> {
    pub(super) matrix: &'a BookMatrix<'a>,
    pub(super) groups: &'a [Group],
    pub(super) tiles: &'a [Factors],
    pub(super) totals: &'a mut [Totals],
}

impl WithSimd for Pass<'_> {
    type Output = ();

    /// 3·P·V sums, V factors and one value more have to stay in registers.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (S::F64_LANES, S::REGISTER_COUNT) {
            (2 | 4 | 8, 32..) => self.run::<S, 4, 2>(simd),
            (2 | 4 | 8, _) => self.run::<S, 2, 2>(simd),
            _ => self.run::<S, 2, 1>(simd),
        }
    }
}

impl Pass<'_> {
    #[inline(always)]
    fn run<S: Simd, const P: usize, const V: usize>(self, simd: S) {
        let assets = self.tiles.len() / self.totals.len();
        for (tile, totals) in self.tiles.chunks_exact(assets).zip(self.totals) {
            let mut sums = Totals::default();
            for group in self.groups {
                let cells = self.matrix.cells(group);
                for first in (0..GROUP).step_by(P) {
                    for vector in (0..TILE / S::F64_LANES).step_by(V) {
                        let mut values = dot_products::<S, P, V>(simd, cells, first, tile, vector);
                        if has_tie::<S, P, V>(simd, &values, self.matrix.tie()) {
                            for p in 0..P {
                                for v in 0..V {
                                    let lane = (vector + v) * S::F64_LANES;
                                    let mut gaps = [0.0; TILE];
                                    let mut debts = [0.0; TILE];
                                    lanes_mut::<S>(&mut gaps)[0] = values.gap[p][v];
                                    lanes_mut::<S>(&mut debts)[0] = values.debt[p][v];
                                    let position = group.positions[first + p];
                                    settle(self.matrix, position, tile, lane, &mut gaps[..S::F64_LANES], &debts);
                                    values.gap[p][v] = lanes::<S>(&gaps)[0];
                                }
                            }
                        }
                        take_in::<S, P, V>(simd, &values, vector, &mut sums);
                    }
                }
            }
            totals.add(&sums);
        }
    }
}

/// P positions in V registers of scenarios.
struct Values<S: Simd, const P: usize, const V: usize> {
    gap: [[S::f64s; V]; P],
    debt: [[S::f64s; V]; P],
    collateral: [[S::f64s; V]; P],
}

#[inline(always)]
fn lanes<S: Simd>(values: &[f64; TILE]) -> &[S::f64s] {
    S::as_simd_f64s(values).0
}

#[inline(always)]
fn lanes_mut<S: Simd>(values: &mut [f64; TILE]) -> &mut [S::f64s] {
    S::as_mut_simd_f64s(values).0
}

#[inline(always)]
fn dot_products<S: Simd, const P: usize, const V: usize>(
    simd: S,
    cells: &[Cell],
    first: usize,
    tile: &[Factors],
    vector: usize,
) -> Values<S, P, V> {
    let zero = [[simd.splat_f64s(0.0); V]; P];
    let mut values = Values::<S, P, V> {
        gap: zero,
        debt: zero,
        collateral: zero,
    };
    for cell in cells {
        let factors = lanes::<S>(&tile[cell.asset as usize].0);
        let factors: [S::f64s; V] = std::array::from_fn(|v| factors[vector + v]);
        for p in 0..P {
            let gap = simd.splat_f64s(cell.gap[first + p]);
            let debt = simd.splat_f64s(cell.debt[first + p]);
            let collateral = simd.splat_f64s(cell.collateral[first + p]);
            for (v, &factors) in factors.iter().enumerate() {
                values.gap[p][v] = simd.mul_add_f64s(gap, factors, values.gap[p][v]);
                values.debt[p][v] = simd.mul_add_f64s(debt, factors, values.debt[p][v]);
                values.collateral[p][v] = simd.mul_add_f64s(collateral, factors, values.collateral[p][v]);
            }
        }
    }
    values
}

/// Whether somewhere threshold and debt are too near for the sign of their difference to be known.
#[inline(always)]
fn has_tie<S: Simd, const P: usize, const V: usize>(simd: S, values: &Values<S, P, V>, tie: f64) -> bool {
    let tie = simd.splat_f64s(tie);
    let mut least = simd.splat_f64s(0.0);
    for p in 0..P {
        for v in 0..V {
            let beyond = simd.negate_mul_add_f64s(tie, values.debt[p][v], simd.abs_f64s(values.gap[p][v]));
            least = simd.min_f64s(least, beyond);
        }
    }
    let tied = simd.less_than_f64s(least, simd.splat_f64s(0.0));
    simd.first_true_m64s(tied) < S::F64_LANES
}

/// Settles ties of a position in a register of scenarios, the first of them in `lane` of the tile.
#[cold]
#[inline(never)]
fn settle(
    matrix: &BookMatrix<'_>,
    position: u32,
    tile: &[Factors],
    lane: usize,
    gaps: &mut [f64],
    debts: &[f64; TILE],
) {
    for (at, (gap, debt)) in gaps.iter_mut().zip(debts).enumerate() {
        // A place that is left empty owes nothing, and is never one.
        if gap.abs() < matrix.tie() * debt {
            *gap = matrix.exact_gap(position, tile, lane + at);
        }
    }
}

#[inline(always)]
fn take_in<S: Simd, const P: usize, const V: usize>(
    simd: S,
    values: &Values<S, P, V>,
    vector: usize,
    totals: &mut Totals,
) {
    let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    for v in 0..V {
        let at = vector + v;
        let mut below_one = lanes::<S>(&totals.below_one)[at];
        let mut debt = lanes::<S>(&totals.debt)[at];
        let mut collateral = lanes::<S>(&totals.collateral)[at];
        let mut bad_debt = lanes::<S>(&totals.bad_debt)[at];
        for p in 0..P {
            let below = simd.less_than_f64s(values.gap[p][v], zero);
            below_one = simd.select_f64s(below, simd.add_f64s(below_one, one), below_one);
            debt = simd.select_f64s(below, simd.add_f64s(debt, values.debt[p][v]), debt);
            let more = simd.add_f64s(collateral, values.collateral[p][v]);
            collateral = simd.select_f64s(below, more, collateral);
            let missing = simd.sub_f64s(values.debt[p][v], values.collateral[p][v]);
            bad_debt = simd.add_f64s(bad_debt, simd.max_f64s(missing, zero));
        }
        lanes_mut::<S>(&mut totals.below_one)[at] = below_one;
        lanes_mut::<S>(&mut totals.debt)[at] = debt;
        lanes_mut::<S>(&mut totals.collateral)[at] = collateral;
        lanes_mut::<S>(&mut totals.bad_debt)[at] = bad_debt;
    }
}
