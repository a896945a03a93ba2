//! Columns out of a table that is no book and no chain data: the hourly record of a market, say.

use crate::{DataError, table_file::TableFile};
use std::path::Path;

/// Reads the named columns of a CSV (plain or gzip) or Parquet file, each as long as the table has rows.
///
/// # Errors
/// A file that cannot be read, a column that is missing or holds no numbers, a cell without one: with its row.
pub fn read_columns(path: &Path, names: &[&'static str]) -> Result<Vec<Vec<f64>>, DataError> {
    let table = TableFile::open(path)?;
    names.iter().map(|name| table.numbers(name)).collect()
}

/// Reads the named columns of such a file as text.
///
/// # Errors
/// As [`read_columns`].
pub fn read_texts(path: &Path, names: &[&'static str]) -> Result<Vec<Vec<String>>, DataError> {
    let table = TableFile::open(path)?;
    names.iter().map(|name| table.text(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_the_order_asked_for_and_a_gap_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "a,b,c\n1,2.5,x\n3,4,y\n").expect("it is written");
        assert_eq!(
            read_columns(&path, &["b", "a"]).expect("numbers"),
            [[2.5, 4.0], [1.0, 3.0]]
        );
        let named = |column| read_columns(&path, &[column]).expect_err("refused").to_string();
        assert!(named("d").contains("column 'd' is missing"), "{}", named("d"));
        assert!(named("c").contains("row 1, column 'c'"), "{}", named("c"));
        std::fs::write(&path, "a\n1\n\" \"\n").expect("it is written");
        assert!(
            read_columns(&path, &["a"])
                .expect_err("refused")
                .to_string()
                .contains("row 2, column 'a': is empty")
        );
    }
}
