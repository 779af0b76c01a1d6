//! A `meta.redb`: how far recovery may trust the segments.

use crate::command::inspect::{Cell, Fields, Output};
use crate::failure::Failure;
use pyralog_meta::MetaStore;
use std::path::Path;

/// Shows a row for each partition.
pub(super) fn show(path: &Path, meta: &MetaStore, output: &mut Output) -> Result<u64, Failure> {
    let kept = meta.load_checkpoints().map_err(Failure::failed)?;
    let header = Fields(vec![
        ("first_needed_round", Cell::new(kept.wal.map(|wal| wal.first_needed_round))),
        ("next_lsn", Cell::new(kept.wal.map(|wal| wal.next_lsn))),
    ]);
    let mut sheet = output.file(path, "checkpoints", header)?;
    for (id, row) in &kept.partitions {
        let fields = vec![
            ("log", Cell::new(id.log.0)),
            ("partition", Cell::new(id.partition.0)),
            ("start", Cell::new(row.log_start)),
            ("next_offset", Cell::new(row.next_offset)),
            ("segment", Cell::new(row.segment_base)),
            ("synced_bytes", Cell::new(row.segment_position)),
            ("lsn", Cell::new(row.lsn)),
            ("epoch", Cell::new(row.epoch)),
        ];
        sheet.row("partition", Fields(fields))?;
    }
    sheet.end(Fields(vec![("partitions", Cell::new(kept.partitions.len()))]))
}
