//! DescribeLogDirs: the one data directory of this node, and how much room its
//! partitions take.

use crate::handlers::partition_id;
use crate::handlers::topic_partitions::Topics;
use crate::kafka_errors::{NONE, kafka_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Writer};
use pyralog_partition::{DataDirectory, LogEntry};
use std::collections::BTreeSet;

/// Kafka's "not known" of a number of bytes.
const UNKNOWN_BYTES: i64 = -1;

/// Partitions and the bytes of each.
type Sizes = Vec<(i32, i64)>;

/// What is asked: topics, or everything.
pub(crate) fn read(request: &Request) -> Result<Option<Topics<'_, i32>>, Malformed> {
    Topics::read_nullable(&mut request.reader(), request.version, |reader, _| reader.i32())
}

/// Answers with the data directory.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question = read(request)?;
    let mut out = Writer::new(request.is_flexible(), 256 + 2 * request.body.len());
    out.i32(0); // throttle time
    match service.shen.data_directory().await {
        Ok(directory) => {
            write_error(request.version, NONE, &mut out);
            out.count(1);
            write_directory(service, request.version, (directory, question), &mut out);
        }
        Err(error) => {
            write_error(request.version, kafka_error(error.code), &mut out);
            out.count(0);
        }
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

fn write_error(version: i16, error: i16, out: &mut Writer) {
    if version >= 3 {
        out.i16(error);
    }
}

fn write_directory(
    service: &Service,
    version: i16,
    (directory, question): (DataDirectory, Option<Topics<'_, i32>>),
    out: &mut Writer,
) {
    out.i16(NONE);
    out.text(&directory.path.display().to_string());
    match question {
        None => {
            let logs = service.shen.logs();
            out.count(logs.len());
            for log in &logs {
                write_topic(log, sizes(service, log, 0..log.partitions as i32), out);
            }
        }
        Some(topics) => {
            let mut seen = BTreeSet::new();
            let mut found = Vec::new();
            for topic in topics.filter(|topic| seen.insert(topic.name)) {
                let Some(log) = service.shen.log(topic.name) else { continue };
                let asked: BTreeSet<i32> = topic.partitions.collect();
                let sizes = sizes(service, &log, asked.into_iter());
                found.push((log, sizes));
            }
            out.count(found.len());
            found.into_iter().for_each(|(log, sizes)| write_topic(&log, sizes, out));
        }
    }
    if version >= 4 {
        out.i64(UNKNOWN_BYTES); // of the whole volume
        out.i64(i64::try_from(directory.free_bytes).unwrap_or(i64::MAX));
    }
    out.no_tags();
}

/// Those of them that serve here.
fn sizes(service: &Service, log: &LogEntry, partitions: impl Iterator<Item = i32>) -> Sizes {
    let size = |index: i32| {
        let sizes = service.shen.partition(partition_id(Some(log), index)?).ok()?.sizes;
        Some((index, (sizes.segment_bytes + sizes.tail_bytes as u64) as i64))
    };
    partitions.filter_map(size).collect()
}

fn write_topic(log: &LogEntry, sizes: Sizes, out: &mut Writer) {
    out.text(log.name.as_str());
    out.count(sizes.len());
    for (index, bytes) in sizes {
        out.i32(index);
        out.i64(bytes);
        out.i64(0); // behind the leader by so much
        out.bool(false); // on its way to another directory
        out.no_tags();
    }
    out.no_tags();
}
