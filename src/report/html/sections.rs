//! The page's sections around its charts and tables.

use super::tables::{self, sign_class};
use crate::report::ranges::open_ranges;
use crate::report::words::{self, Money};
use crate::report::{RunReport, number, page};
use maud::{Markup, html};

/// The key figures.
pub(super) fn cards(report: &RunReport<'_>) -> Markup {
    let (output, money) = (report.output, Money::of(report));
    let profit = &output.profit;
    let symbol = &report.numeraire.symbol;
    let beyond = profit.total.saturating_sub(profit.holding);
    let margin = profit.fees.saturating_sub(profit.lvr);
    let costs = profit.gas.saturating_add(profit.slippage);
    let (requested, filled, reverted) = output.actions;
    let depth =
        |metrics: &plimsoll_backtest::Metrics| number::percent(metrics.max_drawdown.map(|fall| fall.depth * 100.0));
    let ranges = open_ranges(report).len() as u64;
    let sharpe = number::ratio(output.metrics.sharpe);
    let error = output
        .metrics
        .sharpe_standard_error
        .map(|error| format!("± {} standard error", number::ratio(Some(error))));
    html! {
        section class="cards" aria-label="Key figures" {
            (card("profit", &money.signed(profit.total), &format!("{symbol}, {}", number::signed_percent(output.metrics.net_return_percent))))
            (card("against holding", &money.signed(beyond), &format!("holding made {}", money.signed(profit.holding))))
            (card("fees − LVR", &money.signed(margin), &format!("fees {}, LVR {}", money.plain(profit.fees), money.plain(profit.lvr))))
            (card("gas + slippage", &money.plain(costs), &format!("gas {}, slippage {}", money.plain(profit.gas), money.plain(profit.slippage))))
            (card("time in range", &number::percent(Some(output.time_in_range_percent)), &format!("{} ranges opened", number::count(ranges))))
            (card("maximum drawdown", &depth(&output.metrics), &format!("holding {}", depth(&output.hold))))
            (page::card("Sharpe", &sharpe, error.as_deref().unwrap_or("the run is too short to say")))
            (card("actions filled", &number::count(filled), &format!("of {}, {} reverted", number::count(requested), number::count(reverted))))
        }
    }
}

fn card(name: &str, figure: &str, note: &str) -> Markup {
    html! { div class="card" { h3 { (name) } p class={ "figure " (sign_class(figure)) } { (figure) } p class="faint" { (note) } } }
}

/// Where the profit came from.
pub(super) fn profit(report: &RunReport<'_>) -> Markup {
    let bracket = words::bracket(report);
    html! {
        section {
            h2 { "Where the profit came from" }
            (tables::waterfall(report))
            p class="note" {
                "In base units the parts add up to the total exactly. Rebalancing is Σ x·ΔP over what was held block by block; "
                "LVR is Σ (x·ΔP − ΔV) over the positions’ liquidity."
            }
            @for (_, line) in words::lending(report) { p class="note" { (line) "." } }
            @if !bracket.is_empty() {
                h3 { "Bracket: both ways that history can meet the changed pool" }
                table class="metrics" {
                    thead { tr { th scope="col" { "flow" } th scope="col" class="number" { "profit" } th scope="col" class="number" { "return" } th scope="col" class="number" { "fees" } } }
                    tbody { @for (name, total, gained, fees) in &bracket {
                        tr { th scope="row" { (name) } td class={ "number " (sign_class(total)) } { (total) } td class="number" { (gained) } td class="number" { (fees) } }
                    } }
                }
            }
        }
    }
}

/// The metrics, and how much they may be trusted.
pub(super) fn metrics(report: &RunReport<'_>) -> Markup {
    let doubts = [
        words::short_span(report),
        words::sharpe_doubt(&report.output.metrics).map(str::to_owned),
    ];
    html! {
        section {
            h2 { "Metrics" }
            @if doubts.iter().any(Option::is_some) { p class="caution" { @for doubt in doubts.into_iter().flatten() { (doubt) " " } } }
            (tables::metrics(report))
            p class="note" {
                (words::periods(report)) " Annualised to 365 days, no risk-free rate. The Sharpe ratio’s standard error is Lo’s (2002) for independent returns. "
                "CVaR 95 is the mean loss of the worst 5 % of periods. Drawdowns look at every block."
            }
        }
    }
}

/// What the result rests on.
pub(super) fn assumptions(report: &RunReport<'_>) -> Markup {
    html! {
        section {
            h2 { "Costs and assumptions" }
            dl class="terms" { @for (name, sentence) in words::assumptions(report) { div { dt { (name) } dd { (sentence) } } } }
            p class="note" { "A backtest cannot know who would have answered these trades: no other trader, provider or searcher here reacts to what the strategy does, beyond the rules above." }
        }
    }
}

/// How far the history is proven.
pub(super) fn proof(report: &RunReport<'_>) -> Markup {
    html! {
        section {
            h2 { "Replay proof" }
            p { "Every recorded event was executed again, and its outcome compared with what the chain recorded." }
            (tables::proof(report))
        }
    }
}

/// What makes the run the one it is.
pub(super) fn identity(report: &RunReport<'_>) -> Markup {
    html! {
        section {
            h2 { "Configuration" }
            pre { code { (report.config) } }
            dl class="terms hashes" {
                div { dt { "config sha256" } dd { code { (report.config_hash) } } }
                div { dt { "data sha256" } dd { code { (report.data_hash) } } }
                div { dt { "price pool" } dd { code { (report.price_pool) } } }
                div { dt { "version" } dd { "plimsoll " (env!("CARGO_PKG_VERSION")) } }
            }
        }
    }
}
