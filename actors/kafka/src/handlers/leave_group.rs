//! LeaveGroup: a member goes, or from version 3 on several are sent away.

use crate::kafka_errors::{NONE, UNKNOWN_SERVER_ERROR, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Writer};
use pyralog_groups::{LeaveGroup, Leaving};

/// From this version on every member is answered for itself.
const MANY_SINCE: i16 = 3;

/// Takes members out.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let leave = read(request)?;
    let members = leave.members.clone();
    let (error, answers) = match service.groups.leave(leave).await {
        Ok(answers) => (NONE, answers),
        Err(error) => (group_error(&error), Vec::new()),
    };
    let answer_of = |at: usize| match answers.get(at) {
        Some(Ok(())) => NONE,
        Some(Err(error)) => group_error(error),
        None => UNKNOWN_SERVER_ERROR,
    };
    let mut out = Writer::new(request.is_flexible(), 16 + 2 * request.body.len());
    if request.version >= 1 {
        out.i32(0); // throttle time
    }
    if request.version < MANY_SINCE {
        out.i16(if error == NONE { answer_of(0) } else { error });
        return Ok(Reply::of_pieces(request, vec![out.cut()]));
    }
    out.i16(error);
    out.count(if error == NONE { members.len() } else { 0 });
    for (at, member) in members.iter().enumerate().filter(|_| error == NONE) {
        out.text(&member.member);
        out.nullable_text(member.instance.as_deref());
        out.i16(answer_of(at));
        out.no_tags();
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

/// What is asked.
pub(crate) fn read(request: &Request) -> Result<LeaveGroup, Malformed> {
    let (version, mut reader) = (request.version, request.reader());
    let group = reader.text()?.to_owned();
    if version < MANY_SINCE {
        let member = reader.text()?.to_owned();
        return Ok(LeaveGroup { group, members: vec![Leaving { member, instance: None }] });
    }
    let count = reader.count()?;
    let mut members = Vec::with_capacity(count.min(reader.remaining()));
    for _ in 0..count {
        let member = reader.text()?.to_owned();
        let instance = reader.nullable_text()?.map(str::to_owned);
        if version >= 5 {
            reader.nullable_text()?; // a sentence that says why
        }
        reader.skip_tags()?;
        members.push(Leaving { member, instance });
    }
    Ok(LeaveGroup { group, members })
}
