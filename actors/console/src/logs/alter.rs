//! `PATCH /v1/logs/{name}`: settings, columns, partitions.
//!
//! Each is a change of its own in the directory. So all of them are checked before
//! the first is made: a request that cannot be changes nothing.

use super::{description, find, schema, validated};
use crate::api::AlterLogRequest;
use crate::reply::Refusal;
use crate::request::{Document, NameInPath};
use crate::routes::{LogContext, Logs};
use axum::Json;
use axum::response::{IntoResponse, Response};
use pyralog_directory::LogEntry;
use pyralog_model::{ErrorCode, LogNumber, Schema};

/// `PATCH /v1/logs/{name}`.
pub async fn alter(
    Logs(context): Logs,
    NameInPath(name): NameInPath,
    Document(request): Document<AlterLogRequest>,
) -> Result<Response, Refusal> {
    let log = find(&context, &name)?;
    if log.internal {
        let message = format!("'{name}' belongs to the system and cannot be altered");
        return Err(Refusal::new(ErrorCode::LogNameInvalid, message));
    }
    let validate_only = request.validate_only;
    let changes = Changes::of(request)?;
    let would = changes.check(&context, &log).await?;
    if validate_only {
        return Ok(Json(validated(&would)).into_response());
    }
    changes.make(&context, log.number).await?;
    Ok(Json(description(&context, &*find(&context, &name)?)).into_response())
}

/// What is asked for, understood.
struct Changes {
    settings: Vec<(String, Option<String>)>,
    schema: Option<Schema>,
    partitions: Option<u32>,
}

impl Changes {
    fn of(request: AlterLogRequest) -> Result<Changes, Refusal> {
        let AlterLogRequest { settings, unset, schema: text, partitions, .. } = request;
        if let Some(both) = unset.iter().find(|key| settings.contains_key(*key)) {
            let message = format!("'{both}' is to be set and to be unset; leave one of them out");
            return Err(Refusal::invalid(message));
        }
        let set = settings.into_iter().map(|(key, value)| (key, Some(value)));
        let settings: Vec<_> = set.chain(unset.into_iter().map(|key| (key, None))).collect();
        if settings.is_empty() && text.is_none() && partitions.is_none() {
            let message = "nothing is to be changed; name settings, unset, schema or partitions";
            return Err(Refusal::invalid(message));
        }
        Ok(Changes { settings, schema: text.as_deref().map(schema).transpose()?, partitions })
    }

    /// The log as it would be.
    async fn check(&self, context: &LogContext, log: &LogEntry) -> Result<LogEntry, Refusal> {
        let mut would = log.clone();
        if !self.settings.is_empty() {
            let settings = self.settings.clone();
            would.settings = context.shen.alter_settings(log.number, settings, true).await?;
        }
        if let Some(wanted) = &self.schema {
            let grown = log.schema.as_ref().map(|schema| schema.grown_to(wanted)).transpose();
            let grown =
                grown.map_err(|error| Refusal::new(ErrorCode::SchemaInvalid, error.to_string()))?;
            would.schema = Some(grown.unwrap_or_else(|| wanted.clone()));
        }
        if let Some(total) = self.partitions {
            context.shen.add_partitions(log.number, total, true).await?;
            would.partitions = total;
        }
        Ok(would)
    }

    async fn make(self, context: &LogContext, log: LogNumber) -> Result<(), Refusal> {
        if !self.settings.is_empty() {
            context.shen.alter_settings(log, self.settings, false).await?;
        }
        if let Some(schema) = self.schema {
            context.shen.alter_schema(log, schema).await?;
        }
        if let Some(total) = self.partitions {
            context.shen.add_partitions(log, total, false).await?;
        }
        Ok(())
    }
}
