//! A fetch request, decoded into little more than its wire form.

use crate::request::Request;
use crate::wire::Malformed;
use bytes::Bytes;

/// What is asked for in one log.
pub(crate) struct Topic {
    /// UTF-8, as the reader has checked; a part of the request's memory.
    name: Bytes,
    pub partitions: Vec<Partition>,
}

/// What is asked for in one partition.
pub(crate) struct Partition {
    pub index: i32,
    /// The epoch the client believes in, or -1.
    pub epoch: i32,
    pub offset: i64,
    pub bytes_max: i32,
}

/// A fetch request.
pub(crate) struct Question {
    pub wait_ms_max: u64,
    pub bytes_min: usize,
    pub bytes_max: usize,
    pub session_epoch: i32,
    pub topics: Vec<Topic>,
}

impl Topic {
    pub(super) fn name(&self) -> &str {
        std::str::from_utf8(&self.name).expect("the reader checked that names are UTF-8")
    }
}

impl Question {
    /// Reads the body; the guard has walked it before.
    pub(crate) fn read(request: &Request) -> Result<Question, Malformed> {
        let (version, mut reader) = (request.version, request.reader());
        reader.i32()?; // replica
        let wait_ms_max = reader.i32()?.max(0) as u64;
        let bytes_min = reader.i32()?.max(0) as usize;
        let bytes_max = reader.i32()?.max(0) as usize;
        reader.i8()?; // isolation: without transactions both levels are one
        let mut session_epoch = -1;
        if version >= 7 {
            reader.i32()?; // session
            session_epoch = reader.i32()?;
        }
        let count = reader.count()?;
        let mut topics = Vec::with_capacity(count.min(reader.remaining()));
        for _ in 0..count {
            let name = request.body.slice_ref(reader.text()?.as_bytes());
            let count = reader.count()?;
            let mut partitions = Vec::with_capacity(count.min(reader.remaining()));
            for _ in 0..count {
                let index = reader.i32()?;
                let epoch = if version >= 9 { reader.i32()? } else { -1 };
                let offset = reader.i64()?;
                if version >= 12 {
                    reader.i32()?; // last fetched epoch: only followers diverge
                }
                if version >= 5 {
                    reader.i64()?; // log start: only followers have one
                }
                let bytes_max = reader.i32()?.max(0);
                reader.skip_tags()?;
                partitions.push(Partition { index, epoch, offset, bytes_max });
            }
            reader.skip_tags()?;
            topics.push(Topic { name, partitions });
        }
        // Forgotten topics and the rack mean nothing to one node without sessions.
        Ok(Question { wait_ms_max, bytes_min, bytes_max, session_epoch, topics })
    }

    /// The limits of all partitions together.
    pub(super) fn partitions_bytes_max(&self) -> usize {
        let partitions = self.topics.iter().flat_map(|topic| &topic.partitions);
        partitions.fold(0, |sum: usize, partition| sum.saturating_add(partition.bytes_max as usize))
    }
}
