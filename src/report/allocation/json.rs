use super::{AllocationReport, AllocationRow, ChainData, verdict_name};
use plimsoll_optimizer::{Decision, Trade};
use serde_json::{Value, json};

impl AllocationReport<'_> {
    /// One document; all numbers are floats.
    pub(crate) fn json(&self) -> Value {
        let allocation = self.allocation;
        json!({
            "allocations": self.rows.iter().map(|row| self.row(row)).collect::<Vec<_>>(),
            "cash_usd": allocation.cash_usd,
            "income_usd_per_year": allocation.income_usd_per_year,
            "net_apr": self.net_apr(),
            "gap_relative": allocation.gap_relative,
            "solver": allocation.solver.name(),
            "milliseconds": self.milliseconds,
            "capital_usd": self.capital_usd,
            "objective_usd_per_year": allocation.objective_usd_per_year,
            "bound_usd_per_year": allocation.bound_usd_per_year,
            "capital_price": allocation.capital_price,
            "shadow_prices": self.shadow_prices.iter().map(|(constraint, price)| json!({
                "constraint": constraint,
                "price": price,
            })).collect::<Vec<_>>(),
            "cvar": self.tail.map(|tail| json!({ "level": tail.level, "usd": tail.usd })),
            "frontier": self.frontier.iter().map(|point| json!({
                "cvar_usd": point.cvar_usd,
                "income_usd_per_year": point.income_usd_per_year,
                "cash_usd": point.cash_usd,
            })).collect::<Vec<_>>(),
            "decision": self.decision.map(|decision| self.decision(decision)),
            "trades": self.decision.map(|decision| decision.trades.iter().map(trade).collect::<Vec<_>>()),
            "notes": self.notes,
            "data": self.data.as_ref().map(chain_data),
            "version": env!("CARGO_PKG_VERSION"),
            "config_hash": self.config_hash,
        })
    }

    fn row(&self, row: &AllocationRow<'_>) -> Value {
        json!({
            "id": row.source.id(),
            "amount_usd": row.amount_usd,
            "marginal_apr": row.marginal_apr,
            "binding": row.binding,
            "kind": row.kind,
            "share": row.amount_usd / self.capital_usd,
            "income_usd_per_year": row.income_usd_per_year,
            "shadow_price": row.shadow_price,
        })
    }

    fn decision(&self, decision: &Decision) -> Value {
        json!({
            "verdict": verdict_name(decision.verdict),
            "gain_usd": decision.gain_usd,
            "cost_usd": decision.cost_usd,
            "holding_days": self.holding_days,
        })
    }
}

fn trade(trade: &Trade) -> Value {
    json!({
        "id": trade.id,
        "from_usd": trade.from_usd,
        "to_usd": trade.to_usd,
        "change_usd": trade.to_usd - trade.from_usd,
    })
}

fn chain_data(data: &ChainData) -> Value {
    json!({
        "network": data.network,
        "data": data.data,
        "synthetic": data.is_synthetic,
        "block": data.block,
        "block_hash": data.block_hash,
        "block_timestamp_s": data.block_timestamp_s,
    })
}
