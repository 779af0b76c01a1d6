//! DeleteGroups: groups without members go, and their offsets with them.

use crate::kafka_errors::{NONE, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Writer};

/// The names that are asked for, sorted and without repetition.
pub(crate) fn read(request: &Request) -> Result<Vec<&str>, Malformed> {
    let mut names = request.reader().texts()?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Deletes the groups one after the other.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let names = read(request)?;
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    out.i32(0); // throttle time
    out.count(names.len());
    for name in names {
        let deleted = service.groups.delete(name).await;
        out.text(name);
        out.i16(deleted.as_ref().map_or_else(group_error, |()| NONE));
        out.no_tags();
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}
