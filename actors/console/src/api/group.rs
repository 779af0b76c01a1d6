//! Consumer groups, as `/v1/groups` shows and takes them.

use serde::{Deserialize, Serialize};

/// `GET /v1/groups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupList {
    /// Sorted by name.
    pub groups: Vec<GroupSummary>,
}

/// One group in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// Its name.
    pub name: String,
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`.
    pub state: String,
    /// `consumer`, or another kind of group; empty if it only has offsets.
    pub protocol_type: String,
    /// Members.
    pub member_count: usize,
}

/// `GET /v1/groups/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDescription {
    /// What the list says.
    #[serde(flatten)]
    pub summary: GroupSummary,
    /// One more with each rebalance.
    pub generation: i32,
    /// The assignor that all members agreed on; empty if there is none.
    pub assignor: String,
    /// The member that assigns.
    pub leader: Option<String>,
    /// Who reads.
    pub members: Vec<GroupMember>,
    /// How far it has come, by log and partition; also where it has not begun.
    pub offsets: Vec<GroupOffset>,
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Its id.
    pub member: String,
    /// Its `group.instance.id`, if it is static.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What the client calls itself.
    pub client_id: String,
    /// The address that it comes from.
    pub client_host: String,
    /// What it reads; nothing while the group rebalances, or if its assignor speaks
    /// another language than Kafka's own.
    pub assigned: Vec<AssignedLog>,
}

/// Partitions of one log that a member reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedLog {
    /// The log.
    pub log: String,
    /// In order.
    pub partitions: Vec<u32>,
}

/// How far a group has come in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupOffset {
    /// The log.
    pub log: String,
    /// Of which partition.
    pub partition: u32,
    /// Where it goes on reading; absent if nothing was committed.
    pub committed: Option<i64>,
    /// What the client wrote beside it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metadata: String,
    /// One past the newest committed record; absent if the partition does not serve.
    pub end: Option<u64>,
    /// Records from the one to the other.
    pub lag: Option<u64>,
    /// The member that reads it.
    pub member: Option<String>,
}

/// `POST /v1/groups/{name}/offsets`: where a group without members goes on reading, or
/// begins, if it is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetOffsetsRequest {
    /// Of which log.
    pub log: String,
    /// Only these partitions; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<u32>>,
    /// Where to.
    pub to: ResetTo,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// Where a reset leads. What lies outside the log becomes its nearest end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "'to' is \"earliest\", \"latest\", an offset, {\"timestamp\": MILLISECONDS} or {\"shift\": RECORDS}"
)]
pub enum ResetTo {
    /// An end of the log.
    End(ResetEnd),
    /// This offset.
    Offset(u64),
    /// A place that is looked up.
    Place(ResetPlace),
}

/// An end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetEnd {
    /// The oldest record.
    Earliest,
    /// The next record.
    Latest,
}

/// A place that is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetPlace {
    /// The first record of this time or later, in milliseconds since 1970.
    Timestamp(i64),
    /// So many records on from what is committed; back if negative.
    Shift(i64),
}

/// What a reset did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetOffsetsReply {
    /// The group.
    pub group: String,
    /// The log.
    pub log: String,
    /// Nothing was changed.
    pub dry_run: bool,
    /// By number.
    pub partitions: Vec<ResetPartition>,
}

/// One partition of a reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetPartition {
    /// From 0.
    pub partition: u32,
    /// What was committed.
    pub before: Option<i64>,
    /// What is committed now.
    pub after: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_its_words_and_others_are_explained() {
        let places = [
            (ResetTo::End(ResetEnd::Earliest), r#""earliest""#),
            (ResetTo::End(ResetEnd::Latest), r#""latest""#),
            (ResetTo::Offset(17), "17"),
            (
                ResetTo::Place(ResetPlace::Timestamp(1_357_000_000_000)),
                r#"{"timestamp":1357000000000}"#,
            ),
            (ResetTo::Place(ResetPlace::Shift(-5)), r#"{"shift":-5}"#),
        ];
        for (place, words) in places {
            assert_eq!(serde_json::to_string(&place).unwrap(), words);
            assert_eq!(serde_json::from_str::<ResetTo>(words).unwrap(), place);
        }
        for bad in [r#""end""#, "-1", "1.5", "null", r#"{"shift":"a"}"#, r#"{"by":1}"#] {
            let error = serde_json::from_str::<ResetTo>(bad).unwrap_err().to_string();
            assert!(error.contains("\"earliest\", \"latest\", an offset"), "{bad}: {error}");
        }
    }
}
