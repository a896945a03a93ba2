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

/// Reads every column of a CSV (plain or gzip) or Parquet file with its name, where all hold numbers.
///
/// # Errors
/// A file that cannot be read, a cell that is no number: with its row and column.
pub fn read_all_columns(path: &Path) -> Result<Vec<(String, Vec<f64>)>, DataError> {
    let table = TableFile::open(path)?;
    let column = |(at, name): (usize, &String)| {
        let cell = |(row, cell): (u64, Result<Option<f64>, String>)| {
            let number = cell.and_then(|cell| cell.ok_or_else(|| "is empty".to_owned()));
            number.map_err(|reason| DataError::Row {
                path: path.to_owned(),
                row,
                reason: format!("column '{name}' {reason}"),
            })
        };
        let numbers = (1..).zip(table.numbers_at(at)).map(cell).collect::<Result<_, _>>()?;
        Ok((name.clone(), numbers))
    };
    table.names().iter().enumerate().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_columns_come_with_their_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "a,b\n1,2.5\n3,-4\n").expect("it is written");
        let read = read_all_columns(&path).expect("numbers");
        assert_eq!(
            read,
            [("a".to_owned(), vec![1.0, 3.0]), ("b".to_owned(), vec![2.5, -4.0])]
        );
        std::fs::write(&path, "a,b\n1,2.5\n3,\n").expect("it is written");
        let said = read_all_columns(&path).expect_err("refused").to_string();
        assert!(said.contains("row 2") && said.contains("column 'b' is empty"), "{said}");
    }

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
