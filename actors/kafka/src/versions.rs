//! Which APIs this door serves, in which versions.
//!
//! The table is ours, not the codec's: the codec claims versions that it does
//! not read completely, and a version is only promised once its recordings pass
//! the tests. Adding a row means: a shape in `guard`, a handler, recordings.

use kafka_protocol::messages::ApiKey;

/// One API and its versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Kafka's number of the API.
    pub key: ApiKey,
    /// The least version.
    pub min: i16,
    /// The greatest version.
    pub max: i16,
    /// From this version on, strings and arrays are compact and tagged fields
    /// follow every structure.
    pub flexible_from: i16,
}

/// Of an API that no served version makes flexible.
const NEVER: i16 = i16::MAX;

const fn served(key: ApiKey, min: i16, max: i16, flexible_from: i16) -> Served {
    Served { key, min, max, flexible_from }
}

/// Every API of this door, by key.
pub const SERVED: &[Served] = &[
    served(ApiKey::Produce, 3, 9, 9),
    served(ApiKey::Fetch, 4, 12, 12),
    served(ApiKey::ListOffsets, 1, 6, 6),
    served(ApiKey::Metadata, 0, 9, 9),
    served(ApiKey::OffsetCommit, 2, 9, 8),
    served(ApiKey::OffsetFetch, 1, 8, 6),
    served(ApiKey::FindCoordinator, 0, 4, 3),
    served(ApiKey::JoinGroup, 0, 9, 6),
    served(ApiKey::Heartbeat, 0, 4, 4),
    served(ApiKey::LeaveGroup, 0, 5, 4),
    served(ApiKey::SyncGroup, 0, 5, 4),
    served(ApiKey::DescribeGroups, 0, 5, 5),
    served(ApiKey::ListGroups, 0, 5, 3),
    served(ApiKey::ApiVersions, 0, 4, 3),
    served(ApiKey::CreateTopics, 2, 7, 5),
    served(ApiKey::DeleteTopics, 1, 6, 4),
    served(ApiKey::DeleteRecords, 0, 2, 2),
    served(ApiKey::InitProducerId, 0, 4, 2),
    served(ApiKey::OffsetForLeaderEpoch, 2, 4, 4),
    served(ApiKey::DescribeConfigs, 1, 4, 4),
    served(ApiKey::AlterConfigs, 0, 2, 2),
    served(ApiKey::DescribeLogDirs, 1, 4, 2),
    served(ApiKey::CreatePartitions, 0, 3, 2),
    served(ApiKey::DeleteGroups, 0, 2, 2),
    served(ApiKey::IncrementalAlterConfigs, 0, 1, 1),
    served(ApiKey::OffsetDelete, 0, 0, NEVER),
    served(ApiKey::DescribeCluster, 0, 1, 0),
];

/// The row of an API key, if it is served in any version.
pub fn served_api(key: i16) -> Option<&'static Served> {
    SERVED.iter().find(|served| served.key as i16 == key)
}

impl Served {
    /// True if `version` is served.
    pub fn covers(&self, version: i16) -> bool {
        (self.min..=self.max).contains(&version)
    }

    /// True if `version` has compact fields.
    pub fn is_flexible(&self, version: i16) -> bool {
        version >= self.flexible_from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_agrees_with_the_table() {
        for served in SERVED {
            let codec = served.key.valid_versions();
            assert!(codec.min <= served.min && served.max <= codec.max, "{:?}", served.key);
            for version in served.min..=served.max {
                let flexible = served.key.request_header_version(version) == 2;
                assert_eq!(flexible, served.is_flexible(version), "{:?} {version}", served.key);
            }
        }
        assert!(SERVED.is_sorted_by_key(|served| served.key as i16));
    }
}
