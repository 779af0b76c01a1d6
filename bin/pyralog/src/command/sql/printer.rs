//! How an answer looks, in each of the formats.

mod csv;
mod json;
mod layout;
mod table;

use crate::cli::SqlFormat;
use crate::failure::Failure;
use pyralog_console::api::{SqlColumn, SqlDone};
use serde_json::value::RawValue;
use std::io::Write;

/// A cell as it travelled: JSON.
pub type Cell<'a> = &'a RawValue;

/// Prints an answer as it comes.
pub trait Printer {
    /// Prints some rows, or keeps them until there are more.
    fn rows(&mut self, rows: &[Vec<Cell>], out: &mut dyn Write) -> Result<(), Failure>;

    /// Prints what is left, and what belongs below it.
    fn end(&mut self, done: SqlDone, out: &mut dyn Write) -> Result<(), Failure>;
}

/// A printer for an answer with these columns.
pub fn printer(format: SqlFormat, columns: Vec<SqlColumn>) -> Box<dyn Printer> {
    match format {
        SqlFormat::Table => Box::new(table::TablePrinter::new(columns)),
        SqlFormat::Json => Box::new(json::JsonPrinter::document(&columns)),
        SqlFormat::Ndjson => Box::new(json::JsonPrinter::lines(&columns)),
        SqlFormat::Csv => Box::new(csv::CsvPrinter::new(columns)),
    }
}

/// Whether a cell is NULL.
fn is_null(cell: Cell) -> bool {
    cell.get() == "null"
}

/// A cell as text: the text of a string, the digits of a number, the JSON of the rest.
pub fn text(cell: Cell) -> String {
    let json = cell.get();
    match json.starts_with('"') {
        true => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
        false => json.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn column(name: &str, kind: &str) -> SqlColumn {
        SqlColumn { name: name.into(), kind: kind.into() }
    }

    /// What is printed of rows that are given as JSON, in two pieces.
    pub fn printed(mut printer: Box<dyn Printer>, rows: &str) -> String {
        let rows: Vec<Vec<&RawValue>> = serde_json::from_str(rows).unwrap();
        let (first, second) = rows.split_at(rows.len() / 2);
        let mut out = Vec::new();
        printer.rows(first, &mut out).unwrap();
        printer.rows(second, &mut out).unwrap();
        printer.end(SqlDone { rows: rows.len() as u64, elapsed_ms: 3 }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_format_prints_every_row() {
        let columns = || vec![column("carrier", "TEXT"), column("n", "BIGINT")];
        let rows = "[[\"UA\",12],[null,3],[\"\",-1.50]]";
        for (format, expect) in [
            (SqlFormat::Csv, "carrier,n\nUA,12\n,3\n\"\",-1.50\n"),
            (
                SqlFormat::Ndjson,
                "{\"carrier\":\"UA\",\"n\":12}\n{\"carrier\":null,\"n\":3}\n{\"carrier\":\"\",\"n\":-1.50}\n",
            ),
            (
                SqlFormat::Json,
                "[\n  {\"carrier\":\"UA\",\"n\":12},\n  {\"carrier\":null,\"n\":3},\n  {\"carrier\":\"\",\"n\":-1.50}\n]\n",
            ),
        ] {
            assert_eq!(printed(printer(format, columns()), rows), expect, "{format:?}");
        }
        assert_eq!(printed(printer(SqlFormat::Json, columns()), "[]"), "[]\n");
        assert_eq!(printed(printer(SqlFormat::Csv, columns()), "[]"), "carrier,n\n");
        assert_eq!(printed(printer(SqlFormat::Ndjson, columns()), "[]"), "");
    }

    #[test]
    fn cells_are_text_once_they_leave_json() {
        let cells: Vec<&RawValue> =
            serde_json::from_str(r#"["a\n\"b\"", 1e300, null, {"base64":"/w=="}, true]"#).unwrap();
        let texts: Vec<_> = cells.iter().map(|cell| text(cell)).collect();
        assert_eq!(texts, ["a\n\"b\"", "1e300", "null", "{\"base64\":\"/w==\"}", "true"]);
        assert_eq!(cells.iter().filter(|cell| is_null(cell)).count(), 1);
    }
}
