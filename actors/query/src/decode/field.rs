//! One field of a document on its way into its column.
//!
//! | JSON | becomes |
//! |---|---|
//! | a string | whatever the column's type reads from it |
//! | a number | a number if the type has it exactly (`3.0` is 3); of a TIMESTAMP, milliseconds since 1970; its digits in a TEXT |
//! | `true`, `false` | a BOOLEAN, or the word in a TEXT |
//! | an object, an array | itself, as JSON, in a TEXT |
//! | `null`, nothing | NULL |
//!
//! Everything else is NULL, and counted: a log takes what producers send, and one
//! odd field must not stop a query over a million others.

use super::decimal::Written;
use super::time;
use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder,
    Int16Builder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use pyralog_model::ColumnKind;
use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

/// The values of one column.
pub(super) enum FieldBuilder {
    Boolean(BooleanBuilder),
    SmallInt(Int16Builder),
    Integer(Int32Builder),
    BigInt(Int64Builder),
    Real(Float32Builder),
    Double(Float64Builder),
    Text(StringBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Decimal { builder: Decimal128Builder, precision: u8, scale: u8 },
}

/// A JSON value that is not `null`.
enum Json<'a> {
    Text(Cow<'a, str>),
    Number(&'a str),
    Boolean(bool),
    /// An object or an array, as it is written.
    Nested(&'a str),
}

impl<'a> Json<'a> {
    /// From the text of one value, already known to be JSON.
    fn of(text: &'a str) -> Option<Json<'a>> {
        match text.as_bytes().first()? {
            b'"' => {
                let inner = text.get(1..text.len() - 1)?;
                match inner.contains('\\') {
                    false => Some(Json::Text(Cow::Borrowed(inner))),
                    // A lone surrogate, which no text has.
                    true => {
                        serde_json::from_str(text).ok().map(|text| Json::Text(Cow::Owned(text)))
                    }
                }
            }
            b't' => Some(Json::Boolean(true)),
            b'f' => Some(Json::Boolean(false)),
            b'{' | b'[' => Some(Json::Nested(text)),
            _ => Some(Json::Number(text)),
        }
    }

    /// What is written in a string, or the digits of a number.
    fn written(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text.trim()),
            Json::Number(digits) => Some(digits),
            Json::Boolean(_) | Json::Nested(_) => None,
        }
    }
}

/// The text that a TEXT column has of a field; `None` for `null`.
pub(crate) fn text_of(json: &str) -> Option<Cow<'_, str>> {
    match Json::of(json)? {
        Json::Text(text) => Some(text),
        Json::Number("null") => None,
        Json::Number(digits) => Some(Cow::Borrowed(digits)),
        Json::Boolean(truth) => Some(Cow::Borrowed(if truth { "true" } else { "false" })),
        Json::Nested(text) => Some(Cow::Borrowed(text)),
    }
}

impl FieldBuilder {
    pub(super) fn new(kind: ColumnKind) -> FieldBuilder {
        match kind {
            ColumnKind::Boolean => FieldBuilder::Boolean(BooleanBuilder::new()),
            ColumnKind::SmallInt => FieldBuilder::SmallInt(Int16Builder::new()),
            ColumnKind::Integer => FieldBuilder::Integer(Int32Builder::new()),
            ColumnKind::BigInt => FieldBuilder::BigInt(Int64Builder::new()),
            ColumnKind::Real => FieldBuilder::Real(Float32Builder::new()),
            ColumnKind::Double => FieldBuilder::Double(Float64Builder::new()),
            ColumnKind::Text => FieldBuilder::Text(StringBuilder::new()),
            ColumnKind::Date => FieldBuilder::Date(Date32Builder::new()),
            ColumnKind::Timestamp => FieldBuilder::Timestamp(TimestampMicrosecondBuilder::new()),
            ColumnKind::Decimal { precision, scale } => {
                let builder = Decimal128Builder::new()
                    .with_precision_and_scale(precision, scale as i8)
                    .expect("a schema's precisions and scales are checked");
                FieldBuilder::Decimal { builder, precision, scale }
            }
        }
    }

    /// A row: the text of the field if there is one. False if it was not to be had as
    /// the column's type and became NULL.
    pub(super) fn push(&mut self, text: Option<&str>) -> bool {
        let Some(text) = text.filter(|text| *text != "null") else {
            self.push_null();
            return true;
        };
        let pushed = Json::of(text).and_then(|json| self.push_json(&json)).is_some();
        if !pushed {
            self.push_null();
        }
        pushed
    }

    fn push_json(&mut self, json: &Json<'_>) -> Option<()> {
        match self {
            FieldBuilder::Boolean(column) => column.append_value(boolean(json)?),
            FieldBuilder::SmallInt(column) => column.append_value(integer(json)?),
            FieldBuilder::Integer(column) => column.append_value(integer(json)?),
            FieldBuilder::BigInt(column) => column.append_value(integer(json)?),
            FieldBuilder::Real(column) => column.append_value(float(json, f32::is_infinite)?),
            FieldBuilder::Double(column) => column.append_value(float(json, f64::is_infinite)?),
            FieldBuilder::Text(column) => match json {
                Json::Text(text) => column.append_value(text),
                Json::Number(text) | Json::Nested(text) => column.append_value(text),
                Json::Boolean(truth) => column.append_value(if *truth { "true" } else { "false" }),
            },
            FieldBuilder::Date(column) => match json {
                Json::Text(text) => column.append_value(time::date(text.trim())?),
                _ => return None,
            },
            FieldBuilder::Timestamp(column) => column.append_value(timestamp(json)?),
            FieldBuilder::Decimal { builder, precision, scale } => {
                let digits = Written::parse(json.written()?)?.at_scale(*scale)?;
                let fits = digits.unsigned_abs() < 10_u128.pow(u32::from(*precision));
                builder.append_value(fits.then_some(digits)?);
            }
        }
        Some(())
    }

    fn push_null(&mut self) {
        match self {
            FieldBuilder::Boolean(column) => column.append_null(),
            FieldBuilder::SmallInt(column) => column.append_null(),
            FieldBuilder::Integer(column) => column.append_null(),
            FieldBuilder::BigInt(column) => column.append_null(),
            FieldBuilder::Real(column) => column.append_null(),
            FieldBuilder::Double(column) => column.append_null(),
            FieldBuilder::Text(column) => column.append_null(),
            FieldBuilder::Date(column) => column.append_null(),
            FieldBuilder::Timestamp(column) => column.append_null(),
            FieldBuilder::Decimal { builder, .. } => builder.append_null(),
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            FieldBuilder::Boolean(column) => Arc::new(column.finish()),
            FieldBuilder::SmallInt(column) => Arc::new(column.finish()),
            FieldBuilder::Integer(column) => Arc::new(column.finish()),
            FieldBuilder::BigInt(column) => Arc::new(column.finish()),
            FieldBuilder::Real(column) => Arc::new(column.finish()),
            FieldBuilder::Double(column) => Arc::new(column.finish()),
            FieldBuilder::Text(column) => Arc::new(column.finish()),
            FieldBuilder::Date(column) => Arc::new(column.finish()),
            FieldBuilder::Timestamp(column) => Arc::new(column.finish()),
            FieldBuilder::Decimal { builder, .. } => Arc::new(builder.finish()),
        }
    }
}

fn boolean(json: &Json<'_>) -> Option<bool> {
    match json {
        Json::Boolean(truth) => Some(*truth),
        Json::Text(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Json::Text(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        _ => match Written::parse(json.written()?)?.at_scale(0)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

fn integer<T: FromStr + TryFrom<i128>>(json: &Json<'_>) -> Option<T> {
    let written = json.written()?;
    // The way of nearly all of them; `3.0` and `1e3` take the other one.
    written.parse().ok().or_else(|| Written::parse(written)?.at_scale(0)?.try_into().ok())
}

/// `is_infinite` refuses what is too large to be had: an infinity must be spelt out.
fn float<T: FromStr + Copy>(json: &Json<'_>, is_infinite: impl Fn(T) -> bool) -> Option<T> {
    let written = json.written()?;
    let number = written.parse().ok()?;
    let spelt_out = || written.bytes().all(|byte| !byte.is_ascii_digit());
    (!is_infinite(number) || spelt_out()).then_some(number)
}

/// Microseconds since 1970.
fn timestamp(json: &Json<'_>) -> Option<i64> {
    match json {
        Json::Text(text) => time::timestamp(text.trim()),
        Json::Number(millis) => Written::parse(millis)?.cut_at_scale(3)?.try_into().ok(),
        Json::Boolean(_) | Json::Nested(_) => None,
    }
}
