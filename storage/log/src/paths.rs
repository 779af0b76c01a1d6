//! Where files lie under `DIR/pyramid`. Names are numbers, zero-padded so that a
//! listing sorts; no user's text ever becomes a path.

use pyralog_model::{LogNumber, Offset, PartitionId};
use std::path::{Path, PathBuf};

/// Suffix of a deleted log's directory until its files are gone.
pub(crate) const DELETED_SUFFIX: &str = ".deleted";

/// What a partition's index of keys lies in; not the log's, which leaves it alone.
pub(crate) const KEYS_DIR: &str = "keys";

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

/// What a partition of a weaker log begins above.
pub(crate) const FLOOR: &str = "floor";

/// The same before it is whole.
pub(crate) const NEW_FLOOR: &str = "floor.new";

pub(crate) fn floor_file(dir: &Path) -> PathBuf {
    dir.join(FLOOR)
}

pub(crate) fn new_floor_file(dir: &Path) -> PathBuf {
    dir.join(NEW_FLOOR)
}

/// What the files of one segment are called before their extension: its base offset
/// in 20 digits, and its generation behind a point once it was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentName {
    pub(crate) base: Offset,
    /// How often it was rewritten; 0 as it was appended.
    pub(crate) generation: u64,
}

impl SegmentName {
    /// Of a segment as it was appended.
    pub(crate) fn appended(base: Offset) -> SegmentName {
        SegmentName { base, generation: 0 }
    }

    /// The path of one of its files.
    pub(crate) fn file(self, dir: &Path, extension: &str) -> PathBuf {
        let base = self.base.0;
        dir.join(match self.generation {
            0 => format!("{base:020}.{extension}"),
            generation => format!("{base:020}.{generation}.{extension}"),
        })
    }

    /// The segment that a file belongs to, and the file's extension.
    pub(crate) fn of_file(name: &str) -> Option<(SegmentName, &str)> {
        let (digits, rest) = name.split_once('.').filter(|(digits, _)| digits.len() == 20)?;
        let base = Offset(digits.parse().ok()?);
        let (generation, extension) = match rest.split_once('.') {
            None => (0, rest),
            Some((generation, extension)) => (generation.parse().ok()?, extension),
        };
        let parsed = SegmentName { base, generation };
        // One segment has one name.
        (parsed.file(Path::new(""), extension) == Path::new(name)).then_some((parsed, extension))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for (generation, text) in [(0, "00000000000000000042"), (7, "00000000000000000042.7")] {
            let name = SegmentName { base: Offset(42), generation };
            let file = format!("{text}.offsets");
            assert_eq!(name.file(Path::new("/d"), "offsets"), Path::new("/d").join(&file));
            assert_eq!(SegmentName::of_file(&file), Some((name, "offsets")));
        }
        for strange in [
            "LOCK",
            "42.segment",
            "00000000000000000042",
            "00000000000000000042.0.segment",
            "00000000000000000042.07.segment",
            "+0000000000000000042.segment",
        ] {
            assert_eq!(SegmentName::of_file(strange), None, "{strange}");
        }
    }
}
