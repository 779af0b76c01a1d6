//! `pyralog inspect arena`: counters, and bounds of ids.

use super::cell::{Cell, Fields};
use super::sheet::Output;
use crate::cli::InspectArguments;
use crate::failure::{Failure, Status};
use crate::offline::store_of;
use pyralog_counter::inspection::{
    ArenaCounter, ArenaHeader, ArenaWalk, BoundView, EntryCopy, HeaderCopy,
};
use pyralog_env::{Disk, ReadOnlyDisk};
use pyralog_model::{Damage, LogicalClock};
use std::path::Path;

/// Length of a copy of a header or of a block of entries.
const COPY_BYTES: u64 = 4096;

/// Shows an arena.
pub(super) fn arena(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let file = ReadOnlyDisk.open(path).map_err(Failure::failed)?;
    let mut walk = ArenaWalk::new(&*file, path).map_err(Failure::failed)?;
    let header = walk.header().map_or_else(Vec::new, header_cells);
    let mut sheet = output.file(path, "an arena of counters", Fields(header))?;
    for (number, copy) in (0u64..).zip(walk.copies()) {
        let found = match copy {
            HeaderCopy::Whole(_) => continue,
            HeaderCopy::Damaged => "other bytes".to_owned(),
            HeaderCopy::Newer(version) => format!("one of version {version}"),
        };
        let at = number * COPY_BYTES;
        let expected = format!("copy {} of the header, whole", number + 1);
        sheet.damage(&Damage::new(at..at + COPY_BYTES, expected, found))?;
    }
    let mut counters = 0u64;
    while let Some(counter) = walk.step().map_err(Failure::failed)? {
        counters += 1;
        if counter.number.0 >= arguments.from.unwrap_or_default() {
            sheet.row("counter", counter_row(&counter))?;
        }
        for (copy, state) in (0u64..).zip(counter.copies) {
            if state == EntryCopy::Damaged {
                let at = counter.position + copy * COPY_BYTES;
                let expected = format!("copy {} of counter {}", copy + 1, counter.number.0);
                sheet.damage(&Damage::new(at..at + 32, expected, "other bytes"))?;
            }
        }
    }
    sheet.end(Fields(vec![("counters", Cell::new(counters))]))
}

fn header_cells(header: ArenaHeader) -> Vec<(&'static str, Cell)> {
    vec![
        ("store", Cell::new(header.store.to_string())),
        ("bytes", Cell::new(header.file_bytes)),
        ("counters_max", Cell::new(header.counters_max)),
        ("starts", Cell::new(header.incarnation)),
        ("last_unclean", Cell::unless(header.unclean, 0)),
        ("ended_cleanly", Cell::new(header.closed)),
        ("seq", Cell::new(header.seq)),
    ]
}

fn counter_row(counter: &ArenaCounter) -> Fields {
    Fields(vec![
        ("position", Cell::new(counter.position)),
        ("counter", Cell::new(counter.number.0)),
        ("bound", Cell::new(counter.bound)),
        ("value", Cell::new(counter.slot)),
        ("goes_on_after", Cell::new(counter.resumes_after)),
        ("raised_in_start", Cell::new(counter.incarnation)),
        ("copies", Cell::new(counter.copies.map(seq).join(" "))),
        ("state", Cell::new(if counter.bound.is_some() { "ok" } else { "refused" })),
    ])
}

/// A copy in a word: its seq.
fn seq(copy: EntryCopy) -> String {
    match copy {
        EntryCopy::Empty => "-".to_owned(),
        EntryCopy::Whole { seq, .. } => seq.to_string(),
        EntryCopy::Damaged => "damaged".to_owned(),
    }
}

/// Shows a bound of ids.
pub(super) fn lane(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let Some(store) = arguments.store.or_else(|| store_of(path)) else {
        let what = "the file's checksums begin with the store id, which nothing here tells";
        return Err(Failure::new(Status::Usage, what).help("give it with --store ID"));
    };
    let file = ReadOnlyDisk.open(path).map_err(Failure::failed)?;
    let view = BoundView::read(&*file, path, store).map_err(Failure::failed)?;
    let time = view.bound.map(|bound| LogicalClock(bound).unix_ms());
    let time = time.and_then(|unix_ms| i64::try_from(unix_ms).ok()).map(Cell::time);
    let header = Fields(vec![
        ("store", Cell::new(store.to_string())),
        ("bound", Cell::new(view.bound)),
        ("bound_time", time.unwrap_or_else(|| Cell::new(serde_json::Value::Null))),
    ]);
    let mut sheet = output.file(path, "a bound of ids", header)?;
    for (number, copy) in (0u64..).zip(view.copies) {
        let at = number * COPY_BYTES;
        match (copy, view.newer) {
            (EntryCopy::Whole { bound, incarnation, seq }, _) => {
                let fields = vec![
                    ("position", Cell::new(at)),
                    ("bound", Cell::new(bound)),
                    ("opened", Cell::new(incarnation)),
                    ("seq", Cell::new(seq)),
                    ("state", Cell::new("ok")),
                ];
                sheet.row("copy", Fields(fields))?;
            }
            (_, newer) => {
                let expected = format!("copy {} of a bound of store {store}", number + 1);
                let found = newer.map_or("other bytes".to_owned(), |v| format!("version {v}"));
                sheet.damage(&Damage::new(at..at + COPY_BYTES, expected, found))?;
            }
        }
    }
    sheet.end(Fields::default())
}
