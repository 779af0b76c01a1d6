//! `/v1/logs`: list, create, describe, alter, delete.

mod alter;

pub use alter::alter;

use crate::api::{
    CreateLogRequest, LogDescription, LogList, LogSummary, PartitionDescription, SchemaDescription,
    ValidatedLog,
};
use crate::reply::Refusal;
use crate::request::{Document, NameInPath};
use crate::routes::{LogContext, Logs};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pyralog_model::{ErrorCode, LogName, PartitionId, Schema, SchemaError};
use pyralog_partition::{CreateLog, LogEntry};
use std::sync::Arc;

/// `GET /v1/logs`.
pub async fn list(Logs(context): Logs) -> Json<LogList> {
    Json(LogList { logs: context.shen.logs().iter().map(|log| summary(log)).collect() })
}

/// `POST /v1/logs`.
pub async fn create(
    Logs(context): Logs,
    Document(request): Document<CreateLogRequest>,
) -> Result<Response, Refusal> {
    let name = LogName::for_user(&request.name)
        .map_err(|error| Refusal::new(ErrorCode::LogNameInvalid, error.to_string()))?;
    let validate_only = request.validate_only;
    let create = CreateLog {
        name,
        partitions: request.partitions,
        replication_factor: request.replication_factor,
        settings: request.settings.into_iter().collect(),
        schema: request.schema.as_deref().map(schema).transpose()?,
        validate_only,
    };
    let log = context.shen.create_log(create).await?;
    if validate_only {
        // There is no log: what only a log has is left out.
        return Ok(Json(validated(&log)).into_response());
    }
    Ok((StatusCode::CREATED, Json(description(&context, &log))).into_response())
}

/// `GET /v1/logs/{name}`.
pub async fn describe(
    Logs(context): Logs,
    NameInPath(name): NameInPath,
) -> Result<Json<LogDescription>, Refusal> {
    Ok(Json(description(&context, &*find(&context, &name)?)))
}

/// `DELETE /v1/logs/{name}`.
pub async fn delete(
    Logs(context): Logs,
    NameInPath(name): NameInPath,
) -> Result<Json<LogSummary>, Refusal> {
    let log = find(&context, &name)?;
    if log.internal {
        let message = format!("'{name}' belongs to the system and cannot be deleted");
        return Err(Refusal::new(ErrorCode::LogNameInvalid, message));
    }
    context.shen.delete_log(log.number).await?;
    Ok(Json(summary(&log)))
}

/// The log of this name, or a refusal that says it is not there.
pub fn find(context: &LogContext, name: &str) -> Result<Arc<LogEntry>, Refusal> {
    let missing = || Refusal::new(ErrorCode::LogNotFound, format!("there is no log '{name}'"));
    context.shen.log(name).ok_or_else(missing)
}

/// A refusal in the middle of a stream, or that the log was deleted under it,
/// which explains every refusal that follows from it.
pub fn or_deleted(context: &LogContext, log: &LogEntry, refusal: Refusal) -> Refusal {
    let name = &log.name;
    match context.shen.log(name.as_str()) {
        Some(found) if found.number == log.number => refusal,
        _ => Refusal::new(ErrorCode::LogNotFound, format!("log '{name}' was deleted meanwhile")),
    }
}

/// A column list, understood.
fn schema(text: &str) -> Result<Schema, Refusal> {
    text.parse()
        .map_err(|error: SchemaError| Refusal::new(ErrorCode::SchemaInvalid, error.to_string()))
}

fn validated(log: &pyralog_directory::LogEntry) -> ValidatedLog {
    ValidatedLog {
        name: log.name.to_string(),
        partition_count: log.partitions,
        replication_factor: log.replication_factor,
        settings: log.settings.rows(),
        schema: log.schema.as_ref().map(SchemaDescription::of),
        validate_only: true,
    }
}

fn summary(log: &LogEntry) -> LogSummary {
    LogSummary {
        name: log.name.to_string(),
        number: log.number.0,
        partition_count: log.partitions,
        replication_factor: log.replication_factor,
        internal: log.internal,
    }
}

fn description(context: &LogContext, log: &LogEntry) -> LogDescription {
    LogDescription {
        summary: summary(log),
        topic_id: log.topic_id.iter().map(|byte| format!("{byte:02x}")).collect(),
        settings: log.settings.rows(),
        schema: log.schema.as_ref().map(SchemaDescription::of),
        partitions: (0..log.partitions)
            .map(|partition| partition_of(context, log, partition))
            .collect(),
    }
}

fn partition_of(context: &LogContext, log: &LogEntry, partition: u32) -> PartitionDescription {
    let view = context.shen.partition(PartitionId::new(log.number.0, partition));
    let known = view.as_ref().ok();
    PartitionDescription {
        partition,
        start: known.map(|view| view.watermarks.log_start.0),
        high: known.map(|view| view.watermarks.high.0),
        epoch: known.map(|view| view.watermarks.epoch.0),
        bytes: known.map(|view| view.sizes.segment_bytes + view.sizes.tail_bytes as u64),
        segments: known.map(|view| view.sizes.segments as u64),
        error: view.as_ref().err().map(ToString::to_string),
    }
}
