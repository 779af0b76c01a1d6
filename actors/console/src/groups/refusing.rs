//! A group's refusals in the words of `/v1`.

use crate::reply::Refusal;
use pyralog_groups::GroupError;
use pyralog_model::{ApiError, ErrorCode};

/// What a caller is told of a refusal of `group`.
pub fn refusal(group: &str, error: GroupError) -> Refusal {
    match error {
        GroupError::Loading => ApiError::unavailable("the group's coordinator").into(),
        GroupError::Unavailable(cause) => cause.into(),
        GroupError::InvalidGroup => Refusal::new(ErrorCode::GroupNameInvalid, error.to_string()),
        GroupError::NotFound => missing(group),
        // Of one who is no member, a group with members says that it does not know it.
        GroupError::NotEmpty | GroupError::UnknownMember | GroupError::Subscribed => {
            let message = format!(
                "group '{group}' has members; stop its consumers, or wait until their sessions end"
            );
            Refusal::new(ErrorCode::GroupNotEmpty, message)
        }
        error => Refusal::invalid(format!("group '{group}': {error}")),
    }
}

/// A group that is not there.
pub fn missing(group: &str) -> Refusal {
    Refusal::new(ErrorCode::GroupNotFound, format!("there is no group '{group}'"))
}
