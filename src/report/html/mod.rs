//! The run folder's page: one file that opens with no network, on a phone and in the dark.

mod figures;
mod sections;
mod tables;

use super::words::{self, Money};
use super::{RunReport, number};
use maud::{Markup, html};

/// `report.html`: style and drawings inline, no script, nothing loaded from elsewhere.
pub(crate) fn html(report: &RunReport<'_>) -> String {
    page(report).into_string()
}

fn page(report: &RunReport<'_>) -> Markup {
    let title = format!("{} on {}", report.strategy, report.pool_label);
    let gained = number::signed_percent(report.output.metrics.net_return_percent);
    let body = html! {
        (headline(report, &title))
        (sections::cards(report))
        section { h2 { "Value" } (figures::value(report)) }
        section { h2 { "Price and range" } (figures::price(report)) }
        (sections::profit(report))
        section { h2 { "Fee income" } (figures::fees(report)) }
        (sections::metrics(report))
        section { h2 { "Actions" } (tables::actions(report)) }
        (sections::assumptions(report))
        (sections::proof(report))
        (sections::identity(report))
    };
    super::page::page(&format!("{title} · {gained}"), "", &body)
}

fn headline(report: &RunReport<'_>, title: &str) -> Markup {
    let output = report.output;
    let (from, to) = output.blocks;
    html! {
        header {
            p class="eyebrow" { "Plimsoll backtest" }
            h1 { (title) }
            @if let Some(warning) = words::synthetic(report) { p class="banner" role="note" { strong { "Synthetic data. " } (warning) } }
            p class="verdict" { (verdict(report)) }
            dl class="facts" {
                div { dt { "network" } dd { (report.network) } }
                @if output.times_from_data { div { dt { "time" } dd { (words::span(report)) } } }
                div { dt { (words::blocks(report)) } dd { (number::count(from)) " – " (number::count(to)) } }
                div { dt { "began with" } dd { (words::portfolio(report)) } }
                div { dt { "data" } dd { (report.data_source) } }
            }
        }
    }
}

/// The result in one sentence.
fn verdict(report: &RunReport<'_>) -> Markup {
    let (output, money, symbol) = (report.output, Money::of(report), &report.numeraire.symbol);
    let (profit, holding) = (output.profit.total, output.profit.holding);
    let beyond = profit.saturating_sub(holding);
    let size = |value: alloy_primitives::I256| money.plain(value.checked_abs().unwrap_or(value));
    let gained = number::signed_percent(output.metrics.net_return_percent);
    let class = tables::sign_class(&gained);
    html! {
        "In " (words::length(report)) " the strategy "
        @if profit.is_zero() { "neither gained nor lost" } @else {
            strong class=(class) { @if profit.is_negative() { "lost " } @else { "gained " } (size(profit)) " " (symbol) " (" (gained) ")" }
        }
        " on " (money.plain(output.start_value)) " " (symbol)
        @if beyond.is_zero() { ", the same as holding the first tokens." } @else {
            ": " (size(beyond)) " " (symbol) @if beyond.is_negative() { " worse" } @else { " better" } " than holding the first tokens."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::html;
    use crate::report::fixture;
    use plimsoll_runtime::Outcome;

    #[test]
    fn escapes_what_the_user_wrote() {
        let output = fixture::output(50);
        let mut report = fixture::report(&output);
        report.strategy = "<img src=x>".to_owned();
        let page = html(&report);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
        assert!(!page.contains("<img"));
    }

    #[test]
    fn loads_nothing_and_prints_no_nan() {
        for points in [1, 2, 7_000] {
            let mut output = fixture::output(points);
            output.metrics.sharpe = Some(f64::NAN);
            output.metrics.annualized_percent = Some(f64::INFINITY);
            if let Some(point) = output.equity.first_mut() {
                point.price = f64::NAN;
            }
            let page = html(&fixture::report(&output));
            for bad in ["NaN", "inf ", "http://", "https://", "src=", "url("] {
                assert!(!page.contains(bad), "{bad}");
            }
        }
    }

    #[test]
    fn no_receipts_and_no_times_still_make_a_page() {
        let mut output = fixture::output(300);
        output.receipts.clear();
        output.times_from_data = false;
        output.equity.iter_mut().for_each(|point| point.timestamp = None);
        let page = html(&fixture::report(&output));
        assert!(page.contains("took no action") && page.contains("block 18,937,000 →"));
    }

    #[test]
    fn of_many_actions_some_are_left_out_and_it_says_so() {
        let mut output = fixture::output(7_000);
        let receipt = output
            .receipts
            .iter()
            .find(|receipt| matches!(receipt.outcome, Outcome::Reverted { .. }))
            .expect("one")
            .clone();
        output.receipts = vec![receipt; 1_000];
        let page = html(&fixture::report(&output));
        assert!(page.contains("… 800 actions left out …") && page.matches("✕ reverted</span>").count() == 200);
    }

    #[test]
    fn synthetic_data_are_announced() {
        let output = fixture::output(50);
        let mut report = fixture::report(&output);
        assert!(!html(&report).contains("Synthetic data"));
        report.synthetic = true;
        assert!(html(&report).contains("Synthetic data"));
    }
}
