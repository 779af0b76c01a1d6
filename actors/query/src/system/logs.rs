//! `sys.logs` and `sys.log_settings`: the logs and how they were set up.

use super::SystemSources;
use super::table::{Row, Rows, Table, Wanted, known, number};
use super::words::Kind::{Boolean, Number, Text};
use futures::{StreamExt, stream};
use pyralog_model::PartitionId;
use pyralog_partition::{LogEntry, PartitionView, Shen};

pub static LOGS: Table = Table {
    name: "logs",
    meaning: "the logs",
    columns: &[
        ("name", Text, "its name, and that of its table"),
        ("number", Number, "given by the directory, never reused"),
        ("partitions", Number, "how many it has"),
        ("copies", Number, "how many nodes hold each of them"),
        ("internal", Boolean, "whether it belongs to the system"),
        ("records", Number, "records that it keeps; NULL while a partition does not serve"),
        ("bytes", Number, "bytes that they take; NULL likewise"),
        ("schema", Text, "the columns of its values"),
        ("schema_version", Number, "from 1, one more with each change"),
        ("topic_id", Text, "Kafka's id for it"),
    ],
    read: logs,
};

pub static LOG_SETTINGS: Table = Table {
    name: "log_settings",
    meaning: "the settings of the logs, by Kafka's names",
    columns: &[
        ("log", Text, "the log"),
        ("key", Text, "the setting"),
        ("value", Text, "what it is"),
        ("settable", Boolean, "whether this version lets it be anything else"),
    ],
    read: settings,
};

fn logs(sources: SystemSources, wanted: Wanted) -> Rows {
    let shen = sources.shen;
    let sums = wanted.has("records") || wanted.has("bytes");
    let logs = shen.logs().into_iter();
    stream::iter(logs.map(move |log| Ok(row(&log, sums.then_some(&shen))))).boxed()
}

fn row(log: &LogEntry, sums: Option<&Shen>) -> Row {
    let (records, bytes) = sums.and_then(|shen| sizes(shen, log)).unzip();
    let topic_id: String = log.topic_id.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        log.name.as_str().into(),
        number(log.number.0),
        number(log.partitions),
        number(log.replication_factor),
        log.internal.into(),
        known(records),
        known(bytes),
        log.schema.as_ref().map(ToString::to_string).into(),
        known(log.schema.as_ref().map(|schema| schema.version)),
        topic_id.into(),
    ]
}

/// Records and bytes, if every partition serves.
fn sizes(shen: &Shen, log: &LogEntry) -> Option<(u64, u64)> {
    let mut sum = (0, 0);
    for partition in 0..log.partitions {
        let view = shen.partition(PartitionId::new(log.number.0, partition)).ok()?;
        sum = (sum.0 + records(&view), sum.1 + bytes(&view));
    }
    Some(sum)
}

/// The records that a partition keeps.
pub fn records(view: &PartitionView) -> u64 {
    view.watermarks.high.0.saturating_sub(view.watermarks.log_start.0)
}

/// The bytes that they take.
pub fn bytes(view: &PartitionView) -> u64 {
    view.sizes.segment_bytes + view.sizes.tail_bytes as u64
}

fn settings(sources: SystemSources, _: Wanted) -> Rows {
    let rows = sources.shen.logs().into_iter().flat_map(|log| {
        let name = log.name.to_string();
        let row = move |row: pyralog_model::SettingRow| {
            Ok(vec![name.as_str().into(), row.key.into(), row.value.into(), row.settable.into()])
        };
        log.settings.rows().into_iter().map(row)
    });
    stream::iter(rows).boxed()
}
