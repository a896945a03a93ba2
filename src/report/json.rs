//! The JSON document. It holds no clock: the same run gives the same bytes.

use super::{RunReport, moment};
use alloy_primitives::{Address, I256};
use plimsoll_backtest::{BacktestOutput, Drawdown, Flow, Footprint, Metrics};
use plimsoll_market::ReplayCounts;
use plimsoll_runtime::{LendingPosition, Liquidation, Profit};
use serde_json::{Map, Value, json};

/// The document of `result.json`, schema `plimsoll.result/1`. Money is in base units of the numeraire, as strings of integers.
pub(crate) fn result_json(report: &RunReport<'_>) -> Value {
    let output = report.output;
    let (from, to) = output.blocks;
    let mut document = json!({
        "schema": "plimsoll.result/1",
        "version": env!("CARGO_PKG_VERSION"),
        "config_hash": report.config_hash,
        "data_hash": report.data_hash,
        "data_source": report.data_source,
        "sample": report.sample,
        "synthetic": report.synthetic,
        "network": report.network.to_string(),
        "pool": report.price_pool.to_checksum(None),
        "strategy": report.strategy,
        "from_block": from,
        "to_block": to,
        "blocks": to.saturating_sub(from).saturating_add(1),
        "times_from_data": output.times_from_data,
        "numeraire": report.numeraire.symbol,
        "numeraire_decimals": report.numeraire.decimals,
        "start_value": output.start_value.to_string(),
        "end_value": output.end_value.to_string(),
        "profit": profit(&output.profit),
        "metrics": strategy_metrics(report, output),
        "hold": hold_metrics(report, output),
        "actions": { "requested": output.actions.0, "filled": output.actions.1, "reverted": output.actions.2 },
        "replay": replay_counts(&output.replay),
        "flow": if report.bracket.is_some() { "both" } else { flow_name(report.settings.flow) },
        "footprint": footprint_name(report.settings.footprint),
        "arbitrage": arbitrage(output),
        "lending": lending(output),
        "priced_by_oracle": addresses(&output.priced_by_oracle),
    });
    if let (Some(bracket), Some(document)) = (&report.bracket, document.as_object_mut()) {
        let side = |output: &BacktestOutput| {
            json!({
                "end_value": output.end_value.to_string(),
                "profit": profit(&output.profit),
                "metrics": strategy_metrics(report, output),
                "arbitrage": arbitrage(output),
            })
        };
        let sides: Map<String, Value> = bracket
            .iter()
            .map(|(name, output)| ((*name).to_owned(), side(output)))
            .collect();
        document.insert("bracket".to_owned(), sides.into());
    }
    document
}

/// What own price moves and a changed pool made others trade, in base units by token.
fn arbitrage(output: &BacktestOutput) -> Value {
    let paid: Map<String, Value> = output
        .arbitrage
        .paid
        .iter()
        .map(|(token, paid)| (token.to_string(), paid.to_string().into()))
        .collect();
    json!({ "swaps": output.arbitrage.swaps, "paid": paid })
}

/// Own supply and debt at the end, and what was liquidated of them; base units of the tokens.
fn lending(output: &BacktestOutput) -> Value {
    let positions: Map<String, Value> = output
        .lent
        .iter()
        .map(|(token, position)| {
            let LendingPosition { supplied, borrowed } = position;
            let position = json!({ "supplied": supplied.to_string(), "borrowed": borrowed.to_string() });
            (token.to_string(), position)
        })
        .collect();
    let liquidation = |liquidation: &Liquidation| {
        json!({
            "block": liquidation.block,
            "market": liquidation.market.to_string(),
            "debt_asset": liquidation.debt_asset.to_string(),
            "debt_repaid": liquidation.debt_repaid.to_string(),
            "collateral_asset": liquidation.collateral_asset.to_string(),
            "collateral_seized": liquidation.collateral_seized.to_string(),
            "health_factor_wad": liquidation.health_factor_wad.to_string(),
        })
    };
    let liquidations: Vec<Value> = output.liquidations.iter().map(liquidation).collect();
    json!({ "positions": positions, "liquidations": liquidations })
}

fn addresses(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(Address::to_string).collect()
}

/// total = holding + (rebalancing − holding) − lvr + fees + interest − liquidations − gas − slippage.
fn profit(profit: &Profit) -> Value {
    let text = |value: I256| value.to_string();
    json!({
        "total": text(profit.total),
        "holding": text(profit.holding),
        "rebalancing": text(profit.rebalancing),
        "lvr": text(profit.lvr),
        "fees": text(profit.fees),
        "interest": text(profit.interest),
        "liquidations": text(profit.liquidations),
        "gas": text(profit.gas),
        "slippage": text(profit.slippage),
    })
}

fn strategy_metrics(report: &RunReport<'_>, output: &BacktestOutput) -> Value {
    let own = [
        Some(output.time_in_range_percent),
        Some(output.turnover),
        Some(output.fee_drag_percent),
    ];
    metrics(report, output, &output.metrics, own)
}

/// Holding has no position, and neither trades nor pays.
fn hold_metrics(report: &RunReport<'_>, output: &BacktestOutput) -> Value {
    metrics(report, output, &output.hold, [None, Some(0.0), Some(0.0)])
}

fn metrics(report: &RunReport<'_>, output: &BacktestOutput, metrics: &Metrics, own: [Option<f64>; 3]) -> Value {
    let [time_in_range, turnover, fee_drag] = own;
    let date = |second: u64| output.times_from_data.then(|| moment::rfc3339(second)).flatten();
    let block = |second: u64| match moment::of_metric(report, output, second) {
        moment::Moment::Block(block) => Some(block),
        moment::Moment::Time(time) => {
            let found = output
                .equity
                .partition_point(|point| point.timestamp.is_some_and(|at| at < time));
            output.equity.get(found).map(|point| point.block_number)
        }
    };
    let fallen = |pick: fn(&Drawdown) -> u64| {
        metrics
            .max_drawdown
            .filter(|fall| fall.depth > 0.0)
            .map(|fall| pick(&fall))
    };
    json!({
        "net_return_percent": number(metrics.net_return_percent),
        "annualized_percent": number(metrics.annualized_percent),
        "volatility_percent": number(metrics.volatility_percent),
        "sharpe": number(metrics.sharpe),
        "sharpe_standard_error": number(metrics.sharpe_standard_error),
        "sortino": number(metrics.sortino),
        "calmar": number(metrics.calmar),
        "max_drawdown_percent": number(metrics.max_drawdown.map(|fall| fall.depth * 100.0)),
        "max_drawdown_from": fallen(|fall| fall.from).and_then(date),
        "max_drawdown_to": fallen(|fall| fall.to).and_then(date),
        "max_drawdown_from_block": fallen(|fall| fall.from).and_then(block),
        "max_drawdown_to_block": fallen(|fall| fall.to).and_then(block),
        "cvar95_percent": number(metrics.cvar95_percent),
        "time_in_range_percent": number(time_in_range),
        "turnover": number(turnover),
        "fee_drag_percent": number(fee_drag),
        "periods": metrics.periods,
        "period_s": metrics.period_s,
    })
}

/// How far a replay is proven.
pub(crate) fn replay_counts(counts: &ReplayCounts) -> Value {
    json!({
        "events": counts.events,
        "swaps": counts.swaps,
        "exact_in": counts.exact_in,
        "exact_out": counts.exact_out,
        "price_limit": counts.price_limit,
        "inferred": counts.inferred,
        "unverifiable": counts.unverifiable,
        "divergent": counts.divergent,
    })
}

/// The flow's name in a configuration.
pub(super) const fn flow_name(flow: Flow) -> &'static str {
    match flow {
        Flow::Volume => "volume",
        Flow::Price => "price",
    }
}

const fn footprint_name(footprint: Footprint) -> &'static str {
    match footprint {
        Footprint::Own => "own",
        Footprint::None => "none",
    }
}

/// What is no finite number is null.
fn number(value: Option<f64>) -> Value {
    // Adding zero turns −0 into 0.
    value.map_or(Value::Null, |value| {
        serde_json::Number::from_f64(value + 0.0).map_or(Value::Null, Value::Number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn keys(value: &Value) -> Vec<&str> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect()
    }

    fn has(value: &Value, names: &str) {
        let keys = keys(value);
        for name in names.split_whitespace() {
            assert!(keys.contains(&name), "{name}");
        }
    }

    #[test]
    fn holds_every_key_of_the_contract() {
        let output = fixture::output(7_000);
        let mut report = fixture::report(&output);
        report.bracket = Some([("volume", &output), ("price", &output)]);
        let json = result_json(&report);
        has(
            &json,
            "schema version config_hash data_hash sample network from_block to_block blocks numeraire start_value end_value profit metrics hold actions replay",
        );
        has(
            &json["profit"],
            "total holding rebalancing lvr fees interest liquidations gas slippage",
        );
        has(&json["actions"], "requested filled reverted");
        has(
            &json["replay"],
            "events swaps exact_in exact_out price_limit inferred unverifiable divergent",
        );
        has(
            &json["metrics"],
            "net_return_percent annualized_percent volatility_percent sharpe sortino calmar max_drawdown_percent max_drawdown_from max_drawdown_to cvar95_percent time_in_range_percent turnover fee_drag_percent",
        );
        assert_eq!(keys(&json["metrics"]), keys(&json["hold"]));
        assert_eq!(json["schema"], "plimsoll.result/1");
        assert_eq!((&json["blocks"], &json["flow"]), (&json!(7_000), &json!("both")));
        assert_eq!(json["bracket"]["price"]["profit"], json["profit"]);
        assert!(
            json["metrics"]["max_drawdown_to"]
                .as_str()
                .is_some_and(|date| date.starts_with("2024-01-05T") && date.ends_with('Z'))
        );
    }

    #[test]
    fn profit_parts_sum_as_printed() {
        let output = fixture::output(7_000);
        let json = result_json(&fixture::report(&output));
        let part = |name: &str| {
            json["profit"][name]
                .as_str()
                .expect("a string")
                .parse::<i128>()
                .expect("an integer")
        };
        let sum =
            part("holding") + (part("rebalancing") - part("holding")) - part("lvr") + part("fees") + part("interest")
                - part("liquidations")
                - part("gas")
                - part("slippage");
        assert_eq!(sum, part("total"));
        let value = |name: &str| {
            json[name]
                .as_str()
                .expect("a string")
                .parse::<i128>()
                .expect("an integer")
        };
        assert_eq!(value("end_value") - value("start_value"), part("total"));
    }

    #[test]
    fn what_is_undefined_is_null() {
        let mut output = fixture::output(1);
        output.metrics.sharpe = Some(f64::NAN);
        output.metrics.annualized_percent = Some(f64::INFINITY);
        output.turnover = f64::NAN;
        let json = result_json(&fixture::report(&output));
        assert_eq!(json["blocks"], 1);
        for name in [
            "sharpe",
            "annualized_percent",
            "turnover",
            "volatility_percent",
            "max_drawdown_from",
        ] {
            assert_eq!(json["metrics"][name], Value::Null, "{name}");
        }
    }

    #[test]
    fn without_times_a_drawdown_is_told_in_blocks() {
        let mut output = fixture::output(300);
        output.times_from_data = false;
        output.equity.iter_mut().for_each(|point| point.timestamp = None);
        output.metrics.max_drawdown = Some(Drawdown {
            depth: 0.1,
            from: 0,
            to: 120,
        });
        let json = result_json(&fixture::report(&output));
        assert_eq!(
            (
                &json["metrics"]["max_drawdown_to"],
                &json["metrics"]["max_drawdown_to_block"]
            ),
            (&Value::Null, &json!(18_937_010))
        );
    }
}
