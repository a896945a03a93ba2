//! The risk report: what a fall does to a book, on one page that a committee can read.

mod cascade;
#[cfg(test)]
mod fixture;
mod frontier;
mod health;
mod heat;
mod reverse;
mod simulation;
mod standing;
mod summary;
#[cfg(test)]
mod tests;

use super::{number, page};
use maud::{Markup, html};
use plimsoll_risk::{
    Book, CascadeOutcome, Concentration, ExitLiquidity, HealthDistribution, Ladder, Recommendation, ReverseOutcome,
    Stress, Utilization, monte_carlo::MonteCarloReport,
};

/// A book with all that was computed of it; what was not is not drawn.
#[derive(Debug)]
pub(crate) struct RiskReport<'a> {
    /// The book.
    pub book: &'a Book,
    /// Its folder, as the user named it.
    pub name: String,
    /// sha256 over its files, hex.
    pub hash: String,
    /// Other inputs with their sha256, hex: a name, the hash.
    pub inputs: Vec<(String, String)>,
    /// At the book's own prices.
    pub distribution: Option<HealthDistribution>,
    /// By asset's place, from the book's own prices.
    pub ladders: Vec<(usize, Ladder)>,
    /// A shock to its end.
    pub cascade: Option<Cascaded>,
    /// Falls of two assets.
    pub heat: Option<HeatMap>,
    /// The book over simulated prices.
    pub simulation: Option<Fanned>,
    /// Parameters that would hold.
    pub advice: Option<Advice>,
    /// The smallest moves that hurt.
    pub reverse: Option<Reversed>,
    /// Who holds how much.
    pub concentration: Option<Concentration>,
    /// What could be sold.
    pub exits: Vec<ExitLiquidity>,
    /// Of each listing; empty where it was not computed.
    pub utilization: Vec<Utilization>,
    /// What its reader must know.
    pub warnings: Vec<String>,
    /// What its reader should know.
    pub notes: Vec<String>,
}

/// A shock to its end.
#[derive(Debug)]
pub(crate) struct Cascaded {
    /// `WETH −30 %`.
    pub shock: String,
    /// Why this one, as a sentence; empty where the user asked for it.
    pub chosen: String,
    /// Before anybody acts.
    pub stress: Stress,
    /// The end.
    pub outcome: CascadeOutcome,
    /// Round by round; none where rounds were not kept.
    pub rounds: Vec<RoundSums>,
}

/// What a round of a cascade did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RoundSums {
    /// Positions that were liquidated.
    pub positions: usize,
    /// Debt repaid. USD at the prices that the round began with.
    pub repaid_usd: f64,
    /// Collateral seized. USD at the prices that the round began with.
    pub seized_usd: f64,
    /// What is owed beyond all that is there, after the round and at the prices that it left. USD.
    pub bad_debt_usd: f64,
}

/// Falls of two assets at once.
#[derive(Debug)]
pub(crate) struct HeatMap {
    /// The assets that fall down the rows and along the columns, by place.
    pub assets: [usize; 2],
    /// The falls of both, as fractions: 0.1 is a fall of 10 %.
    pub falls: Vec<f64>,
    /// A row a fall of the first asset, a column a fall of the second.
    pub rows: Vec<Vec<Stress>>,
}

/// The book over simulated prices.
#[derive(Debug)]
pub(crate) struct Fanned {
    /// What came of it.
    pub report: MonteCarloReport,
    /// Hours of a step.
    pub step_hours: f64,
    /// The model's name.
    pub model: String,
    /// What is to be known of it.
    pub notes: Vec<String>,
}

/// Parameters that would hold.
#[derive(Debug)]
pub(crate) struct Advice {
    /// What is recommended.
    pub advice: Recommendation,
    /// Bad debt beyond today's that is too much. USD.
    pub bad_debt_usd: f64,
    /// The probability of more that is borne, as a fraction.
    pub alpha: f64,
    /// How far ahead. Hours.
    pub horizon_hours: f64,
    /// Borrowing power with every LTV at 1/(1 + bonus). USD.
    pub spiral_power_usd: f64,
    /// The line by RiskDAO, where it was asked for.
    pub risk_dao: Option<RiskDaoLine>,
}

/// RiskDAO's LTVs as a reference.
#[derive(Debug)]
pub(crate) struct RiskDaoLine {
    /// Borrowing power with every LTV at RiskDAO's. USD.
    pub power_usd: f64,
    /// The confidence that was asked for.
    pub r: f64,
    /// How long liquidity takes to come back. Hours.
    pub refill_hours: f64,
    /// Listings that keep today's LTV, since nothing is known of their liquidity, by place.
    pub kept: Vec<usize>,
}

/// The smallest moves that make so much bad debt.
#[derive(Debug)]
pub(crate) struct Reversed {
    /// How much. USD.
    pub bad_debt_usd: f64,
    /// The moves.
    pub outcome: ReverseOutcome,
}

/// The risk report: style and drawings inline, no script, nothing loaded from elsewhere.
pub(crate) fn risk_html(report: &RiskReport<'_>) -> String {
    let body = html! {
        (summary::headline(report))
        (summary::cards(report))
        (summary::warnings(report))
        @if let Some(distribution) = &report.distribution { (health::distribution(distribution)) }
        @if !report.ladders.is_empty() { (health::ladders(report)) }
        @if let Some(cascaded) = &report.cascade { (cascade::section(report, cascaded)) }
        @if let Some(map) = &report.heat { (heat::section(report, map)) }
        @if let Some(fanned) = &report.simulation { (simulation::section(fanned)) }
        @if let Some(advice) = &report.advice { (frontier::section(report, advice)) }
        @if let Some(reversed) = &report.reverse { (reverse::section(report, reversed)) }
        @if let Some(of) = &report.concentration { (standing::concentration(report, of)) }
        @if !report.exits.is_empty() { (standing::exits(report)) }
        @if !report.utilization.is_empty() { (standing::utilization(report)) }
        (summary::notes(report))
        (summary::identity(report))
    };
    page::page(&format!("Risk of {}", report.title()), include_str!("risk.css"), &body).into_string()
}

impl RiskReport<'_> {
    /// The folder's own name.
    fn title(&self) -> &str {
        let last = self.name.trim_end_matches('/').rsplit('/').next();
        last.filter(|name| !name.is_empty() && !name.starts_with('.'))
            .unwrap_or(&self.name)
    }

    fn asset(&self, place: usize) -> &str {
        self.book
            .assets()
            .get(place)
            .map_or(number::UNDEFINED, |asset| asset.name.as_str())
    }

    fn listing(&self, place: usize) -> String {
        let Some(listing) = self.book.listings().get(place) else {
            return number::UNDEFINED.to_owned();
        };
        let asset = self.asset(listing.asset as usize);
        let variant = self.book.variant(place);
        let market = match self.book.markets() {
            [_] => String::new(),
            markets => format!("{} ", markets.get(listing.market as usize).map_or("", String::as_str)),
        };
        if variant.is_empty() {
            format!("{market}{asset}")
        } else {
            format!("{market}{asset} ({variant})")
        }
    }

    fn account(&self, place: u32) -> &str {
        self.book
            .accounts()
            .get(place as usize)
            .map_or(number::UNDEFINED, String::as_str)
    }

    /// `WETH −30 %, WBTC −12.5 %` of the factors on every asset's price; of many, the largest.
    fn moves(&self, factors: &[f64]) -> String {
        const MOST: usize = 6;
        let mut moved: Vec<(usize, f64)> = factors
            .iter()
            .map(|factor| (factor - 1.0) * 100.0)
            .enumerate()
            .collect();
        // What would be printed as 0.00 did not move as far as a reader can see.
        moved.retain(|(_, percent)| percent.abs() >= 0.005);
        moved.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let shown = moved.iter().take(MOST);
        let words: Vec<String> = shown
            .map(|(place, percent)| format!("{} {}", self.asset(*place), signed_percent(*percent)))
            .collect();
        match moved.len().saturating_sub(MOST) {
            0 if moved.is_empty() => "no move".to_owned(),
            0 => words.join(", "),
            more => format!("{} and {more} more", words.join(", ")),
        }
    }
}

/// Money in three digits, all of it where it is pointed at.
fn money(usd: f64) -> Markup {
    html! { span title={ (number::decimal(usd, 2)) " USD" } { (number::short(usd)) } }
}

/// `−30 %`, `+2.5 %`, `−0.0012 %`: two places at most, and four where two would show nothing. The space does not break.
fn signed_percent(percent: f64) -> String {
    let text = number::decimal(percent, if percent.abs() < 0.01 { 4 } else { 2 });
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{}{text}\u{a0}%", if percent > 0.0 && text != "0" { "+" } else { "" })
}

/// A fraction as percent with so many places.
fn percent(fraction: f64, places: usize) -> String {
    format!("{}\u{a0}%", number::decimal(fraction * 100.0, places))
}

/// What USD on an axis are divided by, and what follows their labels.
fn usd_axis(most: f64) -> (f64, &'static str) {
    match most {
        most if most >= 2e9 => (1e9, "B"),
        most if most >= 2e6 => (1e6, "M"),
        most if most >= 2e3 => (1e3, "k"),
        _ => (1.0, ""),
    }
}

/// The top of an axis that begins at 0.
fn top(most: f64) -> f64 {
    if most > 0.0 && most.is_finite() {
        most * 1.06
    } else {
        1.0
    }
}
