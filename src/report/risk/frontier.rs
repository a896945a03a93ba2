//! Parameters that would hold, and what they cost.

use super::{Advice, RiskReport, money, percent, usd_axis};
use crate::report::{
    axis::Along,
    chart::{Chart, Layer, key},
    number,
};
use maud::{Markup, html};
use plimsoll_risk::{BoundBy, ListingAdvice, Measured, Parameter, TermsRule};

pub(super) fn section(report: &RiskReport<'_>, of: &Advice) -> Markup {
    let advice = &of.advice;
    html! {
        section {
            h2 { "Parameters that would hold" }
            p class="lead" {
                "Goal: over " (number::decimal(of.horizon_hours, 0)) " hours, bad debt of more than " (money(of.bad_debt_usd)) " USD beyond today’s with a probability of at most " (percent(of.alpha, 2))
                ", at the least loss of borrowing power. " (number::count(advice.search.tried as u64)) " sets of terms were tried"
                @if advice.search.is_spent { ", then the budget was spent" } "."
            }
            @if !advice.is_met { p class="caution" { "No terms that were tried meet the goal; these are the safest of them." } }
            (chart(report, of))
            (measures(of))
            (terms(report, of))
            @if let Some(binding) = &advice.binding {
                p class="note" { "Binding scenario: path " (binding.scenario) ", " (report.moves(&binding.factors)) "; it loses " (money(binding.loss_before_usd)) " USD today and " (money(binding.loss_after_usd)) " USD under the new terms." }
            }
            (endangered(report, of))
        }
    }
}

/// How many times the frontier's width a reference line may be away and is still drawn.
const NEAR: f64 = 2.5;

/// A reference line of borrowing power.
struct Line {
    class: &'static str,
    name: &'static str,
    power_usd: f64,
}

fn chart(report: &RiskReport<'_>, of: &Advice) -> Markup {
    let advice = &of.advice;
    if advice.frontier.len() < 2 && advice.listings.iter().all(|of| of.old == of.new) {
        return html! {
            p class="note" {
                "There is no frontier to draw: of the terms that were tried none lose less probably than today’s. Borrowing power is " (money(advice.before.borrowing_power_usd))
                " USD today, and would be " (money(of.spiral_power_usd)) " USD with every LTV at 1/(1 + bonus)"
                @if let Some(line) = &of.risk_dao { " and " (money(line.power_usd)) " USD with every LTV at RiskDAO’s" } ". " (risk_dao(report, of))
            }
        };
    }
    let mut points: Vec<(f64, f64)> = advice
        .frontier
        .iter()
        .map(|point| (point.borrowing_power_usd, point.probability * 100.0))
        .collect();
    let today = (advice.before.borrowing_power_usd, advice.before.fitted.value * 100.0);
    let chosen = (advice.after.borrowing_power_usd, advice.after.fitted.value * 100.0);
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = || points.iter().chain([&today, &chosen]);
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, point| {
        (ends.0.min(point.0), ends.1.max(point.0))
    });
    let span = (high - low).max(high.abs() * 0.01);
    let spiral = Line {
        class: "reference1",
        name: "all LTVs at 1/(1 + bonus)",
        power_usd: of.spiral_power_usd,
    };
    let published = of.risk_dao.as_ref().map(|line| Line {
        class: "reference2",
        name: "all LTVs at RiskDAO’s",
        power_usd: line.power_usd,
    });
    let lines: Vec<Line> = std::iter::once(spiral).chain(published).collect();
    // Lines far away would press the frontier together: they are told in words.
    let (near, far): (Vec<&Line>, Vec<&Line>) = lines
        .iter()
        .partition(|line| line.power_usd >= low - NEAR * span && line.power_usd <= high + NEAR * span);
    let ends = near.iter().fold((low, high), |ends, line| {
        (ends.0.min(line.power_usd), ends.1.max(line.power_usd))
    });
    let air = (ends.1 - ends.0).max(span) * 0.08;
    let (unit, letter) = usd_axis(ends.1);
    let place = |point: &(f64, f64)| (point.0 / unit, point.1);
    let most = all().map(|point| point.1).fold(of.alpha * 100.0, f64::max);
    let said = |name: &str, point: &(f64, f64)| {
        format!(
            "{name}: {} USD of borrowing power, {} %",
            number::short(point.0),
            number::decimal(point.1, 2)
        )
    };
    let mut layers = vec![
        Layer::Across {
            class: "goal",
            at: of.alpha * 100.0,
            label: format!("goal {}", percent(of.alpha, 2)),
        },
        Layer::Line {
            class: "frontier",
            points: points.iter().map(place).collect(),
        },
        Layer::Dots {
            class: "tried",
            dots: points
                .iter()
                .map(|point| (place(point), said("frontier", point)))
                .collect(),
            label: "",
            below: false,
        },
        Layer::Dots {
            class: "today",
            dots: vec![(place(&today), said("today", &today))],
            label: "today",
            below: false,
        },
    ];
    if advice.listings.iter().any(|of| of.old != of.new) {
        layers.push(Layer::Dots {
            class: "chosen",
            dots: vec![(place(&chosen), said("recommended", &chosen))],
            label: "recommended",
            below: true,
        });
    }
    for line in &near {
        layers.insert(
            0,
            Layer::Upright {
                class: line.class,
                at: line.power_usd / unit,
                text: format!("{}: {} USD", line.name, number::short(line.power_usd)),
            },
        );
    }
    let chart = Chart {
        id: "frontier".to_owned(),
        title: "Probability of too much bad debt against borrowing power".to_owned(),
        description: format!("{}; {}.", said("Today", &today), said("recommended", &chosen)),
        along: Along::Numbers(letter),
        x: ((ends.0 - air) / unit, (ends.1 + air) / unit),
        y: (0.0, most * 1.18),
        unit: " %",
        layers,
        heights: (320.0, 280.0),
    };
    html! {
        figure {
            figcaption {
                "Probability of too much bad debt (fitted paths) against borrowing power, USD"
                span class="keys" { @for line in &near { (key(line.class, line.name, &number::short(line.power_usd))) } }
            }
            (chart.draw(None))
        }
        p class="note" {
            "Right and low is better: each dot is a set of terms that no other beats in both. "
            @for line in far { "With " (line.name) " borrowing power would be " (money(line.power_usd)) " USD, beyond the chart. " }
            (risk_dao(report, of))
        }
    }
}

fn risk_dao(report: &RiskReport<'_>, of: &Advice) -> Markup {
    let Some(line) = &of.risk_dao else {
        return html! { "RiskDAO’s line was not asked for: it needs a confidence." };
    };
    let kept: Vec<String> = line.kept.iter().map(|listing| report.listing(*listing)).collect();
    html! {
        "RiskDAO’s LTV is e^(−σ·√(debt ÷ liquidity) ÷ r) − bonus, with r = " (number::significant(line.r)) " and σ over " (number::decimal(line.refill_hours, 0)) " hours, Parkinson’s where prices are given"
        @if !kept.is_empty() { "; for want of liquidity it keeps today’s LTV of " (kept.join(", ")) }
        "."
    }
}

fn measures(of: &Advice) -> Markup {
    let (before, after) = (&of.advice.before, &of.advice.after);
    let row = |name: &str, note: &str, cell: &dyn Fn(&Measured) -> Markup| {
        html! {
            tr { th scope="row" { (name) @if !note.is_empty() { small { (note) } } } td class="number" { (cell(before)) } td class="number" { (cell(after)) } }
        }
    };
    html! {
        table class="metrics" {
            thead { tr { th scope="col" { "" } th scope="col" class="number" { "today" } th scope="col" class="number" { "recommended" } } }
            tbody {
                (row("probability, held-out paths", "the honest one: these paths were not fitted to", &|of| html! { (percent(of.held_out.value, 2)) small { "± " (percent(of.held_out.standard_error, 2)) } }))
                (row("at most, at 95 %", "", &|of| html! { (percent(of.held_out.upper_95, 2)) }))
                (row("probability, fitted paths", "", &|of| html! { (percent(of.fitted.value, 2)) small { "± " (percent(of.fitted.standard_error, 2)) } }))
                (row("bad debt exceeded by alpha, USD", "held-out paths", &|of| money(of.held_out_quantile_usd)))
                (row("borrowing power, USD", "", &|of| money(of.borrowing_power_usd)))
            }
        }
    }
}

fn terms(report: &RiskReport<'_>, of: &Advice) -> Markup {
    let change = |old: f64, new: f64, places: usize| {
        html! {
            @if old == new { (percent(old, places)) } @else { span class="old" { (percent(old, places)) } " → " strong { (percent(new, places)) } }
        }
    };
    let listed: Vec<&ListingAdvice> = of
        .advice
        .listings
        .iter()
        .filter(|of| of.old.liquidation_threshold > 0.0)
        .collect();
    html! {
        h3 { "Terms, old and new" }
        div class="wide-table" tabindex="0" role="region" aria-label="Terms" {
            table class="figures" {
                thead { tr { th scope="col" { "listing" } @for name in ["LTV", "threshold", "bonus", "spiral above", "RiskDAO’s LTV"] { th scope="col" class="number" { (name) } } th scope="col" { "bound by" } } }
                tbody { @for of in listed {
                    tr {
                        th scope="row" { (report.listing(of.listing)) }
                        td class="number" { (change(of.old.ltv, of.new.ltv, 1)) }
                        td class="number" { (change(of.old.liquidation_threshold, of.new.liquidation_threshold, 1)) }
                        td class="number" { (change(of.old.liquidation_bonus, of.new.liquidation_bonus, 2)) }
                        td class="number" { (percent(of.reference.spiral_ltv, 1)) }
                        td class="number" { @match of.reference.risk_dao_ltv { Some(ltv) => (percent(ltv, 1)), None => "–" } }
                        td class="bound" { (bounds(of)) }
                    }
                } }
            }
        }
        @let capped = of.advice.listings.iter().filter(|of| of.new.supply_cap.is_some() || of.new.borrow_cap.is_some());
        @for of in capped {
            p class="note" {
                (report.listing(of.listing)) ":"
                @if let Some(cap) = of.new.supply_cap { " supply cap " (number::significant(cap)) }
                @if let Some(cap) = of.new.borrow_cap { " borrow cap " (number::significant(cap)) }
                " tokens."
            }
        }
    }
}

fn bounds(of: &ListingAdvice) -> Markup {
    let name = |parameter: &Parameter| match parameter {
        Parameter::Ltv => "LTV",
        Parameter::LiquidationThreshold => "threshold",
        Parameter::LiquidationBonus => "bonus",
        Parameter::SupplyCap => "supply cap",
        Parameter::BorrowCap => "borrow cap",
    };
    html! {
        @for (parameter, by) in &of.bound_by {
            span {
                (name(parameter)) ": "
                @match by {
                    BoundBy::Rule(TermsRule::NoSpiral) => "no spiral",
                    BoundBy::Rule(TermsRule::LtvWithinThreshold) => "LTV within threshold",
                    BoundBy::Scenario { scenario, probability, .. } => { "path " (scenario) ", else " (percent(*probability, 2)) },
                    BoundBy::Nothing { .. } => "not bound, a step less would hold too",
                }
            }
        }
        @if of.bound_by.is_empty() { span class="faint" { "unchanged" } }
    }
}

fn endangered(report: &RiskReport<'_>, of: &Advice) -> Markup {
    const MOST: usize = 10;
    let mut endangered: Vec<_> = of.advice.endangered.iter().collect();
    endangered.sort_by(|a, b| {
        b.debt_usd
            .total_cmp(&a.debt_usd)
            .then(a.account.cmp(&b.account))
            .then(a.market.cmp(&b.market))
    });
    let factor = |factor: f64| number::decimal(factor, 3);
    html! {
        p class="note" {
            @if endangered.is_empty() { "No position would fall below 1 by the change itself." }
            @else {
            (number::count(endangered.len() as u64)) " positions with " (money(of.advice.after.endangered_usd)) " USD of debt would fall below 1 by the change itself"
            @if endangered.len() > MOST { "; the largest:" } @else { ":" }
            }
        }
        @if !endangered.is_empty() {
            table class="figures endangered" {
                thead { tr { th scope="col" { "account" } th scope="col" class="number" { "debt, USD" } th scope="col" class="number" { "health now" } th scope="col" class="number" { "then" } } }
                tbody { @for of in endangered.iter().take(MOST) {
                    @let name = report.account(of.account);
                    tr { th scope="row" title=(name) { code { (super::standing::shortened(name)) } } td class="number" { (money(of.debt_usd)) } td class="number" { (factor(of.health_before)) } td class="number" { (factor(of.health_after)) } }
                } }
            }
        }
    }
}
