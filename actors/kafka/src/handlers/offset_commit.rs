//! OffsetCommit: how far a group has come. A partition that is not there is told so
//! and the others are committed all the same.
//!
//! A request of thousands of partitions is handed on in parts, so that it takes
//! little more memory than its own bytes. Each part is durable before the next; a
//! client may find some of its partitions committed and others not, as it may at
//! Kafka, and commits again.

use crate::handlers::partition_id;
use crate::handlers::topic_partitions::Topics;
use crate::kafka_errors::{NONE, UNKNOWN_SERVER_ERROR, UNKNOWN_TOPIC_OR_PARTITION, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Reader, Writer};
use pyralog_groups::{CommitOffsets, CommittedOffset, OffsetToCommit, TopicPartition};
use pyralog_model::LogNumber;

/// Partitions that are handed on at once.
const PART: usize = 256;

/// What is asked.
pub(crate) struct Question<'a> {
    group: &'a str,
    generation: i32,
    member: &'a str,
    instance: Option<&'a str>,
    topics: Topics<'a, Asked<'a>>,
}

/// What is asked for one partition.
#[derive(Clone)]
pub(crate) struct Asked<'a> {
    index: i32,
    offset: i64,
    leader_epoch: i32,
    metadata: &'a str,
}

/// What is handed on together, and where its answers belong.
#[derive(Default)]
struct Part {
    offsets: Vec<OffsetToCommit>,
    places: Vec<usize>,
}

/// Commits.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question = Question::read(request)?;
    let errors = commit(service, &question).await;
    Ok(answer(request, question.topics, errors))
}

impl<'a> Question<'a> {
    pub(crate) fn read(request: &'a Request) -> Result<Question<'a>, Malformed> {
        let (version, mut reader) = (request.version, request.reader());
        let group = reader.text()?;
        let generation = reader.i32()?;
        let member = reader.text()?;
        let instance = if version >= 7 { reader.nullable_text()? } else { None };
        if version <= 4 {
            reader.i64()?; // for how long: here offsets stay as long as their group
        }
        let topics = Topics::read(&mut reader, version, read_partition)?;
        Ok(Question { group, generation, member, instance, topics })
    }
}

fn read_partition<'a>(reader: &mut Reader<'a>, version: i16) -> Result<Asked<'a>, Malformed> {
    let (index, offset) = (reader.i32()?, reader.i64()?);
    let leader_epoch = if version >= 6 { reader.i32()? } else { -1 };
    let metadata = reader.nullable_text()?.unwrap_or_default();
    reader.skip_tags()?;
    Ok(Asked { index, offset, leader_epoch, metadata })
}

/// Kafka's number for every partition, in order.
async fn commit(service: &Service, question: &Question<'_>) -> Vec<i16> {
    let (mut errors, mut part) = (Vec::new(), Part::default());
    for (topic, asked) in question.topics.clone().partitions() {
        let log = service.shen.log(topic);
        let Some(id) = partition_id(log.as_deref(), asked.index) else {
            errors.push(UNKNOWN_TOPIC_OR_PARTITION);
            continue;
        };
        part.places.push(errors.len());
        part.offsets.push(offset_to_commit(topic, id.log, &asked));
        errors.push(UNKNOWN_SERVER_ERROR); // until it is answered
        if part.places.len() == PART {
            commit_part(service, question, std::mem::take(&mut part), &mut errors).await;
        }
    }
    if !part.places.is_empty() {
        commit_part(service, question, part, &mut errors).await;
    }
    errors
}

fn offset_to_commit(topic: &str, log: LogNumber, asked: &Asked<'_>) -> OffsetToCommit {
    OffsetToCommit {
        partition: TopicPartition { topic: topic.to_owned(), partition: asked.index as u32 },
        log,
        committed: CommittedOffset {
            offset: asked.offset,
            leader_epoch: asked.leader_epoch,
            metadata: asked.metadata.to_owned(),
        },
    }
}

async fn commit_part(service: &Service, question: &Question<'_>, part: Part, errors: &mut [i16]) {
    let commit = CommitOffsets {
        group: question.group.to_owned(),
        generation: question.generation,
        member: question.member.to_owned(),
        instance: question.instance.map(str::to_owned),
        offsets: part.offsets,
    };
    match service.groups.commit(commit).await {
        Ok(answers) => {
            for (place, answer) in part.places.into_iter().zip(answers) {
                errors[place] = answer.as_ref().map_or_else(group_error, |()| NONE);
            }
        }
        Err(error) => {
            part.places.into_iter().for_each(|place| errors[place] = group_error(&error));
        }
    }
}

fn answer(request: &Request, topics: Topics<'_, Asked<'_>>, errors: Vec<i16>) -> Reply {
    let mut errors = errors.into_iter();
    let mut out = Writer::new(request.is_flexible(), 64 + request.body.len());
    if request.version >= 3 {
        out.i32(0); // throttle time
    }
    out.count(topics.len());
    for topic in topics {
        out.text(topic.name);
        out.count(topic.partitions.len());
        for (asked, error) in topic.partitions.zip(errors.by_ref()) {
            out.i32(asked.index);
            out.i16(error);
            out.no_tags();
        }
        out.no_tags();
    }
    out.no_tags();
    Reply::of_pieces(request, vec![out.cut()])
}
