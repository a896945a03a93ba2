//! Figures as risk tables write them.

use crate::report::decimal;
use comfy_table::{CellAlignment, Table, presets};

/// `1,234.50`.
pub(crate) fn usd(value: f64) -> String {
    decimal(value, 2)
}

/// `−20 %`, `+2.5 %`: as many places as say something, at most four.
pub(super) fn signed_percent(value: f64) -> String {
    let text = decimal(value, 4);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{}{text} %", if value > 0.0 { "+" } else { "" })
}

/// A table whose columns after the first stand on the right.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.add_rows(rows);
    table.to_string()
}

/// Labels with their figures, the figures on the right.
pub(crate) fn pairs(rows: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.add_rows(rows.into_iter().map(|(label, figure)| [label.to_owned(), figure]));
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}
