//! What the terminal and the page both say: the profit's parts, the metrics, the assumptions, the proof.

use super::moment::{self, Moment};
use super::{RunReport, number};
use alloy_primitives::{Address, I256};
use plimsoll_backtest::{BacktestOutput, Flow, Footprint, GasPrice, Metrics};
use plimsoll_units::to_f64;

/// Below this, annualised figures mean little.
const SHORT_SPAN_S: u64 = 30 * 86_400;

/// A part of the profit with the sign that it enters the sum with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) value: I256,
}

/// The parts in the order of the sum; they add up to the total to the last base unit.
pub(super) fn parts(output: &BacktestOutput) -> [Part; 8] {
    let profit = &output.profit;
    let part = |name, meaning, value| Part { name, meaning, value };
    [
        part(
            "holding",
            "what the first holdings would have made, left alone",
            profit.holding,
        ),
        part(
            "rebalancing − holding",
            "what holding the position’s changing amounts made beyond that, traded at the recorded price",
            profit.rebalancing.saturating_sub(profit.holding),
        ),
        part(
            "LVR",
            "loss versus rebalancing: what the position gave up to better informed trades",
            negated(profit.lvr),
        ),
        part("fees", "swap fees that the positions earned", profit.fees),
        part(
            "interest",
            "what lending markets paid, less what they were paid",
            profit.interest,
        ),
        part(
            "liquidations",
            "collateral that was taken from own debts, less the debt repaid",
            negated(profit.liquidations),
        ),
        part("gas", "gas of every action, reverted ones too", negated(profit.gas)),
        part(
            "slippage",
            "own swaps: pool fee, price impact and rounding, against the recorded price",
            negated(profit.slippage),
        ),
    ]
}

fn negated(value: I256) -> I256 {
    value.checked_neg().unwrap_or(I256::MAX)
}

/// A share of the start value, `+0.775 %`: always three places, to stand in a column.
pub(super) fn percent_of_start(output: &BacktestOutput, value: I256) -> String {
    if !output.start_value.is_positive() {
        return number::UNDEFINED.to_owned();
    }
    let percent = number::decimal(to_f64(value) / to_f64(output.start_value) * 100.0, 3);
    let plus = if value.is_positive() && percent != "0.000" {
        "+"
    } else {
        ""
    };
    format!("{plus}{percent} %")
}

/// What became of own debts, and which tokens a lending market's oracle prices: each with the line's name.
pub(super) fn lending(report: &RunReport<'_>) -> Vec<(&'static str, String)> {
    let output = report.output;
    let mut lines = Vec::new();
    if let (Some(first), Some(last)) = (output.liquidations.first(), output.liquidations.last()) {
        let times = match output.liquidations.len() as u64 {
            1 => "own debt was liquidated once".to_owned(),
            times => format!("own debts were liquidated {} times", number::count(times)),
        };
        let blocks = match (first.block, last.block) {
            (first, last) if first == last => format!("in block {}", number::count(first)),
            (first, last) => format!("in blocks {} to {}", number::count(first), number::count(last)),
        };
        lines.push(("Debts", format!("{times}, {blocks}")));
    }
    let held = |token: &&Address| {
        output.lent.contains_key(*token) || report.portfolio.iter().any(|(of, _)| of.address == **token)
    };
    let symbol = |token: &Address| {
        let known = report.tokens.iter().find(|known| known.address == *token);
        known.map_or_else(|| token.to_string(), |known| known.symbol.clone())
    };
    let by_oracle: Vec<String> = output.priced_by_oracle.iter().filter(held).map(symbol).collect();
    if !by_oracle.is_empty() {
        let tokens = by_oracle.join(", ");
        let symbol = &report.numeraire.symbol;
        let line =
            format!("{tokens}: no pool of the run trades it for {symbol}; a lending market’s oracle prices both");
        lines.push(("Prices", line));
    }
    lines
}

/// Formats money of the run's numeraire, without its symbol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Money {
    decimals: u8,
    places: usize,
}

impl Money {
    pub(super) fn of(report: &RunReport<'_>) -> Self {
        let decimals = report.numeraire.decimals;
        let start = to_f64(report.output.start_value) / 10f64.powi(i32::from(decimals));
        Self {
            decimals,
            places: number::places_for(start, decimals),
        }
    }

    pub(super) fn plain(self, value: I256) -> String {
        number::money(value, self.decimals, self.places)
    }

    pub(super) fn signed(self, value: I256) -> String {
        number::signed_money(value, self.decimals, self.places)
    }

    /// Whole tokens, for charts.
    pub(super) fn float(self, value: I256) -> f64 {
        to_f64(value) / 10f64.powi(i32::from(self.decimals))
    }
}

/// A metric of the strategy beside that of holding.
#[derive(Debug, Clone)]
pub(super) struct MetricRow {
    pub(super) name: &'static str,
    pub(super) strategy: String,
    pub(super) hold: String,
}

/// Every metric, formatted.
pub(super) fn metric_rows(report: &RunReport<'_>) -> Vec<MetricRow> {
    let output = report.output;
    let row = |name, pick: &dyn Fn(&Metrics) -> String| MetricRow {
        name,
        strategy: pick(&output.metrics),
        hold: pick(&output.hold),
    };
    let own = |name, strategy: String, hold: &str| MetricRow {
        name,
        strategy,
        hold: hold.to_owned(),
    };
    vec![
        row("net return", &|m| number::signed_percent(m.net_return_percent)),
        row("annualised return", &|m| number::signed_percent(m.annualized_percent)),
        row("volatility, annualised", &|m| number::percent(m.volatility_percent)),
        row("Sharpe ± standard error", &sharpe),
        row("Sortino", &|m| number::ratio(m.sortino)),
        row("Calmar", &|m| number::ratio(m.calmar)),
        row("maximum drawdown", &|m| {
            number::percent(m.max_drawdown.map(|fall| fall.depth * 100.0))
        }),
        row("  from", &|m| drawdown_end(report, m, true)),
        row("  to", &|m| drawdown_end(report, m, false)),
        row("CVaR 95, per period", &|m| number::percent(m.cvar95_percent)),
        own(
            "time in range",
            number::percent(Some(output.time_in_range_percent)),
            "–",
        ),
        own("turnover ÷ start value", number::ratio(Some(output.turnover)), "0.00"),
        own(
            "fee drag (gas + slippage)",
            number::percent(Some(output.fee_drag_percent)),
            "0.00 %",
        ),
    ]
}

/// `1.23 ± 19.10`.
pub(super) fn sharpe(metrics: &Metrics) -> String {
    let sharpe = number::ratio(metrics.sharpe);
    match metrics.sharpe_standard_error.filter(|error| error.is_finite()) {
        Some(error) if metrics.sharpe.is_some() => format!("{sharpe} ± {}", number::ratio(Some(error))),
        _ => sharpe,
    }
}

fn drawdown_end(report: &RunReport<'_>, metrics: &Metrics, from: bool) -> String {
    match metrics.max_drawdown.filter(|fall| fall.depth > 0.0) {
        Some(fall) => moment::of_metric(report, report.output, if from { fall.from } else { fall.to }).to_string(),
        None => "–".to_owned(),
    }
}

/// What the ratios rest on.
pub(super) fn periods(report: &RunReport<'_>) -> String {
    let metrics = &report.output.metrics;
    let period = if metrics.period_s == 86_400 { "day" } else { "hour" };
    match metrics.periods {
        0 | 1 => format!("The run is too short for ratios: they need two returns of one {period} each."),
        n => format!(
            "Ratios rest on {} returns of one {period} each.",
            number::count(n as u64)
        ),
    }
}

/// Said where the run is too short for annualised figures.
pub(super) fn short_span(report: &RunReport<'_>) -> Option<String> {
    let span = moment::span_s(report);
    // A single block has no annualised figures to warn of.
    (1..SHORT_SPAN_S).contains(&span).then(|| {
        format!(
            "The run spans {}: annualised figures from so little mean next to nothing.",
            length(report)
        )
    })
}

/// Whether the Sharpe ratio can be told from zero.
pub(super) fn sharpe_doubt(metrics: &Metrics) -> Option<&'static str> {
    let (sharpe, error) = metrics.sharpe.zip(metrics.sharpe_standard_error)?;
    (sharpe.abs() < 1.96 * error)
        .then_some("The Sharpe ratio lies within two standard errors of zero: it cannot be told from luck.")
}

/// The replay's counts in one line.
pub(super) fn proof(output: &BacktestOutput) -> String {
    let counts = &output.replay;
    let proven = counts.exact_in + counts.exact_out + counts.price_limit + counts.inferred;
    let count = number::count;
    let all = if proven == counts.swaps {
        count(proven)
    } else {
        format!("{} of {}", count(proven), count(counts.swaps))
    };
    format!(
        "{all} swaps proven: {} exact in, {} exact out, {} price limit, {} inferred; {} unverifiable, {} divergent; {} events in all",
        count(counts.exact_in),
        count(counts.exact_out),
        count(counts.price_limit),
        count(counts.inferred),
        count(counts.unverifiable),
        count(counts.divergent),
        count(counts.events),
    )
}

/// `2024-01-05 00:00 → 2024-01-05 23:59 UTC`, or the blocks' numbers.
pub(super) fn span(report: &RunReport<'_>) -> String {
    match moment::span(report) {
        (from @ Moment::Time(_), to) => format!("{from} → {to} UTC"),
        (from, to) => format!("{from} → {to}"),
    }
}

/// `24.0 h`, or `about 24.0 h` where the chain's usual block time stands in for times.
pub(super) fn length(report: &RunReport<'_>) -> String {
    let about = if report.output.times_from_data { "" } else { "about " };
    format!("{about}{}", moment::duration(moment::span_s(report)))
}

/// `1 block`, `7,000 blocks`.
pub(super) fn blocks(report: &RunReport<'_>) -> String {
    let (from, to) = report.output.blocks;
    let blocks = to.saturating_sub(from).saturating_add(1);
    format!("{} block{}", number::count(blocks), if blocks == 1 { "" } else { "s" })
}

/// The warning that must not be missed.
pub(super) fn synthetic(report: &RunReport<'_>) -> Option<String> {
    report.synthetic.then(|| match &report.sample {
        Some(sample) => format!(
            "The sample “{sample}” was recorded from the published contracts on a local chain, under a seeded scenario. No market \
             ever saw these prices: the results say nothing about real returns."
        ),
        None => "No market ever saw these prices: the results say nothing about real returns.".to_owned(),
    })
}

/// `USDC 10,000 + WETH 1.5`.
pub(super) fn portfolio(report: &RunReport<'_>) -> String {
    let part =
        |(token, amount): &(super::Token, _)| format!("{} {}", number::amount(*amount, token.decimals), token.symbol);
    report.portfolio.iter().map(part).collect::<Vec<_>>().join(" + ")
}

/// How the run executed, a sentence each.
pub(super) fn assumptions(report: &RunReport<'_>) -> Vec<(&'static str, String)> {
    let settings = &report.settings;
    let blocks = settings.latency_blocks;
    let latency = format!(
        "A decision sees its block’s end and executes {} later, at the top of the block, at the price it finds there.",
        if blocks == 1 {
            "one block".to_owned()
        } else {
            format!("{} blocks", number::count(blocks))
        }
    );
    let flow = match (report.bracket.is_some(), settings.flow) {
        (true, _) => {
            "Both ways, as a bracket: recorded swaps trade their recorded amounts (volume), or run to their recorded end price (price)."
        }
        (false, Flow::Volume) => {
            "By volume: every recorded swap trades the amount it traded then; a deeper pool moves less."
        }
        (false, Flow::Price) => {
            "By price: every recorded swap runs to its recorded end price; what a deeper pool takes for that beyond the record is booked as arbitrage."
        }
    };
    let footprint = match settings.footprint {
        Footprint::Own => {
            "Own liquidity joins the pool: fees are diluted exactly, and own swaps move the price. Own supply and debt move a lending \
             market’s rates."
        }
        Footprint::None => {
            "None, for comparison: own liquidity dilutes no one, own swaps leave no trace, and own supply and debt move no rate. Such \
             fees are too good to be true."
        }
    };
    let arbitrage = if settings.arbitrage {
        format!(
            "Own price moves are traded back to the recorded price; {} such swaps. They pay fees like any other.",
            number::count(report.output.arbitrage.swaps)
        )
    } else {
        "Off: a price that own trades moved stays where they left it.".to_owned()
    };
    let slippage = format!(
        "A swap that gets {} bps less than when it was decided, or a mint whose price has moved so far, reverts and pays its gas.",
        number::count(u64::from(settings.max_slippage_bps))
    );
    let price = match settings.gas_price {
        GasPrice::BaseFee => "the block’s base fee from the data, without a tip".to_owned(),
        GasPrice::Constant(wei) => format!("a constant {} gwei", gwei(wei)),
    };
    let gas = format!(
        "Gas is that of each action, measured on the genuine contracts, × {price}.{}",
        gas_table(report)
    );
    let value = "Everything is valued at the recorded price, never at one that own trades moved.".to_owned();
    vec![
        ("Latency", latency),
        ("History", flow.to_owned()),
        ("Footprint", footprint.to_owned()),
        ("Arbitrage", arbitrage),
        ("Slippage limit", slippage),
        ("Gas", gas),
        ("Value", value),
    ]
}

fn gwei(wei: u64) -> String {
    plimsoll_units::format_amount(alloy_primitives::U256::from(wei), 9)
}

/// What actions used, by name.
fn gas_table(report: &RunReport<'_>) -> String {
    let mut used: std::collections::BTreeMap<&str, (u64, u64)> = std::collections::BTreeMap::new();
    for receipt in &report.output.receipts {
        let range = used.entry(receipt.action.name()).or_insert((receipt.gas, receipt.gas));
        *range = (range.0.min(receipt.gas), range.1.max(receipt.gas));
    }
    if used.is_empty() {
        return String::new();
    }
    let text = |(name, (low, high)): (&&str, &(u64, u64))| {
        if low == high {
            format!("{name} {}", number::count(*low))
        } else {
            format!("{name} {}–{}", number::count(*low), number::count(*high))
        }
    };
    format!(" Used here: {}.", used.iter().map(text).collect::<Vec<_>>().join(", "))
}

/// The two ends of a run with both flows: name, profit, return.
pub(super) fn bracket(report: &RunReport<'_>) -> Vec<(&'static str, String, String, String)> {
    let money = Money::of(report);
    let line = |(name, output): &(&'static str, &BacktestOutput)| {
        (
            *name,
            money.signed(output.profit.total),
            number::signed_percent(output.metrics.net_return_percent),
            money.plain(output.profit.fees),
        )
    };
    report.bracket.iter().flatten().map(line).collect()
}
