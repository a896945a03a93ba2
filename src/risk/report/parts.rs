//! What the report shows beyond what other questions answer.

use crate::report::{HeatMap, RoundSums};
use plimsoll_risk::{Book, CascadeOutcome, ExitLiquidity, Ladder, ListingAdvice, stress, utilization};

/// The falls along both sides of the heat map, as fractions.
const FALLS: [f64; 7] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

/// Assets that count as collateral somewhere, by place.
pub(crate) fn collateral_assets(book: &Book) -> Vec<usize> {
    let counts = |at: &usize| {
        let mut listings = book.listings().iter();
        listings.any(|listing| listing.asset as usize == *at && listing.liquidation_threshold > 0.0)
    };
    (0..book.assets().len()).filter(counts).collect()
}

/// Of falls of one asset alone the one that makes most bad debt, or else puts most debt at risk.
pub(crate) fn worst_fall(ladders: &[(usize, Ladder)], fall: f64) -> Option<usize> {
    let figures = |ladder: &Ladder| {
        let stress = ladder.at(-fall).unwrap_or_default();
        (stress.bad_debt_usd, stress.debt_at_risk_usd)
    };
    let by_loss = |a: &&(usize, Ladder), b: &&(usize, Ladder)| {
        let (a_figures, b_figures) = (figures(&a.1), figures(&b.1));
        let loss = a_figures
            .0
            .total_cmp(&b_figures.0)
            .then(a_figures.1.total_cmp(&b_figures.1));
        // Of equal ones the first.
        loss.then(b.0.cmp(&a.0))
    };
    ladders.iter().max_by(by_loss).map(|of| of.0)
}

/// Falls of the two assets of which borrowers have most; `None` of a book with one.
pub(crate) fn heat_map(book: &Book, exits: &[ExitLiquidity]) -> Option<HeatMap> {
    let mut exits: Vec<&ExitLiquidity> = exits.iter().filter(|exit| exit.borrowers_usd > 0.0).collect();
    exits.sort_by(|a, b| b.borrowers_usd.total_cmp(&a.borrowers_usd).then(a.asset.cmp(&b.asset)));
    let [first, second, ..] = exits[..] else {
        return None;
    };
    let assets = [first.asset, second.asset];
    let borrowers = book.borrowers();
    let cell = |falls: [f64; 2]| {
        let mut factors = book.no_shock();
        for (asset, fall) in assets.into_iter().zip(falls) {
            factors[asset] = 1.0 - fall;
        }
        stress(&borrowers, &factors)
    };
    Some(HeatMap {
        assets,
        falls: FALLS.to_vec(),
        rows: FALLS
            .map(|down| FALLS.map(|along| cell([down, along])).to_vec())
            .to_vec(),
    })
}

/// The rounds of a cascade that kept them: what moved, and the bad debt that each left, at the prices that the next began with.
pub(crate) fn round_sums(book: &Book, outcome: &CascadeOutcome) -> Vec<RoundSums> {
    let mut amounts: Vec<(f64, f64)> = book.holdings().iter().map(|of| (of.collateral, of.debt)).collect();
    let mut book = book.clone();
    let left = outcome
        .detail
        .iter()
        .skip(1)
        .map(|round| &round.factors)
        .chain([&outcome.end]);
    let mut sums = Vec::with_capacity(outcome.detail.len());
    for (round, factors) in outcome.detail.iter().zip(left) {
        let (mut repaid_usd, mut seized_usd) = (0.0, 0.0);
        for liquidation in &round.liquidations {
            let range = book.range(liquidation.position);
            let holding = |listing: usize| {
                let place = book.holdings()[range.clone()]
                    .iter()
                    .position(|of| of.listing as usize == listing);
                place.map(|place| range.start + place)
            };
            for moved in &liquidation.repaid {
                repaid_usd += moved.usd;
                if let Some(at) = holding(moved.listing) {
                    amounts[at].1 = (amounts[at].1 - moved.amount).max(0.0);
                }
            }
            for moved in &liquidation.seized {
                seized_usd += moved.usd;
                if let Some(at) = holding(moved.listing) {
                    amounts[at].0 = (amounts[at].0 - moved.amount).max(0.0);
                }
            }
        }
        book = book.with_amounts(amounts.iter().copied());
        sums.push(RoundSums {
            positions: round.liquidations.len(),
            repaid_usd,
            seized_usd,
            bad_debt_usd: stress(&book, factors).bad_debt_usd,
        });
    }
    sums
}

/// Borrowing power where every listing of the advice that counts as collateral has the LTV that a closed form gives it, and those that
/// keep today's, since it gives them none.
pub(crate) fn power_usd(
    book: &Book,
    advice: &[ListingAdvice],
    ltv: impl Fn(&ListingAdvice) -> Option<f64>,
) -> (f64, Vec<usize>) {
    let mut ltvs: Vec<f64> = book.listings().iter().map(|listing| listing.ltv).collect();
    let mut kept = Vec::new();
    for of in advice.iter().filter(|of| of.old.liquidation_threshold > 0.0) {
        match ltv(of) {
            Some(ltv) => ltvs[of.listing] = ltv.clamp(0.0, 1.0),
            None => kept.push(of.listing),
        }
    }
    let listings = book.listings().iter().zip(utilization(book)).zip(ltvs);
    let power_usd = listings
        .map(|((listing, of), ltv)| of.supplied * listing.price_usd * ltv)
        .sum();
    (power_usd, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_risk::{
        AccountRow, AssetRow, CascadeRules, EXIT_FALLS, ReferenceLines, Terms, cascade, exit_liquidity,
    };

    /// One has 10 ETH of 2,000 USD and owes 15,000 USDC; one has 1 WBTC of 40,000 USD and owes 20,000.
    fn book() -> Book {
        let row = |account: &str, asset: &str, collateral_amount: f64, debt_amount: f64| AccountRow {
            account: account.to_owned(),
            market: "m".to_owned(),
            asset: asset.to_owned(),
            collateral_amount,
            debt_amount,
        };
        let asset = |asset: &str, price_usd: f64, liquidation_threshold: f64| AssetRow {
            market: "m".to_owned(),
            asset: asset.to_owned(),
            price_usd,
            ltv: liquidation_threshold,
            liquidation_threshold,
            liquidation_bonus: 0.05,
            close_factor: 0.5,
            decimals: 18,
        };
        let accounts = [
            row("a", "ETH", 10.0, 0.0),
            row("a", "USDC", 0.0, 15_000.0),
            row("b", "WBTC", 1.0, 0.0),
            row("b", "USDC", 0.0, 20_000.0),
        ];
        let assets = [
            asset("ETH", 2_000.0, 0.8),
            asset("USDC", 1.0, 0.0),
            asset("WBTC", 40_000.0, 0.7),
        ];
        Book::new(&accounts, &assets, &[]).expect("a book")
    }

    fn rounds(fall: f64) -> Vec<RoundSums> {
        let rules = CascadeRules {
            assume_liquidity: true,
            keep_rounds: true,
            ..CascadeRules::default()
        };
        let book = book();
        round_sums(
            &book,
            &cascade(&book, rules, &[1.0 - fall, 1.0, 1.0]).expect("liquidity is assumed"),
        )
    }

    #[track_caller]
    fn is_near(sums: &RoundSums, repaid_usd: f64, seized_usd: f64, bad_debt_usd: f64) {
        for (is, should) in [
            (sums.repaid_usd, repaid_usd),
            (sums.seized_usd, seized_usd),
            (sums.bad_debt_usd, bad_debt_usd),
        ] {
            assert!((is - should).abs() < 1e-6, "{sums:?}");
        }
    }

    #[test]
    fn a_round_is_what_the_hand_computes() {
        // 0.8 · 18,000 / 15,000 = 0.96: half is repaid for 1.05 times as much.
        let [only] = rounds(0.1)[..] else { panic!("one round") };
        is_near(&only, 7_500.0, 7_875.0, 0.0);
        // 0.8 · 12,000 / 15,000 = 0.64: all of it, as far as 12,000 reach; what is not repaid is bad.
        let [only] = rounds(0.4)[..] else { panic!("one round") };
        is_near(&only, 12_000.0 / 1.05, 12_000.0, 15_000.0 - 12_000.0 / 1.05);
        assert_eq!((only.positions, rounds(0.0).len()), (1, 0));
    }

    #[test]
    fn the_worst_fall_makes_most_bad_debt_or_puts_most_at_risk() {
        let book = book();
        let ladder = |at: usize| (at, Ladder::of_asset(&book, &book.no_shock(), at).expect("listed"));
        let ladders: Vec<_> = collateral_assets(&book).into_iter().map(ladder).collect();
        assert_eq!(ladders.iter().map(|of| of.0).collect::<Vec<_>>(), [0, 2]);
        // −30 %: ETH leaves 14,000 for 15,000, WBTC 28,000 for 20,000.
        assert_eq!(worst_fall(&ladders, 0.3), Some(0));
        // −10 %: only ETH is below 1. Nothing falls: the first.
        assert_eq!(
            [worst_fall(&ladders, 0.1), worst_fall(&ladders, 0.0)],
            [Some(0), Some(0)]
        );
        assert_eq!(worst_fall(&[], 0.3), None);
    }

    #[test]
    fn the_heat_map_is_of_the_two_assets_of_which_borrowers_have_most() {
        let book = book();
        let map = heat_map(&book, &exit_liquidity(&book, &EXIT_FALLS)).expect("two assets");
        assert_eq!((map.assets, map.rows.len()), ([2, 0], map.falls.len()));
        // WBTC −60 % leaves 16,000 for 20,000; ETH −50 % 10,000 for 15,000.
        let bad = |down: usize, along: usize| map.rows[down][along].bad_debt_usd;
        assert!((bad(6, 0) - 4_000.0).abs() < 1e-6 && (bad(6, 5) - 9_000.0).abs() < 1e-6 && bad(0, 0) == 0.0);
        assert!(heat_map(&book, &[]).is_none());
    }

    #[test]
    fn borrowing_power_by_a_closed_form_keeps_what_it_does_not_know() {
        let book = book();
        let terms = |place: usize| Terms::of(&book.listings()[place]);
        let of = |listing: usize| ListingAdvice {
            listing,
            old: terms(listing),
            new: terms(listing),
            bound_by: Vec::new(),
            reference: ReferenceLines::default(),
        };
        let advice = [of(0), of(1), of(2)];
        let (power, kept) = power_usd(&book, &advice, |of| (of.listing == 0).then_some(0.5));
        // 0.5 · 20,000 + 0.7 · 40,000; USDC is no collateral.
        assert!((power - 38_000.0).abs() < 1e-6);
        assert_eq!(kept, [2]);
    }
}
