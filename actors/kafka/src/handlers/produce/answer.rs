//! The response of a produce request, written as the appends are settled.

use super::{Refused, Topic};
use crate::kafka_errors::NONE;
use crate::reply::Reply;
use crate::request::Request;
use crate::wire::Writer;
use pyralog_partition::Appended;

/// Refusals of one request that are put into words: after these a user knows.
const SENTENCES_MAX: usize = 16;

/// Bytes of a partition without a sentence, and around a topic's name, at most.
const PARTITION_BYTES: usize = 40;
const TOPIC_BYTES: usize = 8;

/// A response being written.
pub(super) struct Answer {
    version: i16,
    out: Writer,
    sentences: usize,
}

impl Answer {
    pub(super) fn begin(request: &Request, topics: &[Topic]) -> Answer {
        let sizes = topics
            .iter()
            .map(|topic| TOPIC_BYTES + topic.name.len() + PARTITION_BYTES * topic.partitions.len());
        let mut out = Writer::new(request.is_flexible(), 32 + sizes.sum::<usize>());
        out.count(topics.len());
        Answer { version: request.version, out, sentences: 0 }
    }

    pub(super) fn topic(&mut self, topic: &Topic) {
        let name = std::str::from_utf8(&topic.name).expect("the reader checked the name");
        self.out.text(name);
        self.out.count(topic.partitions.len());
    }

    pub(super) fn partition(&mut self, index: i32, settled: Result<Appended, Refused>) {
        let (error, base, start) = match &settled {
            Ok(appended) => (NONE, appended.base_offset.0 as i64, appended.log_start.0 as i64),
            Err(refused) => {
                (refused.code, -1, refused.log_start.map_or(-1, |start| start.0 as i64))
            }
        };
        self.out.i32(index);
        self.out.i16(error);
        self.out.i64(base);
        self.out.i64(-1); // log append time: the records keep their own
        if self.version >= 5 {
            self.out.i64(start);
        }
        if self.version >= 8 {
            self.out.count(0); // errors of single records
            self.sentence(settled.err());
        }
        self.out.no_tags();
    }

    fn sentence(&mut self, refused: Option<Refused>) {
        match refused {
            Some(refused) if self.sentences < SENTENCES_MAX => {
                self.sentences += 1;
                self.out.text(&refused.reason.to_string());
            }
            _ => self.out.null_text(),
        }
    }

    pub(super) fn end_topic(&mut self) {
        self.out.no_tags();
    }

    pub(super) fn into_reply(mut self, request: &Request) -> Reply {
        self.out.i32(0); // throttle time
        self.out.no_tags();
        Reply::of_pieces(request, vec![self.out.cut()])
    }
}
