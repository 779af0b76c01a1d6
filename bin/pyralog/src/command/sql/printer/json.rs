//! JSON: an object for each row, in one document or each on a line of its own. Cells
//! stay as the server wrote them.

use super::{Cell, Printer};
use crate::failure::Failure;
use pyralog_console::api::{SqlColumn, SqlDone};
use std::collections::BTreeSet;
use std::io::Write;

/// Prints objects.
pub struct JsonPrinter {
    /// The names, no two alike, as JSON.
    keys: Vec<String>,
    is_document: bool,
    rows: u64,
}

impl JsonPrinter {
    /// One array of objects.
    pub fn document(columns: &[SqlColumn]) -> JsonPrinter {
        JsonPrinter { keys: keys(columns), is_document: true, rows: 0 }
    }

    /// An object a line.
    pub fn lines(columns: &[SqlColumn]) -> JsonPrinter {
        JsonPrinter { is_document: false, ..JsonPrinter::document(columns) }
    }

    fn object(&self, row: &[Cell], out: &mut dyn Write) -> Result<(), Failure> {
        for (place, (key, cell)) in self.keys.iter().zip(row).enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            write!(out, "{before}{key}:{cell}")?;
        }
        // An answer may have no columns at all.
        Ok(out.write_all(if row.is_empty() { b"{}" } else { b"}" })?)
    }
}

impl Printer for JsonPrinter {
    fn rows(&mut self, rows: &[Vec<Cell>], out: &mut dyn Write) -> Result<(), Failure> {
        for row in rows {
            if self.is_document {
                out.write_all(if self.rows == 0 { b"[\n  " } else { b",\n  " })?;
            }
            self.object(row, out)?;
            if !self.is_document {
                out.write_all(b"\n")?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn end(&mut self, _: SqlDone, out: &mut dyn Write) -> Result<(), Failure> {
        let end = match (self.is_document, self.rows) {
            (true, 0) => "[]\n",
            (true, _) => "\n]\n",
            (false, _) => "",
        };
        Ok(out.write_all(end.as_bytes())?)
    }
}

/// Names as keys of an object: the second `n` is `n_2`.
fn keys(columns: &[SqlColumn]) -> Vec<String> {
    let names: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut taken = BTreeSet::new();
    let key = |column: &SqlColumn| {
        let name = &column.name;
        let others = (2..).map(|time| format!("{name}_{time}"));
        let others = others.filter(|other| !names.contains(other.as_str()));
        let mut ways = std::iter::once(name.clone()).chain(others);
        let key = ways.find(|way| taken.insert(way.clone())).expect("there is no end of names");
        serde_json::Value::from(key).to_string()
    };
    columns.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::sql::printer::tests::{column, printed};

    #[test]
    fn no_two_keys_are_alike() {
        let names = ["n", "n_2", "n", "n", "say \"n\""];
        let columns: Vec<_> = names.map(|name| column(name, "BIGINT")).into();
        assert_eq!(keys(&columns), ["\"n\"", "\"n_2\"", "\"n_3\"", "\"n_4\"", "\"say \\\"n\\\"\""]);
    }

    #[test]
    fn rows_without_columns_are_objects_without_fields() {
        let lines = Box::new(JsonPrinter::lines(&[]));
        assert_eq!(printed(lines, "[[],[]]"), "{}\n{}\n");
    }
}
