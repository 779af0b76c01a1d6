//! `sys.group_offsets`: how far the consumer groups have come, and how far that is
//! behind.

use super::SystemSources;
use super::groups::{ASKED_AT_ONCE, listed, refused};
use super::table::{Row, Rows, Table, Wanted, known, number};
use super::words::Kind::{Number, Text};
use futures::{StreamExt, TryStreamExt, stream};
use pyralog_groups::{CommittedOffset, FetchOffsets, GroupSummary, PartitionOffset};
use pyralog_model::{ApiError, PartitionId};
use pyralog_partition::Shen;

pub static GROUP_OFFSETS: Table = Table {
    name: "group_offsets",
    meaning: "the offsets that consumer groups have committed",
    columns: &[
        ("group_name", Text, "the group"),
        ("log", Text, "the log"),
        ("partition", Number, "the partition"),
        ("committed", Number, "the offset at which the group goes on"),
        ("high", Number, "the offset after the last record; NULL without the partition"),
        ("lag", Number, "the records between the two"),
        ("metadata", Text, "what the client wrote with it"),
    ],
    read,
};

fn read(sources: SystemSources, _: Wanted) -> Rows {
    let list = {
        let groups = sources.groups.clone();
        async move { listed(&groups).await }
    };
    let each = move |list: Vec<GroupSummary>| {
        let sources = sources.clone();
        let asked = stream::iter(list).map(move |group| of_group(sources.clone(), group.group));
        let rows = |rows: Vec<Row>| stream::iter(rows.into_iter().map(Ok));
        asked.buffered(ASKED_AT_ONCE).map_ok(rows).try_flatten()
    };
    stream::once(list).map_ok(each).try_flatten().boxed()
}

async fn of_group(sources: SystemSources, group: String) -> Result<Vec<Row>, ApiError> {
    let fetch = FetchOffsets { group: group.clone(), partitions: None };
    let mut offsets = sources.groups.fetch(fetch).await.map_err(refused)?;
    offsets.sort_by(|a, b| a.partition.cmp(&b.partition));
    let row = |PartitionOffset { partition, committed }| {
        let high = high(&sources.shen, &partition.topic, partition.partition);
        Some(row(&group, &partition.topic, partition.partition, &committed?, high))
    };
    Ok(offsets.into_iter().filter_map(row).collect())
}

fn row(group: &str, log: &str, partition: u32, at: &CommittedOffset, high: Option<u64>) -> Row {
    let lag = high.map(|high| high.saturating_sub(u64::try_from(at.offset).unwrap_or(0)));
    vec![
        group.into(),
        log.into(),
        number(partition),
        number(at.offset),
        known(high),
        known(lag),
        Some(at.metadata.as_str()).filter(|text| !text.is_empty()).into(),
    ]
}

fn high(shen: &Shen, log: &str, partition: u32) -> Option<u64> {
    let number = shen.log(log)?.number.0;
    Some(shen.watermarks(PartitionId::new(number, partition)).ok()?.high.0)
}
