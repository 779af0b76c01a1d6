//! A table for people, in pages: the first is measured, and the others are as wide,
//! so that an answer of any length is printed as it comes.
//!
//! On a terminal it is as wide as that, and where the columns do not fit beside each
//! other, each row is written below the last, a line a column.

use super::layout::{GAP, widths};
use super::{Cell, Printer, is_null, text};
use crate::command::sql::shown;
use crate::failure::Failure;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, CellAlignment, ColumnConstraint, Table, TableComponent, Width};
use pyralog_console::api::{SqlColumn, SqlDone};
use std::io::Write;
use std::time::Duration;

/// Rows of a page.
const PAGE_ROWS: usize = 1_000;

/// What NULL looks like.
const NULL: &str = "NULL";

/// Prints tables.
pub struct TablePrinter {
    columns: Vec<SqlColumn>,
    /// Rows that are not printed yet; `None` is NULL.
    page: Vec<Vec<Option<String>>>,
    /// The width of the terminal, if it is one.
    terminal: Option<usize>,
    layout: Option<Layout>,
    rows: u64,
}

/// How the rows are laid out, decided by the first page.
enum Layout {
    /// Columns beside each other: at least, or on a terminal exactly, so wide.
    Beside(Vec<usize>),
    /// A line for each column, with names so wide.
    Below(usize),
}

impl TablePrinter {
    /// A printer on standard output.
    pub fn new(columns: Vec<SqlColumn>) -> TablePrinter {
        let terminal = Table::new().width().map(usize::from);
        TablePrinter { columns, page: Vec::new(), terminal, layout: None, rows: 0 }
    }

    fn print_page(&mut self, out: &mut dyn Write) -> Result<(), Failure> {
        let page = std::mem::take(&mut self.page);
        let is_first = self.layout.is_none();
        let layout = self.layout.get_or_insert_with(|| layout(&self.columns, &page, self.terminal));
        match layout {
            Layout::Beside(widths) => {
                let mut table = table(&self.columns, &page, is_first);
                for (place, column) in table.column_iter_mut().enumerate() {
                    let width = widths[place] + gap(place, &self.columns);
                    let width = Width::Fixed(u16::try_from(width).unwrap_or(u16::MAX));
                    column.set_constraint(match self.terminal {
                        Some(_) => ColumnConstraint::Absolute(width),
                        None => ColumnConstraint::LowerBoundary(width),
                    });
                }
                for line in table.lines() {
                    writeln!(out, "{}", line.trim_end())?;
                }
            }
            Layout::Below(width) => {
                for row in &page {
                    self.rows += 1;
                    writeln!(out, "── {} ──", self.rows)?;
                    for (column, cell) in self.columns.iter().zip(row) {
                        let cell = cell.as_deref().unwrap_or(NULL);
                        let indented = cell.replace('\n', &format!("\n{:width$}  ", ""));
                        writeln!(out, "{:width$}  {indented}", column.name)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Printer for TablePrinter {
    fn rows(&mut self, rows: &[Vec<Cell>], out: &mut dyn Write) -> Result<(), Failure> {
        for row in rows {
            let cells = row.iter().zip(&self.columns);
            self.page.push(cells.map(|(cell, column)| readable(cell, &column.kind)).collect());
            if self.page.len() == PAGE_ROWS {
                self.print_page(out)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, done: SqlDone, out: &mut dyn Write) -> Result<(), Failure> {
        if !self.page.is_empty() || self.layout.is_none() {
            self.print_page(out)?;
        }
        out.flush()?;
        let rows = if done.rows == 1 { "1 row".to_owned() } else { format!("{} rows", done.rows) };
        let time = shown(Duration::from_millis(done.elapsed_ms));
        // Nobody may be there to read it.
        let _ = writeln!(std::io::stderr().lock(), "({rows}, {time})");
        Ok(())
    }
}

fn layout(columns: &[SqlColumn], page: &[Vec<Option<String>>], terminal: Option<usize>) -> Layout {
    let natural = table(columns, page, true).column_max_content_widths();
    let natural: Vec<usize> = natural.into_iter().map(usize::from).collect();
    let name = columns.iter().map(|column| column.name.chars().count()).max();
    match terminal {
        None => Layout::Beside(natural),
        Some(width) => match widths(&natural, width) {
            Some(widths) => Layout::Beside(widths),
            None => Layout::Below(name.unwrap_or(0)),
        },
    }
}

/// Rows beside each other, numbers to the right.
fn table(columns: &[SqlColumn], page: &[Vec<Option<String>>], head: bool) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    if head {
        let names = columns.iter().map(|column| plain(&column.name));
        table.set_header(
            names.map(|name| comfy_table::Cell::new(name).add_attribute(Attribute::Bold)),
        );
        table.set_style(TableComponent::HeaderLines, '─');
    }
    for row in page {
        let cell = |cell: &Option<String>| match cell {
            Some(text) => comfy_table::Cell::new(text),
            None => comfy_table::Cell::new(NULL).add_attribute(Attribute::Dim),
        };
        table.add_row(row.iter().map(cell));
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, gap(place, columns) as u16));
        if columns[place].is_number() {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Blanks after a column; none after the last.
fn gap(place: usize, columns: &[SqlColumn]) -> usize {
    if place + 1 == columns.len() { 0 } else { GAP }
}

/// A cell for eyes: a moment has a blank between its date and its time.
fn readable(cell: Cell, kind: &str) -> Option<String> {
    let text = (!is_null(cell)).then(|| text(cell))?;
    Some(match kind.starts_with("TIMESTAMP") {
        true => text.replacen('T', " ", 1),
        // A plan ends with a newline, which is no line of its own.
        false => plain(text.trim_end_matches('\n')),
    })
}

/// Text without anything that a terminal would obey. Lines stay lines.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => plain.push('\n'),
            '\t' => plain.push_str("    "),
            c if c.is_control() => plain.extend(c.escape_default()),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::sql::printer::tests::{column, printed};

    fn columns() -> Vec<SqlColumn> {
        vec![column("carrier", "TEXT"), column("n", "BIGINT"), column("at", "TIMESTAMP(3)")]
    }

    fn shown_at(terminal: Option<usize>, rows: &str) -> String {
        let mut printer = TablePrinter::new(columns());
        printer.terminal = terminal;
        printed(Box::new(printer), rows)
    }

    #[test]
    fn numbers_stand_to_the_right_and_null_is_not_empty() {
        let rows = r#"[["UA",12345,"2013-01-01T10:00:00"],[null,7,null],["",null,null]]"#;
        let expect = "\
carrier      n  at
───────────────────────────────────
UA       12345  2013-01-01 10:00:00
NULL         7  NULL
          NULL  NULL
";
        assert_eq!(shown_at(None, rows), expect);
        assert_eq!(shown_at(Some(80), rows), expect);
    }

    #[test]
    fn what_does_not_fit_beside_stands_below() {
        let rows = r#"[["a long name of a carrier",12345,"2013-01-01T10:00:00"]]"#;
        let expect = "\
── 1 ──
carrier  a long name of a carrier
n        12345
at       2013-01-01 10:00:00
";
        assert_eq!(shown_at(Some(30), rows), expect);
        let wrapped = shown_at(Some(48), rows);
        assert!(wrapped.lines().all(|line| line.chars().count() <= 48), "{wrapped}");
        assert!(wrapped.starts_with("carrier"), "{wrapped}");
    }

    #[test]
    fn later_pages_are_as_wide_as_the_first() {
        let rows: Vec<_> = (0..2_500).map(|n| serde_json::json!(["UA", n, null])).collect();
        let text = shown_at(None, &serde_json::Value::from(rows).to_string());
        assert_eq!(text.lines().count(), 2_502);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[2], "UA         0  NULL");
        assert_eq!(lines[2_501], "UA       2499  NULL");
    }

    #[test]
    fn a_record_cannot_speak_to_the_terminal() {
        let rows = serde_json::json!([["\u{1b}[2J\tbell\u{7}", 1, null]]).to_string();
        let text = shown_at(None, &rows);
        assert!(text.contains("\\u{1b}[2J    bell\\u{7}") && !text.contains('\u{1b}'), "{text}");
    }
}
