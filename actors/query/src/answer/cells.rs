//! One column of a batch, cell by cell.
//!
//! | type | JSON | CSV |
//! |---|---|---|
//! | integers to 64 bits with sign, to 32 without | number | digits |
//! | 64 bits without sign (Scarab ids) | digits in quotes: others would round them | digits |
//! | floats | number; `"NaN"`, `"inf"`, `"-inf"` | digits; `NaN`, `inf`, `-inf` |
//! | decimals | digits in quotes, for the same reason | digits |
//! | dates, times, timestamps | ISO 8601, with `Z` or an offset only if there is a zone | the same |
//! | text | text | text |
//! | bytes | text if they are UTF-8, else `{"base64": …}` | the same |
//! | lists | array | the JSON |
//! | structs, maps | object | the JSON |
//! | NULL | `null` | nothing |
//!
//! Whatever else Arrow has is text, as Arrow displays it.

mod kind;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::Array;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::ArrayFormatter;
use kind::Kind;
use pyralog_model::{ApiError, ErrorCode};
use std::fmt;
use std::io::Write;

/// One column, ready to be written.
pub struct Cells<'a> {
    array: &'a dyn Array,
    kind: Kind<'a>,
}

impl<'a> Cells<'a> {
    /// The cells of a column.
    ///
    /// # Errors
    /// `query-failed` for a type that Arrow cannot display.
    pub fn of(array: &'a dyn Array) -> Result<Cells<'a>, ApiError> {
        let kind = kind::of(array).map_err(unshown)?;
        Ok(Cells { array, kind })
    }

    /// The cell of a row as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>, row: usize) -> Result<(), ApiError> {
        if self.array.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Float(display, is_finite) if !is_finite(row) => {
                out.push(b'"');
                bare(out, display, row)?;
                out.push(b'"');
            }
            Kind::Bare(display) | Kind::Float(display, _) => bare(out, display, row)?,
            Kind::Quoted(display) => {
                json_text(out, &display.value(row).try_to_string().map_err(unshown)?);
            }
            Kind::Text(text) => json_text(out, text(row)),
            Kind::Bytes(bytes) => json_bytes(out, bytes(row)),
            Kind::List(range, items) => {
                out.push(b'[');
                for (place, row) in range(row).enumerate() {
                    comma(out, place);
                    items.write_json(out, row)?;
                }
                out.push(b']');
            }
            Kind::Struct(fields) => {
                out.push(b'{');
                for (place, (name, cells)) in fields.iter().enumerate() {
                    comma(out, place);
                    json_text(out, name);
                    out.push(b':');
                    cells.write_json(out, row)?;
                }
                out.push(b'}');
            }
            Kind::Map(range, keys, values) => {
                out.push(b'{');
                for (place, row) in range(row).enumerate() {
                    comma(out, place);
                    json_text(out, &keys.plain(row)?);
                    out.push(b':');
                    values.write_json(out, row)?;
                }
                out.push(b'}');
            }
            Kind::Dictionary(keys, values) => values.write_json(out, keys[row])?,
        }
        Ok(())
    }

    /// The cell of a row as a field of CSV.
    pub fn write_csv(&self, out: &mut Vec<u8>, row: usize) -> Result<(), ApiError> {
        if self.array.is_null(row) {
            return Ok(());
        }
        match &self.kind {
            Kind::Null => {}
            Kind::Bare(display) | Kind::Float(display, _) => bare(out, display, row)?,
            Kind::Text(text) => write_csv_text(out, text(row)),
            Kind::Dictionary(keys, values) => values.write_csv(out, keys[row])?,
            _ => write_csv_text(out, &self.plain(row)?),
        }
        Ok(())
    }

    /// The cell without quotes: what a CSV field or the key of a map says.
    fn plain(&self, row: usize) -> Result<String, ApiError> {
        if let Kind::Bytes(bytes) = &self.kind
            && let Ok(text) = std::str::from_utf8(bytes(row))
        {
            return Ok(text.to_owned());
        }
        match &self.kind {
            Kind::Text(text) => Ok(text(row).to_owned()),
            Kind::Quoted(display) => display.value(row).try_to_string().map_err(unshown),
            _ => {
                let mut json = Vec::new();
                self.write_json(&mut json, row)?;
                Ok(String::from_utf8(json).expect("JSON is UTF-8"))
            }
        }
    }
}

fn bare(out: &mut Vec<u8>, display: &ArrayFormatter, row: usize) -> Result<(), ApiError> {
    display.value(row).write(&mut Utf8(out)).map_err(unshown)
}

/// Bytes as something that text is written to.
struct Utf8<'a>(&'a mut Vec<u8>);

impl fmt::Write for Utf8<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn comma(out: &mut Vec<u8>, place: usize) {
    if place > 0 {
        out.push(b',');
    }
}

fn json_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("text is written to memory");
}

fn json_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => json_text(out, text),
        Err(_) => write!(out, "{{\"base64\":\"{}\"}}", STANDARD.encode(bytes))
            .expect("bytes are written to memory"),
    }
}

/// A field of CSV: in quotes if it is empty, which NULL is without them, or if it has
/// something in it that would end it.
pub fn write_csv_text(out: &mut Vec<u8>, text: &str) {
    let is_bare = !text.is_empty() && !text.contains(['"', ',', '\r', '\n']);
    if is_bare {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for (place, piece) in text.split('"').enumerate() {
        out.extend_from_slice(if place == 0 { "" } else { "\"\"" }.as_bytes());
        out.extend_from_slice(piece.as_bytes());
    }
    out.push(b'"');
}

fn unshown(error: ArrowError) -> ApiError {
    let message = format!("a value of the answer has no written form: {error}");
    ApiError::new(ErrorCode::QueryFailed, message)
}
