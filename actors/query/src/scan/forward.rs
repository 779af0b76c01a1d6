//! Reading ranges from their beginning.
//!
//! Reads begin small, since a query may want ten rows, and grow to a mebibyte. A batch
//! is opened when its turn comes, and only if a column of the record is asked for.

use super::work::GroupScan;
use crate::decode::{Place, RowDecoder};
use crate::failure::external;
use crate::ranges::OffsetRange;
use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::Result;
use futures::Stream;
use open::OpenBatch;
use pyralog_model::{ApiError, BatchHeader, ErrorCode, Offset, ScarabId};
use std::collections::VecDeque;

mod open;

/// Bytes of the first read of a scan.
const READ_BYTES_FIRST: usize = 64 << 10;
/// Bytes of a read once it is clear that many are wanted.
const READ_BYTES_MAX: usize = 1 << 20;

/// The rows of all ranges, in order.
pub(super) fn batches(scan: GroupScan) -> impl Stream<Item = Result<RecordBatch>> + Send {
    let mut ranges = scan.ranges.clone();
    ranges.reverse();
    let forward = Forward::new(scan, ranges);
    futures::stream::try_unfold(forward, |mut forward| async {
        Ok(forward.next().await?.map(|batch| (batch, forward)))
    })
}

/// One group of a scan on its way forward.
pub(super) struct Forward {
    scan: GroupScan,
    decoder: RowDecoder,
    /// Still to be begun; the next one is the last.
    ranges: Vec<OffsetRange>,
    /// What is left of the range that is being read.
    range: Option<OffsetRange>,
    read_bytes: usize,
    /// Read and not yet opened: each with the Scarab id of its first record, or 0.
    pieces: VecDeque<(Bytes, u64)>,
    pieces_bytes: usize,
    open: Option<OpenBatch>,
}

impl Forward {
    /// `ranges` are taken from the back.
    pub(super) fn new(scan: GroupScan, ranges: Vec<OffsetRange>) -> Forward {
        let decoder = scan.decoder();
        Forward {
            scan,
            decoder,
            ranges,
            range: None,
            read_bytes: READ_BYTES_FIRST,
            pieces: VecDeque::new(),
            pieces_bytes: 0,
            open: None,
        }
    }

    /// Begins anew with one range, after the last came to its end.
    pub(super) fn restart(&mut self, range: OffsetRange) {
        self.ranges.push(range);
    }

    /// The scan that it reads for.
    pub(super) fn scan(&self) -> &GroupScan {
        &self.scan
    }

    /// The next rows; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while !self.decoder.is_full() && self.decoder.rows() < self.scan.rows_left {
            if self.open.is_some() {
                self.decode()?;
            } else if let Some((piece, scarab_base)) = self.pieces.pop_front() {
                self.pieces_bytes -= piece.len();
                self.begin_batch(piece, scarab_base)?;
            } else if !self.read().await? {
                break;
            }
        }
        if self.decoder.rows() == 0 {
            return Ok(None);
        }
        let timer = self.scan.metrics.decoding();
        let batch = self.decoder.finish()?;
        drop(timer);
        self.scan.rows_left -= batch.num_rows();
        Ok(Some(batch))
    }

    /// Reads on, in the next range if this one is done. False at the end.
    async fn read(&mut self) -> Result<bool> {
        let range = match self.range {
            Some(range) => range,
            None => match self.ranges.pop() {
                Some(range) => range,
                None => return Ok(false),
            },
        };
        self.range = Some(range);
        let (partition, from) = (self.scan.partition(&range), Offset(range.from));
        let timer = self.scan.metrics.time_reading.timer();
        let read = self.scan.work.shen.read(partition, from, self.read_bytes).await;
        timer.done();
        let slice = read.map_err(|error| external(self.explained(error)))?;
        self.scan.metrics.read(slice.bytes, slice.batches.len());
        if slice.batches.is_empty() {
            return Err(external(self.missing(&range)));
        }
        self.read_bytes = (self.read_bytes * 4).min(READ_BYTES_MAX);
        self.pieces_bytes = slice.bytes;
        self.pieces = slice.batches.into_iter().zip(slice.scarab_bases).collect();
        self.hold()?;
        Ok(true)
    }

    /// Opens a batch, unless it is past the range or too old.
    fn begin_batch(&mut self, piece: Bytes, scarab_base: u64) -> Result<()> {
        let Some(range) = self.range else { return Ok(()) };
        let corrupt = |error: &dyn std::fmt::Display| {
            let message = format!("a stored batch cannot be read: {error}");
            external(ApiError::new(ErrorCode::StorageCorrupt, message))
        };
        let header = BatchHeader::parse(&piece).map_err(|error| corrupt(&error))?;
        let base = u64::try_from(header.base_offset).map_err(|error| corrupt(&error))?;
        let end = base + header.offsets();
        if end <= range.from {
            return Err(external(self.missing(&range)));
        }
        // In a log that was compacted the batch may begin later, even past the range.
        let to = end.min(range.to);
        let wanted = range.from.max(base).min(to)..to;
        self.range = (to < range.to).then_some(OffsetRange { from: to, ..range });
        if self.range.is_none() {
            // What was read past the range is of no use to the next one.
            self.pieces.clear();
            self.pieces_bytes = 0;
        }
        if wanted.is_empty() || header.max_timestamp < self.scan.work.time.from_ms {
            self.scan.metrics.passed(wanted.end - wanted.start);
            return Ok(());
        }
        let place = Place {
            partition: i32::try_from(range.partition).unwrap_or(i32::MAX),
            offset: header.base_offset,
            epoch: header.leader_epoch,
            scarab_id: (scarab_base != 0).then_some(ScarabId(scarab_base)),
        };
        // Which records are left of a compacted batch only they can tell.
        let has_gaps = header.records() < header.offsets();
        let needs_records =
            self.decoder.needs_records() || !self.scan.work.time.is_none() || has_gaps;
        let timer = self.scan.metrics.decoding();
        let others = self.pieces_bytes + piece.len() + self.decoder.bytes();
        let reserve = |bytes| self.scan.holds(others + bytes);
        let open = OpenBatch::new(place, header, piece, wanted, needs_records, reserve);
        drop(timer);
        self.open = Some(open?);
        self.hold()
    }

    /// Moves records of the open batch into columns, until they are full.
    fn decode(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let timer = self.scan.metrics.decoding();
        let time = &self.scan.work.time;
        let done = open.decode_into(&mut self.decoder, time, self.scan.rows_left);
        drop(timer);
        let done = done.map_err(external)?;
        let looked_into = if self.decoder.needs_documents() { done.rows } else { 0 };
        self.scan.metrics.passed(done.passed);
        self.scan.metrics.decoded(looked_into, done.coerced);
        if done.ended {
            self.open = None;
        }
        self.hold()
    }

    fn hold(&self) -> Result<()> {
        let open = self.open.as_ref().map_or(0, OpenBatch::bytes);
        self.scan.holds(self.pieces_bytes + open + self.decoder.bytes())
    }

    /// What the storage said, with what it means for a query.
    fn explained(&self, error: ApiError) -> ApiError {
        let log = &self.scan.work.log.name;
        match error.code {
            ErrorCode::OffsetOutOfRange => ApiError::new(
                ErrorCode::OffsetOutOfRange,
                format!(
                    "records of log '{log}' were deleted while the query read them: run it again"
                ),
            ),
            ErrorCode::LogNotFound | ErrorCode::PartitionNotFound => ApiError::new(
                ErrorCode::LogNotFound,
                format!("log '{log}' was deleted while the query read it"),
            ),
            _ => error,
        }
    }

    /// A record below the high watermark that is not there: never passed over.
    fn missing(&self, range: &OffsetRange) -> ApiError {
        let message = format!(
            "log '{}' has no record {} in partition {} any more, which it had when the query \
             began: run it again",
            self.scan.work.log.name, range.from, range.partition
        );
        ApiError::new(ErrorCode::OffsetOutOfRange, message)
    }
}
