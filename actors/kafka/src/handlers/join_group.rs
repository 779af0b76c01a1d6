//! JoinGroup: a consumer wants to be a member. The answer comes when all others
//! have joined again too; what the client sends meanwhile waits behind it, as at
//! Kafka.

use crate::kafka_errors::{NONE, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::{Caller, Service};
use crate::wire::{Malformed, Writer};
use bytes::Bytes;
use pyralog_groups::{GroupError, JoinGroup, Joined};
use std::time::Duration;

/// From this version on a member that is new is told its id before it counts.
const KNOWN_MEMBERS_SINCE: i16 = 4;

/// From this version on a leader can be told to leave the assignment as it is.
const SKIPS_ASSIGNMENT_SINCE: i16 = 9;

/// Joins.
pub(crate) async fn handle(
    service: &Service,
    caller: Caller,
    request: &Request,
) -> Result<Reply, CloseReason> {
    let join = read(request, &caller.peer.ip().to_canonical().to_string())?;
    let member = join.member.clone();
    let mut out = Writer::new(request.is_flexible(), 128);
    match service.groups.join(join).await {
        Ok(joined) => write_joined(request.version, NONE, &joined, &mut out),
        Err(error) => write_refused(request.version, member, &error, &mut out),
    }
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

/// What is asked. Nothing of it holds on to the request's memory: a group keeps it
/// for as long as the member stays.
pub(crate) fn read(request: &Request, client_host: &str) -> Result<JoinGroup, Malformed> {
    let (version, mut reader) = (request.version, request.reader());
    let group = reader.text()?.to_owned();
    let session_timeout = milliseconds(reader.i32()?);
    let rebalance_timeout = match version {
        0 => session_timeout,
        _ => milliseconds(reader.i32()?),
    };
    let member = reader.text()?.to_owned();
    let instance = if version >= 5 { reader.nullable_text()? } else { None };
    let protocol_type = reader.text()?.to_owned();
    let count = reader.count()?;
    let mut protocols = Vec::with_capacity(count.min(reader.remaining()));
    for _ in 0..count {
        let name = reader.text()?.to_owned();
        let metadata = reader.nullable_bytes()?.unwrap_or_default();
        protocols.push((name, Bytes::copy_from_slice(metadata)));
        reader.skip_tags()?;
    }
    // Behind it, from version 8 on, is a sentence that says why.
    Ok(JoinGroup {
        group,
        member,
        instance: instance.map(str::to_owned),
        client_id: request.client_id().to_owned(),
        client_host: client_host.to_owned(),
        session_timeout,
        rebalance_timeout,
        protocol_type,
        protocols,
        requires_known_member: version >= KNOWN_MEMBERS_SINCE,
        supports_skipping_assignment: version >= SKIPS_ASSIGNMENT_SINCE,
    })
}

fn milliseconds(number: i32) -> Duration {
    Duration::from_millis(number.max(0) as u64)
}

fn write_refused(version: i16, asked_as: String, error: &GroupError, out: &mut Writer) {
    let member = match error {
        GroupError::MemberIdRequired(member) => member.clone(),
        _ => asked_as,
    };
    let nothing = Joined {
        generation: -1,
        protocol_type: String::new(),
        protocol: String::new(),
        leader: String::new(),
        member,
        members: Vec::new(),
        skip_assignment: false,
    };
    write_joined(version, group_error(error), &nothing, out);
}

fn write_joined(version: i16, error: i16, joined: &Joined, out: &mut Writer) {
    if version >= 2 {
        out.i32(0); // throttle time
    }
    out.i16(error);
    out.i32(joined.generation);
    if version >= 7 {
        out.nullable_text(Some(&*joined.protocol_type).filter(|_| error == NONE));
        out.nullable_text(Some(&*joined.protocol).filter(|_| error == NONE));
    } else {
        out.text(&joined.protocol);
    }
    out.text(&joined.leader);
    if version >= SKIPS_ASSIGNMENT_SINCE {
        out.bool(joined.skip_assignment);
    }
    out.text(&joined.member);
    out.count(joined.members.len());
    for member in &joined.members {
        out.text(&member.member);
        if version >= 5 {
            out.nullable_text(member.instance.as_deref());
        }
        out.bytes(&member.metadata);
        out.no_tags();
    }
    out.no_tags();
}
