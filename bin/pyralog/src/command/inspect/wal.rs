//! `pyralog inspect wal`.

use super::cell::{Cell, Fields};
use super::records;
use super::segment::store;
use super::sheet::{Output, Sheet};
use crate::cli::InspectArguments;
use crate::failure::Failure;
use bytes::Bytes;
use pyralog_env::{Disk, ReadOnlyDisk};
use pyralog_log::inspection::{WalFrame, WalHeader, WalItem, WalRound, WalWalk};
use pyralog_log::{FrameHeader, FrameKind};
use pyralog_model::BatchHeader;
use serde_json::Value;
use std::path::Path;

/// Shows every frame of every round; how many damaged places there are.
pub(super) fn show(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let file = ReadOnlyDisk.open(path).map_err(Failure::failed)?;
    let (mut header, damage) = WalHeader::read(&*file, path).map_err(Failure::failed)?;
    header.store = store(path, arguments, header.store, damage.is_some());
    let mut sheet = output.file(
        path,
        "a file of the write-ahead log",
        Fields(vec![
            ("store", Cell::new(header.store.to_string())),
            ("bytes", Cell::new(header.file_bytes)),
        ]),
    )?;
    if let Some(damage) = damage {
        sheet.damage(&damage)?;
    }
    let mut walk = WalWalk::new(&*file, path, header.store).map_err(Failure::failed)?;
    let (mut rounds, mut old, mut frames, mut last) = (0u64, 0u64, 0u64, None);
    while let Some(item) = walk.step().map_err(Failure::failed)? {
        match item {
            WalItem::Damage(damage) | WalItem::Missing(damage) => sheet.damage(&damage)?,
            WalItem::Round(round) => {
                frames += round.frames.len() as u64;
                rounds += u64::from(!round.old);
                old += u64::from(round.old);
                last = if round.old { last } else { Some(round.round) };
                show_round(&round, arguments, &mut sheet)?;
            }
        }
    }
    sheet.end(Fields(vec![
        ("rounds", Cell::new(rounds)),
        ("last_round", Cell::new(last)),
        ("rounds_of_earlier_uses", Cell::new(old)),
        ("frames", Cell::new(frames)),
    ]))
}

fn show_round(
    round: &WalRound,
    arguments: &InspectArguments,
    sheet: &mut Sheet<'_>,
) -> Result<(), Failure> {
    for frame in &round.frames {
        let from = arguments.from.unwrap_or_default();
        let is_wanted = frame.header.next_offset().0 > from;
        if is_wanted || frame.header.kind == FrameKind::Truncate {
            sheet.row("frame", row(round, frame, arguments.records))?;
        }
    }
    match &round.damage {
        // Nobody needs it, and the present use may have run over its end.
        Some(_) if round.old => Ok(()),
        Some(damage) => sheet.damage(damage),
        None => Ok(()),
    }
}

fn row(round: &WalRound, frame: &WalFrame, with_records: bool) -> Fields {
    let WalFrame { position, header, batch } = frame;
    let mut fields = vec![
        ("position", Cell::new(*position)),
        ("round", Cell::new(round.round)),
        ("log", Cell::new(header.partition.log.0)),
        ("partition", Cell::new(header.partition.partition.0)),
    ];
    fields.extend(frame_cells(header, batch));
    if with_records {
        let parsed = BatchHeader::parse(batch).ok();
        let base = header.base_offset.0;
        let rows = parsed.map(|parsed| records::rows(base, header.scarab_base, &parsed, batch).0);
        let contents = rows.map_or(Value::Null, |rows| records::value(&rows));
        fields.push(("contents", Cell::new(contents)));
    }
    fields.push(("state", Cell::new(if round.old { "of an earlier use" } else { "ok" })));
    Fields(fields)
}

/// What a frame's header and its batch's say, the same in a segment and in the WAL.
pub(super) fn frame_cells(header: &FrameHeader, batch: &Bytes) -> Vec<(&'static str, Cell)> {
    let parsed = BatchHeader::parse(batch).ok();
    let kind = match header.kind {
        FrameKind::Append => "append",
        FrameKind::Truncate => "truncate",
    };
    let codec = parsed.and_then(|parsed| parsed.compression().ok());
    let codec = codec.map(|codec| format!("{codec:?}").to_lowercase());
    let time = parsed.map_or_else(|| Cell::new(Value::Null), |p| Cell::time(p.max_timestamp));
    let epoch = parsed.map_or(-1, |parsed| parsed.producer_epoch);
    // Compaction takes records out of a batch, which keeps its offsets.
    let records = parsed.map_or(0, |parsed| parsed.records());
    vec![
        ("bytes", Cell::new(header.frame_bytes())),
        ("kind", Cell::detail(kind)),
        ("lsn", Cell::new(header.lsn.0)),
        ("epoch", Cell::new(header.epoch.0)),
        ("offset", Cell::new(header.base_offset.0)),
        ("offsets", Cell::detail(header.record_count)),
        ("records", Cell::new(records)),
        ("session", Cell::unless(header.session, -1)),
        ("producer_epoch", Cell { text: None, ..Cell::unless(epoch, -1) }),
        ("sequence", Cell::unless(header.base_sequence, -1)),
        ("codec", Cell::new(codec)),
        ("base_time", Cell::detail(parsed.map(|parsed| parsed.base_timestamp))),
        ("time", time),
        ("scarab", Cell { text: None, ..Cell::unless(header.scarab_base, 0) }),
        ("synced_before", Cell::detail(header.synced_before)),
        ("crc", Cell::detail(parsed.map(|parsed| format!("{:08x}", parsed.crc)))),
    ]
}
