//! A group's refusals in Kafka's numbers.

use super::{
    COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, GROUP_ID_NOT_FOUND, INVALID_GROUP_ID,
    NON_EMPTY_GROUP, UNKNOWN_TOPIC_OR_PARTITION,
};
use pyralog_groups::GroupError;
use pyralog_model::ErrorCode;

pub(crate) const OFFSET_METADATA_TOO_LARGE: i16 = 12;
pub(crate) const NOT_COORDINATOR: i16 = 16;
pub(crate) const ILLEGAL_GENERATION: i16 = 22;
pub(crate) const INCONSISTENT_GROUP_PROTOCOL: i16 = 23;
pub(crate) const UNKNOWN_MEMBER_ID: i16 = 25;
pub(crate) const INVALID_SESSION_TIMEOUT: i16 = 26;
pub(crate) const REBALANCE_IN_PROGRESS: i16 = 27;
pub(crate) const INVALID_COMMIT_OFFSET_SIZE: i16 = 28;
pub(crate) const MEMBER_ID_REQUIRED: i16 = 79;
pub(crate) const GROUP_MAX_SIZE_REACHED: i16 = 81;
pub(crate) const FENCED_INSTANCE_ID: i16 = 82;
pub(crate) const GROUP_SUBSCRIBED_TO_TOPIC: i16 = 86;

/// The number a client is told when a group refuses.
pub(crate) fn group_error(error: &GroupError) -> i16 {
    match error {
        GroupError::Loading => COORDINATOR_LOAD_IN_PROGRESS,
        GroupError::Unavailable(cause) => match cause.code {
            ErrorCode::RecordTooLarge => INVALID_COMMIT_OFFSET_SIZE,
            ErrorCode::Elsewhere => NOT_COORDINATOR,
            // Whatever it is, every client looks for the coordinator and asks again.
            _ => COORDINATOR_NOT_AVAILABLE,
        },
        GroupError::InvalidGroup => INVALID_GROUP_ID,
        GroupError::UnknownMember => UNKNOWN_MEMBER_ID,
        GroupError::MemberIdRequired(_) => MEMBER_ID_REQUIRED,
        GroupError::IllegalGeneration => ILLEGAL_GENERATION,
        GroupError::RebalanceInProgress => REBALANCE_IN_PROGRESS,
        GroupError::InconsistentProtocol => INCONSISTENT_GROUP_PROTOCOL,
        GroupError::InvalidSessionTimeout => INVALID_SESSION_TIMEOUT,
        GroupError::FencedInstance => FENCED_INSTANCE_ID,
        GroupError::Full => GROUP_MAX_SIZE_REACHED,
        GroupError::NotEmpty => NON_EMPTY_GROUP,
        GroupError::NotFound => GROUP_ID_NOT_FOUND,
        GroupError::MetadataTooLarge => OFFSET_METADATA_TOO_LARGE,
        GroupError::UnknownPartition => UNKNOWN_TOPIC_OR_PARTITION,
        GroupError::Subscribed => GROUP_SUBSCRIBED_TO_TOPIC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::error::ResponseError;
    use pyralog_model::ApiError;

    /// Kafka's own name of what a client is told.
    fn told(error: GroupError) -> String {
        format!("{:?}", ResponseError::try_from_code(group_error(&error)).expect("a known number"))
    }

    #[test]
    fn every_refusal_has_kafkas_name() {
        let unavailable = |code| GroupError::Unavailable(ApiError::new(code, ""));
        assert_eq!(told(GroupError::Loading), "CoordinatorLoadInProgress");
        assert_eq!(told(unavailable(ErrorCode::DiskFull)), "CoordinatorNotAvailable");
        assert_eq!(told(unavailable(ErrorCode::Elsewhere)), "NotCoordinator");
        assert_eq!(told(unavailable(ErrorCode::RecordTooLarge)), "InvalidCommitOffsetSize");
        assert_eq!(told(GroupError::InvalidGroup), "InvalidGroupId");
        assert_eq!(told(GroupError::UnknownMember), "UnknownMemberId");
        assert_eq!(told(GroupError::MemberIdRequired("a".into())), "MemberIdRequired");
        assert_eq!(told(GroupError::IllegalGeneration), "IllegalGeneration");
        assert_eq!(told(GroupError::RebalanceInProgress), "RebalanceInProgress");
        assert_eq!(told(GroupError::InconsistentProtocol), "InconsistentGroupProtocol");
        assert_eq!(told(GroupError::InvalidSessionTimeout), "InvalidSessionTimeout");
        assert_eq!(told(GroupError::FencedInstance), "FencedInstanceId");
        assert_eq!(told(GroupError::Full), "GroupMaxSizeReached");
        assert_eq!(told(GroupError::NotEmpty), "NonEmptyGroup");
        assert_eq!(told(GroupError::NotFound), "GroupIdNotFound");
        assert_eq!(told(GroupError::MetadataTooLarge), "OffsetMetadataTooLarge");
        assert_eq!(told(GroupError::UnknownPartition), "UnknownTopicOrPartition");
        assert_eq!(told(GroupError::Subscribed), "GroupSubscribedToTopic");
    }
}
