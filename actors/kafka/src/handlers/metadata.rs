//! Metadata: which logs there are, and who leads their partitions. Asking for a
//! log that is not there creates it, if the node and the client agree to that.
//!
//! The names are read in place and the answer is written as it is found: a
//! request of ten thousand names costs little more than its own bytes. A name
//! asked twice is answered once, else few bytes could ask for many.

use crate::kafka_errors::{
    INVALID_TOPIC, LEADER_NOT_AVAILABLE, NONE, REQUEST_TIMED_OUT, UNKNOWN_TOPIC_OR_PARTITION,
    kafka_error,
};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::{Caller, Service};
use crate::wire::{Malformed, Writer};
use pyralog_model::{ErrorCode, LogName, LogNameError, PartitionId};
use pyralog_partition::{CreateLog, LogEntry};
use std::sync::Arc;
use std::time::Duration;

/// Logs that one request may create; the client asks again for the rest.
const CREATIONS_MAX: usize = 64;

/// How long a client waits for a log to be created before it is told to ask again.
const CREATION_PATIENCE: Duration = Duration::from_secs(10);

/// Kafka's "not asked for" in the fields of authorized operations.
const NO_OPERATIONS: i32 = i32::MIN;

/// What is asked.
pub(crate) struct Question<'a> {
    /// Sorted and without repetition; `None` for every log.
    names: Option<Vec<&'a str>>,
    may_create: bool,
}

/// Answers with brokers and logs.
pub(crate) async fn handle(
    service: &Service,
    caller: Caller,
    request: &Request,
) -> Result<Reply, CloseReason> {
    let question = read(request)?;
    let mut out = Writer::new(request.is_flexible(), 256 + 2 * request.body.len());
    write_brokers(service, caller, request.version, &mut out);
    match question.names {
        None => {
            let logs = service.shen.logs();
            out.count(logs.len());
            logs.iter().for_each(|log| write_log(service, request.version, log, &mut out));
        }
        Some(names) => {
            out.count(names.len());
            let mut creations = if question.may_create { CREATIONS_MAX } else { 0 };
            for name in names {
                match find(service, name, &mut creations).await {
                    Ok(log) => write_log(service, request.version, &log, &mut out),
                    Err(error) => write_unknown(request.version, name, error, &mut out),
                }
            }
        }
    }
    if (8..=10).contains(&request.version) {
        out.i32(NO_OPERATIONS);
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

pub(crate) fn read(request: &Request) -> Result<Question<'_>, Malformed> {
    let mut reader = request.reader();
    let count = reader.nullable_count()?;
    let mut names = Vec::with_capacity(count.unwrap_or(0).min(reader.remaining()));
    for _ in 0..count.unwrap_or(0) {
        names.push(reader.text()?);
        reader.skip_tags()?;
    }
    // Before version 4 a client could not say no.
    let may_create = request.version < 4 || reader.i8()? != 0;
    // In version 0 an empty list asks for everything; later null does.
    let all = count.is_none() || (request.version == 0 && count == Some(0));
    names.sort_unstable();
    names.dedup();
    Ok(Question { names: (!all).then_some(names), may_create })
}

async fn find(service: &Service, name: &str, creations: &mut usize) -> Result<Arc<LogEntry>, i16> {
    if let Some(log) = service.shen.log(name) {
        return Ok(log);
    }
    let name = match LogName::for_user(name) {
        Ok(name) => name,
        Err(LogNameError::Reserved) => return Err(UNKNOWN_TOPIC_OR_PARTITION),
        Err(_) => return Err(INVALID_TOPIC),
    };
    if !service.settings.auto_create_logs || *creations == 0 {
        return Err(UNKNOWN_TOPIC_OR_PARTITION);
    }
    *creations -= 1;
    let create = CreateLog {
        name: name.clone(),
        partitions: Some(service.settings.default_partitions),
        replication_factor: None,
        settings: Vec::new(),
        schema: None,
        validate_only: false,
    };
    match tokio::time::timeout(CREATION_PATIENCE, service.shen.create_log(create)).await {
        Ok(Ok(log)) => Ok(log),
        // Another client was faster.
        Ok(Err(error)) if error.code == ErrorCode::LogExists => {
            service.shen.log(name.as_str()).ok_or(LEADER_NOT_AVAILABLE)
        }
        Ok(Err(error)) => match kafka_error(error.code) {
            REQUEST_TIMED_OUT => Err(LEADER_NOT_AVAILABLE),
            code => Err(code),
        },
        Err(_) => Err(LEADER_NOT_AVAILABLE),
    }
}

fn write_brokers(service: &Service, caller: Caller, version: i16, out: &mut Writer) {
    let node = service.shen.node().0 as i32;
    let (host, port) = service.advertised(caller);
    if version >= 3 {
        out.i32(0); // throttle time
    }
    out.count(1);
    out.i32(node);
    out.text(&host);
    out.i32(i32::from(port));
    if version >= 1 {
        out.null_text(); // rack
    }
    out.no_tags();
    if version >= 2 {
        out.text(&service.shen.cluster_id().to_string());
    }
    if version >= 1 {
        out.i32(node); // controller
    }
}

fn write_log(service: &Service, version: i16, log: &LogEntry, out: &mut Writer) {
    let node = service.shen.node().0 as i32;
    write_topic_head(version, NONE, log.name.as_str(), log.internal, out);
    out.count(log.partitions as usize);
    for partition in 0..log.partitions {
        let watermarks = service.shen.watermarks(PartitionId::new(log.number.0, partition));
        // One that still opens is led from here all the same: whoever sends to it is told
        // to try again, while a list with an error in it is thrown away by some clients.
        out.i16(NONE);
        out.i32(partition as i32);
        out.i32(node);
        if version >= 7 {
            out.i32(watermarks.map_or(-1, |watermarks| watermarks.epoch.0 as i32));
        }
        out.i32s(&[node]);
        out.i32s(&[node]);
        if version >= 5 {
            out.i32s(&[]); // replicas that are away
        }
        out.no_tags();
    }
    write_topic_tail(version, out);
}

fn write_unknown(version: i16, name: &str, error: i16, out: &mut Writer) {
    write_topic_head(version, error, name, false, out);
    out.count(0);
    write_topic_tail(version, out);
}

fn write_topic_head(version: i16, error: i16, name: &str, internal: bool, out: &mut Writer) {
    out.i16(error);
    out.text(name);
    if version >= 1 {
        out.bool(internal);
    }
}

fn write_topic_tail(version: i16, out: &mut Writer) {
    if version >= 8 {
        out.i32(NO_OPERATIONS);
    }
    out.no_tags();
}
