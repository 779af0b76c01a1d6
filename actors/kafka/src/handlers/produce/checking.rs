//! Which batches are taken.

use super::{Reason, Refused};
use crate::kafka_errors::{
    INVALID_RECORD, MESSAGE_TOO_LARGE, UNSUPPORTED_FOR_MESSAGE_FORMAT, batch_error,
};
use bytes::Bytes;
use pyralog_model::{BatchError, BatchHeader, LogSettings, split_batches};

/// Cuts the record field into batches and refuses those that cannot be stored.
/// The records in them are not looked at.
pub(super) fn check(
    settings: &LogSettings,
    records: Bytes,
) -> Result<Vec<(BatchHeader, Bytes)>, Refused> {
    let refuse_batch = |error: BatchError| Refused::new(batch_error(&error), Reason::Batch(error));
    // The old formats have shorter headers, and the same byte tells them apart.
    if let Some(magic @ ..2) = records.get(16).map(|byte| *byte as i8) {
        let reason = Reason::Batch(BatchError::Magic(magic));
        return Err(Refused::new(UNSUPPORTED_FOR_MESSAGE_FORMAT, reason));
    }
    let batches = split_batches(records).map_err(refuse_batch)?;
    for (header, _) in &batches {
        check_header(settings, header)?;
    }
    if batches.len() > 1 && batches.iter().any(|(header, _)| header.producer_id >= 0) {
        let reason = "an idempotent producer sends one batch for a partition in a request";
        return Err(Refused::plain(INVALID_RECORD, reason));
    }
    Ok(batches)
}

fn check_header(settings: &LogSettings, header: &BatchHeader) -> Result<(), Refused> {
    let (bytes, bytes_max) = (header.batch_bytes, settings.max_message_bytes);
    if bytes > bytes_max as usize {
        let reason = Reason::TooLarge { bytes, bytes_max };
        return Err(Refused::new(MESSAGE_TOO_LARGE, reason));
    }
    if header.is_control() || header.is_transactional() {
        let reason = "transactions are not served by this version";
        return Err(Refused::plain(INVALID_RECORD, reason));
    }
    if header.producer_id >= 0 && (header.producer_epoch < 0 || header.base_sequence < 0) {
        let reason = "a batch with a producer id has a producer epoch and a sequence";
        return Err(Refused::plain(INVALID_RECORD, reason));
    }
    Ok(())
}
