//! Heartbeat: a member is still there, and learns whether it must join again.

use crate::kafka_errors::{NONE, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Writer};
use pyralog_groups::{GroupError, Heartbeat};

/// Keeps a member in.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let error = match service.groups.heartbeat(read(request)?).await {
        // Nothing is known to be wrong while a group is read, as at Kafka: some
        // clients take an error here for the end of their membership.
        Ok(()) | Err(GroupError::Loading) => NONE,
        Err(error) => group_error(&error),
    };
    let mut out = Writer::new(request.is_flexible(), 8);
    if request.version >= 1 {
        out.i32(0); // throttle time
    }
    out.i16(error);
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

/// What is asked.
pub(crate) fn read(request: &Request) -> Result<Heartbeat, Malformed> {
    let mut reader = request.reader();
    let group = reader.text()?.to_owned();
    let generation = reader.i32()?;
    let member = reader.text()?.to_owned();
    let instance = if request.version >= 3 { reader.nullable_text()? } else { None };
    Ok(Heartbeat { group, generation, member, instance: instance.map(str::to_owned) })
}
