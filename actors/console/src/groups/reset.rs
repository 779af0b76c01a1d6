//! `POST /v1/groups/{name}/offsets`: where a group without members goes on reading.

use super::{GroupContext, InGroups, refusal};
use crate::api::{
    ResetEnd, ResetOffsetsReply, ResetOffsetsRequest, ResetPartition, ResetPlace, ResetTo,
};
use crate::reply::Refusal;
use crate::request::{Document, NameInPath};
use axum::Json;
use bytes::Bytes;
use pyralog_groups::{
    CommitOffsets, CommittedOffset, FetchOffsets, GroupError, GroupState, OffsetToCommit,
    TopicPartition,
};
use pyralog_model::{BatchHeader, ErrorCode, PartitionId, decode_records};
use pyralog_partition::{LogEntry, Watermarks};

/// The most that one batch may decompress to while a time is looked up.
const RECORDS_BYTES_MAX: usize = 32 << 20;

/// Resets, or says what a reset would do.
pub async fn reset(
    InGroups(context): InGroups,
    NameInPath(group): NameInPath,
    Document(request): Document<ResetOffsetsRequest>,
) -> Result<Json<ResetOffsetsReply>, Refusal> {
    let description = context.groups.describe(&group).await;
    let description = description.map_err(|error| refusal(&group, error))?;
    // One that is not there is made: it is told where to begin before it reads.
    if !matches!(description.summary.state, GroupState::Empty | GroupState::Dead) {
        return Err(refusal(&group, GroupError::NotEmpty));
    }
    let log = log_of(&context, &request.log)?;
    let numbers = numbers(&log, request.partitions)?;
    let before = committed(&context, &group, &log, &numbers).await?;
    let mut partitions = Vec::with_capacity(numbers.len());
    for (partition, before) in numbers.into_iter().zip(before) {
        let after = place(&context, &log, partition, before, request.to).await?;
        partitions.push(ResetPartition { partition, before, after });
    }
    if !request.dry_run {
        commit(&context, &group, &log, &partitions).await?;
    }
    let (log, dry_run) = (request.log, request.dry_run);
    Ok(Json(ResetOffsetsReply { group, log, dry_run, partitions }))
}

fn log_of(context: &GroupContext, name: &str) -> Result<std::sync::Arc<LogEntry>, Refusal> {
    let missing = || Refusal::new(ErrorCode::LogNotFound, format!("there is no log '{name}'"));
    context.shen.log(name).ok_or_else(missing)
}

/// The partitions that are asked for, in order and without repetition.
fn numbers(log: &LogEntry, asked: Option<Vec<u32>>) -> Result<Vec<u32>, Refusal> {
    let mut numbers = asked.unwrap_or_else(|| (0..log.partitions).collect());
    numbers.sort_unstable();
    numbers.dedup();
    match numbers.last().filter(|last| **last >= log.partitions) {
        None => Ok(numbers),
        Some(last) => {
            let message =
                format!("'{}' has partitions 0 to {}, not {last}", log.name, log.partitions - 1);
            Err(Refusal::new(ErrorCode::PartitionNotFound, message))
        }
    }
}

fn named(log: &LogEntry, partition: u32) -> TopicPartition {
    TopicPartition { topic: log.name.to_string(), partition }
}

/// What is committed for each of `numbers`.
async fn committed(
    context: &GroupContext,
    group: &str,
    log: &LogEntry,
    numbers: &[u32],
) -> Result<Vec<Option<i64>>, Refusal> {
    let partitions = numbers.iter().map(|number| named(log, *number)).collect();
    let fetch = FetchOffsets { group: group.to_owned(), partitions: Some(partitions) };
    let found = context.groups.fetch(fetch).await.map_err(|error| refusal(group, error))?;
    let of = |number: &u32| {
        let found = found.iter().find(|found| found.partition.partition == *number)?;
        found.committed.as_ref().map(|committed| committed.offset)
    };
    Ok(numbers.iter().map(of).collect())
}

/// The offset that `to` leads to.
async fn place(
    context: &GroupContext,
    log: &LogEntry,
    partition: u32,
    before: Option<i64>,
    to: ResetTo,
) -> Result<u64, Refusal> {
    let id = PartitionId::new(log.number.0, partition);
    let Watermarks { log_start, high, .. } = context.shen.watermarks(id)?;
    let (first, end) = (log_start.0, high.0);
    let wanted = match to {
        ResetTo::End(ResetEnd::Earliest) => first,
        ResetTo::End(ResetEnd::Latest) => end,
        ResetTo::Offset(offset) => offset,
        ResetTo::Place(ResetPlace::Timestamp(time)) => {
            let batch = context.shen.batch_at_time(id, time).await?;
            let found = match batch {
                Some(batch) => first_at(batch, time).await?,
                None => end,
            };
            found.min(end)
        }
        ResetTo::Place(ResetPlace::Shift(records)) => {
            let Some(before) = before else {
                let message = format!(
                    "nothing is committed for partition {partition} of '{}' that could be \
                     shifted; choose another place",
                    log.name
                );
                return Err(Refusal::invalid(message));
            };
            before.max(0).saturating_add(records).max(0) as u64
        }
    };
    Ok(wanted.clamp(first, end))
}

/// The offset of the first record of `batch` at or after `time`. Decompression
/// takes its time, which belongs to other requests.
async fn first_at(batch: Bytes, time: i64) -> Result<u64, Refusal> {
    let damaged = || Refusal::new(ErrorCode::StorageCorrupt, "a stored batch cannot be read");
    let header = BatchHeader::parse(&batch).map_err(|_| damaged())?;
    let base = header.base_offset;
    let search = move || {
        let records = decode_records(&header, &batch, RECORDS_BYTES_MAX).into_iter().flatten();
        let mut records = records.map_while(Result::ok);
        // A batch that cannot be looked into is read from its beginning.
        records.find(|record| record.timestamp >= time).map_or(0, |record| record.offset_delta)
    };
    let delta = tokio::task::spawn_blocking(search).await.map_err(|_| damaged())?;
    Ok((base + i64::from(delta)).max(0) as u64)
}

async fn commit(
    context: &GroupContext,
    group: &str,
    log: &LogEntry,
    partitions: &[ResetPartition],
) -> Result<(), Refusal> {
    let offset = |reset: &ResetPartition| OffsetToCommit {
        partition: named(log, reset.partition),
        log: log.number,
        committed: CommittedOffset {
            offset: reset.after as i64,
            leader_epoch: -1,
            metadata: String::new(),
        },
    };
    // As one who is no member: the group refuses if it has got one meanwhile.
    let commit = CommitOffsets {
        group: group.to_owned(),
        generation: -1,
        member: String::new(),
        instance: None,
        offsets: partitions.iter().map(offset).collect(),
    };
    let answers = context.groups.commit(commit).await.map_err(|error| refusal(group, error))?;
    answers.into_iter().try_for_each(|answer| answer.map_err(|error| refusal(group, error)))
}
