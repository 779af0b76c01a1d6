//! The log that records go to: looked up, or made with a schema.

use crate::client::{Client, in_path};
use crate::failure::{Failure, Status};
use pyralog_console::api::{CreateLogRequest, LogDescription};
use pyralog_model::{ErrorCode, Schema, SchemaError};

/// A log that is there, or `None`.
pub async fn find(client: &Client, name: &str) -> Result<Option<LogDescription>, Failure> {
    match client.get(&format!("/v1/logs/{}", in_path(name))).await {
        Ok(log) => Ok(Some(log)),
        Err(failure) if failure.code == Some(ErrorCode::LogNotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A log that is there; a slip of its name is recognised.
pub async fn there(client: &Client, name: &str) -> Result<LogDescription, Failure> {
    match client.get(&format!("/v1/logs/{}", in_path(name))).await {
        Err(failure) => Err(client.explain(failure, name).await),
        found => found,
    }
}

/// Makes a log.
pub async fn make(
    client: &Client,
    name: &str,
    partitions: Option<u32>,
    schema: Option<&Schema>,
) -> Result<LogDescription, Failure> {
    let request = CreateLogRequest {
        name: name.to_owned(),
        partitions,
        schema: schema.map(Schema::to_string),
        ..CreateLogRequest::default()
    };
    client.post("/v1/logs", &request).await
}

/// The schema of a log, if it has one.
pub fn schema(log: &LogDescription) -> Result<Option<Schema>, Failure> {
    let parsed = log.schema.as_ref().map(|schema| schema.text.parse()).transpose();
    parsed.map_err(|error: SchemaError| {
        Failure::failed(format!("the server's schema cannot be understood: {error}"))
    })
}

/// A schema as it is given on the command line: the text, or `@` and the file that
/// has it.
pub fn schema_text(given: &str) -> Result<String, Failure> {
    let Some(file) = given.strip_prefix('@') else { return Ok(given.to_owned()) };
    std::fs::read_to_string(file).map_err(|error| {
        Failure::new(Status::NotFound, format!("cannot read the schema in {file}: {error}"))
    })
}

/// The same, understood.
pub fn schema_given(given: &str) -> Result<Schema, Failure> {
    schema_text(given)?.parse().map_err(|error: SchemaError| {
        Failure::new(Status::Usage, format!("{error} ({})", ErrorCode::SchemaInvalid))
            .help("for example --schema 'carrier TEXT, dep_delay BIGINT', or --schema @file.sql")
    })
}
