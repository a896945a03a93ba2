//! The tables of a run's folder, as Parquet.

use crate::DataError;
use alloy_primitives::{Address, I256, U256};
use plimsoll_runtime::{Action, EquityPoint, Filled, Lend, Outcome, Receipt, TokenFlow};
use plimsoll_units::to_f64;
use polars::prelude::{Column, DataFrame, ParquetCompression, ParquetWriter, PolarsResult};
use std::{fs::File, path::Path};

/// Writes one row a block: value, value had everything been kept, the profit's parts. Money is in base units of the numeraire,
/// as 32 bytes big-endian (two's complement) with an `_f64` beside each.
///
/// # Errors
/// The file cannot be written.
pub fn write_equity(path: &Path, points: &[EquityPoint]) -> Result<(), DataError> {
    let mut columns = vec![
        Column::new(
            "block_number".into(),
            points.iter().map(|point| point.block_number).collect::<Vec<_>>(),
        ),
        Column::new(
            "timestamp".into(),
            points.iter().map(|point| point.timestamp).collect::<Vec<_>>(),
        ),
        Column::new(
            "positions".into(),
            points.iter().map(|point| point.positions as u64).collect::<Vec<_>>(),
        ),
        Column::new(
            "in_range".into(),
            points.iter().map(|point| point.in_range as u64).collect::<Vec<_>>(),
        ),
        Column::new(
            "price_f64".into(),
            points.iter().map(|point| point.price).collect::<Vec<_>>(),
        ),
    ];
    type Money = fn(&EquityPoint) -> I256;
    let money: [(&str, Money); 10] = [
        ("value", |point| point.value),
        ("held_value", |point| point.held_value),
        ("holding", |point| point.profit.holding),
        ("rebalancing", |point| point.profit.rebalancing),
        ("lvr", |point| point.profit.lvr),
        ("fees", |point| point.profit.fees),
        ("interest", |point| point.profit.interest),
        ("liquidations", |point| point.profit.liquidations),
        ("gas", |point| point.profit.gas),
        ("slippage", |point| point.profit.slippage),
    ];
    for (name, pick) in money {
        columns.push(signed_column(name, points.iter().map(pick)));
        let floats = points.iter().map(|point| to_f64(pick(point))).collect::<Vec<_>>();
        columns.push(Column::new(format!("{name}_f64").into(), floats));
    }
    write(path, points.len(), columns)
}

/// Writes one row an action: what was asked, when it executed, what it moved: a pool's two tokens, or a lending market's asset.
/// Amounts are base units, 32 bytes big-endian; contracts are told as `0x…`.
///
/// # Errors
/// The file cannot be written.
pub fn write_actions(path: &Path, receipts: &[Receipt]) -> Result<(), DataError> {
    let reason = |receipt: &Receipt| match &receipt.outcome {
        Outcome::Filled(_) => None,
        Outcome::Reverted { reason } => Some(reason.clone()),
    };
    let bytes = |amount: U256| amount.to_be_bytes_vec();
    let amount = |pick: fn(&Filled) -> Option<U256>| -> Vec<Option<Vec<u8>>> {
        let of = |receipt| filled(receipt).and_then(pick).map(bytes);
        receipts.iter().map(of).collect()
    };
    // What a pool's receipt tells by side, a lending market's tells of its asset.
    let flow = |lends: bool, place: usize, pick: fn(&TokenFlow) -> U256| -> Vec<Option<Vec<u8>>> {
        let of = |receipt: &Receipt| {
            let flow = filled(receipt)?.flows.get(place)?;
            (lent(receipt).is_some() == lends).then(|| bytes(pick(flow)))
        };
        receipts.iter().map(of).collect()
    };
    let venue = |receipt: &Receipt| match receipt.action {
        Action::AddLiquidity { pool, .. } | Action::Swap { pool, .. } => Some(pool),
        Action::RemoveLiquidity { .. } | Action::Collect { .. } => filled(receipt).map(|filled| filled.venue),
        Action::Supply(lend) | Action::Withdraw(lend) | Action::Borrow(lend) | Action::Repay(lend) => Some(lend.market),
    };
    let text = |pick: &dyn Fn(&Receipt) -> Option<Address>| -> Vec<Option<String>> {
        let of = |receipt| pick(receipt).map(|address| address.to_string());
        receipts.iter().map(of).collect()
    };
    let columns = vec![
        Column::new(
            "decided_block".into(),
            receipts.iter().map(|receipt| receipt.decided_block).collect::<Vec<_>>(),
        ),
        Column::new(
            "executed_block".into(),
            receipts
                .iter()
                .map(|receipt| receipt.executed_block)
                .collect::<Vec<_>>(),
        ),
        Column::new(
            "action".into(),
            receipts.iter().map(|receipt| receipt.action.name()).collect::<Vec<_>>(),
        ),
        Column::new(
            "filled".into(),
            receipts
                .iter()
                .map(|receipt| filled(receipt).is_some())
                .collect::<Vec<_>>(),
        ),
        Column::new("reason".into(), receipts.iter().map(reason).collect::<Vec<_>>()),
        Column::new(
            "position".into(),
            receipts
                .iter()
                .map(|r| filled(r)?.position.map(|id| id.0))
                .collect::<Vec<_>>(),
        ),
        Column::new(
            "tick_lower".into(),
            receipts
                .iter()
                .map(|r| filled(r)?.range.map(|range| range.0.get()))
                .collect::<Vec<_>>(),
        ),
        Column::new(
            "tick_upper".into(),
            receipts
                .iter()
                .map(|r| filled(r)?.range.map(|range| range.1.get()))
                .collect::<Vec<_>>(),
        ),
        Column::new("amount0_paid".into(), flow(false, 0, |flow| flow.paid)),
        Column::new("amount0_received".into(), flow(false, 0, |flow| flow.received)),
        Column::new("amount1_paid".into(), flow(false, 1, |flow| flow.paid)),
        Column::new("amount1_received".into(), flow(false, 1, |flow| flow.received)),
        Column::new("liquidity".into(), amount(|filled| Some(U256::from(filled.liquidity)))),
        Column::new("venue".into(), text(&venue)),
        Column::new("asset".into(), text(&|receipt| lent(receipt).map(|lend| lend.asset))),
        Column::new("asset_paid".into(), flow(true, 0, |flow| flow.paid)),
        Column::new("asset_received".into(), flow(true, 0, |flow| flow.received)),
        Column::new(
            "gas".into(),
            receipts.iter().map(|receipt| receipt.gas).collect::<Vec<_>>(),
        ),
        Column::new(
            "gas_cost_wei".into(),
            receipts
                .iter()
                .map(|r| Some(r.gas_cost_wei.to_be_bytes_vec()))
                .collect::<Vec<_>>(),
        ),
    ];
    write(path, receipts.len(), columns)
}

const fn filled(receipt: &Receipt) -> Option<&Filled> {
    match &receipt.outcome {
        Outcome::Filled(filled) => Some(filled),
        Outcome::Reverted { .. } => None,
    }
}

/// What a lending action is about; `None` for a pool's.
const fn lent(receipt: &Receipt) -> Option<&Lend> {
    match &receipt.action {
        Action::Supply(lend) | Action::Withdraw(lend) | Action::Borrow(lend) | Action::Repay(lend) => Some(lend),
        _ => None,
    }
}

fn signed_column(name: &str, values: impl Iterator<Item = I256>) -> Column {
    Column::new(
        name.into(),
        values
            .map(|value| value.to_be_bytes::<32>().to_vec())
            .collect::<Vec<_>>(),
    )
}

fn write(path: &Path, rows: usize, columns: Vec<Column>) -> Result<(), DataError> {
    let failed = |error: polars::error::PolarsError| DataError::file(path, error.to_string());
    let write = |file: File| -> PolarsResult<u64> {
        let mut frame = DataFrame::new(rows, columns)?;
        ParquetWriter::new(file)
            .with_compression(ParquetCompression::Zstd(None))
            .finish(&mut frame)
    };
    write(File::create(path).map_err(DataError::io(path, "write"))?)
        .map(drop)
        .map_err(failed)
}
