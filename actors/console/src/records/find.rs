//! `GET /v1/logs/{name}/keys/{key}`: the newest record with a key, or all of them.

use super::consume::shown;
use super::{NDJSON, line};
use crate::api::{Decimal, RecordOut};
use crate::logs;
use crate::reply::Refusal;
use crate::request::Parameters;
use crate::routes::Logs;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use percent_encoding::percent_decode_str;
use pyralog_model::{ErrorCode, Offset};
use pyralog_partition::{FindKey, LogEntry};
use pyralog_store::FoundRecord;
use serde::Deserialize;
use std::time::Duration;

const JSON: &str = "application/json";
/// Versions that are told when nobody says how many.
const VERSIONS_USUAL: usize = 100;
/// How long a question may take that has to scan.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most versions of one answer.
const VERSIONS_MAX: usize = 10_000;

/// What the query may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindQuery {
    /// Every version, newest first.
    #[serde(default)]
    all: bool,
    /// Only this partition.
    partition: Option<u32>,
    /// Only versions before this offset.
    before: Option<u64>,
    /// The most versions.
    limit: Option<usize>,
}

/// Finds records.
pub async fn find(
    Logs(context): Logs,
    Parameters(query): Parameters<FindQuery>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let (name, key) = in_path(uri.path());
    let log = logs::find(&context, &name)?;
    let wanted = wanted(&log, &query, key)?;
    let found = context.shen.find_key(&log, wanted).await;
    let found = found.map_err(|error| logs::or_deleted(&context, &log, error.into()))?;
    if query.all {
        let lines = found.iter().map(|found| line(&told(found)));
        let lines = lines.fold(BytesMut::new(), |mut lines, line| {
            lines.extend_from_slice(&line);
            lines
        });
        return Ok(([(CONTENT_TYPE, NDJSON)], lines.freeze()).into_response());
    }
    let missing = |what: &str| Err(Refusal::new(ErrorCode::KeyNotFound, what));
    match found.first() {
        None => missing(&format!("no record of log '{name}' has this key")),
        Some(found) if found.record.value.is_none() => missing(&format!(
            "the key was deleted by the record at offset {} of partition {}",
            found.offset, found.partition.partition.0
        )),
        Some(found) => Ok(([(CONTENT_TYPE, JSON)], line(&told(found))).into_response()),
    }
}

fn wanted(log: &LogEntry, query: &FindQuery, key: Bytes) -> Result<FindKey, Refusal> {
    if let Some(partition) = query.partition.filter(|partition| *partition >= log.partitions) {
        let message =
            format!("'{}' has partitions 0 to {}, not {partition}", log.name, log.partitions - 1);
        return Err(Refusal::new(ErrorCode::PartitionNotFound, message));
    }
    let records_max = match (query.all, query.limit) {
        (false, None) => 1,
        (false, Some(_)) => return Err(Refusal::invalid("limit= goes with all=true")),
        (true, limit) => limit.unwrap_or(VERSIONS_USUAL),
    };
    if !(1..=VERSIONS_MAX).contains(&records_max) {
        let message = format!("limit={records_max}: expected 1 to {VERSIONS_MAX}");
        return Err(Refusal::invalid(message));
    }
    let FindQuery { partition, before, .. } = *query;
    Ok(FindKey { key, partition, before: before.map(Offset), records_max, patience: PATIENCE })
}

/// Name and key of `/v1/logs/NAME/keys/KEY`. Keys are bytes, of which a path may have
/// any behind percents.
fn in_path(path: &str) -> (String, Bytes) {
    let mut parts = path.splitn(6, '/').skip(3);
    let name = percent_decode_str(parts.next().unwrap_or_default()).decode_utf8_lossy();
    let key = parts.nth(1).unwrap_or_default();
    (name.into_owned(), Bytes::from(percent_decode_str(key).collect::<Vec<u8>>()))
}

fn told(found: &FoundRecord) -> RecordOut {
    let id = found.scarab_id.map(|id| Decimal(id.0));
    shown(found.partition.partition.0, found.offset, id, &found.record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_path() {
        for (path, key) in [
            ("/v1/logs/flights/keys/UA1545", &b"UA1545"[..]),
            ("/v1/logs/flights/keys/", b""),
            ("/v1/logs/flights/keys/a/b", b"a/b"),
            ("/v1/logs/flights/keys/a%2Fb%20%25", b"a/b %"),
            ("/v1/logs/flights/keys/%FF%00", &[0xff, 0]),
        ] {
            assert_eq!(in_path(path), ("flights".into(), Bytes::from_static(key)), "{path}");
        }
    }
}
