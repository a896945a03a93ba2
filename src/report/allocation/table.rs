use super::{AllocationReport, verdict_words};
use crate::{
    report::{decimal, number::percent},
    risk::figures::{pairs, table, usd},
};

impl AllocationReport<'_> {
    /// For the terminal.
    pub(crate) fn table(&self) -> String {
        let mut parts = Vec::new();
        if let Some(data) = &self.data {
            let made_up = if data.is_synthetic { "synthetic data: " } else { "" };
            parts.push(format!(
                "{made_up}{} on {} at block {}",
                data.data, data.network, data.block
            ));
        }
        parts.push(self.sources());
        parts.push(self.sums());
        if !self.shadow_prices.is_empty() {
            let rows = self.shadow_prices.iter();
            let rows = rows.map(|(constraint, price)| [constraint.clone(), apr(*price)]);
            parts.push(table(["constraint that binds", "a dollar more would earn"], rows));
        }
        if let Some(decision) = self.decision {
            let words = format!(
                "{}: {} USD gained over {} days, {} USD of costs",
                verdict_words(decision.verdict),
                usd(decision.gain_usd),
                decimal(self.holding_days, 0),
                usd(decision.cost_usd)
            );
            parts.push(match decision.trades.is_empty() {
                true => words,
                false => {
                    let trades = decision.trades.iter().map(|trade| {
                        let change = trade.to_usd - trade.from_usd;
                        let sign = if change > 0.0 { "+" } else { "" };
                        [
                            trade.id.clone(),
                            usd(trade.from_usd),
                            usd(trade.to_usd),
                            format!("{sign}{}", usd(change)),
                        ]
                    });
                    format!(
                        "{words}\n{}",
                        table(["trade", "from, USD", "to, USD", "change"], trades)
                    )
                }
            });
        }
        if !self.notes.is_empty() {
            parts.push(self.notes.join("\n"));
        }
        parts.join("\n\n")
    }

    fn sources(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            [
                row.source.id().to_owned(),
                row.kind.to_owned(),
                usd(row.amount_usd),
                share(row.amount_usd / self.capital_usd),
                usd(row.income_usd_per_year),
                apr(row.marginal_apr),
                row.binding.clone(),
            ]
        });
        let header = ["source", "kind", "USD", "share", "USD a year", "next dollar", "held by"];
        let cash = self.allocation.cash_usd;
        let cash = [
            "cash".to_owned(),
            String::new(),
            usd(cash),
            share(cash / self.capital_usd),
            String::new(),
            String::new(),
            String::new(),
        ];
        table(header, rows.chain([cash]))
    }

    fn sums(&self) -> String {
        let allocation = self.allocation;
        let mut rows = vec![
            ("income, USD a year", usd(allocation.income_usd_per_year)),
            ("net APR", apr(self.net_apr())),
            ("proven gap", gap(allocation.gap_relative)),
            ("one dollar more of capital earns", apr(allocation.capital_price)),
        ];
        if let Some(tail) = self.tail {
            rows.push(("CVaR, USD", usd(tail.usd)));
        }
        let milliseconds = decimal(self.milliseconds, 2);
        rows.push(("solver", format!("{}, {milliseconds} ms", allocation.solver.name())));
        pairs(rows)
    }
}

/// A yearly fraction as percent.
pub(super) fn apr(fraction: f64) -> String {
    percent(Some(fraction * 100.0))
}

pub(super) fn share(fraction: f64) -> String {
    format!("{} %", decimal(fraction * 100.0, 2))
}

/// `0`, `2.1e-13`.
pub(super) fn gap(relative: f64) -> String {
    if relative == 0.0 {
        "0".to_owned()
    } else {
        format!("{relative:.1e}")
    }
}
