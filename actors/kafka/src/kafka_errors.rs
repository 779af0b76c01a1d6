//! Our error codes in Kafka's numbers.
//!
//! What matters is what a stock client does next. An error that may pass must
//! be one of those that every client since 0.11 retries; an error that will not
//! pass must not be, or the client tries for ever.

mod groups;

pub(crate) use groups::{REBALANCE_IN_PROGRESS, group_error};
use pyralog_model::{BatchError, ErrorCode};

pub(crate) const NONE: i16 = 0;
pub(crate) const UNKNOWN_SERVER_ERROR: i16 = -1;
pub(crate) const OFFSET_OUT_OF_RANGE: i16 = 1;
pub(crate) const CORRUPT_MESSAGE: i16 = 2;
pub(crate) const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
pub(crate) const LEADER_NOT_AVAILABLE: i16 = 5;
pub(crate) const NOT_LEADER_OR_FOLLOWER: i16 = 6;
pub(crate) const REQUEST_TIMED_OUT: i16 = 7;
pub(crate) const MESSAGE_TOO_LARGE: i16 = 10;
pub(crate) const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
pub(crate) const COORDINATOR_NOT_AVAILABLE: i16 = 15;
pub(crate) const INVALID_TOPIC: i16 = 17;
pub(crate) const INVALID_GROUP_ID: i16 = 24;
pub(crate) const NON_EMPTY_GROUP: i16 = 68;
pub(crate) const GROUP_ID_NOT_FOUND: i16 = 69;
pub(crate) const INVALID_REQUIRED_ACKS: i16 = 21;
pub(crate) const UNSUPPORTED_VERSION: i16 = 35;
pub(crate) const TOPIC_ALREADY_EXISTS: i16 = 36;
pub(crate) const INVALID_PARTITIONS: i16 = 37;
pub(crate) const INVALID_REPLICATION_FACTOR: i16 = 38;
pub(crate) const INVALID_REPLICA_ASSIGNMENT: i16 = 39;
pub(crate) const INVALID_CONFIG: i16 = 40;
pub(crate) const INVALID_REQUEST: i16 = 42;
pub(crate) const UNSUPPORTED_FOR_MESSAGE_FORMAT: i16 = 43;
pub(crate) const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;
pub(crate) const DUPLICATE_SEQUENCE_NUMBER: i16 = 46;
pub(crate) const INVALID_PRODUCER_EPOCH: i16 = 47;
pub(crate) const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: i16 = 53;
pub(crate) const KAFKA_STORAGE_ERROR: i16 = 56;
pub(crate) const UNKNOWN_PRODUCER_ID: i16 = 59;
pub(crate) const FETCH_SESSION_ID_NOT_FOUND: i16 = 70;
pub(crate) const FENCED_LEADER_EPOCH: i16 = 74;
pub(crate) const UNKNOWN_LEADER_EPOCH: i16 = 75;
pub(crate) const INVALID_RECORD: i16 = 87;
pub(crate) const UNKNOWN_TOPIC_ID: i16 = 100;
pub(crate) const MISMATCHED_ENDPOINT_TYPE: i16 = 114;
pub(crate) const UNSUPPORTED_ENDPOINT_TYPE: i16 = 115;

/// The number a client is told for one of our codes.
pub(crate) fn kafka_error(code: ErrorCode) -> i16 {
    match code {
        ErrorCode::LogNotFound | ErrorCode::PartitionNotFound => UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::LogExists => TOPIC_ALREADY_EXISTS,
        ErrorCode::LogNameInvalid => INVALID_TOPIC,
        ErrorCode::SettingInvalid => INVALID_CONFIG,
        ErrorCode::PartitionsInvalid => INVALID_PARTITIONS,
        ErrorCode::ReplicationInvalid => INVALID_REPLICATION_FACTOR,
        ErrorCode::OffsetOutOfRange => OFFSET_OUT_OF_RANGE,
        ErrorCode::RecordTooLarge => MESSAGE_TOO_LARGE,
        // Kafka calls this one retriable: a batch may have been hurt on its way.
        ErrorCode::RecordCorrupt => CORRUPT_MESSAGE,
        ErrorCode::KeyMissing => INVALID_RECORD,
        ErrorCode::FormatUnsupported => UNSUPPORTED_FOR_MESSAGE_FORMAT,
        ErrorCode::ProducerUnknown => UNKNOWN_PRODUCER_ID,
        ErrorCode::RequestInvalid | ErrorCode::NotSupported => INVALID_REQUEST,
        // Throttling errors (89) are only retried by clients of topic creation.
        ErrorCode::Overloaded
        | ErrorCode::Timeout
        | ErrorCode::ObeliskAway
        | ErrorCode::LanesExhausted => REQUEST_TIMED_OUT,
        ErrorCode::SequenceGap => OUT_OF_ORDER_SEQUENCE_NUMBER,
        ErrorCode::SequenceDuplicate => DUPLICATE_SEQUENCE_NUMBER,
        ErrorCode::ProducerFenced => INVALID_PRODUCER_EPOCH,
        // Retried after fresh metadata, by every client.
        ErrorCode::DiskFull | ErrorCode::StorageFailed | ErrorCode::StorageCorrupt => {
            KAFKA_STORAGE_ERROR
        }
        ErrorCode::Unavailable | ErrorCode::Elsewhere => NOT_LEADER_OR_FOLLOWER,
        ErrorCode::Fenced => FENCED_LEADER_EPOCH,
        ErrorCode::DebugDisabled
        | ErrorCode::ActorNotFound
        | ErrorCode::CounterNotFound
        | ErrorCode::CounterExists
        | ErrorCode::CounterNameInvalid
        | ErrorCode::CountersExhausted
        | ErrorCode::ClockAhead
        | ErrorCode::NodeNameTaken
        | ErrorCode::NodeCopied
        | ErrorCode::PeerRefused
        | ErrorCode::DirectoryDiverged
        | ErrorCode::QueryInvalid
        | ErrorCode::QueryReadOnly
        | ErrorCode::QueryFailed
        | ErrorCode::QueryOutOfMemory
        | ErrorCode::QueryOutOfTime
        | ErrorCode::KeyNotFound
        | ErrorCode::KeyIndexOff
        | ErrorCode::Internal => UNKNOWN_SERVER_ERROR,
        ErrorCode::SchemaInvalid => INVALID_CONFIG,
        ErrorCode::GroupNotFound => GROUP_ID_NOT_FOUND,
        ErrorCode::GroupNotEmpty => NON_EMPTY_GROUP,
        ErrorCode::GroupNameInvalid => INVALID_GROUP_ID,
    }
}

/// The number for bytes that are not a batch which can be stored.
pub(crate) fn batch_error(error: &BatchError) -> i16 {
    match error {
        BatchError::Short { .. } | BatchError::Crc { .. } | BatchError::Length(_) => {
            CORRUPT_MESSAGE
        }
        BatchError::Magic(_) => UNSUPPORTED_FOR_MESSAGE_FORMAT,
        BatchError::Count { .. } | BatchError::Compression(_) | BatchError::Empty => INVALID_RECORD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::error::ResponseError;
    use pyralog_model::Remedy;

    #[test]
    fn what_may_pass_is_retriable_and_what_will_not_is_not() {
        for code in ErrorCode::ALL {
            let kafka = ResponseError::try_from_code(kafka_error(*code)).expect("a known number");
            let tells_to_retry = matches!(code.remedy(), Remedy::Retry | Remedy::GoElsewhere);
            if tells_to_retry {
                assert!(kafka.is_retriable(), "{code} became {kafka:?}");
            }
            let hopeless = code.remedy() == Remedy::GiveUp && *code != ErrorCode::RecordCorrupt;
            let hopeless = hopeless && *code != ErrorCode::PartitionNotFound;
            if hopeless {
                assert!(!kafka.is_retriable(), "{code} became {kafka:?}");
            }
        }
    }
}
