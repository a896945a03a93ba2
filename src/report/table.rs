//! The summary on a terminal, 80 columns wide.

use super::words::{self, Money};
use super::{RunReport, number, series};
use std::fmt::Write as _;

const WIDTH: usize = 80;
const SPARK: usize = 60;

/// The run's summary for a terminal: the result first, then what it is made of and what it rests on.
///
/// With `color`, ANSI colours; without, plain text.
pub(crate) fn table(report: &RunReport<'_>, color: bool) -> String {
    let mut page = Page {
        text: String::new(),
        ink: Ink { on: color },
    };
    header(&mut page, report);
    sparklines(&mut page, report);
    profit(&mut page, report);
    metrics(&mut page, report);
    closing(&mut page, report);
    page.text
}

#[derive(Debug, Clone, Copy)]
struct Ink {
    on: bool,
}

impl Ink {
    fn paint(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn loud(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// Blue above zero, yellow below: told apart by the colour-blind too.
    fn by_sign(self, text: &str) -> String {
        let signed = text.trim_start();
        match signed.chars().next() {
            Some('+') => self.paint("34", text),
            Some('−') => self.paint("33", text),
            _ => text.to_owned(),
        }
    }
}

struct Page {
    text: String,
    ink: Ink,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A label and prose beside it, wrapped.
    fn labelled(&mut self, label: &str, prose: &str) {
        for (i, line) in wrapped(prose, WIDTH - 10).iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let label = self.ink.strong(&format!("{label:<10}"));
            self.line(&format!("{label}{line}"));
        }
    }
}

fn header(page: &mut Page, report: &RunReport<'_>) {
    let (output, ink, money) = (report.output, page.ink, Money::of(report));
    let title = format!("{} · {} · {}", report.strategy, report.pool_label, report.network);
    page.line(&ink.strong(&title));
    let (from, to) = output.blocks;
    page.line(&format!("{} ({})", words::span(report), words::length(report)));
    let data = format!(
        "{}, {}–{} · {}",
        words::blocks(report),
        number::count(from),
        number::count(to),
        report.data_source
    );
    for line in wrapped(&data, WIDTH) {
        page.line(&ink.faint(&line));
    }
    if let Some(warning) = words::synthetic(report) {
        for line in wrapped(&format!("SYNTHETIC DATA. {warning}"), WIDTH) {
            page.line(&ink.loud(&line));
        }
    }
    page.line("");
    let symbol = &report.numeraire.symbol;
    let result = format!(
        "{} → {} {symbol}",
        money.plain(output.start_value),
        money.plain(output.end_value)
    );
    let gained = number::signed_percent(output.metrics.net_return_percent);
    let held = number::signed_percent(output.hold.net_return_percent);
    page.line(&format!(
        "{}   {}   (holding {held})",
        ink.strong(&result),
        ink.by_sign(&gained)
    ));
}

fn sparklines(page: &mut Page, report: &RunReport<'_>) {
    let (output, ink, money) = (report.output, page.ink, Money::of(report));
    let lines: [(&str, Vec<f64>); 2] = [
        (
            "strategy",
            output.equity.iter().map(|point| money.float(point.value)).collect(),
        ),
        (
            "holding",
            output
                .equity
                .iter()
                .map(|point| money.float(point.held_value))
                .collect(),
        ),
    ];
    let values = lines
        .iter()
        .flat_map(|(_, values)| values)
        .map(|value| (0.0, *value))
        .collect::<Vec<_>>();
    let Some(scale) = series::extent(&values) else { return };
    if output.equity.len() < 2 {
        return;
    }
    page.line("");
    for (name, values) in &lines {
        let line = series::sparkline(values, SPARK, scale);
        let line = if *name == "strategy" {
            ink.paint("34", &line)
        } else {
            ink.faint(&line)
        };
        page.line(&format!("{name:<10}{line}"));
    }
}

fn profit(page: &mut Page, report: &RunReport<'_>) {
    let (output, ink, money) = (report.output, page.ink, Money::of(report));
    let head = format!("{:<34}{:>20}{:>14}", "Profit", report.numeraire.symbol, "% of start");
    page.line("");
    page.line(&ink.strong(&head));
    let row = |name: &str, value| {
        let amount = format!("{:>20}", money.signed(value));
        let share = format!("{:>14}", words::percent_of_start(output, value));
        (format!("  {name:<32}"), amount, share)
    };
    for part in words::parts(output) {
        let name = if part.name == "LVR" {
            "LVR (loss versus rebalancing)"
        } else {
            part.name
        };
        let (name, amount, share) = row(name, part.value);
        page.line(&format!("{name}{}{}", ink.by_sign(&amount), ink.by_sign(&share)));
    }
    page.line(&ink.faint(&format!("  {}", "─".repeat(66))));
    let (name, amount, share) = row("total", output.profit.total);
    page.line(&format!(
        "{}{}{}",
        ink.strong(&name),
        ink.by_sign(&amount),
        ink.by_sign(&share)
    ));
    for (name, total, gained, fees) in words::bracket(report) {
        page.line(&ink.faint(&format!("  with flow = {name}: total {total} ({gained}), fees {fees}")));
    }
}

fn metrics(page: &mut Page, report: &RunReport<'_>) {
    let ink = page.ink;
    page.line("");
    page.line(&ink.strong(&format!("{:<30}{:>24}{:>24}", "Metrics", "strategy", "holding")));
    for row in words::metric_rows(report) {
        page.line(&format!("  {:<28}{:>24}{:>24}", row.name, row.strategy, row.hold));
    }
    let notes = [
        Some(words::periods(report)),
        words::short_span(report),
        words::sharpe_doubt(&report.output.metrics).map(str::to_owned),
    ];
    for note in notes.into_iter().flatten() {
        for line in wrapped(&note, WIDTH - 2) {
            page.line(&ink.faint(&format!("  {line}")));
        }
    }
}

fn closing(page: &mut Page, report: &RunReport<'_>) {
    let output = report.output;
    let (requested, filled, reverted) = output.actions;
    let mut actions = String::new();
    let count = number::count;
    // Writing to a string cannot fail.
    let _ = write!(
        actions,
        "{} requested, {} filled, {} reverted",
        count(requested),
        count(filled),
        count(reverted)
    );
    match requested.saturating_sub(filled).saturating_sub(reverted) {
        0 => {}
        pending => {
            let _ = write!(actions, ", {} still waiting at the end", count(pending));
        }
    }
    page.line("");
    page.labelled("Actions", &actions);
    for (name, line) in words::lending(report) {
        page.labelled(name, &line);
    }
    page.labelled("Replay", &words::proof(output));
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let identity = format!(
        "config {} · data {} · plimsoll {}",
        short(&report.config_hash),
        short(&report.data_hash),
        env!("CARGO_PKG_VERSION")
    );
    page.labelled("Identity", &identity);
}

/// Lines of at most `width` characters, broken at spaces.
fn wrapped(prose: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in prose.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn fits_eighty_columns_and_is_plain_without_color() {
        for points in [1, 2, 7_000] {
            let output = fixture::output(points);
            let mut report = fixture::report(&output);
            (report.synthetic, report.sample) = (true, Some("usdc-weth-day".to_owned()));
            report.bracket = Some([("volume", &output), ("price", &output)]);
            let text = table(&report, false);
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            assert!(
                text.contains("SYNTHETIC") && !text.contains('\x1b') && !text.contains("NaN"),
                "{text}"
            );
            assert!(table(&report, true).contains('\x1b'));
        }
    }
}
