//! CSV: a head, and a line for each row. NULL is empty, the empty text is `""`.

use super::{Cell, Printer, is_null, text};
use crate::failure::Failure;
use pyralog_console::api::{SqlColumn, SqlDone};
use std::borrow::Cow;
use std::io::Write;

/// Prints CSV.
pub struct CsvPrinter {
    /// Columns whose head is not printed yet.
    columns: Option<Vec<SqlColumn>>,
}

impl CsvPrinter {
    /// A printer for these columns.
    pub fn new(columns: Vec<SqlColumn>) -> CsvPrinter {
        CsvPrinter { columns: Some(columns) }
    }

    fn head(&mut self, out: &mut dyn Write) -> Result<(), Failure> {
        let Some(columns) = self.columns.take() else { return Ok(()) };
        line(columns.iter().map(|column| field(&column.name)), out)
    }
}

impl Printer for CsvPrinter {
    fn rows(&mut self, rows: &[Vec<Cell>], out: &mut dyn Write) -> Result<(), Failure> {
        self.head(out)?;
        for row in rows {
            let cell = |cell: &Cell| match is_null(cell) {
                true => Cow::Borrowed(""),
                false => Cow::Owned(field(&text(cell)).into_owned()),
            };
            line(row.iter().map(cell), out)?;
        }
        Ok(())
    }

    fn end(&mut self, _: SqlDone, out: &mut dyn Write) -> Result<(), Failure> {
        self.head(out)
    }
}

fn line<'a>(
    fields: impl Iterator<Item = Cow<'a, str>>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    for (place, field) in fields.enumerate() {
        let comma = if place == 0 { "" } else { "," };
        write!(out, "{comma}{field}")?;
    }
    Ok(writeln!(out)?)
}

/// A text as a field: in quotes if it is empty or has something in it that ends one.
fn field(text: &str) -> Cow<'_, str> {
    match !text.is_empty() && !text.contains(['"', ',', '\r', '\n']) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("\"{}\"", text.replace('"', "\"\""))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_when_they_must_be() {
        for (text, expect) in [
            ("plain text", "plain text"),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("\"", "\"\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(field(text), expect);
        }
    }
}
