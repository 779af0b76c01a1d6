//! `sys.partitions`: where the partitions stand, and who holds them.

use super::SystemSources;
use super::logs::{bytes, records};
use super::table::{Row, Rows, Table, Wanted, known, number};
use super::words::Kind::{Number, Text, Unsigned};
use futures::{StreamExt, stream};
use pyralog_directory::Directory;
use pyralog_model::PartitionId;
use pyralog_partition::{LogEntry, Shen};

pub static PARTITIONS: Table = Table {
    name: "partitions",
    meaning: "the partitions of the logs",
    columns: &[
        ("log", Text, "the log"),
        ("partition", Number, "its number, from 0"),
        ("log_start", Number, "the first offset that is kept"),
        ("high", Number, "the offset after the last record that is acknowledged"),
        ("records", Number, "records that it keeps"),
        ("bytes", Number, "bytes that they take"),
        ("segments", Number, "files that they are in"),
        ("epoch", Number, "the epoch of the present leadership"),
        ("epoch_label", Unsigned, "what the Obelisks call it; NULL before they have said"),
        ("producers", Number, "producers' sessions that it remembers"),
        ("generation", Number, "raised whenever other nodes hold it"),
        ("nodes", Text, "the numbers of the nodes that hold it, the one that writes first"),
        ("error", Text, "why it does not serve here; else NULL"),
    ],
    read,
};

fn read(sources: SystemSources, _: Wanted) -> Rows {
    let shen = sources.shen;
    let directory = sources.pharaoh.hub().directory();
    let all = shen.logs().into_iter().flat_map(|log| {
        let partitions = 0..log.partitions;
        partitions.map(move |partition| (log.clone(), partition))
    });
    let rows = all.map(move |(log, partition)| Ok(row(&shen, &directory, &log, partition)));
    stream::iter(rows).boxed()
}

fn row(shen: &Shen, directory: &Directory, log: &LogEntry, partition: u32) -> Row {
    let id = PartitionId::new(log.number.0, partition);
    let view = shen.partition(id);
    let serving = view.as_ref().ok();
    let placement = directory.placement(id);
    let nodes = placement.map(|placement| {
        let numbers: Vec<_> = placement.replicas.iter().map(|node| node.0.to_string()).collect();
        numbers.join(",")
    });
    vec![
        log.name.as_str().into(),
        number(partition),
        known(serving.map(|view| view.watermarks.log_start.0)),
        known(serving.map(|view| view.watermarks.high.0)),
        known(serving.map(records)),
        known(serving.map(bytes)),
        known(serving.map(|view| view.sizes.segments)),
        known(serving.map(|view| view.watermarks.epoch.0)),
        serving.and_then(|view| view.epoch_label).into(),
        known(serving.map(|view| view.sessions)),
        known(placement.map(|placement| placement.generation)),
        nodes.into(),
        view.as_ref().err().map(ToString::to_string).into(),
    ]
}
