//! Two assets that fall together.

use super::{HeatMap, RiskReport, signed_percent};
use crate::report::number;
use maud::{Markup, html};
use plimsoll_risk::Stress;

/// Shades beside that of nothing.
const SHADES: u8 = 8;

pub(super) fn section(report: &RiskReport<'_>, map: &HeatMap) -> Markup {
    let [down, along] = map.assets.map(|place| report.asset(place));
    html! {
        section {
            h2 { "Two assets at once" }
            p class="lead" { (down) " falls by row, " (along) " by column; other prices stand still, and nobody has acted yet." }
            div class="pair" {
                (grid(map, "Bad debt, USD", (down, along), |stress| stress.bad_debt_usd))
                (grid(map, "Debt at risk, USD", (down, along), |stress| stress.debt_at_risk_usd))
            }
        }
    }
}

fn grid(map: &HeatMap, title: &str, (down, along): (&str, &str), of: fn(&Stress) -> f64) -> Markup {
    let most = map.rows.iter().flatten().map(of).fold(0.0, f64::max);
    let fall = |fall: f64| signed_percent(-fall * 100.0);
    html! {
        figure class="heat" {
            figcaption { b { (title) } }
            table {
                thead {
                    tr { td {} th scope="colgroup" colspan=(map.falls.len()) { (along) } }
                    tr { th scope="col" { (down) } @for change in &map.falls { th scope="col" { (fall(*change)) } } }
                }
                tbody { @for (change, row) in map.falls.iter().zip(&map.rows) {
                    tr {
                        th scope="row" { (fall(*change)) }
                        @for stress in row {
                            @let usd = of(stress);
                            td class=(format!("s{}", shade(usd, most))) title={ (number::decimal(usd, 2)) " USD" } { (number::short(usd)) }
                        }
                    }
                } }
            }
            @if most > 0.0 {
                p class="faint upto" aria-hidden="true" { "shades up to, USD" }
                p class="shades" aria-hidden="true" {
                    span class="s0" { "0" }
                    @for step in 1..=SHADES { span class=(format!("s{step}")) { (number::short(bound(step, most))) } }
                }
            }
        }
    }
}

/// The most of a shade: they grow as squares do, so that small losses are told apart too.
fn bound(step: u8, most: f64) -> f64 {
    (f64::from(step) / f64::from(SHADES)).powi(2) * most
}

fn shade(usd: f64, most: f64) -> u8 {
    if usd > 0.0 {
        (1..SHADES).find(|step| usd <= bound(*step, most)).unwrap_or(SHADES)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_grow_from_nothing_to_the_most() {
        assert_eq!(
            [0.0, 1e-9, 1.0, 1.01, 16.0, 63.9, 64.0].map(|usd| shade(usd, 64.0)),
            [0, 1, 1, 2, 4, 8, 8]
        );
        assert_eq!(shade(0.0, 0.0), 0);
    }
}
