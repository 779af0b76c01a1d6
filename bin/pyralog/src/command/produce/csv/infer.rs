//! A schema out of the first rows: each column gets the narrowest kind that holds
//! all of its fields, and `TEXT` if there is none.

use super::header::CsvError;
use super::row::Row;
use super::token::is_number;
use pyralog_model::{Column, ColumnKind, Schema};

/// Whether a field is of a kind.
type Fits = fn(&str) -> bool;

/// Kinds that can be told from a text, the narrowest first. Times without a zone
/// are times in UTC.
const KINDS: [(ColumnKind, Fits); 5] = [
    (ColumnKind::Boolean, |field| matches!(field, "true" | "false")),
    (ColumnKind::BigInt, |field| is_number(field) && field.parse::<i64>().is_ok()),
    (ColumnKind::Double, is_number),
    (ColumnKind::Date, |field| field.len() == 10 && field.parse::<jiff::civil::Date>().is_ok()),
    (ColumnKind::Timestamp, is_timestamp),
];

fn is_timestamp(field: &str) -> bool {
    let has_time = matches!(field.as_bytes().get(10), Some(b'T' | b't' | b' '));
    has_time
        && (field.parse::<jiff::Timestamp>().is_ok()
            || field.parse::<jiff::civil::DateTime>().is_ok())
}

/// A schema of these columns. One that no schema can have is left out: its fields
/// are in the values all the same.
pub fn schema<'n>(
    names: impl Iterator<Item = &'n str>,
    rows: impl IntoIterator<Item = &'n Row> + Copy,
    is_null: impl Fn(&[u8]) -> bool,
) -> Result<Schema, CsvError> {
    let columns = names.enumerate().filter(|(_, name)| !name.starts_with('_'));
    let columns = columns.map(|(index, name)| {
        let fields = rows.into_iter().filter(|row| row.len() > index);
        let fields = fields.filter_map(|row| row.field(index)).filter(|field| !is_null(field));
        Column { name: name.to_owned(), kind: kind(fields) }
    });
    Schema::new(columns.collect()).map_err(|error| CsvError::NoSchema(error.to_string()))
}

fn kind<'f>(fields: impl Iterator<Item = &'f [u8]>) -> ColumnKind {
    let mut holds = [true; KINDS.len()];
    let mut seen = false;
    for field in fields {
        seen = true;
        let text = std::str::from_utf8(field).unwrap_or_default();
        for (holds, (_, fits)) in holds.iter_mut().zip(KINDS) {
            *holds = *holds && fits(text);
        }
    }
    // Of a column that was always null nothing is known.
    let narrowest = holds.iter().position(|holds| *holds && seen);
    narrowest.map_or(ColumnKind::Text, |index| KINDS[index].0)
}
