//! FindCoordinator: groups are coordinated by this node, at the address that the
//! client dialled. Being asked is what creates the internal log of groups.
//!
//! Transactions are refused with the one error after which every client gives up.
//! Of a group that cannot be coordinated yet a client is told to ask again, and
//! nothing worse: librdkafka asks on behalf of consumers that only assign partitions
//! to themselves, and hands an error that does not pass to the application.

use crate::kafka_errors::{
    INVALID_REQUEST, NONE, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, group_error,
};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::{Caller, Service};
use crate::wire::{Malformed, Writer};

/// Kafka's number for the coordinator of a group.
const GROUP: i8 = 0;

/// Kafka's number for the coordinator of a transaction.
const TRANSACTION: i8 = 1;

/// About what one answer takes beside its key.
const ANSWER_BYTES: usize = 40;

/// A refusal: Kafka's number and a sentence.
type Refusal = (i16, String);

/// What is asked: from version 4 on of several keys at once.
pub(crate) struct Question<'a> {
    key_type: i8,
    keys: Vec<&'a str>,
}

impl Question<'_> {
    pub(crate) fn read(request: &Request) -> Result<Question<'_>, Malformed> {
        let mut reader = request.reader();
        if request.version < 4 {
            let keys = vec![reader.text()?];
            let key_type = if request.version >= 1 { reader.i8()? } else { GROUP };
            return Ok(Question { key_type, keys });
        }
        let key_type = reader.i8()?;
        Ok(Question { key_type, keys: reader.texts()? })
    }
}

/// Answers with this node.
pub(crate) async fn handle(
    service: &Service,
    caller: Caller,
    request: &Request,
) -> Result<Reply, CloseReason> {
    let version = request.version;
    let Question { key_type, keys } = Question::read(request)?;
    let capacity = 64 + request.body.len() + ANSWER_BYTES * keys.len();
    let mut out = Writer::new(request.is_flexible(), capacity);
    if version >= 1 {
        out.i32(0); // throttle time
    }
    if version >= 4 {
        out.count(keys.len());
    }
    for key in keys {
        let found = find(service, key_type, key).await;
        if version < 4 {
            write_error(version, &found, &mut out);
            write_node(service, caller, found.is_ok(), &mut out);
        } else {
            out.text(key);
            write_node(service, caller, found.is_ok(), &mut out);
            write_error(version, &found, &mut out);
            out.no_tags();
        }
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

async fn find(service: &Service, key_type: i8, key: &str) -> Result<(), Refusal> {
    match key_type {
        GROUP => {
            let coordinated = service.groups.coordinate(key).await;
            coordinated.map_err(|error| (group_error(&error), error.to_string()))
        }
        TRANSACTION => {
            let message = "transactions are not served by this version";
            Err((TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message.into()))
        }
        other => Err((INVALID_REQUEST, format!("{other} is no kind of coordinator"))),
    }
}

fn write_error(version: i16, found: &Result<(), Refusal>, out: &mut Writer) {
    let (error, message) = match found {
        Ok(()) => (NONE, None),
        Err((error, message)) => (*error, Some(message.as_str())),
    };
    out.i16(error);
    if version >= 1 {
        out.nullable_text(message);
    }
}

fn write_node(service: &Service, caller: Caller, is_here: bool, out: &mut Writer) {
    if !is_here {
        out.i32(-1);
        out.text("");
        return out.i32(-1);
    }
    let (host, port) = service.advertised(caller);
    out.i32(service.shen.node().0 as i32);
    out.text(&host);
    out.i32(i32::from(port));
}
