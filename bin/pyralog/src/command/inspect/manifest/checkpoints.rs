//! A `meta.redb`: how far recovery may trust the segments, and which of them
//! compaction wrote.

use crate::command::inspect::{Cell, Fields, Output};
use crate::failure::Failure;
use pyralog_meta::{Manifest, MetaStore, PartitionCheckpoint, RewrittenSegment};
use pyralog_model::PartitionId;
use serde_json::Value;
use std::path::Path;

/// Shows a row for each partition, and one for each segment that was rewritten.
pub(super) fn show(path: &Path, meta: &MetaStore, output: &mut Output) -> Result<u64, Failure> {
    let kept = meta.load_checkpoints().map_err(Failure::failed)?;
    let header = Fields(vec![
        ("first_needed_round", Cell::new(kept.wal.map(|wal| wal.first_needed_round))),
        ("next_lsn", Cell::new(kept.wal.map(|wal| wal.next_lsn))),
    ]);
    let mut sheet = output.file(path, "checkpoints", header)?;
    let (nothing, mut rewritten) = (Manifest::default(), 0);
    for (id, row) in &kept.partitions {
        let manifest = kept.manifests.get(id).unwrap_or(&nothing);
        sheet.row("partition", partition(*id, row, manifest))?;
        rewritten += segments(*id, manifest, &mut |row| sheet.row("rewritten", row))?;
    }
    // What is compacted was checkpointed before.
    for (id, manifest) in &kept.manifests {
        if !kept.partitions.contains_key(id) {
            rewritten += segments(*id, manifest, &mut |row| sheet.row("rewritten", row))?;
        }
    }
    sheet.end(Fields(vec![
        ("partitions", Cell::new(kept.partitions.len())),
        ("rewritten_segments", Cell::new(rewritten)),
    ]))
}

fn partition(id: PartitionId, row: &PartitionCheckpoint, manifest: &Manifest) -> Fields {
    Fields(vec![
        ("what", Cell::new("partition")),
        ("log", Cell::new(id.log.0)),
        ("partition", Cell::new(id.partition.0)),
        ("start", Cell::new(row.log_start)),
        ("next_offset", Cell::new(row.next_offset)),
        ("segment", Cell::new(row.segment_base)),
        ("generation", Cell::new(Value::Null)),
        ("synced_bytes", Cell::new(row.segment_position)),
        ("lsn", Cell::new(row.lsn)),
        ("epoch", Cell::new(row.epoch)),
        ("compacted_to", Cell::new(manifest.cleaned)),
    ])
}

/// A row for each segment that compaction wrote; how many they are.
fn segments(
    id: PartitionId,
    manifest: &Manifest,
    show: &mut dyn FnMut(Fields) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    for (base, RewrittenSegment { end, generation, bytes }) in &manifest.segments {
        show(Fields(vec![
            ("what", Cell::new("rewritten segment")),
            ("log", Cell::new(id.log.0)),
            ("partition", Cell::new(id.partition.0)),
            ("start", Cell::new(*base)),
            ("next_offset", Cell::new(*end)),
            ("segment", Cell::new(*base)),
            ("generation", Cell::new(*generation)),
            ("synced_bytes", Cell::new(*bytes)),
            ("lsn", Cell::new(Value::Null)),
            ("epoch", Cell::new(Value::Null)),
            ("compacted_to", Cell::new(Value::Null)),
        ]))?;
    }
    Ok(manifest.segments.len() as u64)
}
