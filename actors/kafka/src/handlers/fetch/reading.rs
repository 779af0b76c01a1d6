//! One pass over the partitions of a fetch, written as it is read: what is
//! found goes into the response at once and is kept nowhere else.

use super::answer::Answer;
use super::question::{Partition, Question};
use crate::handlers::partition_id;
use crate::kafka_errors::{
    FENCED_LEADER_EPOCH, NONE, OFFSET_OUT_OF_RANGE, UNKNOWN_LEADER_EPOCH,
    UNKNOWN_TOPIC_OR_PARTITION, kafka_error,
};
use crate::reply::Reply;
use crate::request::Request;
use crate::service::Service;
use bytes::Bytes;
use pyralog_model::{Offset, PartitionId};
use pyralog_partition::Watermarks;
use tokio::sync::OwnedSemaphorePermit;

/// What one pass gave.
pub(super) struct Reading {
    answer: Answer,
    /// Bytes of records.
    pub bytes: usize,
    /// Some partition has an error that its reader should hear of now.
    pub failed: bool,
    /// Bytes that may still be read.
    room: usize,
    /// Bytes that all partitions together were asked for.
    asked: usize,
    permit: Option<OwnedSemaphorePermit>,
}

/// What one partition gave.
pub(super) struct Part {
    pub error: i16,
    pub watermarks: Option<Watermarks>,
    pub batches: Vec<Bytes>,
    pub bytes: usize,
}

impl Reading {
    /// Reads every partition within the question's limits and `bytes_max`.
    pub(super) async fn take(
        service: &Service,
        request: &Request,
        question: &Question,
        bytes_max: usize,
    ) -> Reading {
        let mut reading = Reading {
            answer: Answer::begin(request, question),
            bytes: 0,
            failed: false,
            room: question.bytes_max.min(bytes_max),
            asked: question.partitions_bytes_max(),
            permit: None,
        };
        for topic in &question.topics {
            let log = service.shen.log(topic.name());
            reading.answer.topic(topic);
            for partition in &topic.partitions {
                let id = partition_id(log.as_deref(), partition.index);
                let part = reading.part(service, partition, id).await;
                reading.bytes += part.bytes;
                reading.failed |= part.error != NONE;
                reading.answer.partition(partition.index, part);
            }
            reading.answer.end();
        }
        reading.answer.end();
        reading.give_back();
        reading
    }

    pub(super) fn into_reply(self, request: &Request) -> Reply {
        self.answer.into_reply(request, self.permit)
    }

    async fn part(
        &mut self,
        service: &Service,
        partition: &Partition,
        id: Option<PartitionId>,
    ) -> Part {
        let Some(id) = id else {
            return Part::failed(UNKNOWN_TOPIC_OR_PARTITION);
        };
        let part = Part::look(service, partition, id);
        if !part.has_after(partition.offset) || (self.room == 0 && self.bytes > 0) {
            return part;
        }
        if self.permit.is_none() {
            self.permit = Some(service.admit_response(self.room.min(self.asked).max(1)).await);
        }
        self.read(service, partition, id, part).await
    }

    /// Reads what fits; the first batches are taken whatever their size.
    async fn read(
        &mut self,
        service: &Service,
        partition: &Partition,
        id: PartitionId,
        part: Part,
    ) -> Part {
        let wanted = self.room.min(partition.bytes_max as usize);
        match service.shen.read(id, Offset(partition.offset as u64), wanted).await {
            Ok(slice) if self.bytes == 0 || slice.bytes <= wanted => {
                self.room = self.room.saturating_sub(slice.bytes);
                let watermarks = Some(slice.watermarks);
                Part { error: NONE, watermarks, batches: slice.batches, bytes: slice.bytes }
            }
            Ok(_) => {
                // One batch larger than what is left: the reader asks for it next.
                if wanted == self.room {
                    self.room = 0;
                }
                part
            }
            Err(error) => Part::failed(kafka_error(error.code)),
        }
    }

    /// Gives back the room that was taken and not needed.
    fn give_back(&mut self) {
        if let Some(permit) = &mut self.permit {
            let unused = permit.num_permits().saturating_sub(self.bytes);
            drop(permit.split(unused));
        }
    }
}

impl Part {
    fn failed(error: i16) -> Part {
        Part { error, watermarks: None, batches: Vec::new(), bytes: 0 }
    }

    /// All that can be said without reading.
    fn look(service: &Service, partition: &Partition, id: PartitionId) -> Part {
        let watermarks = match service.shen.watermarks(id) {
            Ok(watermarks) => watermarks,
            Err(error) => return Part::failed(kafka_error(error.code)),
        };
        if let Err(error) = check_epoch(partition.epoch, &watermarks) {
            return Part::failed(error);
        }
        let (start, high) = (watermarks.log_start.0 as i64, watermarks.high.0 as i64);
        let error =
            if (start..=high).contains(&partition.offset) { NONE } else { OFFSET_OUT_OF_RANGE };
        Part { error, watermarks: Some(watermarks), batches: Vec::new(), bytes: 0 }
    }

    fn has_after(&self, offset: i64) -> bool {
        let high = self.watermarks.as_ref().map_or(0, |watermarks| watermarks.high.0 as i64);
        self.error == NONE && offset < high
    }
}

/// Holds the epoch that a client believes in against the partition's.
pub(crate) fn check_epoch(epoch: i32, watermarks: &Watermarks) -> Result<(), i16> {
    let current = watermarks.epoch.0 as i32;
    match epoch {
        ..0 => Ok(()),
        epoch if epoch < current => Err(FENCED_LEADER_EPOCH),
        epoch if epoch > current => Err(UNKNOWN_LEADER_EPOCH),
        _ => Ok(()),
    }
}
