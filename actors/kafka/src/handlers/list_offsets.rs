//! ListOffsets: the first offset, the next one, or the first record of a time.
//!
//! The question is read in place and the answer written as it is found.

use crate::handlers::fetch::check_epoch;
use crate::handlers::partition_id;
use crate::kafka_errors::{
    INVALID_REQUEST, NONE, UNKNOWN_SERVER_ERROR, UNKNOWN_TOPIC_OR_PARTITION, UNSUPPORTED_VERSION,
    kafka_error,
};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Reader, Writer};
use bytes::Bytes;
use pyralog_model::{BatchHeader, Compression, Offset, PartitionId, decode_records};
use std::collections::BTreeSet;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// The most bytes that one batch may decompress to while a time is looked up. They
/// are taken from the memory that all connections share: a small request must not
/// buy a large buffer as often as it likes.
const RECORDS_BYTES_MAX: usize = 32 << 20;

/// What is asked of one partition.
struct Question {
    index: i32,
    epoch: i32,
    timestamp: i64,
}

/// A place in a partition. Without one, offset and timestamp are -1.
struct Found {
    offset: i64,
    timestamp: i64,
    epoch: i32,
}

const NOWHERE: Found = Found { offset: -1, timestamp: -1, epoch: -1 };

/// Answers with one offset for each partition.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let version = request.version;
    let mut reader = request.reader();
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    let mut looked_up = BTreeSet::new();
    if version >= 2 {
        out.i32(0); // throttle time
    }
    let topics = read_head(version, &mut reader)?;
    out.count(topics);
    for _ in 0..topics {
        let name = reader.text()?;
        let log = service.shen.log(name);
        let partitions = reader.count()?;
        out.text(name);
        out.count(partitions);
        for _ in 0..partitions {
            let question = read_partition(version, &mut reader)?;
            let found = match partition_id(log.as_deref(), question.index) {
                None => Err(UNKNOWN_TOPIC_OR_PARTITION),
                // A lookup by time reads a batch: it is done once for each partition.
                Some(id) if !looked_up.insert(id) => Err(INVALID_REQUEST),
                Some(id) => find(service, id, &question).await,
            };
            write_partition(version, question.index, found, &mut out);
        }
        reader.skip_tags()?;
        out.no_tags();
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

/// Reads up to the topics; gives their number.
fn read_head(version: i16, reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    reader.i32()?; // replica
    if version >= 2 {
        reader.i8()?; // isolation: without transactions both levels are one
    }
    reader.count()
}

fn read_partition(version: i16, reader: &mut Reader<'_>) -> Result<Question, Malformed> {
    let index = reader.i32()?;
    let epoch = if version >= 4 { reader.i32()? } else { -1 };
    let timestamp = reader.i64()?;
    reader.skip_tags()?;
    Ok(Question { index, epoch, timestamp })
}

async fn find(service: &Service, id: PartitionId, question: &Question) -> Result<Found, i16> {
    let watermarks = service.shen.watermarks(id).map_err(|error| kafka_error(error.code))?;
    check_epoch(question.epoch, &watermarks)?;
    let epoch = watermarks.epoch.0 as i32;
    let at = |offset: u64| Ok(Found { offset: offset as i64, timestamp: -1, epoch });
    match question.timestamp {
        LATEST => at(watermarks.high.0),
        EARLIEST => at(watermarks.log_start.0),
        // Other negative numbers have a meaning in versions not served here.
        ..0 => Err(UNSUPPORTED_VERSION),
        timestamp => {
            let start = watermarks.log_start;
            let found = first_from(service, id, timestamp, (start, start)).await?;
            Ok(found.unwrap_or(NOWHERE))
        }
    }
}

/// The first record at or after `timestamp` and not before the log's `start`, in the
/// batches that end after `from`.
async fn first_from(
    service: &Service,
    id: PartitionId,
    timestamp: i64,
    (start, mut from): (Offset, Offset),
) -> Result<Option<Found>, i16> {
    loop {
        let batch = service.shen.batch_at_time_from(id, timestamp, from).await;
        let Some(batch) = batch.map_err(|error| kafka_error(error.code))? else {
            return Ok(None);
        };
        let header = BatchHeader::parse(&batch).map_err(|_| UNKNOWN_SERVER_ERROR)?;
        let first = start.0 as i64 - header.base_offset;
        match first_at(service, &header, batch, (timestamp, first)).await? {
            // The start lies in this batch, and what was found before it.
            None if first > 0 => from = Offset(header.base_offset as u64).plus(header.offsets()),
            // A batch that cannot be looked into: its beginning, and nothing is missed.
            None => {
                let (offset, timestamp) = (header.base_offset, header.base_timestamp);
                return Ok(Some(Found { offset, timestamp, epoch: header.leader_epoch }));
            }
            found => return Ok(found),
        }
    }
}

/// The first record of `batch` at or after a timestamp and an offset in it.
async fn first_at(
    service: &Service,
    header: &BatchHeader,
    batch: Bytes,
    (timestamp, first): (i64, i64),
) -> Result<Option<Found>, i16> {
    let header = *header;
    let search = move || {
        decode_records(&header, &batch, RECORDS_BYTES_MAX)
            .into_iter()
            .flatten()
            .map_while(Result::ok)
            .find(|record| record.timestamp >= timestamp && i64::from(record.offset_delta) >= first)
            .map(|record| (record.offset_delta, record.timestamp))
    };
    let found = match header.compression() {
        Ok(Compression::None) => search(),
        // Decompression takes its time, which belongs to other connections.
        _ => {
            let _room = service.admit_response(RECORDS_BYTES_MAX).await;
            tokio::task::spawn_blocking(search).await.map_err(|_| UNKNOWN_SERVER_ERROR)?
        }
    };
    Ok(found.map(|(delta, timestamp)| {
        let offset = header.base_offset + i64::from(delta);
        Found { offset, timestamp, epoch: header.leader_epoch }
    }))
}

fn write_partition(version: i16, index: i32, found: Result<Found, i16>, out: &mut Writer) {
    let (error, found) = found.map_or_else(|error| (error, NOWHERE), |found| (NONE, found));
    out.i32(index);
    out.i16(error);
    out.i64(found.timestamp);
    out.i64(found.offset);
    if version >= 4 {
        out.i32(found.epoch);
    }
    out.no_tags();
}
