//! The picture: where the capital goes, why not elsewhere, and what less of a tail would cost.

use super::{
    AllocationReport, AllocationRow,
    charts::{frontier, marginal_rates},
    table::{apr, gap, share},
    verdict_words,
};
use crate::report::{
    bar::Scale,
    decimal, moment, number,
    page::{card, page},
};
use maud::{Markup, html};

/// The page: style and drawings inline, no script, nothing loaded from elsewhere.
pub(crate) fn allocation_html(report: &AllocationReport<'_>) -> String {
    let title = format!("{} USD across {} sources", usd(report.capital_usd), report.rows.len());
    let body = html! {
        (headline(report, &title))
        (cards(report))
        section { h2 { "Allocation" } (amounts(report)) (held_by()) }
        section { h2 { "Marginal rates" } (marginal_rates(report)) }
        @if !report.frontier.is_empty() { section { h2 { "Income against the tail" } (frontier(report)) } }
        @if report.decision.is_some() { section { h2 { "Trades" } (trades(report)) } }
        @if !report.shadow_prices.is_empty() { section { h2 { "Constraints that bind" } (prices(report)) } }
        @if !report.notes.is_empty() { section { h2 { "Notes" } ul class="notes" { @for note in &report.notes { li { (note) } } } } }
        (identity(report))
    };
    let earned = format!("{title} · {}", apr(report.net_apr()));
    page(&earned, include_str!("allocation.css"), &body).into_string()
}

/// `1,234,567`: whole dollars, and cents of small amounts.
pub(super) fn usd(value: f64) -> String {
    decimal(value, if value.abs() < 1_000.0 { 2 } else { 0 })
}

fn headline(report: &AllocationReport<'_>, title: &str) -> Markup {
    let allocation = report.allocation;
    html! {
        header {
            p class="eyebrow" { "Plimsoll allocation" }
            h1 { (title) }
            @if report.data.as_ref().is_some_and(|data| data.is_synthetic) {
                p class="banner" role="note" { strong { "Synthetic data. " } "The lending markets are a recorded scenario that no market ever saw." }
            }
            p class="verdict" {
                "They earn " strong class="gain" { (usd(allocation.income_usd_per_year)) " USD" } " a year, " (apr(report.net_apr())) " of the capital. "
                "It is proven that no other allocation within the same constraints "
                @if report.is_of_income() { "earns" } @else { "is worth" }
                " more by over " (gap(allocation.gap_relative)) " of it."
            }
            dl class="facts" {
                div { dt { "solver" } dd { (allocation.solver.name()) ", " (decimal(report.milliseconds, 2)) " ms" } }
                @if let Some(data) = &report.data {
                    div { dt { "data" } dd { (data.data) " on " (data.network) } }
                    div { dt { "block" } dd { (number::count(data.block)) @if let Some(time) = moment::formatted(data.block_timestamp_s, "%-d %b %Y %H:%M") { ", " (time) " UTC" } } }
                }
            }
        }
    }
}

fn cards(report: &AllocationReport<'_>) -> Markup {
    let allocation = report.allocation;
    html! {
        section class="cards" {
            (card("Income", &usd(allocation.income_usd_per_year), "USD a year, after own effect on each rate"))
            (card("Net APR", &apr(report.net_apr()), "income over all of the capital"))
            (card("Cash", &usd(allocation.cash_usd), &format!("USD, {} of the capital", share(allocation.cash_usd / report.capital_usd))))
            @match report.tail {
                Some(tail) => (card("CVaR", &usd(tail.usd), &format!("USD, the mean loss of the worst {} of scenarios", share(1.0 - tail.level)))),
                None => (card("Next dollar", &apr(allocation.capital_price), "what a dollar more of capital would earn")),
            }
        }
    }
}

/// A bar a source, the largest first, cash last.
fn amounts(report: &AllocationReport<'_>) -> Markup {
    let cash = report.allocation.cash_usd;
    let scale = Scale::of(report.rows.iter().map(|row| row.amount_usd).chain([cash]));
    let of = |usd: f64| share(usd / report.capital_usd);
    html! {
        div class="wide-table" {
            table class="amounts" {
                thead { tr {
                    th scope="col" { "source" }
                    th scope="col" class="chart" { span class="unseen" { "bar" } }
                    th scope="col" class="number" { "USD" }
                    th scope="col" class="number" { "share" }
                    th scope="col" class="number" { "USD a year" }
                    th scope="col" class="number" { "last dollar" }
                    th scope="col" { "held by" }
                } }
                tbody {
                    @for row in sorted(report) {
                        tr {
                            th scope="row" { (row.source.id()) small { (row.kind) } }
                            td class="chart" { (scale.bar((0.0, row.amount_usd), "placed")) }
                            td class="number" { (usd(row.amount_usd)) }
                            td class="number faint" { (of(row.amount_usd)) }
                            td class="number" { (usd(row.income_usd_per_year)) }
                            td class="number" { (apr(row.marginal_apr)) }
                            td class="faint" { (row.binding) }
                        }
                    }
                    @if cash > 1e-9 * report.capital_usd {
                        tr {
                            th scope="row" { "cash" small { "earns nothing" } }
                            td class="chart" { (scale.bar((0.0, cash), "cash")) }
                            td class="number" { (usd(cash)) }
                            td class="number faint" { (of(cash)) }
                            td {} td {} td {}
                        }
                    }
                }
            }
        }
    }
}

fn held_by() -> Markup {
    html! {
        p class="note" {
            b { "capital" } " a dollar more would be shared with this source; "
            b { "peak" } " more would earn less in all; " b { "kink" } " the rate turns there; "
            b { "cost" } " the change would not pay for itself; " b { "none" } " it earns more elsewhere. Other words are the constraint’s key. "
            "The last dollar’s rate is after its effect on the rate of all the others, at a kink from the left."
        }
    }
}

/// The largest position first; of those without one the highest rate.
pub(super) fn sorted<'a>(report: &'a AllocationReport<'a>) -> Vec<&'a AllocationRow<'a>> {
    let mut rows: Vec<&AllocationRow<'_>> = report.rows.iter().collect();
    rows.sort_by(|one, other| {
        let amounts = other.amount_usd.total_cmp(&one.amount_usd);
        amounts.then(other.marginal_apr.total_cmp(&one.marginal_apr))
    });
    rows
}

fn trades(report: &AllocationReport<'_>) -> Markup {
    let Some(decision) = report.decision else {
        return Markup::default();
    };
    html! {
        p {
            (verdict_words(decision.verdict)) ": " (usd(decision.gain_usd)) " USD gained over " (decimal(report.holding_days, 0))
            " days, for " (usd(decision.cost_usd)) " USD of gas and slippage."
        }
        @if !decision.trades.is_empty() {
            table class="metrics" {
                thead { tr { th scope="col" { "source" } th scope="col" class="number" { "from, USD" } th scope="col" class="number" { "to, USD" } th scope="col" class="number" { "change" } } }
                tbody {
                    @for trade in &decision.trades {
                        @let change = trade.to_usd - trade.from_usd;
                        tr {
                            th scope="row" { (trade.id) }
                            td class="number" { (usd(trade.from_usd)) }
                            td class="number" { (usd(trade.to_usd)) }
                            td class="number" { @if change > 0.0 { "+" } (usd(change)) }
                        }
                    }
                }
            }
        }
    }
}

fn prices(report: &AllocationReport<'_>) -> Markup {
    html! {
        table class="metrics" {
            thead { tr { th scope="col" { "constraint" } th scope="col" class="number" { "a dollar more of it would earn" } } }
            tbody { @for (constraint, price) in &report.shadow_prices { tr { th scope="row" { (constraint) } td class="number" { (apr(*price)) } } } }
        }
    }
}

fn identity(report: &AllocationReport<'_>) -> Markup {
    html! {
        section {
            h2 { "Configuration" }
            pre { code { (report.config) } }
            dl class="terms hashes" {
                div { dt { "config sha256" } dd { code { (report.config_hash) } } }
                @if let Some(hash) = report.data.as_ref().and_then(|data| data.block_hash.as_ref()) { div { dt { "block hash" } dd { code { (hash) } } } }
                div { dt { "version" } dd { "plimsoll " (env!("CARGO_PKG_VERSION")) } }
            }
        }
    }
}
