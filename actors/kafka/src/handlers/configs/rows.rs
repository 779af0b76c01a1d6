//! The settings of a log or of this node, each with where its value comes from.

use super::facts::{facts_of, kind};
use crate::service::Service;
use pyralog_partition::LogEntry;

/// Where a value comes from, in Kafka's numbers: the log's own.
const OF_THE_LOG: i8 = 1;
/// The node's configuration.
const OF_THE_NODE: i8 = 4;
/// What holds if nobody says anything.
const DEFAULT: i8 = 5;

/// One setting.
pub(in crate::handlers) struct Row {
    pub key: String,
    pub value: String,
    pub source: i8,
    pub read_only: bool,
    pub kind: i8,
    pub documentation: &'static str,
    /// Where else it is set: key, value, source; the one that holds first.
    pub synonyms: Vec<(String, String, i8)>,
}

/// Every setting of a log. One that is as the node would make it shows as default.
pub(in crate::handlers) fn log_rows(service: &Service, log: &LogEntry) -> Vec<Row> {
    let defaults = service.shen.settings().log_settings.rows();
    let rows = log.settings.rows().into_iter().zip(defaults);
    rows.map(|(row, default)| {
        let facts = facts_of(&row.key).expect("every setting has its facts");
        let is_default = row.value == default.value;
        let source = if is_default { DEFAULT } else { OF_THE_LOG };
        let mut synonyms = vec![(facts.node_key.to_owned(), default.value, DEFAULT)];
        if !is_default {
            synonyms.insert(0, (row.key.clone(), row.value.clone(), OF_THE_LOG));
        }
        Row {
            key: row.key,
            value: row.value,
            source,
            read_only: !row.settable,
            kind: facts.kind,
            documentation: facts.documentation,
            synonyms,
        }
    })
    .collect()
}

/// Every setting of this node that a client may want to know.
pub(in crate::handlers) fn node_rows(service: &Service) -> Vec<Row> {
    let defaults = service.shen.settings().log_settings.rows();
    let of_logs = defaults.into_iter().map(|row| {
        let facts = facts_of(&row.key).expect("every setting has its facts");
        node_row(facts.node_key, row.value, facts.kind, facts.documentation)
    });
    let settings = &service.settings;
    let number = |key, value: usize, documentation| {
        node_row(key, value.to_string(), kind::LONG, documentation)
    };
    let creates = settings.auto_create_logs.to_string();
    let idle_ms = settings.idle_timeout.as_millis().to_string();
    let idle = "An idle connection is closed after so many milliseconds.";
    let create = "Asking for a log that is not there makes it.";
    let own = [
        node_row("auto.create.topics.enable", creates, kind::BOOLEAN, create),
        node_row("broker.id", service.shen.node().0.to_string(), kind::INT, "This node's number."),
        node_row("connections.max.idle.ms", idle_ms, kind::LONG, idle),
        number("default.replication.factor", 1, "Replicas of a log whose creator does not say."),
        number("max.connections", settings.connections_max, "The most open connections."),
        number(
            "max.connections.per.ip",
            settings.connections_per_address_max,
            "The most open connections from one address.",
        ),
        number(
            "num.partitions",
            settings.default_partitions as usize,
            "Partitions of a log whose creator does not say.",
        ),
        number("socket.request.max.bytes", settings.request_bytes_max, "The largest request."),
    ];
    let mut rows: Vec<Row> = own.into_iter().chain(of_logs).collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

fn node_row(key: &str, value: String, kind: i8, documentation: &'static str) -> Row {
    Row {
        synonyms: vec![(key.to_owned(), value.clone(), OF_THE_NODE)],
        key: key.to_owned(),
        value,
        source: OF_THE_NODE,
        read_only: true,
        kind,
        documentation,
    }
}
