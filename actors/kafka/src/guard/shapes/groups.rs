//! The shapes of what members of groups and their tools ask for.
//!
//! Offsets are read in place: what their elements cost is what is kept for the
//! answer.

use super::{BOOL, Field, I8, I32, I64, Kind, always, array, since, until};
use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use pyralog_groups::{GroupError, Leaving};

/// The fields of the request body of `key`.
pub(super) fn of(key: ApiKey) -> Option<&'static [Field]> {
    Some(match key {
        ApiKey::FindCoordinator => FIND_COORDINATOR,
        ApiKey::JoinGroup => JOIN_GROUP,
        ApiKey::SyncGroup => SYNC_GROUP,
        ApiKey::Heartbeat => HEARTBEAT,
        ApiKey::LeaveGroup => LEAVE_GROUP,
        ApiKey::OffsetCommit => OFFSET_COMMIT,
        ApiKey::OffsetFetch => OFFSET_FETCH,
        ApiKey::OffsetDelete => OFFSET_DELETE,
        ApiKey::ListGroups => LIST_GROUPS,
        ApiKey::DescribeGroups => DESCRIBE_GROUPS,
        ApiKey::DeleteGroups => DELETE_GROUPS,
        _ => return None,
    })
}

const fn between(from: i16, to: i16, kind: Kind) -> Field {
    Field { from, to, kind }
}

const FIND_COORDINATOR: &[Field] = &[
    until(3, Kind::Text), // key
    since(1, I8),         // its kind
    since(4, Kind::Texts),
];

const JOIN_GROUP: &[Field] = &[
    always(Kind::Text),
    always(I32),                  // session timeout
    since(1, I32),                // rebalance timeout
    always(Kind::Text),           // member
    since(5, Kind::NullableText), // instance
    always(Kind::Text),           // kind of group
    always(array::<(String, Bytes)>(&[always(Kind::Text), always(Kind::NullableBytes)])),
    since(8, Kind::NullableText), // why
];

const SYNC_GROUP: &[Field] = &[
    always(Kind::Text),
    always(I32),                  // generation
    always(Kind::Text),           // member
    since(3, Kind::NullableText), // instance
    since(5, Kind::NullableText), // kind of group
    since(5, Kind::NullableText), // assignor
    always(array::<(String, Bytes)>(&[always(Kind::Text), always(Kind::NullableBytes)])),
];

const HEARTBEAT: &[Field] = &[
    always(Kind::Text),
    always(I32),                  // generation
    always(Kind::Text),           // member
    since(3, Kind::NullableText), // instance
];

const LEAVE_GROUP: &[Field] = &[
    always(Kind::Text),
    until(2, Kind::Text), // member
    since(
        3,
        array::<(Leaving, Leaving, Result<(), GroupError>)>(&[
            always(Kind::Text),
            always(Kind::NullableText),   // instance
            since(5, Kind::NullableText), // why
        ]),
    ),
];

const OFFSET_COMMIT: &[Field] = &[
    always(Kind::Text),
    always(I32),                  // generation
    always(Kind::Text),           // member
    since(7, Kind::NullableText), // instance
    until(4, I64),                // for how long
    always(array::<()>(&[
        always(Kind::Text),
        always(array::<i16>(&[
            always(I32),                // partition
            always(I64),                // offset
            since(6, I32),              // leader epoch
            always(Kind::NullableText), // metadata
        ])),
    ])),
];

const OFFSET_FETCH_TOPIC: &[Field] = &[always(Kind::Text), always(OFFSET_FETCH_PARTITIONS)];

/// Without tagged fields, so not an array of structures. The answer to each is some
/// twenty bytes.
const OFFSET_FETCH_PARTITIONS: Kind = Kind::NumbersWorth(16);

const OFFSET_FETCH: &[Field] = &[
    until(7, Kind::Text),
    until(1, array::<&str>(OFFSET_FETCH_TOPIC)),
    between(2, 7, Kind::NullableArray(size_of::<&str>(), OFFSET_FETCH_TOPIC)),
    since(
        8,
        array::<(&str, u64)>(&[
            always(Kind::Text),
            always(Kind::NullableArray(size_of::<&str>(), OFFSET_FETCH_TOPIC)),
        ]),
    ),
    since(7, BOOL), // wait for transactions
];

const OFFSET_DELETE: &[Field] = &[
    always(Kind::Text),
    always(array::<()>(&[always(Kind::Text), always(array::<(i16, i16)>(&[always(I32)]))])),
];

const LIST_GROUPS: &[Field] = &[since(4, Kind::Texts), since(5, Kind::Texts)];

const DESCRIBE_GROUPS: &[Field] = &[
    always(Kind::Texts),
    since(3, BOOL), // operations allowed
];

const DELETE_GROUPS: &[Field] = &[always(Kind::Texts)];
