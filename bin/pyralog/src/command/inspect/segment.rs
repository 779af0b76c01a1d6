//! `pyralog inspect segment`.

use super::cell::{Cell, Fields};
use super::sheet::{Output, Sheet};
use super::{records, wal};
use crate::cli::{InspectArguments, InspectFormat};
use crate::failure::Failure;
use crate::offline::store_of;
use pyralog_env::{Disk, ReadOnlyDisk};
use pyralog_log::inspection::{
    SegmentFrame, SegmentHeader, SegmentItem, SegmentPlace, SegmentWalk,
};
use pyralog_model::StoreId;
use std::path::Path;

/// Shows every frame; how many damaged places there are.
pub(super) fn show(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let file = ReadOnlyDisk.open(path).map_err(Failure::failed)?;
    let (mut header, damage) = SegmentHeader::read(&*file, path).map_err(Failure::failed)?;
    header.store = store(path, arguments, header.store, damage.is_some());
    let len = file.len().map_err(Failure::failed)?;
    let mut sheet = output.file(
        path,
        "a segment",
        Fields(vec![
            ("log", Cell::new(header.partition.log.0)),
            ("partition", Cell::new(header.partition.partition.0)),
            ("base_offset", Cell::new(header.base.0)),
            ("end_offset", Cell::new(header.end.map(|end| end.0))),
            ("generation", Cell::new(header.generation)),
            ("version", Cell::new(header.version)),
            ("store", Cell::new(header.store.to_string())),
            ("bytes", Cell::new(len)),
        ]),
    )?;
    if let Some(damage) = damage {
        sheet.damage(&damage)?;
    }
    let place = SegmentPlace::begin(header.base);
    let mut walk = SegmentWalk::new(&*file, path, &header, place).map_err(Failure::failed)?;
    let (mut frames, mut records) = (0u64, 0u64);
    while let Some(item) = walk.step().map_err(Failure::failed)? {
        match item {
            SegmentItem::LostBatch(_, damage) | SegmentItem::Damage(damage) => {
                sheet.damage(&damage)?;
            }
            SegmentItem::Frame(frame) => {
                frames += 1;
                records += frame.batch_header.records();
                let from = arguments.from.unwrap_or_default();
                if frame.header.next_offset().0 > from {
                    rows(&frame, arguments, &mut sheet)?;
                }
            }
        }
    }
    if let Some(damage) = walk.missing_end() {
        sheet.damage(&damage)?;
    }
    let end = walk.place();
    sheet.end(Fields(vec![
        ("frames", Cell::new(frames)),
        ("records", Cell::new(records)),
        ("next_offset", Cell::new(end.end.0)),
        ("last_lsn", Cell::new(end.lsn.0)),
    ]))
}

/// The store whose checksums are expected: what was said, what the file says, and
/// where that is damaged what its directory says.
pub(super) fn store(
    path: &Path,
    arguments: &InspectArguments,
    found: StoreId,
    is_damaged: bool,
) -> StoreId {
    let elsewhere = || is_damaged.then(|| store_of(path)).flatten();
    arguments.store.or_else(elsewhere).unwrap_or(found)
}

fn rows(
    frame: &SegmentFrame,
    arguments: &InspectArguments,
    sheet: &mut Sheet<'_>,
) -> Result<(), Failure> {
    let SegmentFrame { position, header, batch_header, batch } = frame;
    let mut fields = vec![("position", Cell::new(*position))];
    fields.extend(wal::frame_cells(header, batch));
    if !arguments.records {
        fields.push(("state", Cell::new("ok")));
        return sheet.row("frame", Fields(fields));
    }
    let base = header.base_offset.0;
    let (rows, error) = records::rows(base, header.scarab_base, batch_header, batch);
    let state = error.map_or_else(|| "ok".to_owned(), |error| format!("unreadable: {error}"));
    if arguments.format != InspectFormat::Table {
        fields.push(("contents", Cell::new(records::value(&rows))));
        fields.push(("state", Cell::new(state)));
        return sheet.row("frame", Fields(fields));
    }
    let count = rows.len();
    for (index, mut row) in rows.into_iter().enumerate() {
        row.0.insert(0, ("position", Cell::new(*position)));
        let is_last = index + 1 == count;
        row.0.push(("state", Cell::new(if is_last { state.as_str() } else { "ok" })));
        sheet.row("record", row)?;
    }
    Ok(())
}
