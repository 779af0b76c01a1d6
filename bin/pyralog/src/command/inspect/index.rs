//! `pyralog inspect index`: what is derived from a segment.

use super::cell::{Cell, Fields};
use super::sheet::Output;
use crate::cli::InspectArguments;
use crate::failure::Failure;
use crate::offline::store_of;
use pyralog_env::{Disk, ReadOnlyDisk};
use pyralog_log::inspection::{OffsetsFile, SessionEntry, SessionsFile, TimesFile};
use serde_json::{Value, json};
use std::path::Path;

/// Far more than an index of a segment has.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Shows an `.offsets`.
pub(super) fn offsets(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let file = OffsetsFile::read(&whole(path)?);
    let header = Fields(vec![
        ("segment_bytes", Cell::new(file.segment_bytes)),
        ("next_offset", Cell::new(file.next_offset.0)),
        ("last_lsn", Cell::new(file.last_lsn.0)),
        ("last_epoch", Cell::new(file.last_epoch.0)),
        ("has_sessions", Cell::new(file.has_sessions)),
    ]);
    let mut sheet = output.file(path, "an index of offsets", header)?;
    if let Some(damage) = &file.damage {
        sheet.damage(damage)?;
    }
    let from = arguments.from.unwrap_or_default();
    for (offset, position) in file.entries.iter().filter(|(offset, _)| offset.0 >= from) {
        let fields =
            vec![("offset", Cell::new(offset.0)), ("segment_position", Cell::new(*position))];
        sheet.row("entry", Fields(fields))?;
    }
    sheet.end(Fields(vec![("entries", Cell::new(file.entries.len()))]))
}

/// Shows a `.times`.
pub(super) fn times(path: &Path, output: &mut Output) -> Result<u64, Failure> {
    let file = TimesFile::read(&whole(path)?);
    let header = Fields(vec![("max_time", Cell::time(file.max_timestamp))]);
    let mut sheet = output.file(path, "an index of times", header)?;
    if let Some(damage) = &file.damage {
        sheet.damage(damage)?;
    }
    for (entry, before) in file.entries.iter().enumerate() {
        let before = match *before {
            i64::MIN => Cell::new(Value::Null),
            before => Cell::time(before),
        };
        sheet.row("entry", Fields(vec![("entry", Cell::new(entry)), ("time_before", before)]))?;
    }
    sheet.end(Fields(vec![("entries", Cell::new(file.entries.len()))]))
}

/// Shows a `.sessions`.
pub(super) fn sessions(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let bytes = whole(path)?;
    let store = arguments.store.or_else(|| store_of(path));
    let file = SessionsFile::read(&bytes, store);
    let header = Fields(vec![
        ("log", Cell::new(file.partition.log.0)),
        ("partition", Cell::new(file.partition.partition.0)),
        ("next_offset", Cell::new(file.next_offset.0)),
        ("last_lsn", Cell::new(file.last_lsn.0)),
        ("forgotten", Cell::unless(file.forgotten_session, -1)),
        ("forgotten_epoch", Cell::new(file.forgotten_epoch)),
        (
            "checksum",
            Cell::new(match store {
                Some(_) => "checked",
                None => "not checked: give the store id with --store",
            }),
        ),
    ]);
    let mut sheet = output.file(path, "producers' sessions", header)?;
    if let Some(damage) = &file.damage {
        sheet.damage(damage)?;
    }
    for SessionEntry { position, session, epoch, stored, batches } in &file.sessions {
        let last = batches.last().map(|(sequence, records, offset)| {
            format!("{records} records from sequence {sequence} at offset {offset}")
        });
        let all: Vec<Value> = batches
            .iter()
            .map(|(sequence, records, offset)| {
                json!({ "sequence": sequence, "records": records, "offset": offset.0 })
            })
            .collect();
        sheet.row(
            "session",
            Fields(vec![
                ("position", Cell::new(*position)),
                ("session", Cell::new(*session)),
                ("epoch", Cell::new(*epoch)),
                ("stored", Cell::new(*stored)),
                ("last_batch", Cell::new(last)),
                ("batches", Cell::detail(all)),
            ]),
        )?;
    }
    sheet.end(Fields(vec![("sessions", Cell::new(file.sessions.len()))]))
}

/// The bytes of a small file.
fn whole(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = ReadOnlyDisk.open(path).map_err(Failure::failed)?;
    let len = file.len().map_err(Failure::failed)?;
    if len > FILE_BYTES_MAX {
        return Err(Failure::failed(format!("{len} bytes are too many for an index")));
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(Failure::failed)?];
    file.read_exact_at(&mut bytes, 0).map_err(Failure::failed)?;
    Ok(bytes)
}
