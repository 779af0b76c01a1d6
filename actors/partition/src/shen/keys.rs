//! What a compacted log takes: records with keys, in batches that can be opened.
//!
//! A record without a key would be kept for ever, and one that cannot be looked at
//! could not be told from it.

use bytes::Bytes;
use pyralog_model::{ApiError, BatchHeader, ErrorCode, raw_records};

/// The most that the records of one batch may take when decompressed: as much as
/// compaction opens.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// Refuses batches with a record that has no key.
pub(super) fn check_keys(batches: &[(BatchHeader, Bytes)]) -> Result<(), ApiError> {
    for (header, batch) in batches {
        let records = raw_records(header, batch, DECOMPRESSED_BYTES_MAX).map_err(unreadable)?;
        for (place, record) in records.enumerate() {
            if record.map_err(unreadable)?.key.is_none() {
                return Err(ApiError::new(
                    ErrorCode::KeyMissing,
                    format!("record {place} of the batch has no key, and the log is compacted"),
                ));
            }
        }
    }
    Ok(())
}

fn unreadable(error: pyralog_model::RecordsError) -> ApiError {
    ApiError::new(
        ErrorCode::KeyMissing,
        format!("the log is compacted, and the keys of the batch cannot be read: {error}"),
    )
}
