//! OffsetFetch: how far a group has come. What was never committed, or is not there,
//! is offset -1 without an error. Nothing is ever unstable, as there are no
//! transactions.
//!
//! The answer is written as it is found: a request of thousands of partitions takes
//! little more memory than its answer. A partition named twice is refused, else few
//! bytes could ask for many.

mod question;

use crate::handlers::partition_id;
use crate::handlers::topic_partitions::{Topic, Topics};
use crate::kafka_errors::{INVALID_REQUEST, NONE, UNKNOWN_SERVER_ERROR, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Writer;
use pyralog_groups::{CommittedOffset, FetchOffsets, PartitionOffset, TopicPartition};
pub(crate) use question::Question;
use question::{Asked, GROUPS_SINCE};
use std::collections::BTreeSet;

/// Partitions that are asked for at once.
const PART: usize = 256;

/// Without this version's field for it, an error is told of every partition.
const ERRORS_SINCE: i16 = 2;

/// About what the answer for a partition takes.
const ANSWER_BYTES: usize = 24;

/// Fetches.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let version = request.version;
    let question = Question::read(request)?;
    let capacity = 64 + request.body.len() + ANSWER_BYTES * question.partitions();
    let mut out = Writer::new(request.is_flexible(), capacity);
    let (mut pieces, mut seen) = (Vec::new(), BTreeSet::new());
    if version >= 3 {
        out.i32(0); // throttle time
    }
    if version >= GROUPS_SINCE {
        out.count(question.len());
    }
    for asked in question {
        if version >= GROUPS_SINCE {
            out.text(asked.group);
        }
        // An error takes back what is written from here on.
        pieces.push(out.cut());
        let is_new = seen.insert(asked.group);
        let error = match write_offsets(service, version, &asked, is_new, &mut out).await {
            Ok(()) => NONE,
            Err(error) => {
                out.cut();
                write_error(version, asked, error, &mut out);
                error
            }
        };
        if version >= ERRORS_SINCE {
            out.i16(error);
        }
        if version >= GROUPS_SINCE {
            out.no_tags();
        }
    }
    out.no_tags();
    pieces.push(out.cut());
    Ok(Reply::of_pieces(request, pieces))
}

/// Writes topics with what was committed. An error is of the whole group.
async fn write_offsets(
    service: &Service,
    version: i16,
    asked: &Asked<'_>,
    is_new: bool,
    out: &mut Writer,
) -> Result<(), i16> {
    if !is_new || asked.names_twice() {
        return Err(INVALID_REQUEST);
    }
    let Some(topics) = asked.topics.clone() else {
        let found = fetch(service, asked.group, None).await?;
        write_everything(version, found, out);
        return Ok(());
    };
    out.count(topics.len());
    for topic in topics {
        write_topic(service, version, asked.group, topic, out).await?;
    }
    Ok(())
}

async fn write_topic(
    service: &Service,
    version: i16,
    group: &str,
    topic: Topic<'_, i32>,
    out: &mut Writer,
) -> Result<(), i16> {
    let Topic { name, mut partitions } = topic;
    let log = service.shen.log(name);
    out.text(name);
    out.count(partitions.len());
    while partitions.len() > 0 {
        let part: Vec<i32> = partitions.by_ref().take(PART).collect();
        let there = part.iter().filter(|index| partition_id(log.as_deref(), **index).is_some());
        let named = |index: &i32| TopicPartition { topic: name.into(), partition: *index as u32 };
        let found = fetch(service, group, Some(there.map(named).collect())).await?;
        let mut found = found.into_iter().peekable();
        for index in part {
            // What is found comes in the order of the question.
            let is_it = |found: &PartitionOffset| found.partition.partition == index as u32;
            let committed = found.next_if(is_it).and_then(|found| found.committed);
            write_partition(version, index, committed.as_ref(), NONE, out);
        }
        if found.peek().is_some() {
            return Err(UNKNOWN_SERVER_ERROR);
        }
    }
    out.no_tags();
    Ok(())
}

async fn fetch(
    service: &Service,
    group: &str,
    partitions: Option<Vec<TopicPartition>>,
) -> Result<Vec<PartitionOffset>, i16> {
    let fetch = FetchOffsets { group: group.to_owned(), partitions };
    service.groups.fetch(fetch).await.map_err(|error| group_error(&error))
}

/// Writes every offset that a group has.
fn write_everything(version: i16, mut found: Vec<PartitionOffset>, out: &mut Writer) {
    found.retain(|found| found.committed.is_some());
    found.sort_unstable_by(|a, b| a.partition.cmp(&b.partition));
    let topics = || found.chunk_by(|a, b| a.partition.topic == b.partition.topic);
    out.count(topics().count());
    for topic in topics() {
        out.text(&topic[0].partition.topic);
        out.count(topic.len());
        for PartitionOffset { partition, committed } in topic {
            let index = partition.partition as i32;
            write_partition(version, index, committed.as_ref(), NONE, out);
        }
        out.no_tags();
    }
}

/// Writes an error of a whole group in the place of its topics.
fn write_error(version: i16, asked: Asked<'_>, error: i16, out: &mut Writer) {
    let topics = asked.topics.filter(|_| version < ERRORS_SINCE);
    out.count(topics.as_ref().map_or(0, Topics::len));
    for topic in topics.into_iter().flatten() {
        out.text(topic.name);
        out.count(topic.partitions.len());
        for index in topic.partitions {
            write_partition(version, index, None, error, out);
        }
    }
}

fn write_partition(
    version: i16,
    index: i32,
    committed: Option<&CommittedOffset>,
    error: i16,
    out: &mut Writer,
) {
    out.i32(index);
    out.i64(committed.map_or(-1, |committed| committed.offset));
    if version >= 5 {
        out.i32(committed.map_or(-1, |committed| committed.leader_epoch));
    }
    out.text(committed.map_or("", |committed| &committed.metadata));
    out.i16(error);
    out.no_tags();
}
