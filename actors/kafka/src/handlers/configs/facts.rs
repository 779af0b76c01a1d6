//! What is known of every setting of a log: what a node calls its default, of which
//! type it is, and what it is for.

/// Kafka's numbers of types.
pub(in crate::handlers) mod kind {
    pub(in crate::handlers) const BOOLEAN: i8 = 1;
    pub(in crate::handlers) const STRING: i8 = 2;
    pub(in crate::handlers) const INT: i8 = 3;
    pub(in crate::handlers) const LONG: i8 = 5;
    pub(in crate::handlers) const DOUBLE: i8 = 6;
    pub(in crate::handlers) const LIST: i8 = 7;
}

/// One setting.
#[derive(Debug)]
pub(in crate::handlers) struct Facts {
    /// What a log calls it.
    pub key: &'static str,
    /// What a node calls the default.
    pub node_key: &'static str,
    /// Its type.
    pub kind: i8,
    /// What it is for.
    pub documentation: &'static str,
}

const fn facts(
    key: &'static str,
    node_key: &'static str,
    kind: i8,
    documentation: &'static str,
) -> Facts {
    Facts { key, node_key, kind, documentation }
}

/// The facts about a key, if it is one.
pub(in crate::handlers) fn facts_of(key: &str) -> Option<&'static Facts> {
    FACTS.iter().find(|facts| facts.key == key)
}

/// True for a setting of many values.
pub(in crate::handlers) fn kind_is_list(facts: &Facts) -> bool {
    facts.kind == kind::LIST
}

const FACTS: &[Facts] = &[
    facts(
        "cleanup.policy",
        "log.cleanup.policy",
        kind::LIST,
        "What becomes of old records. 'delete': they go by age and size. 'compact': of the \
         records with one key the last one is kept. Both may be named.",
    ),
    facts(
        "compression.type",
        "compression.type",
        kind::STRING,
        "How batches are compressed. 'producer': they are kept as they were sent.",
    ),
    facts(
        "delete.retention.ms",
        "log.cleaner.delete.retention.ms",
        kind::LONG,
        "How long a record without value stays after everything older of its key is gone.",
    ),
    facts(
        "max.compaction.lag.ms",
        "log.cleaner.max.compaction.lag.ms",
        kind::LONG,
        "Records that are older are compacted, however few they are, in milliseconds.",
    ),
    facts(
        "max.message.bytes",
        "message.max.bytes",
        kind::INT,
        "The largest record batch that is taken, in bytes, compressed as it comes.",
    ),
    facts(
        "message.timestamp.type",
        "log.message.timestamp.type",
        kind::STRING,
        "Whose time a record has. 'CreateTime': its producer's.",
    ),
    facts(
        "min.cleanable.dirty.ratio",
        "log.cleaner.min.cleanable.ratio",
        kind::DOUBLE,
        "The part of a log that must be new since the last compaction for another one.",
    ),
    facts(
        "min.compaction.lag.ms",
        "log.cleaner.min.compaction.lag.ms",
        kind::LONG,
        "Records that are younger are not compacted, in milliseconds.",
    ),
    facts(
        "min.insync.replicas",
        "min.insync.replicas",
        kind::INT,
        "How many replicas have a record before it is acknowledged.",
    ),
    facts(
        "pyralog.durability",
        "pyralog.durability",
        kind::STRING,
        "What an acknowledgement promises: the record is on disk ('fsync'), written \
         ('page-cache') or in memory ('memory'). Decided when the log is made.",
    ),
    facts(
        "pyralog.keys",
        "pyralog.keys",
        kind::BOOLEAN,
        "Records are found by their keys: an index of them is kept.",
    ),
    facts(
        "retention.bytes",
        "log.retention.bytes",
        kind::LONG,
        "A partition's oldest segments go while it has so many bytes without them; -1 keeps \
         everything.",
    ),
    facts(
        "retention.ms",
        "log.retention.ms",
        kind::LONG,
        "A segment goes once all of its records are older, in milliseconds; -1 keeps \
         everything.",
    ),
    facts(
        "scarab.ids",
        "scarab.ids",
        kind::BOOLEAN,
        "Every batch gets an id that is unique in the cluster, if there are ids when it comes.",
    ),
    facts(
        "segment.bytes",
        "log.segment.bytes",
        kind::LONG,
        "The size at which a segment is sealed, in bytes. Deleted records free whole segments.",
    ),
    facts(
        "segment.ms",
        "log.roll.ms",
        kind::LONG,
        "A segment is sealed once it has been growing for so long, in milliseconds.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_model::LogSettings;

    #[test]
    fn every_setting_of_a_log_has_its_facts() {
        let rows = LogSettings::default().rows();
        let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(FACTS.iter().map(|facts| facts.key).collect::<Vec<_>>(), keys);
        for row in &rows {
            let kind = facts_of(&row.key).unwrap().kind;
            let fits = match kind {
                kind::BOOLEAN => row.value.parse::<bool>().is_ok(),
                kind::INT => row.value.parse::<i32>().is_ok(),
                kind::LONG => row.value.parse::<i64>().is_ok(),
                kind::DOUBLE => row.value.parse::<f64>().is_ok(),
                _ => row.value.parse::<i64>().is_err(),
            };
            assert!(fits, "{} is not of type {kind}", row.key);
        }
    }
}
