//! OffsetDelete: a group forgets how far it came in partitions that none of its
//! members reads.

use crate::handlers::partition_id;
use crate::handlers::topic_partitions::Topics;
use crate::kafka_errors::{NONE, UNKNOWN_SERVER_ERROR, UNKNOWN_TOPIC_OR_PARTITION, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Writer};
use pyralog_groups::{GroupError, TopicPartition};

/// Partitions that are handed on at once: a request takes little more memory than
/// its own bytes.
const PART: usize = 256;

/// What is asked.
pub(crate) struct Question<'a> {
    group: &'a str,
    topics: Topics<'a, i32>,
}

impl<'a> Question<'a> {
    pub(crate) fn read(request: &'a Request) -> Result<Question<'a>, Malformed> {
        let mut reader = request.reader();
        let group = reader.text()?;
        let topics = Topics::read(&mut reader, request.version, |reader, _| reader.i32())?;
        Ok(Question { group, topics })
    }
}

/// Forgets.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question = Question::read(request)?;
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    match forget(service, &question).await {
        Err(error) => {
            out.i16(group_error(&error));
            out.i32(0); // throttle time
            out.count(0);
        }
        Ok(errors) => {
            out.i16(NONE);
            out.i32(0); // throttle time
            write_topics(question.topics, errors, &mut out);
        }
    }
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

/// Kafka's number for every partition, in order.
async fn forget(service: &Service, question: &Question<'_>) -> Result<Vec<i16>, GroupError> {
    let (mut errors, mut places, mut part) = (Vec::new(), Vec::new(), Vec::new());
    let mut asked = question.topics.clone().partitions().peekable();
    // Asked once even for nothing, so that a group that is not there is told.
    loop {
        if let Some((topic, index)) = asked.next() {
            if partition_id(service.shen.log(topic).as_deref(), index).is_some() {
                places.push(errors.len());
                part.push(TopicPartition { topic: topic.to_owned(), partition: index as u32 });
                errors.push(UNKNOWN_SERVER_ERROR); // until it is answered
            } else {
                errors.push(UNKNOWN_TOPIC_OR_PARTITION);
            }
        }
        let is_last = asked.peek().is_none();
        if part.len() == PART || is_last {
            let part = std::mem::take(&mut part);
            let answers = service.groups.delete_offsets(question.group, part).await?;
            for (place, answer) in places.drain(..).zip(answers) {
                errors[place] = answer.as_ref().map_or_else(group_error, |()| NONE);
            }
        }
        if is_last {
            return Ok(errors);
        }
    }
}

fn write_topics(topics: Topics<'_, i32>, errors: Vec<i16>, out: &mut Writer) {
    let mut errors = errors.into_iter();
    out.count(topics.len());
    for topic in topics {
        out.text(topic.name);
        out.count(topic.partitions.len());
        for (index, error) in topic.partitions.zip(errors.by_ref()) {
            out.i32(index);
            out.i16(error);
        }
    }
}
