//! The shapes of what admin tools ask for.
//!
//! Where partitions are read in place, an element costs what its answer takes.

use super::{BOOL, Field, I8, I32, I64, Kind, always, array, since};
use kafka_protocol::messages::ApiKey;
use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::{alter_configs_request, incremental_alter_configs_request};
use pyralog_model::PartitionId;

/// The fields of the request body of `key`.
pub(super) fn of(key: ApiKey) -> Option<&'static [Field]> {
    Some(match key {
        ApiKey::CreatePartitions => CREATE_PARTITIONS,
        ApiKey::DescribeConfigs => DESCRIBE_CONFIGS,
        ApiKey::IncrementalAlterConfigs => INCREMENTAL_ALTER_CONFIGS,
        ApiKey::AlterConfigs => ALTER_CONFIGS,
        ApiKey::DescribeCluster => DESCRIBE_CLUSTER,
        ApiKey::DescribeLogDirs => DESCRIBE_LOG_DIRS,
        ApiKey::DeleteRecords => DELETE_RECORDS,
        ApiKey::OffsetForLeaderEpoch => OFFSET_FOR_LEADER_EPOCH,
        _ => return None,
    })
}

const CREATE_PARTITIONS: &[Field] = &[
    always(array::<CreatePartitionsTopic>(&[
        always(Kind::Text),
        always(I32), // partitions in all
        always(Kind::NullableArray(
            size_of::<CreatePartitionsAssignment>(),
            &[always(Kind::Numbers)],
        )),
    ])),
    always(I32),  // timeout
    always(BOOL), // validate only
];

const DESCRIBE_CONFIGS: &[Field] = &[
    always(array::<DescribeConfigsResource>(&[
        always(I8), // what it is
        always(Kind::Text),
        always(Kind::NullableTexts), // keys
    ])),
    always(BOOL),   // with synonyms
    since(3, BOOL), // with documentation
];

const INCREMENTAL_ALTER_CONFIGS: &[Field] = &[
    always(array::<incremental_alter_configs_request::AlterConfigsResource>(&[
        always(I8), // what it is
        always(Kind::Text),
        always(array::<incremental_alter_configs_request::AlterableConfig>(&[
            always(Kind::Text),
            always(I8), // operation
            always(Kind::NullableText),
        ])),
    ])),
    always(BOOL), // validate only
];

const ALTER_CONFIGS: &[Field] = &[
    always(array::<alter_configs_request::AlterConfigsResource>(&[
        always(I8), // what it is
        always(Kind::Text),
        always(array::<alter_configs_request::AlterableConfig>(&[
            always(Kind::Text),
            always(Kind::NullableText),
        ])),
    ])),
    always(BOOL), // validate only
];

const DESCRIBE_CLUSTER: &[Field] = &[
    always(BOOL), // operations allowed
    since(1, I8), // whose addresses
];

const DESCRIBE_LOG_DIRS: &[Field] = &[always(Kind::NullableArray(
    size_of::<&str>(),
    &[always(Kind::Text), always(Kind::NumbersWorth(24))],
))];

const DELETE_RECORDS: &[Field] = &[
    always(array::<&str>(&[
        always(Kind::Text),
        always(array::<PartitionId>(&[always(I32), always(I64)])),
    ])),
    always(I32), // timeout
];

const OFFSET_FOR_LEADER_EPOCH: &[Field] = &[
    since(3, I32), // replica
    always(array::<&str>(&[
        always(Kind::Text),
        always(array::<PartitionId>(&[
            always(I32), // partition
            always(I32), // present epoch
            always(I32), // epoch asked about
        ])),
    ])),
];
