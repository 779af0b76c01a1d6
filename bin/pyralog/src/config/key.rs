//! The table of every key: its section, what values it takes, its default, and
//! whether this version already acts on it.

use std::fmt;

/// The table of a configuration file a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// `[pyramid]`: storage and the doors.
    Pyramid,
    /// `[obelisk]`: coordination.
    Obelisk,
}

impl Section {
    /// Both, in the order of the documentation.
    pub const ALL: [Section; 2] = [Section::Pyramid, Section::Obelisk];

    /// The word between the brackets.
    pub fn as_str(self) -> &'static str {
        match self {
            Section::Pyramid => "pyramid",
            Section::Obelisk => "obelisk",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// `host:port`.
    Address,
    /// A list of `host:port`; comma-separated outside a file.
    Addresses,
    /// A path.
    Path,
    /// A size: `"1GB"` is 10⁹ bytes, `"1GiB"` 2³⁰, a bare number bytes.
    Bytes,
    /// A length of time: `"24h"`, `"90s"`.
    Duration,
    /// `true` or `false`.
    Switch,
    /// A whole number within bounds, both allowed.
    Count(u64, u64),
    /// 32 hexadecimal digits.
    Identity,
}

impl Kind {
    /// What to write, for the error messages and the documentation.
    pub fn expects(self) -> String {
        match self {
            Kind::Text => "text".into(),
            Kind::Address => "an address like \"127.0.0.1:9092\"".into(),
            Kind::Addresses => "a list of addresses like [\"obelisk-1:7070\"]".into(),
            Kind::Path => "a path".into(),
            Kind::Bytes => "a size like \"1GB\" (10^9 bytes) or \"1GiB\" (2^30)".into(),
            Kind::Duration => "a time like \"24h\" or \"90s\"".into(),
            Kind::Switch => "true or false".into(),
            Kind::Count(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Identity => "32 hexadecimal digits".into(),
        }
    }
}

/// Whether this version acts on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    Now,
    /// Read and checked, but the named feature is not in this version.
    With(&'static str),
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Where it stands.
    pub section: Section,
    /// Its name, snake_case.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its default as it would be written outside a file; empty for "not set".
    pub default: &'static str,
    /// One sentence for the documentation.
    pub meaning: &'static str,
    /// Whether it does anything yet.
    pub effect: Effect,
}

impl Key {
    /// The key of this name in a section.
    pub fn find(section: Section, name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.section == section && key.name == name)
    }

    /// `PYRALOG_PYRAMID_LISTEN_ADDR`.
    pub fn variable(&self) -> String {
        format!("PYRALOG_{}_{}", self.section, self.name).to_uppercase()
    }

    /// `pyramid.listen_addr`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

const REPLICATION: Effect = Effect::With("replication");
const NETWORK: Effect = Effect::With("the Pharaoh Network");

const fn pyramid(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    effect: Effect,
    meaning: &'static str,
) -> Key {
    Key { section: Section::Pyramid, name, kind, default, meaning, effect }
}

const fn obelisk(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    effect: Effect,
    meaning: &'static str,
) -> Key {
    Key { section: Section::Obelisk, name, kind, default, meaning, effect }
}

/// Every key there is.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    pyramid("node_id", Kind::Text, "", Effect::Now, "The node's name. Not set: the name in the data directory, else the host's."),
    pyramid("listen_addr", Kind::Address, "127.0.0.1:9092", Effect::Now, "Where Kafka clients connect."),
    pyramid("data_dir", Kind::Path, "pyralog-data", Effect::Now, "The data directory; made when absent, used by one process at a time."),
    pyramid("segment_size", Kind::Bytes, "1GB", Effect::Now, "A segment of a new log is sealed when it would pass this size."),
    pyramid("segment_cache_size", Kind::Bytes, "16GB", Effect::With("tiered storage"), "How much local disk may cache segments of the object store."),
    pyramid("pharaoh_endpoints", Kind::Addresses, "", Effect::Now, "Where the Obelisks answer, in order of preference. Needed by a Pyramid alone."),
    pyramid("raft_election_timeout_ms", Kind::Count(10, 60_000), "300", REPLICATION, "How long a partition waits for its leader before it elects another, in milliseconds."),
    pyramid("raft_heartbeat_interval_ms", Kind::Count(1, 30_000), "100", REPLICATION, "How often a leader shows that it lives, in milliseconds."),
    pyramid("replication_factor", Kind::Count(1, 32), "1", REPLICATION, "Copies of a new log; never more than there are live Pyramids."),
    pyramid("min_in_sync_replicas", Kind::Count(1, 32), "1", REPLICATION, "Copies that must have a record before it is acknowledged."),
    pyramid("http_addr", Kind::Address, "127.0.0.1:8080", Effect::Now, "Where HTTP is served: health, metrics and the /v1 API."),
    pyramid("sql_addr", Kind::Address, "127.0.0.1:5433", Effect::With("the PostgreSQL door"), "Where PostgreSQL clients connect."),
    pyramid("link_addr", Kind::Address, "127.0.0.1:9093", Effect::Now, "Where other nodes connect."),
    pyramid("advertised_addr", Kind::Address, "", Effect::Now, "The address Kafka clients are told. Not set: the one they dialled."),
    pyramid("cookie_file", Kind::Path, "", Effect::Now, "The file with the cluster's shared secret. Not set: one of the user's own, which is for nodes on one machine only."),
    pyramid("insecure", Kind::Switch, "false", Effect::Now, "Allows binding to addresses other machines can reach, without TLS."),
    pyramid("cluster_id", Kind::Identity, "", Effect::Now, "The cluster a new data directory belongs to. Not set: a new cluster, or for a Pyramid alone that of its Obelisks."),
    pyramid("auto_create_logs", Kind::Switch, "false", Effect::Now, "Makes a log when a Kafka client names one that is not there. On in `dev`."),
    pyramid("default_partitions", Kind::Count(1, 10_000), "1", Effect::Now, "Partitions of a new log when nobody says how many."),
    pyramid("max_message_bytes", Kind::Bytes, "1048588", Effect::Now, "The largest record batch of a new log."),
    pyramid("producer_id_expiration", Kind::Duration, "24h", Effect::Now, "How long an idle producer session is remembered."),
    pyramid("group_rebalance_delay", Kind::Duration, "500ms", Effect::Now, "How long the first member of an empty consumer group waits for others to join."),
    pyramid("group_offsets_retention", Kind::Duration, "168h", Effect::Now, "How long the committed offsets of a consumer group without members are kept."),
    pyramid("query_memory", Kind::Bytes, "512MiB", Effect::Now, "The memory that all SQL queries together may use; one of them may use half of it."),
    pyramid("query_time_max", Kind::Duration, "5m", Effect::Now, "How long a SQL query may run."),
    pyramid("queries_max", Kind::Count(1, 1_000), "8", Effect::Now, "SQL queries that run at once; more wait, and past eight times as many they are refused."),
    pyramid("scrub_interval", Kind::Duration, "168h", Effect::Now, "Every so often all sealed segments are read again, to find out damage while there is a backup; 0s for never."),
    pyramid("scrub_rate", Kind::Bytes, "10MB", Effect::Now, "How much of them is read in a second."),
    pyramid("compaction_rate", Kind::Bytes, "64MiB", Effect::Now, "Bytes that compaction may read and write in a second."),
    pyramid("key_index_memory", Kind::Bytes, "256MiB", Effect::Now, "The memory for finding records by their keys: three quarters hold index files, the rest the newest keys."),
    pyramid("compaction_memory", Kind::Bytes, "64MiB", Effect::Now, "The memory for the keys of a partition that is being compacted; more keys take several rounds."),
    pyramid("open_files", Kind::Count(64, 1_000_000), "4096", Effect::With("a pool of open files"), "Segment files kept open at once."),
    obelisk("node_id", Kind::Text, "", Effect::Now, "The node's name. Not set: the name in the data directory, else the host's."),
    obelisk("listen_addr", Kind::Address, "127.0.0.1:7070", Effect::Now, "Where other nodes connect."),
    obelisk("data_dir", Kind::Path, "pyralog-data", Effect::Now, "The data directory; made when absent, used by one process at a time."),
    obelisk("counter_file_size", Kind::Bytes, "1TB", Effect::Now, "Apparent size of the sparse file of counters; it takes only the room that is used."),
    obelisk("lease_term", Kind::Duration, "10m", Effect::Now, "How long a node may issue Scarab ids without hearing from an Obelisk; after that its records are written without ids."),
    obelisk("fsync_on_increment", Kind::Switch, "false", Effect::Now, "Makes every increment wait for the disk, so that a crash skips no value of an exact counter."),
    obelisk("raft_election_timeout_ms", Kind::Count(10, 60_000), "100", NETWORK, "How long the Obelisks wait for their leader, in milliseconds."),
    obelisk("raft_heartbeat_interval_ms", Kind::Count(1, 30_000), "30", NETWORK, "How often their leader shows that it lives, in milliseconds."),
    obelisk("http_addr", Kind::Address, "127.0.0.1:7071", Effect::Now, "Where HTTP is served: health, metrics and the /v1 API without logs."),
    obelisk("insecure", Kind::Switch, "false", Effect::Now, "Allows binding to addresses other machines can reach, without TLS."),
    obelisk("cookie_file", Kind::Path, "", Effect::Now, "The file with the cluster's shared secret. Not set: one of the user's own, which is for nodes on one machine only."),
    obelisk("cluster_id", Kind::Identity, "", Effect::Now, "The cluster a new data directory belongs to. Not set: a new cluster."),
    obelisk("pharaoh_endpoints", Kind::Addresses, "", Effect::Now, "Where the Obelisks answer; in this version nothing, or the Obelisk's own address."),
];
