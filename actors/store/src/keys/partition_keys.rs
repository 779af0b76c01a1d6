//! The index of one partition while it is open.

use super::{Keys, KeysError};
use pyralog_env::Disk;
use pyralog_index::{IndexError, IndexOf, KeyIndex, KeyIndexOptions};
use pyralog_log::PartitionLog;
use pyralog_model::Offset;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

/// An open index, and how far it knows its partition.
pub(crate) struct PartitionKeys {
    pub(super) log: Arc<PartitionLog>,
    pub(super) index: KeyIndex,
    /// Records before it were fed. Held by whoever feeds.
    pub(super) fed: Mutex<Offset>,
}

impl PartitionKeys {
    /// Opens what lies on the disk. `recovered` is where the partition ended when its
    /// store was opened: what lies before it is what it was.
    pub(super) fn open(
        keys: &Keys,
        log: &Arc<PartitionLog>,
        recovered: Offset,
    ) -> Result<PartitionKeys, KeysError> {
        let of = IndexOf { store: keys.store, partition: log.id() };
        let map_bytes = keys.options.map_bytes();
        let options = KeyIndexOptions {
            active_bytes_max: map_bytes / 2,
            frozen_bytes_max: map_bytes,
            ..KeyIndexOptions::new(of, keys.options.hash_seed)
        };
        let (start, _) = log.bounds();
        let known = start..recovered.max(start);
        let opened = KeyIndex::open(&keys.disk, &log.keys_dir(), options, known, &keys.cache)?;
        for damage in &opened.damages {
            tracing::warn!(partition = %log.id(), %damage, "a part of the key index is built again");
        }
        let fed = Mutex::new(opened.index.active_base());
        Ok(PartitionKeys { log: Arc::clone(log), index: opened.index, fed })
    }

    /// Removes everything that an index of this partition has on the disk.
    pub(super) fn remove(disk: &dyn Disk, log: &PartitionLog) -> Result<(), IndexError> {
        let dir = log.keys_dir();
        match disk.remove_dir_all(&dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(IndexError::Io { what: "cannot remove", path: dir, cause: error.to_string() })
            }
            _ => Ok(()),
        }
    }
}
