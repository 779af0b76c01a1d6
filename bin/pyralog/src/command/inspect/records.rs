//! The records of a batch.

use super::cell::{Cell, Fields};
use bytes::Bytes;
use pyralog_console::api::Text;
use pyralog_model::{BatchHeader, Record, ScarabId, decode_records};
use serde_json::{Value, json};

/// Far more than a batch has: 64 MiB, or what it decompresses to.
const BATCH_BYTES_MAX: usize = 256 << 20;

/// Every record of a batch that begins at `base`, its ids beginning with `scarab`
/// if that is not 0. The error says why the records after the last cannot be read.
pub(super) fn rows(
    base: u64,
    scarab: u64,
    header: &BatchHeader,
    batch: &Bytes,
) -> (Vec<Fields>, Option<String>) {
    let records = match decode_records(header, batch, BATCH_BYTES_MAX) {
        Ok(records) => records,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut rows = Vec::new();
    for record in records {
        match record {
            Ok(record) => rows.push(row(base, scarab, &record)),
            Err(error) => return (rows, Some(error.to_string())),
        }
    }
    (rows, None)
}

/// The same as one value, for the frame that they are in.
pub(super) fn value(rows: &[Fields]) -> Value {
    serde_json::to_value(rows).unwrap_or_default()
}

fn row(base: u64, scarab: u64, record: &Record) -> Fields {
    let delta = u64::try_from(record.offset_delta).unwrap_or_default();
    let id = if scarab == 0 { 0 } else { ScarabId(scarab).nth(delta).0 };
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|header| json!({ "key": header.key, "value": plain(header.value.as_ref()) }))
        .collect();
    let headers = if headers.is_empty() { Value::Null } else { Value::Array(headers) };
    Fields(vec![
        ("offset", Cell::new(base + delta)),
        ("time", Cell::time(record.timestamp)),
        ("scarab", Cell::unless(id, 0)),
        ("key", bytes(record.key.as_ref())),
        ("value", bytes(record.value.as_ref())),
        ("headers", Cell::new(headers)),
    ])
}

/// UTF-8 as it is, other bytes in base64; none for a null.
fn plain(bytes: Option<&Bytes>) -> Value {
    let text = bytes.map(|bytes| Text::from_bytes(bytes));
    text.map_or(Value::Null, |text| serde_json::to_value(text).unwrap_or_default())
}

fn bytes(bytes: Option<&Bytes>) -> Cell {
    let value = plain(bytes);
    let text = match &value {
        Value::Null => "-".to_owned(),
        // A line of a table is one line.
        Value::String(text) => text.escape_debug().to_string(),
        other => format!("base64:{}", other["base64"].as_str().unwrap_or_default()),
    };
    Cell { value, text: Some(text) }
}
