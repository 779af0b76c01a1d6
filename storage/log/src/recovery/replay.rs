//! The WAL's part in recovery: finding its rounds, holding them to contiguity,
//! and bringing the segments up to them.

use super::RecoveryReport;
use crate::checkpoint::WalCheckpoint;
use crate::error::io_error;
use crate::mutation::{Mutation, Planted};
use crate::partition_log::PartitionLog;
use crate::wal::{RoundPlace, check_header, read_round, scan_file};
use crate::{Frame, FrameHeader, FrameKind, LogError, paths};
use pyralog_env::Disk;
use pyralog_model::{Lsn, PartitionId, StoreId};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// The rounds that are still needed, in order, all whole.
pub(super) struct Rounds {
    pub(super) places: Vec<RoundPlace>,
    pub(super) next_round: u64,
    pub(super) next_lsn: Lsn,
}

pub(super) fn find_rounds(
    disk: &dyn Disk,
    pyramid: &Path,
    store: StoreId,
    wal: &WalCheckpoint,
    planted: Planted,
    report: &mut RecoveryReport,
) -> Result<Rounds, LogError> {
    let dir = paths::wal_dir(pyramid);
    let mut places = Vec::new();
    for entry in disk.list(&dir).map_err(io_error("cannot list", &dir))? {
        if entry.is_dir || !entry.name.ends_with(".wal") {
            continue;
        }
        let path = dir.join(&entry.name);
        let file = disk.open(&path).map_err(io_error("cannot open", &path))?;
        check_header(&*file, &path, store)?;
        scan_file(&file, &path, store, &mut places)?;
    }
    places.retain(|place| place.round >= wal.first_needed_round);
    places.sort_by_key(|place| place.round);
    check_contiguity(&places, wal.first_needed_round)?;
    let next_round = places.last().map_or(wal.first_needed_round, |place| place.round + 1);
    let next_lsn = drop_torn_last(&mut places, store, planted, report)?;
    report.rounds = places.len() as u64;
    Ok(Rounds { places, next_round, next_lsn: next_lsn.max(wal.next_lsn) })
}

/// From the first round that is needed to the greatest found, none is missing.
fn check_contiguity(places: &[RoundPlace], first: u64) -> Result<(), LogError> {
    for (expect, place) in (first..).zip(places) {
        if place.round != expect {
            return Err(corrupt(place, format!("round {expect} is missing before it")));
        }
    }
    Ok(())
}

/// Only the greatest round may be torn: it was in flight. Returns the number
/// after the last LSN seen.
fn drop_torn_last(
    places: &mut Vec<RoundPlace>,
    store: StoreId,
    planted: Planted,
    report: &mut RecoveryReport,
) -> Result<Lsn, LogError> {
    let accept_torn = planted.is(Mutation::TornMiddleAccepted);
    let mut next_lsn = Lsn::default();
    let mut torn = None;
    for (index, place) in places.iter().enumerate() {
        match read_round(place, store, accept_torn)? {
            Some(frames) => {
                let last = frames.last().map_or(Lsn::default(), |frame| frame.header.lsn.next());
                next_lsn = next_lsn.max(last);
            }
            None if index + 1 == places.len() => torn = Some(index),
            None => return Err(corrupt(place, "the round is damaged".to_owned())),
        }
    }
    if let Some(index) = torn {
        places.truncate(index);
        report.torn_tails += 1;
    }
    Ok(next_lsn)
}

/// For each partition that was cut back, the last such frame.
pub(super) fn truncations(
    rounds: &Rounds,
    store: StoreId,
    planted: Planted,
) -> Result<HashMap<PartitionId, Lsn>, LogError> {
    let mut last = HashMap::new();
    for_each_frame(rounds, store, planted, |_, frame| {
        if frame.header.kind == FrameKind::Truncate {
            last.insert(frame.header.partition, frame.header.lsn);
        }
        Ok(())
    })?;
    Ok(last)
}

/// Gives every partition the frames that its segments lack. Frames of partitions
/// without a directory belong to deleted logs.
pub(super) fn replay(
    rounds: &Rounds,
    store: StoreId,
    partitions: &BTreeMap<PartitionId, Arc<PartitionLog>>,
    truncations: &HashMap<PartitionId, Lsn>,
    planted: Planted,
    report: &mut RecoveryReport,
) -> Result<(), LogError> {
    for_each_frame(rounds, store, planted, |place, frame| {
        let Some(log) = partitions.get(&frame.header.partition) else { return Ok(()) };
        let mut appender = log.lock_appender();
        if frame.header.lsn <= appender.lsn {
            return Ok(());
        }
        let cut_at = truncations.get(&frame.header.partition).copied().unwrap_or_default();
        report.frames_replayed += 1;
        match frame.header.kind {
            FrameKind::Truncate => {
                let end = frame.header.base_offset.min(appender.end);
                appender.truncate(log, &FrameHeader { base_offset: end, ..frame.header })
            }
            FrameKind::Append if frame.header.base_offset == appender.end => {
                let (epoch, before, id) =
                    (frame.header.epoch, appender.epoch, frame.header.partition);
                if epoch < before {
                    let what = format!("partition {id} has come to epoch {before}, not {epoch}");
                    return Err(corrupt(place, what));
                }
                log.publish_tail(vec![frame]);
                appender.write_tail(log)
            }
            // What lay between went straight into the segment and was cut off since;
            // this frame would be as well.
            FrameKind::Append if frame.header.lsn < cut_at => Ok(()),
            FrameKind::Append => {
                let (base, end) = (frame.header.base_offset, appender.end);
                let id = frame.header.partition;
                Err(corrupt(place, format!("partition {id} ends at {end}, not at {base}")))
            }
        }
    })
}

fn for_each_frame(
    rounds: &Rounds,
    store: StoreId,
    planted: Planted,
    mut visit: impl FnMut(&RoundPlace, Frame) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let accept_torn = planted.is(Mutation::TornMiddleAccepted);
    for place in &rounds.places {
        let frames = read_round(place, store, accept_torn)?;
        let frames = frames.ok_or_else(|| corrupt(place, "it was whole a moment ago".into()))?;
        for frame in frames {
            visit(place, frame)?;
        }
    }
    Ok(())
}

fn corrupt(place: &RoundPlace, what: String) -> LogError {
    let what = format!("round {}: {what}", place.round);
    LogError::Corrupt { path: place.path.clone(), position: place.position, what }
}
