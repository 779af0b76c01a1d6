//! `pyralog log alter`: settings, schema and partitions of a log that is there.

use super::{about, explain_settings, in_bytes};
use crate::cli::{AlterArguments, Format};
use crate::client::{Client, in_path};
use crate::command::produce::schema_text;
use crate::failure::{Failure, Status};
use crate::output;
use pyralog_console::api::{AlterLogRequest, LogDescription, ValidatedLog};
use pyralog_model::ErrorCode;

/// Changes what is named.
pub fn alter(arguments: AlterArguments) -> Result<(), Failure> {
    let AlterArguments { name, settings, unset, schema, partitions, validate_only, .. } = arguments;
    if settings.is_empty() && unset.is_empty() && schema.is_none() && partitions.is_none() {
        return Err(Failure::new(Status::Usage, "nothing is to be changed")
            .help("name it with --set, --unset, --schema or --partitions"));
    }
    let request = AlterLogRequest {
        settings: settings.into_iter().map(in_bytes).collect(),
        unset,
        schema: schema.as_deref().map(schema_text).transpose()?,
        partitions,
        validate_only,
    };
    let client = Client::new(&arguments.server.server)?;
    let format = arguments.output.format;
    let path = format!("/v1/logs/{}", in_path(&name));
    if validate_only {
        let log: ValidatedLog = about(&client, &name, client.patch(&path, &request))
            .map_err(|failure| explained(&request, failure))?;
        return match format {
            Format::Json => output::json(&log),
            Format::Table => output::line(format!("{name} could be changed so")),
        };
    }
    let log: LogDescription = about(&client, &name, client.patch(&path, &request))
        .map_err(|failure| explained(&request, failure))?;
    match format {
        Format::Json => output::json(&log),
        Format::Table => output::line(changed(&request, &log)),
    }
}

fn explained(request: &AlterLogRequest, failure: Failure) -> Failure {
    let failure = explain_settings(request.settings.keys().chain(&request.unset), failure);
    match failure.code {
        Some(ErrorCode::SchemaInvalid) if !failure.has_help() => {
            failure.help("`pyralog log describe` shows the columns; new ones come behind them")
        }
        _ => failure,
    }
}

/// What is different now.
fn changed(request: &AlterLogRequest, log: &LogDescription) -> String {
    let mut parts = Vec::new();
    let touched = |key: &String| request.settings.contains_key(key) || request.unset.contains(key);
    for row in log.settings.iter().filter(|row| touched(&row.key)) {
        parts.push(format!("{} = {}", row.key, row.value));
    }
    if let (Some(_), Some(schema)) = (&request.schema, &log.schema) {
        parts.push(format!("schema version {}", schema.version));
    }
    if request.partitions.is_some() {
        parts.push(super::count(log.summary.partition_count));
    }
    format!("changed {}: {}", log.summary.name, parts.join(", "))
}
