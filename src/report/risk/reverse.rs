//! The smallest moves that hurt.

use super::{Reversed, RiskReport, money};
use crate::report::number;
use maud::{Markup, html};
use plimsoll_risk::ReverseMove;

pub(super) fn section(report: &RiskReport<'_>, reversed: &Reversed) -> Markup {
    let outcome = &reversed.outcome;
    let mut alone: Vec<(usize, &ReverseMove)> = outcome
        .alone
        .iter()
        .enumerate()
        .filter_map(|(place, of)| Some((place, of.as_ref()?)))
        .collect();
    alone.sort_by(|a, b| a.1.distance.total_cmp(&b.1.distance).then(a.0.cmp(&b.0)));
    let row = |name: &str, of: &ReverseMove| {
        html! {
            tr { th scope="row" { (name) } td { (report.moves(&of.factors)) } td class="number" { (number::decimal(of.distance, 3)) } td class="number" { (money(of.bad_debt_usd)) } }
        }
    };
    html! {
        section {
            h2 { "Reverse stress" }
            p class="lead" { "The smallest moves that make " (money(reversed.bad_debt_usd)) " USD of bad debt beyond today’s " (money(outcome.today_usd)) " USD." }
            table class="moves" {
                thead { tr { th scope="col" { "who moves" } th scope="col" { "move" } th scope="col" class="number" { "size" } th scope="col" class="number" { "bad debt, USD" } } }
                tbody {
                    @if let Some(joint) = &outcome.joint { (row("all together", &joint.found)) }
                    @for (place, of) in &alone { (row(report.asset(*place), of)) }
                }
            }
            @if alone.len() < outcome.alone.len() { p class="note" { (outcome.alone.len() - alone.len()) " assets cannot make it alone." } }
            @if outcome.budget_spent { p class="caution" { "The search ended before it was done: a smaller move may exist." } }
        }
    }
}
