//! Records as bytes, and back. Bytes from the log are taken for hostile all the same:
//! lengths are held against what is there before anything is made of them.

use super::{KeptGroup, KeptOffset, Record};
use crate::protocol::TopicPartition;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version that is written.
const VERSION: u16 = 1;

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
    #[error("a record of version {found}; this program reads versions up to {VERSION}")]
    Version {
        /// Its version.
        found: u16,
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
                (key, kept.as_ref().map(encode))
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
                let kept = value.map(|value| owned::<KeptOffset>(value, "offset")).transpose()?;
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

fn encode<T: Serialize>(body: &T) -> Vec<u8> {
    postcard::to_stdvec(&(VERSION, body)).expect("memory takes everything")
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<T, RecordError> {
    let malformed = |_| RecordError::Malformed(what);
    let (found, body) = postcard::take_from_bytes::<u16>(bytes).map_err(malformed)?;
    if found != VERSION {
        return Err(RecordError::Version { found });
    }
    let (body, rest) = postcard::take_from_bytes(body).map_err(malformed)?;
    rest.is_empty().then_some(body).ok_or(RecordError::Malformed(what))
}

fn owned<T: DeserializeOwned>(bytes: &[u8], what: &'static str) -> Result<T, RecordError> {
    decode(bytes, what)
}
