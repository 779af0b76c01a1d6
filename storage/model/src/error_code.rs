//! Every error a user can meet, by its public code.
//!
//! Crates keep typed errors of their own; at a door each becomes one of these,
//! with a message that says what happened, why, and what to do. The list is
//! printed into `docs/errors.md` and held there by a test.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a caller should do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Send it again, with backoff; nothing was changed or the outcome is safe
    /// to repeat.
    Retry,
    /// Ask another node.
    GoElsewhere,
    /// Fetch metadata again, then retry.
    Refresh,
    /// Change the request; it will never succeed as it is.
    GiveUp,
    /// An operator has to act on this node.
    Repair,
}

macro_rules! error_codes {
    ($($variant:ident, $code:literal, $remedy:ident, $meaning:literal;)*) => {
        /// A public error code, a kebab-case word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $(#[doc = $meaning] #[serde(rename = $code)] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant),*];

            /// The kebab-case word.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $code),* }
            }

            /// What the caller should do.
            pub fn remedy(self) -> Remedy {
                match self { $(ErrorCode::$variant => Remedy::$remedy),* }
            }

            /// One sentence for the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(ErrorCode::$variant => $meaning),* }
            }
        }
    };
}

error_codes! {
    LogNotFound, "log-not-found", Refresh, "No log has this name or number.";
    PartitionNotFound, "partition-not-found", Refresh, "The log has no partition of this number.";
    LogExists, "log-exists", GiveUp, "A log of this name exists already.";
    LogNameInvalid, "log-name-invalid", GiveUp, "The name breaks the rules for log names.";
    SettingInvalid, "setting-invalid", GiveUp, "A setting is unknown or its value cannot be.";
    PartitionsInvalid, "partitions-invalid", GiveUp, "The number of partitions is zero or over this node's cap.";
    ReplicationInvalid, "replication-invalid", GiveUp, "More replicas were asked for than there are live Pyramids.";
    OffsetOutOfRange, "offset-out-of-range", GiveUp, "The offset lies before the log's start or past its end.";
    RecordTooLarge, "record-too-large", GiveUp, "A batch is larger than the log's max.message.bytes.";
    RecordCorrupt, "record-corrupt", GiveUp, "A batch does not match its CRC-32C or is malformed.";
    FormatUnsupported, "format-unsupported", GiveUp, "Only record batches of version 2 are taken.";
    ProducerUnknown, "producer-unknown", GiveUp, "The batch names a producer session that this cluster never gave out.";
    SequenceGap, "sequence-gap", GiveUp, "A batch of a producer session does not follow its last one; nothing was stored.";
    SequenceDuplicate, "sequence-duplicate", GiveUp, "The batch was stored before, too long ago to say at which offset.";
    ProducerFenced, "producer-fenced", GiveUp, "A newer epoch of this producer session has written.";
    CounterNotFound, "counter-not-found", GiveUp, "No counter has this name.";
    CounterExists, "counter-exists", GiveUp, "A counter of this name exists already, in another mode.";
    CounterNameInvalid, "counter-name-invalid", GiveUp, "The name breaks the rules for counter names.";
    CountersExhausted, "counters-exhausted", Repair, "The arena has no room for another counter, or a counter has no values left.";
    LanesExhausted, "lanes-exhausted", Retry, "Every lane of Scarab ids is leased; one is free within minutes.";
    ClockAhead, "clock-ahead", GiveUp, "The time that was passed lies too far in the future.";
    ObeliskAway, "obelisk-away", Retry, "No Obelisk answers; existing data is served, what needs coordination waits.";
    NodeNameTaken, "node-name-taken", Repair, "Another data directory is registered under this node's name.";
    NodeCopied, "node-copied", Repair, "This data directory is a copy, or an old state, of one that has been started since.";
    PeerRefused, "peer-refused", Repair, "A node refused this one: other cluster, cookie or version.";
    RequestInvalid, "request-invalid", GiveUp, "The request is malformed.";
    Overloaded, "overloaded", Retry, "Too much is in flight; nothing was stored.";
    DiskFull, "disk-full", Retry, "The disk has no room; nothing was stored, reads go on.";
    Timeout, "timeout", Retry, "No answer in time; the outcome is unknown.";
    Unavailable, "unavailable", Retry, "The part that serves this is starting, restarting or stopping.";
    Elsewhere, "elsewhere", GoElsewhere, "Another node serves this partition.";
    Fenced, "fenced", Refresh, "The partition has moved on to a newer generation.";
    StorageFailed, "storage-failed", Repair, "A sync or a write failed; this store acknowledges nothing more until restarted.";
    StorageCorrupt, "storage-corrupt", Repair, "Stored bytes fail their checksum; nothing wrong was served.";
    NotSupported, "not-supported", GiveUp, "This version does not have that feature yet.";
    DebugDisabled, "debug-disabled", GiveUp, "Fault injection is off; start the node with --debug-faults.";
    ActorNotFound, "actor-not-found", GiveUp, "No actor has this path.";
    Internal, "internal", Repair, "A bug: please report it with the log.";
    DirectoryDiverged, "directory-diverged", Repair, "The Obelisk's directory is older than the one this node has followed, or another one.";
    SchemaInvalid, "schema-invalid", GiveUp, "The schema cannot be read, or is not the present one with columns appended.";
    GroupNotFound, "group-not-found", GiveUp, "No consumer group has this name.";
    GroupNotEmpty, "group-not-empty", GiveUp, "The consumer group has members; stop them first.";
    GroupNameInvalid, "group-name-invalid", GiveUp, "The name breaks the rules for names of consumer groups.";
    QueryInvalid, "query-invalid", GiveUp, "The query cannot be read, or names what is not there.";
    QueryReadOnly, "query-read-only", GiveUp, "SQL only reads here.";
    QueryFailed, "query-failed", GiveUp, "The query failed while it ran, by its own doing.";
    QueryOutOfMemory, "query-out-of-memory", GiveUp, "The query needed more memory than queries may have.";
    QueryOutOfTime, "query-out-of-time", GiveUp, "The query ran longer than queries may.";
    KeyMissing, "key-missing", GiveUp, "A record has no key, or none that can be read, and the log is compacted.";
    KeyNotFound, "key-not-found", GiveUp, "No record of the log has this key, or the newest one that has says that it is deleted.";
    KeyIndexOff, "key-index-off", GiveUp, "The log keeps no index of its keys; set pyralog.keys=true and it is built.";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
