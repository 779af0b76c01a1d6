//! Where files lie under `DIR/pyramid`. Names are numbers, zero-padded so that a
//! listing sorts; no user's text ever becomes a path.

use pyralog_model::{LogNumber, Offset, PartitionId};
use std::path::{Path, PathBuf};

/// Suffix of a deleted log's directory until its files are gone.
pub(crate) const DELETED_SUFFIX: &str = ".deleted";

pub(crate) fn wal_dir(pyramid: &Path) -> PathBuf {
    pyramid.join("wal")
}

pub(crate) fn wal_file(pyramid: &Path, number: u32) -> PathBuf {
    wal_dir(pyramid).join(format!("{number:08}.wal"))
}

pub(crate) fn logs_dir(pyramid: &Path) -> PathBuf {
    pyramid.join("logs")
}

pub(crate) fn log_dir(pyramid: &Path, log: LogNumber) -> PathBuf {
    logs_dir(pyramid).join(log.0.to_string())
}

pub(crate) fn partition_dir(pyramid: &Path, id: PartitionId) -> PathBuf {
    log_dir(pyramid, id.log).join(id.partition.0.to_string())
}

/// `<base offset, 20 digits>.<extension>`.
pub(crate) fn by_base(dir: &Path, base: Offset, extension: &str) -> PathBuf {
    dir.join(format!("{:020}.{extension}", base.0))
}

/// Base offset and extension of a segment's file, or of one that is derived from it.
pub(crate) fn parts_of(name: &str) -> Option<(Offset, &str)> {
    let (digits, extension) = name.split_once('.')?;
    (digits.len() == 20)
        .then(|| digits.parse().ok())
        .flatten()
        .map(|base| (Offset(base), extension))
}

/// The base offset in a segment's file name.
pub(crate) fn segment_base(name: &str) -> Option<Offset> {
    parts_of(name).filter(|(_, extension)| *extension == "segment").map(|(base, _)| base)
}
