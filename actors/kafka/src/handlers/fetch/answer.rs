//! The response of a fetch: a few bytes of our own between the store's.

use super::question::{Question, Topic};
use super::reading::Part;
use crate::kafka_errors::{FETCH_SESSION_ID_NOT_FOUND, NONE};
use crate::reply::Reply;
use crate::request::Request;
use crate::wire::Writer;
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes around the records of a partition and around its topic's name, at most.
const PARTITION_BYTES: usize = 48;
const TOPIC_BYTES: usize = 8;

/// A response being written.
pub(super) struct Answer {
    version: i16,
    out: Writer,
    pieces: Vec<Bytes>,
}

/// The answer to a client that continues a session this node does not know.
pub(super) fn session_unknown(request: &Request) -> Reply {
    let mut out = Writer::new(request.is_flexible(), 32);
    write_head(request.version, FETCH_SESSION_ID_NOT_FOUND, 0, &mut out);
    out.no_tags();
    Reply::of_pieces(request, vec![out.cut()])
}

impl Answer {
    pub(super) fn begin(request: &Request, question: &Question) -> Answer {
        let topics = question.topics.iter();
        let sizes = topics.map(|topic| {
            TOPIC_BYTES + topic.name().len() + PARTITION_BYTES * topic.partitions.len()
        });
        let mut out = Writer::new(request.is_flexible(), 32 + sizes.sum::<usize>());
        write_head(request.version, NONE, question.topics.len(), &mut out);
        Answer { version: request.version, out, pieces: Vec::new() }
    }

    pub(super) fn topic(&mut self, topic: &Topic) {
        self.out.text(topic.name());
        self.out.count(topic.partitions.len());
    }

    pub(super) fn partition(&mut self, index: i32, part: Part) {
        let out = &mut self.out;
        let (start, high) = part
            .watermarks
            .as_ref()
            .map_or((-1, -1), |offsets| (offsets.log_start.0 as i64, offsets.high.0 as i64));
        out.i32(index);
        out.i16(part.error);
        out.i64(high);
        out.i64(high); // without transactions everything below is stable
        if self.version >= 5 {
            out.i64(start);
        }
        out.count(0); // aborted transactions
        if self.version >= 11 {
            out.i32(-1); // preferred replica
        }
        // No records are an empty field, never null: some clients take null ill.
        out.count(part.bytes);
        if part.bytes > 0 {
            self.pieces.push(out.cut());
            self.pieces.extend(part.batches);
        }
        out.no_tags();
    }

    /// Ends a topic, or the whole.
    pub(super) fn end(&mut self) {
        self.out.no_tags();
    }

    pub(super) fn into_reply(
        mut self,
        request: &Request,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Reply {
        self.pieces.push(self.out.cut());
        let mut reply = Reply::of_pieces(request, self.pieces);
        reply.permit = permit;
        reply
    }
}

fn write_head(version: i16, error: i16, topics: usize, out: &mut Writer) {
    out.i32(0); // throttle time
    if version >= 7 {
        out.i16(error);
        out.i32(0); // no session
    }
    out.count(topics);
}
