//! Records as bytes, and back. Bytes from the log are taken for hostile all the same:
//! lengths are held against what is there before anything is made of them.

use super::{KeptGroup, KeptOffset, Record};
use crate::protocol::TopicPartition;
use pyralog_model::LogNumber;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version that is written, of all but offsets.
const VERSION: u16 = 1;
/// The version of an offset with its log's number. One without is written as it came.
const OFFSET_VERSION: u16 = 2;

/// The key and the value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRecord {
    /// What it is about.
    pub key: Vec<u8>,
    /// What it says; `None` if that is gone.
    pub value: Option<Vec<u8>>,
}

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Written by a later version.
    #[error("a record of version {found}; this program reads versions up to {latest}")]
    Version {
        /// Its version.
        found: u16,
        /// The latest that is known.
        latest: u16,
    },
    /// Not what it should be.
    #[error("a malformed {0}")]
    Malformed(&'static str),
}

#[derive(Serialize, Deserialize)]
enum Key<'a> {
    Group { group: &'a str },
    Offset { group: &'a str, topic: &'a str, partition: u32 },
    Checkpoint { ends: bool },
}

impl EncodedRecord {
    /// Bytes of both.
    pub fn bytes(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Vec::len)
    }
}

impl Record {
    /// The record as it is written.
    pub fn encode(&self) -> EncodedRecord {
        let (key, value) = match self {
            Record::Group { group, kept } => (Key::Group { group }, kept.as_ref().map(encode)),
            Record::Offset { group, partition, kept } => {
                let TopicPartition { topic, partition } = partition;
                let key = Key::Offset { group, topic, partition: *partition };
                (key, kept.as_ref().map(encode_offset))
            }
            Record::CheckpointBegins => (Key::Checkpoint { ends: false }, Some(encode(&0_u64))),
            Record::CheckpointEnds { records } => {
                (Key::Checkpoint { ends: true }, Some(encode(records)))
            }
        };
        EncodedRecord { key: encode(&key), value }
    }

    /// The record of these bytes.
    ///
    /// # Errors
    /// It is of a later version, cut short, or has bytes left over.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Record, RecordError> {
        let record = match decode::<Key<'_>>(key, "key")? {
            Key::Group { group } => {
                let kept = value.map(|value| owned::<KeptGroup>(value, "group")).transpose()?;
                Record::Group { group: group.to_owned(), kept }
            }
            Key::Offset { group, topic, partition } => {
                let kept = value.map(decode_offset).transpose()?;
                let partition = TopicPartition { topic: topic.to_owned(), partition };
                Record::Offset { group: group.to_owned(), partition, kept }
            }
            Key::Checkpoint { ends } => {
                let value = value.ok_or(RecordError::Malformed("checkpoint"))?;
                let records = owned::<u64>(value, "checkpoint")?;
                if ends { Record::CheckpointEnds { records } } else { Record::CheckpointBegins }
            }
        };
        Ok(record)
    }
}

/// The fields of version 1, in order.
type OffsetFields<'a> = (i64, i32, &'a str, i64);

fn encode_offset(kept: &KeptOffset) -> Vec<u8> {
    let fields: OffsetFields<'_> = (kept.offset, kept.leader_epoch, &kept.metadata, kept.at_ms);
    match kept.log {
        None => encode(&fields),
        Some(log) => encode_as(OFFSET_VERSION, &(fields, log.0)),
    }
}

fn decode_offset(bytes: &[u8]) -> Result<KeptOffset, RecordError> {
    let (found, body) = version(bytes, OFFSET_VERSION, "offset")?;
    let (fields, log): (OffsetFields<'_>, Option<u64>) = match found {
        VERSION => (whole(body, "offset")?, None),
        _ => {
            let (fields, log) = whole(body, "offset")?;
            (fields, Some(log))
        }
    };
    let (offset, leader_epoch, metadata, at_ms) = fields;
    let (metadata, log) = (metadata.to_owned(), log.map(LogNumber));
    Ok(KeptOffset { offset, leader_epoch, metadata, at_ms, log })
}

fn encode<T: Serialize>(body: &T) -> Vec<u8> {
    encode_as(VERSION, body)
}

fn encode_as<T: Serialize>(version: u16, body: &T) -> Vec<u8> {
    postcard::to_stdvec(&(version, body)).expect("memory takes everything")
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<T, RecordError> {
    let (_, body) = version(bytes, VERSION, what)?;
    whole(body, what)
}

/// The version, from 1 to the latest, and what it is of.
fn version<'a>(
    bytes: &'a [u8],
    latest: u16,
    what: &'static str,
) -> Result<(u16, &'a [u8]), RecordError> {
    let read = postcard::take_from_bytes::<u16>(bytes);
    let (found, body) = read.map_err(|_| RecordError::Malformed(what))?;
    match found {
        0 => Err(RecordError::Malformed(what)),
        _ if found > latest => Err(RecordError::Version { found, latest }),
        _ => Ok((found, body)),
    }
}

fn whole<'a, T: Deserialize<'a>>(body: &'a [u8], what: &'static str) -> Result<T, RecordError> {
    let read = postcard::take_from_bytes(body);
    let (body, rest) = read.map_err(|_| RecordError::Malformed(what))?;
    rest.is_empty().then_some(body).ok_or(RecordError::Malformed(what))
}

fn owned<T: DeserializeOwned>(bytes: &[u8], what: &'static str) -> Result<T, RecordError> {
    decode(bytes, what)
}
