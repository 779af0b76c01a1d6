//! What a request to read asks for: which partitions, from where to where.

use crate::reply::Refusal;
use crate::routes::LogContext;
use pyralog_model::{ErrorCode, Offset, PartitionId};
use pyralog_partition::LogEntry;
use serde::Deserialize;
use tokio::sync::watch;

/// What the query may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadQuery {
    /// Only this partition; all when absent.
    partition: Option<u32>,
    /// `start` (the default), `end` or an offset.
    from: Option<String>,
    /// Stop at what is committed when the request arrives.
    #[serde(default)]
    until_end: bool,
    /// Stop after so many records.
    pub limit: Option<u64>,
}

/// One partition on its way to the reader.
pub struct ReadFrom {
    pub id: PartitionId,
    /// The next record to send.
    pub next: Offset,
    /// Stop before this one, if ever.
    pub end: Option<Offset>,
    /// Moves with the high watermark.
    pub high: watch::Receiver<Offset>,
}

impl ReadFrom {
    /// Records are there to be read.
    pub fn has_more(&self) -> bool {
        self.next < self.end.unwrap_or_else(|| *self.high.borrow())
    }

    /// Nothing more will be asked of it.
    pub fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }
}

/// Where each partition begins and ends.
pub fn plan(
    context: &LogContext,
    log: &LogEntry,
    query: &ReadQuery,
) -> Result<Vec<ReadFrom>, Refusal> {
    let partitions = match query.partition {
        None => 0..log.partitions,
        Some(partition) if partition < log.partitions => partition..partition + 1,
        Some(partition) => {
            let message = format!(
                "'{}' has partitions 0 to {}, not {partition}",
                log.name,
                log.partitions - 1
            );
            return Err(Refusal::new(ErrorCode::PartitionNotFound, message));
        }
    };
    partitions
        .map(|partition| one(context, PartitionId::new(log.number.0, partition), query))
        .collect()
}

fn one(context: &LogContext, id: PartitionId, query: &ReadQuery) -> Result<ReadFrom, Refusal> {
    // Watching before looking: a record committed in between wakes us.
    let high = context.shen.watch(id)?;
    let marks = context.shen.watermarks(id)?;
    let next = match query.from.as_deref() {
        None | Some("start") => marks.log_start,
        Some("end") => marks.high,
        Some(text) => {
            let wrong =
                || Refusal::invalid(format!("from={text}: expected 'start', 'end' or an offset"));
            let offset = Offset(text.parse().map_err(|_| wrong())?);
            if offset < marks.log_start || offset > marks.high {
                let (start, high) = (marks.log_start, marks.high);
                let message = format!(
                    "offset {offset} is not in partition {}: it has {start} to {high}",
                    id.partition.0
                );
                return Err(Refusal::new(ErrorCode::OffsetOutOfRange, message));
            }
            offset
        }
    };
    Ok(ReadFrom { id, next, end: query.until_end.then_some(marks.high), high })
}
