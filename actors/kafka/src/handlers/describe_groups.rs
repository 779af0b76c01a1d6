//! DescribeGroups: states and members. A group that is not there is `Dead`, without
//! an error, as at Kafka.
//!
//! A name asked twice is answered once, else few bytes could ask for much.

use crate::kafka_errors::{NONE, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Writer};
use pyralog_groups::{DescribedMember, GroupDescription};

/// Kafka's "not asked for" in the field of authorized operations.
const NO_OPERATIONS: i32 = i32::MIN;

/// The names that are asked for, sorted and without repetition.
pub(crate) fn read(request: &Request) -> Result<Vec<&str>, Malformed> {
    let mut names = request.reader().texts()?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Describes.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let version = request.version;
    let names = read(request)?;
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    if version >= 1 {
        out.i32(0); // throttle time
    }
    out.count(names.len());
    for name in names {
        match service.groups.describe(name).await {
            Ok(group) => write_group(version, name, &group, &mut out),
            Err(error) => write_unknown(name, group_error(&error), &mut out),
        }
        if version >= 3 {
            out.i32(NO_OPERATIONS);
        }
        out.no_tags();
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

fn write_group(version: i16, name: &str, group: &GroupDescription, out: &mut Writer) {
    out.i16(NONE);
    out.text(name);
    out.text(group.summary.state.as_str());
    out.text(&group.summary.protocol_type);
    out.text(&group.protocol);
    out.count(group.members.len());
    group.members.iter().for_each(|member| write_member(version, member, out));
}

fn write_member(version: i16, member: &DescribedMember, out: &mut Writer) {
    out.text(&member.member);
    if version >= 4 {
        out.nullable_text(member.instance.as_deref());
    }
    out.text(&member.client_id);
    // As Java writes an address without a name.
    out.text(&format!("/{}", member.client_host));
    out.bytes(&member.metadata);
    out.bytes(&member.assignment);
    out.no_tags();
}

fn write_unknown(name: &str, error: i16, out: &mut Writer) {
    out.i16(error);
    out.text(name);
    (0..3).for_each(|_| out.text("")); // state, kind, assignor
    out.count(0);
}
