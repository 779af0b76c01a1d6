//! `GET /v1/logs/{name}/records`: records out, one JSON document a line.
//!
//! Partitions take turns, a slice each. One slice is in memory at a time; the
//! next is read when the client has taken it.

use super::read_plan::{ReadFrom, ReadQuery, plan};
use super::{NDJSON, line};
use crate::api::{Decimal, HeaderText, RecordOut, Text};
use crate::logs;
use crate::reply::Refusal;
use crate::request::{NameInPath, Parameters};
use crate::routes::{LogContext, Logs};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::future::select_all;
use futures::stream::{self, StreamExt};
use pyralog_model::{BatchHeader, ErrorCode, Offset, Record, ScarabId, decode_records};
use pyralog_partition::LogEntry;
use std::convert::Infallible;
use std::sync::Arc;

/// How much of a partition is read at once.
const SLICE_BYTES: usize = 512 * 1024;
/// How large one batch may become when decompressed.
const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Sends records.
pub async fn consume(
    Logs(context): Logs,
    NameInPath(name): NameInPath,
    Parameters(query): Parameters<ReadQuery>,
) -> Result<Response, Refusal> {
    let log = logs::find(&context, &name)?;
    let partitions = plan(&context, &log, &query)?;
    let reading = Reading {
        context,
        log,
        partitions,
        turn: 0,
        left: query.limit.unwrap_or(u64::MAX),
        failed: false,
    };
    let chunks = stream::unfold(reading, |mut reading| async {
        let chunk = reading.next_chunk().await?;
        Some((chunk, reading))
    });
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(chunks.map(Ok::<_, Infallible>)))
        .into_response())
}

/// One request on its way through.
struct Reading {
    context: LogContext,
    log: Arc<LogEntry>,
    partitions: Vec<ReadFrom>,
    turn: usize,
    /// Records that may still be sent.
    left: u64,
    failed: bool,
}

impl Reading {
    /// The next lines; `None` at the end. The last line says why the stream
    /// ends, if nobody asked for that.
    async fn next_chunk(&mut self) -> Option<Bytes> {
        if self.failed {
            return None;
        }
        let context = self.context.clone();
        let outcome = tokio::select! {
            biased;
            stopped = context.stopped() => Err(stopped),
            outcome = self.work() => outcome,
        };
        outcome.unwrap_or_else(|refusal| {
            self.failed = true;
            Some(line(&logs::or_deleted(&self.context, &self.log, refusal).body()))
        })
    }

    async fn work(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            if self.left == 0 || self.partitions.iter().all(ReadFrom::is_done) {
                return Ok(None);
            }
            let Some(index) = self.next_partition() else {
                self.wait().await?;
                continue;
            };
            let lines = self.slice(index).await?;
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
    }

    /// The next partition in turn that has records.
    fn next_partition(&mut self) -> Option<usize> {
        let count = self.partitions.len();
        let found = (0..count)
            .map(|step| (self.turn + step) % count)
            .find(|i| self.partitions[*i].has_more())?;
        self.turn = found + 1;
        Some(found)
    }

    /// Until a partition has more.
    async fn wait(&mut self) -> Result<(), Refusal> {
        let waiting = self.partitions.iter_mut().filter(|partition| !partition.is_done());
        let (outcome, ..) =
            select_all(waiting.map(|partition| partition.high.changed().boxed())).await;
        let stopped = |_| {
            let message = "the partition has stopped; ask again in a moment";
            Refusal::new(ErrorCode::Unavailable, message)
        };
        outcome.map_err(stopped)
    }

    async fn slice(&mut self, index: usize) -> Result<Bytes, Refusal> {
        let from = &mut self.partitions[index];
        let slice = self.context.shen.read(from.id, from.next, SLICE_BYTES).await?;
        let mut pieces = slice.batches.into_iter().zip(slice.scarab_bases);
        let mut lines = BytesMut::new();
        let before = from.next;
        while self.left > 0 && !from.is_done() {
            let Some((batch, scarab_base)) = pieces.next() else { break };
            let corrupt = |why: String| Refusal::new(ErrorCode::StorageCorrupt, why);
            let header = BatchHeader::parse(&batch).map_err(|error| corrupt(error.to_string()))?;
            let base = Offset(u64::try_from(header.base_offset).unwrap_or(0));
            if header.is_control() {
                from.next = base.plus(header.offsets());
                continue;
            }
            let records = decode_records(&header, &batch, BATCH_BYTES_MAX)
                .map_err(|error| undecodable(base, &error))?;
            for record in records {
                let record = record.map_err(|error| undecodable(base, &error))?;
                let offset = base.plus(u64::try_from(record.offset_delta).unwrap_or(0));
                if offset < from.next || from.end.is_some_and(|end| offset >= end) || self.left == 0
                {
                    continue;
                }
                let id = scarab_id(scarab_base, record.offset_delta);
                lines.extend_from_slice(&line(&shown(from.id.partition.0, offset, id, &record)));
                from.next = offset.plus(1);
                self.left -= 1;
            }
            if self.left > 0 {
                from.next = from.next.max(base.plus(header.offsets()));
            }
        }
        if from.next == before && self.left > 0 {
            let message = format!("a read at offset {before} brought nothing");
            return Err(Refusal::new(ErrorCode::Internal, message));
        }
        Ok(lines.freeze())
    }
}

/// A batch that a producer compressed in a way that cannot be undone. Kafka
/// clients can still fetch it as it is.
fn undecodable(base: Offset, error: &dyn std::error::Error) -> Refusal {
    let message =
        format!("the batch at offset {base} cannot be shown: {error}; fetch it over Kafka");
    Refusal::new(ErrorCode::RecordCorrupt, message)
}

/// The id of a record, if its batch has ids.
fn scarab_id(base: u64, offset_delta: i32) -> Option<Decimal> {
    let index = u64::try_from(offset_delta).ok()?;
    (base != 0).then(|| Decimal(ScarabId(base).nth(index).0))
}

/// A record as it is told.
pub(super) fn shown(
    partition: u32,
    offset: Offset,
    scarab_id: Option<Decimal>,
    record: &Record,
) -> RecordOut {
    let text = |bytes: &Option<Bytes>| bytes.as_deref().map(Text::from_bytes);
    RecordOut {
        partition,
        offset: offset.0,
        scarab_id,
        timestamp: record.timestamp,
        key: text(&record.key),
        value: text(&record.value),
        headers: record
            .headers
            .iter()
            .map(|header| HeaderText { key: header.key.clone(), value: text(&header.value) })
            .collect(),
    }
}
