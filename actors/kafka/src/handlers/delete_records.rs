//! DeleteRecords: partitions begin later. The answer for each is its new beginning,
//! which is durable.

use crate::handlers::changing::{deadline, within};
use crate::handlers::partition_id;
use crate::handlers::topic_partitions::Topics;
use crate::kafka_errors::{
    INVALID_REQUEST, NONE, OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, kafka_error,
};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Reader, Writer};
use pyralog_model::{Offset, PartitionId};
use std::collections::BTreeSet;
use tokio::time::Instant;

/// Everything that is acknowledged.
const TO_THE_END: i64 = -1;

/// Where one partition is to begin.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    index: i32,
    offset: i64,
}

/// What is asked.
pub(crate) struct Question<'a> {
    topics: Topics<'a, Wish>,
    timeout_ms: i32,
}

impl<'a> Question<'a> {
    pub(crate) fn read(request: &'a Request) -> Result<Question<'a>, Malformed> {
        let mut reader = request.reader();
        let topics = Topics::read(&mut reader, request.version, read_wish)?;
        Ok(Question { topics, timeout_ms: reader.i32()? })
    }
}

fn read_wish(reader: &mut Reader<'_>, _: i16) -> Result<Wish, Malformed> {
    let wish = Wish { index: reader.i32()?, offset: reader.i64()? };
    reader.skip_tags()?;
    Ok(wish)
}

/// Lets one partition after the other begin later.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question = Question::read(request)?;
    let deadline = deadline(question.timeout_ms);
    let mut done = BTreeSet::new();
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    out.i32(0); // throttle time
    out.count(question.topics.len());
    for topic in question.topics {
        let log = service.shen.log(topic.name);
        out.text(topic.name);
        out.count(topic.partitions.len());
        for wish in topic.partitions {
            let begins = match partition_id(log.as_deref(), wish.index) {
                None => Err(UNKNOWN_TOPIC_OR_PARTITION),
                Some(id) if !done.insert(id) => Err(INVALID_REQUEST),
                Some(id) => delete(service, id, wish.offset, deadline).await,
            };
            out.i32(wish.index);
            out.i64(begins.map_or(-1, |begins| begins.0 as i64));
            out.i16(begins.err().unwrap_or(NONE));
            out.no_tags();
        }
        out.no_tags();
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

async fn delete(
    service: &Service,
    id: PartitionId,
    before: i64,
    deadline: Instant,
) -> Result<Offset, i16> {
    let before = match before {
        TO_THE_END => {
            let marks = service.shen.watermarks(id);
            marks.map_err(|error| kafka_error(error.code))?.high
        }
        _ => Offset(u64::try_from(before).map_err(|_| OFFSET_OUT_OF_RANGE)?),
    };
    within(deadline, service.shen.delete_records(id, before)).await.map_err(|(code, _)| code)
}
