//! OffsetForLeaderEpoch: where the records of an epoch end. A consumer asks it after
//! a change of leaders, to find out whether what it has read still is so.

use crate::handlers::fetch::check_epoch;
use crate::handlers::partition_id;
use crate::handlers::topic_partitions::Topics;
use crate::kafka_errors::{INVALID_REQUEST, NONE, UNKNOWN_TOPIC_OR_PARTITION, kafka_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Reader, Writer};
use pyralog_model::{Epoch, Offset, PartitionId};
use std::collections::BTreeSet;

/// What is asked of one partition.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    index: i32,
    /// The epoch that the client believes to be the present one, or -1.
    current: i32,
    epoch: i32,
}

/// The partitions that are asked about.
pub(crate) fn read(request: &Request) -> Result<Topics<'_, Wish>, Malformed> {
    let mut reader = request.reader();
    if request.version >= 3 {
        reader.i32()?; // replica
    }
    Topics::read(&mut reader, request.version, read_wish)
}

fn read_wish(reader: &mut Reader<'_>, _: i16) -> Result<Wish, Malformed> {
    let wish = Wish { index: reader.i32()?, current: reader.i32()?, epoch: reader.i32()? };
    reader.skip_tags()?;
    Ok(wish)
}

/// Answers for every partition.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let topics = read(request)?;
    let mut looked_up = BTreeSet::new();
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    out.i32(0); // throttle time
    out.count(topics.len());
    for topic in topics {
        let log = service.shen.log(topic.name);
        out.text(topic.name);
        out.count(topic.partitions.len());
        for wish in topic.partitions {
            let found = match partition_id(log.as_deref(), wish.index) {
                None => Err(UNKNOWN_TOPIC_OR_PARTITION),
                // Old epochs are looked up on disk: it is done once for each partition.
                Some(id) if !looked_up.insert(id) => Err(INVALID_REQUEST),
                Some(id) => find(service, id, &wish).await,
            };
            write_partition(wish.index, found, &mut out);
        }
        out.no_tags();
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

async fn find(
    service: &Service,
    id: PartitionId,
    wish: &Wish,
) -> Result<Option<(Epoch, Offset)>, i16> {
    let marks = service.shen.watermarks(id).map_err(|error| kafka_error(error.code))?;
    check_epoch(wish.current, &marks)?;
    let Ok(epoch) = u32::try_from(wish.epoch) else { return Ok(None) };
    let found = service.shen.epoch_end(id, Epoch(epoch)).await;
    found.map_err(|error| kafka_error(error.code))
}

fn write_partition(index: i32, found: Result<Option<(Epoch, Offset)>, i16>, out: &mut Writer) {
    let (error, found) = found.map_or_else(|error| (error, None), |found| (NONE, found));
    let (epoch, end) = found.map_or((-1, -1), |(epoch, end)| (epoch.0 as i32, end.0 as i64));
    out.i16(error);
    out.i32(index);
    out.i32(epoch);
    out.i64(end);
    out.no_tags();
}
