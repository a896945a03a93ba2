//! What a committee reads first, and the page's foot.

use super::{RiskReport, money, percent};
use crate::report::{number, page::card};
use maud::{Markup, html};

/// Debt, and of it that of positions below 1.
struct Owed {
    positions: usize,
    debt_usd: f64,
    collateral_usd: f64,
    below_one: usize,
    below_one_usd: f64,
}

fn owed(report: &RiskReport<'_>) -> Option<Owed> {
    let bins = &report.distribution.as_ref()?.bins;
    let below = |bin: &&plimsoll_risk::HealthBin| bin.to.is_some_and(|to| to <= 1.0);
    Some(Owed {
        positions: bins.iter().map(|bin| bin.group.positions).sum(),
        debt_usd: bins
            .iter()
            .map(|bin| bin.group.debt_usd)
            .fold(0.0, |sum, usd| sum + usd),
        collateral_usd: bins
            .iter()
            .map(|bin| bin.group.collateral_usd)
            .fold(0.0, |sum, usd| sum + usd),
        below_one: bins.iter().filter(below).map(|bin| bin.group.positions).sum(),
        below_one_usd: bins
            .iter()
            .filter(below)
            .map(|bin| bin.group.debt_usd)
            .fold(0.0, |sum, usd| sum + usd),
    })
}

pub(super) fn headline(report: &RiskReport<'_>) -> Markup {
    let book = report.book;
    let count = |number: usize| number::count(number as u64);
    html! {
        header {
            p class="eyebrow" { "Plimsoll risk report" }
            h1 { "Risk of " (report.title()) }
            (words(report))
            dl class="facts" {
                div { dt { "accounts" } dd { (count(book.accounts().len())) } }
                div { dt { "positions" } dd { (count(book.positions().len())) } }
                div { dt { "assets" } dd { (count(book.assets().len())) } }
                div { dt { "markets" } dd { (count(book.markets().len())) } }
            }
        }
    }
}

/// The report in sentences, one paragraph a finding.
fn words(report: &RiskReport<'_>) -> Markup {
    let count = |number: usize| number::count(number as u64);
    html! {
        @if let Some(owed) = owed(report) {
            p class="verdict" {
                (count(owed.positions)) " positions owe " strong { (money(owed.debt_usd)) " USD" } " against " (money(owed.collateral_usd)) " USD of collateral. "
                @if owed.below_one == 0 { "None of them is below a health factor of 1 today." }
                @else {
                    (count(owed.below_one)) " of them, owing " (money(owed.below_one_usd)) " USD (" (percent(owed.below_one_usd / owed.debt_usd, 2))
                    "), are below a health factor of 1 today, before any fall."
                }
            }
        }
        @if let Some(cascaded) = &report.cascade {
            @let (stress, outcome) = (&cascaded.stress, &cascaded.outcome);
            @let worst = (0..outcome.shock.len()).filter_map(|at| Some((at, outcome.amplification(at)?))).max_by(|a, b| a.1.total_cmp(&b.1));
            p class="verdict" {
                strong { (cascaded.shock) } ": " (count(stress.liquidatable_positions)) " positions with " strong { (money(stress.debt_at_risk_usd)) " USD" } " of debt can be liquidated. "
                @if outcome.rounds == 0 { "Nobody liquidates" }
                @else {
                    "Liquidators repay " (money(outcome.liquidated_debt_usd)) " USD in " (count(outcome.rounds)) @if outcome.rounds == 1 { " round" } @else { " rounds" }
                }
                @if let Some((place, amplification)) = worst.filter(|(_, amplification)| *amplification > 1.000_5) {
                    "; their sales turn the fall of " (report.asset(place)) " into " (super::signed_percent(outcome.price_change(place) * 100.0)) ", " (number::decimal(amplification, 2)) " times the shock"
                }
                ". What stays as bad debt is " strong { (money(outcome.bad_debt_usd)) " USD" } "."
            }
        }
        @if let Some(fanned) = &report.simulation {
            @let (of, hours) = (&fanned.report, fanned.report.steps as f64 * fanned.step_hours);
            p class="verdict" {
                "Over " (number::decimal(hours, 0)) " hours, in one case of a hundred more than " strong { (money(of.liquidations.p99.value)) " USD" }
                " are liquidated and bad debt is above " strong { (money(of.bad_debt.p99.value)) " USD" } " (" (count(of.paths)) " simulated paths)."
            }
        }
        @if let Some(advice) = &report.advice {
            @let (before, after) = (&advice.advice.before, &advice.advice.after);
            p class="verdict" {
                @if !advice.advice.is_met { "No terms that were tried keep the probability of more than " (money(advice.bad_debt_usd)) " USD of new bad debt within " (percent(advice.alpha, 2)) "; the safest reach " (percent(after.fitted.value, 2)) " on the paths that were fitted to, " (percent(after.held_out.value, 2)) " on those held out." }
                @else if changed(report) == 0 { "Today’s parameters meet the goal on the paths that were fitted to; the probability of more than " (money(advice.bad_debt_usd)) " USD of new bad debt is " (percent(before.held_out.value, 2)) " on held-out paths, and with 95 % confidence at most " (percent(before.held_out.upper_95, 2)) "." }
                @else {
                    "Changing " (count(changed(report))) " listings takes the probability of more than " (money(advice.bad_debt_usd)) " USD of new bad debt from " (percent(before.held_out.value, 2))
                    " to " strong { (percent(after.held_out.value, 2)) } " on held-out paths (with 95 % confidence at most " (percent(after.held_out.upper_95, 2)) "), for " (power_change(before.borrowing_power_usd, after.borrowing_power_usd)) "."
                }
                @if advice.advice.is_met && after.held_out.upper_95 > advice.alpha { " So few paths do not prove the goal of " (percent(advice.alpha, 2)) ": more would tell." }
            }
        }
    }
}

/// How many listings get new terms.
pub(super) fn changed(report: &RiskReport<'_>) -> usize {
    let listings = report.advice.iter().flat_map(|of| &of.advice.listings);
    listings.filter(|of| of.old != of.new).count()
}

fn power_change(before: f64, after: f64) -> String {
    if before > 0.0 && after < before {
        format!("{} of borrowing power", percent(1.0 - after / before, 2))
    } else {
        "no loss of borrowing power".to_owned()
    }
}

/// The key figures.
pub(super) fn cards(report: &RiskReport<'_>) -> Markup {
    let usd = |value: f64| format!("{} USD", number::short(value));
    let mut cards: Vec<(&str, String, String)> = Vec::new();
    if let Some(owed) = owed(report) {
        let positions = number::count(owed.positions as u64);
        cards.push(("debt", usd(owed.debt_usd), format!("{positions} positions")));
        let below = number::count(owed.below_one as u64);
        cards.push((
            "debt below 1 today",
            usd(owed.below_one_usd),
            format!("{below} positions"),
        ));
    }
    if let Some(cascaded) = &report.cascade {
        let share = owed(report).filter(|owed| owed.debt_usd > 0.0);
        let share = share.map(|owed| {
            format!(
                ", {} of debt",
                percent(cascaded.stress.debt_at_risk_usd / owed.debt_usd, 1)
            )
        });
        let note = format!("{}{}", cascaded.shock, share.unwrap_or_default());
        cards.push(("debt at risk", usd(cascaded.stress.debt_at_risk_usd), note));
        let before = format!("{} before anybody acts", usd(cascaded.stress.bad_debt_usd));
        cards.push(("bad debt at the end", usd(cascaded.outcome.bad_debt_usd), before));
    }
    if let Some(fanned) = &report.simulation {
        for (name, of) in [
            ("liquidations, p99", &fanned.report.liquidations.p99),
            ("bad debt, p99", &fanned.report.bad_debt.p99),
        ] {
            cards.push((
                name,
                usd(of.value),
                format!("± {} standard error", number::short(of.standard_error)),
            ));
        }
    }
    if let Some(advice) = &report.advice {
        let (before, after) = (&advice.advice.before, &advice.advice.after);
        let at_most = format!(
            "P(new bad debt > {}), at most {} at 95 %",
            number::short(advice.bad_debt_usd),
            percent(before.held_out.upper_95, 1)
        );
        cards.push(("probability today", percent(before.held_out.value, 2), at_most));
        let at_most = format!(
            "at most {} at 95 %, for {}",
            percent(after.held_out.upper_95, 1),
            power_change(before.borrowing_power_usd, after.borrowing_power_usd)
        );
        let name = if advice.advice.is_met {
            "as recommended"
        } else {
            "safest that was tried"
        };
        cards.push((name, percent(after.held_out.value, 2), at_most));
    }
    html! {
        @if !cards.is_empty() {
            section class="cards" aria-label="Key figures" { @for (name, figure, note) in &cards { (card(name, figure, note)) } }
        }
    }
}

/// What must be known before a figure is used.
pub(super) fn warnings(report: &RiskReport<'_>) -> Markup {
    html! {
        @if !report.warnings.is_empty() {
            div class="caution first" role="note" {
                @for warning in &report.warnings { p { (warning) } }
            }
        }
    }
}

/// What the figures rest on.
pub(super) fn notes(report: &RiskReport<'_>) -> Markup {
    html! {
        section {
            h2 { "Notes" }
            ul class="notes" {
                @for note in &report.notes { li { (note) } }
                li { "A position is one account in one market. Its health factor is Σ collateral · price · threshold over Σ debt · price; below 1 it may be liquidated." }
                li { "Debt at risk is all that positions below 1 owe. Bad debt is what is owed beyond all collateral, over all positions, at the prices named." }
                li { "In a cascade’s round every position below 1 is liquidated once: of each debt its close factor, all of it below 0.95, for collateral by descending value at the bonus. All of that is sold, and prices fall by the liquidity table." }
                li { "Prices and liquidity are those of the book’s own tables." }
            }
        }
    }
}

/// What makes the report the one it is.
pub(super) fn identity(report: &RiskReport<'_>) -> Markup {
    html! {
        section {
            h2 { "Inputs" }
            dl class="terms hashes" {
                div { dt { "book" } dd { (report.name) } }
                div { dt { "book" } dd { code { (report.hash) } } }
                @for (name, hash) in &report.inputs { div { dt { (name) } dd { code { (hash) } } } }
                div { dt { "version" } dd { "plimsoll " (env!("CARGO_PKG_VERSION")) } }
            }
        }
    }
}
