//! Reading ranges from their end, for `ORDER BY _offset DESC`.
//!
//! Batches only open forwards. So a range is cut into pieces from its end, each of
//! which is read forwards and turned round; they begin small, since mostly a few of
//! the last records are wanted.

use super::forward::Forward;
use super::work::GroupScan;
use crate::ranges::OffsetRange;
use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use datafusion::error::Result;
use futures::Stream;
use std::sync::Arc;

/// Records of the first piece.
const RECORDS_FIRST: u64 = 128;
/// A piece that holds more than this is followed by smaller ones.
const PIECE_BYTES_MAX: usize = 8 << 20;

/// The rows of all ranges, from the last to the first.
pub(super) fn batches(mut scan: GroupScan) -> impl Stream<Item = Result<RecordBatch>> + Send {
    // Only here is it known which rows are the last.
    let rows_left = std::mem::replace(&mut scan.rows_left, usize::MAX);
    let records_max = scan.batch_rows as u64;
    let backward = Backward {
        ranges: std::mem::take(&mut scan.ranges),
        rows_left,
        records: RECORDS_FIRST.min(records_max),
        records_max,
        forward: Forward::new(scan, Vec::new()),
    };
    futures::stream::try_unfold(backward, |mut backward| async {
        Ok(backward.next().await?.map(|batch| (batch, backward)))
    })
}

/// One group of a scan on its way backward.
struct Backward {
    forward: Forward,
    /// What is still to be read, the next at the end.
    ranges: Vec<OffsetRange>,
    rows_left: usize,
    /// Records of the next piece.
    records: u64,
    records_max: u64,
}

impl Backward {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.rows_left > 0 {
            let Some(piece) = self.cut() else { break };
            let batch = self.read(piece).await?;
            if batch.num_rows() == 0 {
                continue;
            }
            let last = (0..batch.num_rows() as u32).rev().take(self.rows_left);
            let turned = take_record_batch(&batch, &UInt32Array::from_iter_values(last))?;
            self.rows_left -= turned.num_rows();
            return Ok(Some(turned));
        }
        Ok(None)
    }

    /// The end of what is left.
    fn cut(&mut self) -> Option<OffsetRange> {
        let range = self.ranges.last_mut()?;
        let from = range.to.saturating_sub(self.records).max(range.from);
        let piece = OffsetRange { from, ..*range };
        range.to = from;
        if range.records() == 0 {
            self.ranges.pop();
        }
        Some(piece)
    }

    /// The rows of a piece, as they stand in the log.
    async fn read(&mut self, piece: OffsetRange) -> Result<RecordBatch> {
        self.forward.restart(piece);
        let (mut batches, mut bytes) = (Vec::new(), 0);
        while let Some(batch) = self.forward.next().await? {
            bytes += batch.get_array_memory_size();
            // Twice: the pieces, and their copy in the other order.
            self.forward.scan().holds(bytes * 2)?;
            batches.push(batch);
        }
        self.records = match bytes > PIECE_BYTES_MAX {
            true => (self.records / 4).max(1),
            false => (self.records * 4).min(self.records_max),
        };
        let schema = Arc::clone(&self.forward.scan().work.schema);
        Ok(concat_batches(&schema, &batches)?)
    }
}
