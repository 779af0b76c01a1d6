//! Producers' sequences in words: which appends have them, and why one is refused.

use bytes::Bytes;
use pyralog_log::{SessionBatch, Verdict};
use pyralog_model::{ApiError, BatchHeader, ErrorCode, Offset};

/// The batch of an append as its session sees it; none without a session. Its
/// offset is not known yet.
pub(super) fn session_batch(
    batches: &[(BatchHeader, Bytes)],
) -> Result<Option<SessionBatch>, ApiError> {
    if batches.iter().all(|(header, _)| header.producer_id < 0) {
        return Ok(None);
    }
    let refuse = |message| Err(ApiError::new(ErrorCode::RequestInvalid, message));
    let [(header, _)] = batches else {
        return refuse("a producer with a session sends one batch for a partition at a time");
    };
    if header.producer_epoch < 0 || header.base_sequence < 0 {
        return refuse("a batch of a producer's session has an epoch and a sequence");
    }
    Ok(Some(SessionBatch {
        session: header.producer_id,
        epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        records: u32::try_from(header.records()).expect("a positive i32"),
        base_offset: Offset::ZERO,
    }))
}

/// True for what is, or may become, stored already.
pub(super) fn is_duplicate(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Duplicate { .. } | Verdict::DuplicateOld)
}

/// Why a batch is not taken.
pub(super) fn refusal(batch: &SessionBatch, verdict: Verdict) -> ApiError {
    let SessionBatch { session, epoch, base_sequence, .. } = batch;
    match verdict {
        Verdict::DuplicateOld | Verdict::Duplicate { .. } => ApiError::new(
            ErrorCode::SequenceDuplicate,
            format!(
                "the batch of session {session} with sequence {base_sequence} is stored already, \
                 but before the last five: its offset is not known any more"
            ),
        ),
        Verdict::Fenced { epoch: newer } => ApiError::new(
            ErrorCode::ProducerFenced,
            format!("session {session} has written in epoch {newer}; epoch {epoch} is over"),
        ),
        Verdict::Unknown => ApiError::new(
            ErrorCode::ProducerUnknown,
            format!(
                "session {session} has not written here, or was idle for too long; \
                 begin a new session or a new epoch with sequence 0"
            ),
        ),
        Verdict::OutOfOrder { expect } => ApiError::new(
            ErrorCode::SequenceGap,
            format!(
                "session {session} sent sequence {base_sequence} where {expect} is due; \
                 batches in between were not stored"
            ),
        ),
        Verdict::Next => unreachable!("what continues a session is taken"),
    }
}
