//! Indexes of keys: every byte of them, held to their manifests and to where the log
//! ends.

use super::progress::Progress;
use super::report::Report;
use pyralog_env::ReadOnlyDisk;
use pyralog_index::IndexOf;
use pyralog_index::inspection::{KeysRequest, audit_keys};
use pyralog_log::KeysFound;
use pyralog_model::StoreId;

/// Looks through every index that the log's own audit met.
pub(super) fn verify(
    found: &[KeysFound],
    store: StoreId,
    report: &mut Report,
    progress: &Progress,
) {
    for KeysFound { partition, dir, end } in found {
        let of = IndexOf { store, partition: *partition };
        let request = KeysRequest { disk: &ReadOnlyDisk, dir, of, end: *end };
        report.take_keys(audit_keys(&request, &mut |bytes| progress.read(bytes)));
    }
}
