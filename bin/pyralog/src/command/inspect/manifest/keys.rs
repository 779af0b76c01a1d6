//! A `keys.manifest`: the files that make up the index of keys of a partition.

use crate::cli::InspectArguments;
use crate::command::inspect::{Cell, Fields, Output};
use crate::failure::Failure;
use pyralog_env::{Disk, ReadOnlyDisk};
use pyralog_index::inspection::ManifestFile;
use std::path::Path;

/// Far more than a manifest has.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Shows a row for each file, and whether it lies beside the manifest.
pub(crate) fn keys(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let bytes = whole(path)?;
    let manifest = ManifestFile::read(&bytes);
    let of = manifest.of;
    let header = Fields(vec![
        ("log", Cell::new(of.partition.log.0)),
        ("partition", Cell::new(of.partition.partition.0)),
        ("store", Cell::new(of.store.to_string())),
        ("hash_seed", Cell::new(format!("{:016x}", manifest.hash_seed))),
        ("next_number", Cell::new(manifest.next_number)),
        ("version", Cell::new(manifest.version)),
        ("bytes", Cell::new(bytes.len())),
    ]);
    let mut sheet = output.file(path, "a manifest of indexes of keys", header)?;
    if let Some(damage) = &manifest.damage {
        sheet.damage(damage)?;
    }
    let from = arguments.from.unwrap_or_default();
    let mut gap = None;
    for (index, file) in manifest.files.iter().enumerate() {
        let (start, end) = (file.range.start, file.range.end);
        let is_gap = gap.replace(end).is_some_and(|before| before < start);
        if end.0 <= from {
            continue;
        }
        let fields = vec![
            ("position", Cell::new(ManifestFile::position(index))),
            ("file", Cell::new(file.name())),
            ("start", Cell::new(start.0)),
            ("end", Cell::new(end.0)),
            ("base_offset", Cell::new(file.base.0)),
            ("header_crc", Cell::new(format!("{:08x}", file.header_crc))),
            ("gap_before", Cell::new(is_gap)),
            ("there", Cell::new(path.with_file_name(file.name()).is_file())),
        ];
        sheet.row("file", Fields(fields))?;
    }
    let covered =
        |file: &pyralog_index::NamedFile| file.range.end.0.saturating_sub(file.range.start.0);
    let offsets = manifest.files.iter().map(covered).fold(0, u64::saturating_add);
    sheet.end(Fields(vec![
        ("files", Cell::new(manifest.files.len())),
        ("indexed_offsets", Cell::new(offsets)),
    ]))
}

fn whole(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = ReadOnlyDisk.open(path).map_err(Failure::failed)?;
    let len = file.len().map_err(Failure::failed)?;
    if len > FILE_BYTES_MAX {
        return Err(Failure::failed(format!("{len} bytes are too many for a manifest")));
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(Failure::failed)?];
    file.read_exact_at(&mut bytes, 0).map_err(Failure::failed)?;
    Ok(bytes)
}
