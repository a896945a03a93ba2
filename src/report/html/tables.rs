//! The page's tables: profit parts, metrics, actions, proof, identity.

use crate::report::bar::Scale;
use crate::report::words::{self, Money};
use crate::report::{RunReport, moment, number, ranges};
use maud::{Markup, html};
use plimsoll_runtime::{Filled, Outcome, Receipt};
use plimsoll_units::{Network, to_f64};

/// More actions than twice this are shown by their first and last.
const SHOWN: usize = 100;

/// The class that colours a number by its sign.
pub(super) fn sign_class(text: &str) -> &'static str {
    match text.chars().next() {
        Some('+') => "gain",
        Some('−') => "loss",
        _ => "",
    }
}

/// The profit's parts, each beginning where the one before it ended.
pub(super) fn waterfall(report: &RunReport<'_>) -> Markup {
    let (output, money) = (report.output, Money::of(report));
    let parts = words::parts(output);
    let mut sum = 0.0;
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for part in &parts {
        let next = sum + to_f64(part.value);
        steps.push((sum, next));
        sum = next;
    }
    let scale = Scale::of(steps.iter().map(|step| step.1));
    let total = (0.0, to_f64(output.profit.total));
    html! {
        table class="waterfall" {
            thead { tr { th scope="col" { "part" } th scope="col" class="chart" { span class="unseen" { "bar" } } th scope="col" class="number" { (report.numeraire.symbol) } th scope="col" class="number" { "of start" } } }
            tbody {
                @for (part, step) in parts.iter().zip(&steps) {
                    (row(part.name, part.meaning, &money.signed(part.value), &words::percent_of_start(output, part.value), &scale.signed(*step)))
                }
            }
            tfoot { (row("total", "end value less start value", &money.signed(output.profit.total), &words::percent_of_start(output, output.profit.total), &scale.signed(total))) }
        }
    }
}

fn row(name: &str, meaning: &str, amount: &str, share: &str, bar: &Markup) -> Markup {
    html! {
        tr {
            th scope="row" { (name) small { (meaning) } }
            td class="chart" { (bar) }
            td class={ "number " (sign_class(amount)) } { (amount) }
            td class="number faint" { (share) }
        }
    }
}

/// Strategy and holding side by side.
pub(super) fn metrics(report: &RunReport<'_>) -> Markup {
    html! {
        table class="metrics" {
            thead { tr { th scope="col" { "metric" } th scope="col" class="number" { "strategy" } th scope="col" class="number" { "holding" } } }
            tbody {
                @for row in words::metric_rows(report) {
                    @let inner = row.name.starts_with(' ');
                    tr { th scope="row" class=[inner.then_some("inner")] { (row.name.trim()) } td class="number" { (row.strategy) } td class="number" { (row.hold) } }
                }
            }
        }
    }
}

/// Every action with its fate; of very many, the first and the last.
pub(super) fn actions(report: &RunReport<'_>) -> Markup {
    let receipts = &report.output.receipts;
    if receipts.is_empty() {
        return html! { p class="faint" { "The strategy took no action." } };
    }
    let omitted = receipts.len().saturating_sub(2 * SHOWN);
    let shown: Vec<(usize, &Receipt)> = receipts
        .iter()
        .enumerate()
        .filter(|(i, _)| omitted == 0 || *i < SHOWN || *i >= SHOWN + omitted)
        .collect();
    let clock = if report.output.times_from_data {
        "time (UTC)"
    } else {
        "block"
    };
    html! {
        @if omitted > 0 {
            p class="note" { "Of " (number::count(receipts.len() as u64)) " actions, the first and the last " (SHOWN) " are shown; actions.parquet holds all." }
        }
        div class="scroll" tabindex="0" role="region" aria-label="Actions" {
            table class="actions" {
                thead { tr { th scope="col" { (clock) } th scope="col" { "action" } th scope="col" { "what moved" } th scope="col" class="number" { "gas" } th scope="col" { "outcome" } } }
                tbody {
                    @for (i, receipt) in shown {
                        @if omitted > 0 && i == SHOWN + omitted {
                            tr class="gap" { td colspan="5" { "… " (number::count(omitted as u64)) " actions left out …" } }
                        }
                        (action(report, receipt))
                    }
                }
            }
        }
    }
}

fn action(report: &RunReport<'_>, receipt: &Receipt) -> Markup {
    let when = moment::of_block(report, receipt.executed_block);
    let block = number::count(receipt.executed_block);
    let late = format!("decided after block {}", number::count(receipt.decided_block));
    html! {
        tr {
            td class="when" title=(late) {
                (when)
                @if matches!(when, moment::Moment::Time(_)) { small { "block " (block) } }
            }
            td class="what" { (receipt.action.name()) @if let Outcome::Filled(filled) = &receipt.outcome { (position(report, filled)) } }
            td class="moved" { @if let Outcome::Filled(filled) = &receipt.outcome { (moved(report, filled)) } @else { span class="faint" { "nothing" } } }
            td class="number gas" { (number::count(receipt.gas)) small { (number::amount(receipt.gas_cost_wei, 18)) " " (native(report.network)) } }
            td class="outcome" {
                @match &receipt.outcome {
                    Outcome::Filled(_) => { span class="filled" { "filled" } }
                    Outcome::Reverted { reason } => { span class="reverted" { "✕ reverted" } small { (reason) } }
                }
            }
        }
    }
}

fn position(report: &RunReport<'_>, filled: &Filled) -> Markup {
    let Some(id) = filled.position else {
        return Markup::default();
    };
    html! {
        " " (id)
        @if let Some((lower, upper)) = filled.range {
            small {
                @if filled.venue == report.price_pool {
                    @let (low, high) = ranges::prices(report, lower, upper);
                    (number::significant(low)) " – " (number::significant(high))
                } @else { "ticks " (lower) " – " (upper) }
            }
        }
    }
}

fn moved(report: &RunReport<'_>, filled: &Filled) -> Markup {
    let parts: Vec<String> = filled
        .flows
        .iter()
        .flat_map(|flow| {
            [("−", flow.paid), ("+", flow.received)]
                .into_iter()
                .filter(|(_, amount)| !amount.is_zero())
                .map(|(sign, amount)| format!("{sign}{}", report.of_token(amount, flow.token)))
        })
        .collect();
    html! { @for part in &parts { span class="leg" { (part) } " " } @if parts.is_empty() { span class="faint" { "nothing" } } }
}

/// The coin that pays the chain's gas.
const fn native(network: Network) -> &'static str {
    match network.chain_id {
        56 => "BNB",
        137 => "POL",
        43_114 => "AVAX",
        1 | 10 | 8_453 | 42_161 | 31_337 => "ETH",
        _ => "coins",
    }
}

/// The replay's counts.
pub(super) fn proof(report: &RunReport<'_>) -> Markup {
    let counts = &report.output.replay;
    let rows = [
        (
            "exact in",
            counts.exact_in,
            "follows from the amount that went in; everything else is checked",
        ),
        (
            "exact out",
            counts.exact_out,
            "follows from the amount that came out; everything else is checked",
        ),
        (
            "price limit",
            counts.price_limit,
            "ran to a price limit: the end price is taken from the log, the amounts are checked",
        ),
        (
            "inferred",
            counts.inferred,
            "one tick’s liquidity is taken from the log, the amounts are checked",
        ),
        (
            "unverifiable",
            counts.unverifiable,
            "crossed more unknown ticks than can be told apart, or came before any state",
        ),
        (
            "divergent",
            counts.divergent,
            "nothing reproduces what the chain recorded",
        ),
    ];
    html! {
        table class="proof" {
            tbody {
                @for (name, count, meaning) in rows {
                    tr { th scope="row" { (name) small { (meaning) } } td class="number" { (number::count(count)) } }
                }
            }
            tfoot { tr { th scope="row" { "swaps" small { "of " (number::count(counts.events)) " events; mints, burns and collects are checked too" } } td class="number" { (number::count(counts.swaps)) } } }
        }
    }
}
