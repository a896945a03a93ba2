//! Who holds how much, what could be sold, what is lent out.

use super::{RiskReport, money, percent};
use crate::report::number;
use maud::{Markup, html};
use plimsoll_risk::{Concentration, Shares, Takes};

/// The named largest accounts.
const TOP: usize = 5;

pub(super) fn concentration(report: &RiskReport<'_>, of: &Concentration) -> Markup {
    let hhi = |hhi: Option<f64>| hhi.map_or_else(|| "–".to_owned(), |hhi| number::decimal(hhi, 4));
    let largest = |shares: &Shares| {
        shares
            .top
            .first()
            .map_or_else(|| "–".to_owned(), |top| percent(top.share, 1))
    };
    let row = |name: &str, collateral: &Shares, debt: &Shares| {
        html! {
            tr {
                th scope="row" { (name) }
                td class="number" { (money(collateral.total_usd)) } td class="number" { (hhi(collateral.hhi)) } td class="number" { (largest(collateral)) }
                td class="number" { (money(debt.total_usd)) } td class="number" { (hhi(debt.hhi)) } td class="number" { (largest(debt)) }
            }
        }
    };
    let mut assets: Vec<usize> = (0..of.by_asset.len()).collect();
    let size = |at: usize| of.by_asset[at].collateral.total_usd + of.by_asset[at].debt.total_usd;
    assets.sort_by(|a, b| size(*b).total_cmp(&size(*a)).then(a.cmp(b)));
    html! {
        section {
            h2 { "Concentration" }
            p class="lead" { "The Herfindahl–Hirschman index (HHI) is the sum of squared shares of accounts: 1 where one account has all, 0.0001 where ten thousand have alike." }
            div class="wide-table" tabindex="0" role="region" aria-label="Concentration" {
                table class="figures" {
                    thead {
                        tr { th scope="col" { "asset" } th scope="col" class="number" { "supplied, USD" } th scope="col" class="number" { "HHI" } th scope="col" class="number" { "largest" } th scope="col" class="number" { "owed, USD" } th scope="col" class="number" { "HHI" } th scope="col" class="number" { "largest" } }
                    }
                    tbody {
                        @for at in assets { (row(report.asset(at), &of.by_asset[at].collateral, &of.by_asset[at].debt)) }
                    }
                    tfoot { (row("all", &of.collateral, &of.debt)) }
                }
            }
            p class="note" { "Over assets in place of accounts: HHI " (hhi(of.collateral_over_assets)) " of what is supplied, " (hhi(of.debt_over_assets)) " of what is owed." }
            div class="pair" { (accounts(report, "Largest suppliers", &of.collateral)) (accounts(report, "Largest borrowers", &of.debt)) }
        }
    }
}

fn accounts(report: &RiskReport<'_>, title: &str, shares: &Shares) -> Markup {
    html! {
        div {
            h3 { (title) }
            table class="figures" {
                thead { tr { th scope="col" { "account" } th scope="col" class="number" { "USD" } th scope="col" class="number" { "share" } } }
                tbody { @for top in shares.top.iter().take(TOP) {
                    @let name = report.account(top.account);
                    tr { th scope="row" title=(name) { code { (shortened(name)) } } td class="number" { (money(top.usd)) } td class="number" { (percent(top.share, 1)) } }
                } }
            }
        }
    }
}

/// An address by its ends: `0x1234abcd…89abcdef`.
pub(super) fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    match letters.len() {
        0..=24 => name.to_owned(),
        many => format!(
            "{}…{}",
            letters[..10].iter().collect::<String>(),
            letters[many - 8..].iter().collect::<String>()
        ),
    }
}

/// What could be sold, against what there is to be sold.
pub(super) fn exits(report: &RiskReport<'_>) -> Markup {
    let takes = |takes: &Takes| match takes {
        Takes::Usd(usd) => money(*usd),
        Takes::AtLeast(usd) => html! { "≥ " (money(*usd)) },
        Takes::Unlimited => html! { "any, assumed" },
        Takes::Unknown => html! { "unknown" },
    };
    let mut exits: Vec<_> = report.exits.iter().filter(|exit| exit.collateral_usd > 0.0).collect();
    exits.sort_by(|a, b| b.borrowers_usd.total_cmp(&a.borrowers_usd).then(a.asset.cmp(&b.asset)));
    let falls: Vec<f64> = exits
        .first()
        .map_or_else(Vec::new, |exit| exit.points.iter().map(|point| point.fall).collect());
    html! {
        section {
            h2 { "Exit liquidity" }
            p class="lead" { "What can be sold of each collateral asset until its price has fallen so far, against what borrowers have of it." }
            div class="wide-table" tabindex="0" role="region" aria-label="Exit liquidity" {
                table class="figures" {
                    thead { tr { th scope="col" { "asset" } th scope="col" class="number" { "borrowers’ collateral, USD" } @for fall in &falls { th scope="col" class="number" { "takes for " (super::signed_percent(-fall * 100.0)) } } } }
                    tbody { @for exit in exits {
                        tr { th scope="row" { (report.asset(exit.asset)) } td class="number" { (money(exit.borrowers_usd)) } @for point in &exit.points { td class="number" { (takes(&point.takes)) } } }
                    } }
                }
            }
        }
    }
}

/// How much of what is supplied is lent out again.
pub(super) fn utilization(report: &RiskReport<'_>) -> Markup {
    let mut listings: Vec<_> = report
        .book
        .listings()
        .iter()
        .zip(&report.utilization)
        .enumerate()
        .collect();
    listings.retain(|(_, (_, of))| of.supplied > 0.0 || of.borrowed > 0.0);
    let supplied =
        |of: &(usize, (&plimsoll_risk::Listing, &plimsoll_risk::Utilization))| of.1.1.supplied * of.1.0.price_usd;
    listings.sort_by(|a, b| supplied(b).total_cmp(&supplied(a)).then(a.0.cmp(&b.0)));
    let fraction = |of: Option<f64>| of.map_or_else(|| number::UNDEFINED.to_owned(), |of| percent(of, 1));
    html! {
        section {
            h2 { "Terms and utilization today" }
            div class="wide-table" tabindex="0" role="region" aria-label="Terms and utilization" {
                table class="figures" {
                    thead { tr { th scope="col" { "listing" } @for name in ["price, USD", "LTV", "threshold", "bonus", "close factor", "supplied, USD", "owed, USD", "utilization"] { th scope="col" class="number" { (name) } } } }
                    tbody { @for (place, (listing, of)) in &listings {
                        tr {
                            th scope="row" { (report.listing(*place)) }
                            td class="number" { (number::significant(listing.price_usd)) }
                            @for (of, places) in [(listing.ltv, 1), (listing.liquidation_threshold, 1), (listing.liquidation_bonus, 2), (listing.close_factor, 1)] { td class="number" { (percent(of, places)) } }
                            td class="number" { (money(of.supplied * listing.price_usd)) } td class="number" { (money(of.borrowed * listing.price_usd)) } td class="number" { (fraction(of.fraction())) }
                        }
                    } }
                }
            }
            p class="note" { "Of the accounts in the book alone: above 100 % where it does not have all suppliers." }
        }
    }
}
