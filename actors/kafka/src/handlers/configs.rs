//! Settings in Kafka's words: what is configured, where a value comes from, and how
//! a change is answered.

mod facts;
mod rows;

pub(super) use facts::{facts_of, kind_is_list};
pub(super) use rows::{Row, log_rows, node_rows};

use crate::handlers::changing::Refusal;
use crate::kafka_errors::{INVALID_REQUEST, NONE, UNKNOWN_TOPIC_OR_PARTITION};
use crate::service::Service;
use crate::wire::Writer;
use pyralog_partition::LogEntry;
use std::sync::Arc;

/// Kafka's number for a log.
pub(super) const TOPIC: i8 = 2;
/// Kafka's number for a node.
pub(super) const BROKER: i8 = 4;

/// What a request calls a thing that has settings: its kind and its name.
pub(super) type Resource<'a> = (i8, &'a str);

/// The log whose settings are to be changed. Those of a node are not changed here.
pub(super) fn log_to_change(
    service: &Service,
    (kind, name): Resource<'_>,
) -> Result<Arc<LogEntry>, Refusal> {
    match kind {
        TOPIC => find_log(service, name),
        BROKER => {
            let message = "the settings of a node are in its configuration; change them there";
            Err((INVALID_REQUEST, message.to_owned()))
        }
        kind => Err(unknown_kind(kind)),
    }
}

pub(super) fn find_log(service: &Service, name: &str) -> Result<Arc<LogEntry>, Refusal> {
    let log = service.shen.log(name);
    log.ok_or_else(|| (UNKNOWN_TOPIC_OR_PARTITION, format!("there is no log '{name}'")))
}

pub(super) fn unknown_kind(kind: i8) -> Refusal {
    let message = format!("there are no settings of resources of type {kind}; 2 is a topic");
    (INVALID_REQUEST, message)
}

/// What came of a change.
pub(super) fn write_altered(
    (kind, name): Resource<'_>,
    altered: Result<(), Refusal>,
    out: &mut Writer,
) {
    let (code, message) = match &altered {
        Ok(()) => (NONE, None),
        Err((code, message)) => (*code, Some(message.as_str())),
    };
    out.i16(code);
    out.nullable_text(message);
    out.i8(kind);
    out.text(name);
    out.no_tags();
}
