//! A cascade foretold from the block before the crash, and then played on the genuine contracts: liquidators that look at nothing but the
//! contracts' own answers, genuine pools that they sell into, and oracles that follow these pools. Same accounts, same order, same
//! amounts, same losses and the same prices at the end, to the last unit.

mod aave_v2;
mod aave_v3;
mod compound_v2;
mod genuine;
mod pools;
mod story;

use super::random_sequences::{seeds_or, spread_over};
use plimsoll_devnet::aave_v3::Version;
use plimsoll_risk::on_chain::StoppedBy;
use std::collections::BTreeSet;
use story::{Told, tell};

/// Seeds of one run for each protocol; `PLIMSOLL_DIFFERENTIAL_SEEDS` asks for more.
const SEEDS: u64 = 8;
/// Those who borrow.
const BORROWERS: usize = 60;
/// Falls of ether and bitcoin, in basis points; seeds take turns.
const FALLS: [[i32; 2]; 4] = [[-1_200, -800], [-2_500, -2_500], [-4_500, -3_000], [-6_500, -7_500]];

fn told(tell: impl Fn(u64) -> Told + Sync) -> Told {
    let seeds = seeds_or(SEEDS);
    let mut all = Told::default();
    for one in spread_over(seeds, tell) {
        all.add(&one);
    }
    eprintln!("{seeds} cascades: {all:?}");
    assert!(
        all.liquidations > 20 * seeds || seeds < SEEDS,
        "cascades worth the name: {all:?}"
    );
    assert!(all.price_updates > seeds || seeds < SEEDS, "oracles follow: {all:?}");
    assert!(all.swaps > 10 * seeds || seeds < SEEDS, "collateral is sold: {all:?}");
    let all_ends = BTreeSet::from([StoppedBy::NobodyBelowOne.name(), StoppedBy::NothingPays.name()]);
    assert!(all.ends.is_subset(&all_ends), "{all:?}");
    all
}

#[test]
fn aave_v3_6_0_does_what_was_foretold() {
    let all = told(|seed| tell(seed, aave_v3::stage(Version::V3_6_0)));
    assert!(
        all.deficits > 0 || seeds_or(SEEDS) < SEEDS,
        "bad debt is written off: {all:?}"
    );
}

#[test]
fn aave_v3_0_2_does_what_was_foretold() {
    let all = told(|seed| tell(seed, aave_v3::stage(Version::V3_0_2)));
    assert!(all.stranded > 0 || seeds_or(SEEDS) < SEEDS, "bad debt is left: {all:?}");
}

#[test]
fn aave_v2_does_what_was_foretold() {
    let all = told(|seed| tell(seed, aave_v2::stage()));
    assert!(all.stranded > 0 || seeds_or(SEEDS) < SEEDS, "bad debt is left: {all:?}");
}

#[test]
fn compound_v2_does_what_was_foretold() {
    let all = told(|seed| tell(seed, compound_v2::stage()));
    assert!(
        all.uncovered > 0 || seeds_or(SEEDS) < SEEDS,
        "bad debt is left: {all:?}"
    );
}
