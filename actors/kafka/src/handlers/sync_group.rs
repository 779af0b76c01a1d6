//! SyncGroup: the leader says who reads what, the others wait to be told.

use crate::kafka_errors::{NONE, REBALANCE_IN_PROGRESS, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Writer};
use bytes::Bytes;
use pyralog_groups::{GroupError, SyncGroup};

/// Gets an assignment.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let version = request.version;
    let (error, synced) = match service.groups.sync(read(request)?).await {
        Ok(synced) => (NONE, Some(synced)),
        // The round that this belongs to may be forgotten: begin another, as at Kafka.
        Err(GroupError::Loading) => (REBALANCE_IN_PROGRESS, None),
        Err(error) => (group_error(&error), None),
    };
    let assignment = synced.as_ref().map_or(&[][..], |synced| &synced.assignment);
    let mut out = Writer::new(request.is_flexible(), 64 + assignment.len());
    if version >= 1 {
        out.i32(0); // throttle time
    }
    out.i16(error);
    if version >= 5 {
        out.nullable_text(synced.as_ref().map(|synced| &*synced.protocol_type));
        out.nullable_text(synced.as_ref().map(|synced| &*synced.protocol));
    }
    out.bytes(assignment);
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

/// What is asked. Nothing of it holds on to the request's memory: a group keeps it
/// for as long as the generation lasts.
pub(crate) fn read(request: &Request) -> Result<SyncGroup, Malformed> {
    let (version, mut reader) = (request.version, request.reader());
    let group = reader.text()?.to_owned();
    let generation = reader.i32()?;
    let member = reader.text()?.to_owned();
    let instance = if version >= 3 { reader.nullable_text()? } else { None };
    let protocol_type = if version >= 5 { reader.nullable_text()? } else { None };
    let protocol = if version >= 5 { reader.nullable_text()? } else { None };
    let count = reader.count()?;
    let mut assignments = Vec::with_capacity(count.min(reader.remaining()));
    for _ in 0..count {
        let member = reader.text()?.to_owned();
        let assignment = reader.nullable_bytes()?.unwrap_or_default();
        assignments.push((member, Bytes::copy_from_slice(assignment)));
        reader.skip_tags()?;
    }
    Ok(SyncGroup {
        group,
        generation,
        member,
        instance: instance.map(str::to_owned),
        protocol_type: protocol_type.map(str::to_owned),
        protocol: protocol.map(str::to_owned),
        assignments,
    })
}
