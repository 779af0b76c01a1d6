//! The shape of every request that is served, in the order of its fields.

mod admin;
mod groups;

use super::{Field, Kind};
use crate::handlers::{fetch, produce};
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{ApiKey, BrokerId};
use pyralog_model::PartitionId;

/// The fields of the request body of `key`.
pub(super) fn of(key: ApiKey) -> Option<&'static [Field]> {
    Some(match key {
        ApiKey::Produce => PRODUCE,
        ApiKey::Fetch => FETCH,
        ApiKey::ListOffsets => LIST_OFFSETS,
        ApiKey::Metadata => METADATA,
        ApiKey::ApiVersions => API_VERSIONS,
        ApiKey::CreateTopics => CREATE_TOPICS,
        ApiKey::DeleteTopics => DELETE_TOPICS,
        ApiKey::InitProducerId => INIT_PRODUCER_ID,
        _ => return groups::of(key).or_else(|| admin::of(key)),
    })
}

const NEWEST: i16 = i16::MAX;
const BOOL: Kind = Kind::Fixed(1);
const I8: Kind = Kind::Fixed(1);
const I16: Kind = Kind::Fixed(2);
const I32: Kind = Kind::Fixed(4);
const I64: Kind = Kind::Fixed(8);
const UUID: Kind = Kind::Fixed(16);

const fn always(kind: Kind) -> Field {
    Field { from: 0, to: NEWEST, kind }
}

const fn since(from: i16, kind: Kind) -> Field {
    Field { from, to: NEWEST, kind }
}

const fn until(to: i16, kind: Kind) -> Field {
    Field { from: 0, to, kind }
}

const fn array<Element>(fields: &'static [Field]) -> Kind {
    Kind::Array(size_of::<Element>(), fields)
}

const PRODUCE: &[Field] = &[
    always(Kind::NullableText), // transactional id
    always(I16),                // acks
    always(I32),                // timeout
    always(array::<produce::Topic>(&[
        always(Kind::Text),
        always(array::<produce::Partition>(&[always(I32), always(Kind::NullableBytes)])),
    ])),
];

const FETCH: &[Field] = &[
    always(I32),   // replica
    always(I32),   // longest wait
    always(I32),   // least bytes
    always(I32),   // most bytes
    always(I8),    // isolation
    since(7, I32), // session
    since(7, I32), // session epoch
    always(array::<fetch::Topic>(&[
        always(Kind::Text),
        always(array::<fetch::Partition>(&[
            always(I32),    // partition
            since(9, I32),  // leader epoch
            always(I64),    // offset
            since(12, I32), // last fetched epoch
            since(5, I64),  // log start
            always(I32),    // most bytes
        ])),
    ])),
    // Forgotten topics are passed over, not decoded.
    since(7, Kind::Array(0, &[always(Kind::Text), always(Kind::Numbers)])),
    since(11, Kind::Text), // rack
];

const LIST_OFFSETS: &[Field] = &[
    always(I32),  // replica
    since(2, I8), // isolation
    always(array::<()>(&[
        always(Kind::Text),
        always(array::<PartitionId>(&[always(I32), since(4, I32), always(I64)])),
    ])),
];

const METADATA: &[Field] = &[
    always(Kind::NullableArray(size_of::<&str>(), &[always(Kind::Text)])),
    since(4, BOOL), // create missing topics
    since(8, BOOL), // operations allowed on the cluster
    since(8, BOOL), // operations allowed on topics
];

const API_VERSIONS: &[Field] = &[since(3, Kind::Text), since(3, Kind::Text)];

const CREATE_TOPICS: &[Field] = &[
    always(array::<CreatableTopic>(&[
        always(Kind::Text),
        always(I32), // partitions
        always(I16), // replication factor
        always(array::<CreatableReplicaAssignment>(&[always(I32), always(Kind::Numbers)])),
        always(array::<CreatableTopicConfig>(&[always(Kind::Text), always(Kind::NullableText)])),
    ])),
    always(I32),  // timeout
    always(BOOL), // validate only
];

const DELETE_TOPICS: &[Field] = &[
    since(6, array::<DeleteTopicState>(&[always(Kind::NullableText), always(UUID)])),
    until(5, Kind::Texts),
    always(I32), // timeout
];

const INIT_PRODUCER_ID: &[Field] = &[
    always(Kind::NullableText), // transactional id
    always(I32),                // timeout of a transaction
    since(3, I64),              // session
    since(3, I16),              // its epoch
];

// A number of a broker decodes to its own size: `Numbers` counts on that.
const _: () = assert!(size_of::<BrokerId>() == size_of::<i32>());
