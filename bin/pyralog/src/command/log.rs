//! `pyralog log`: make, list, describe, alter and delete logs.

mod alter;
mod describe;

use super::produce::schema_text;
use crate::cli::{Format, LogCommand};
use crate::client::{Client, block_on, in_path};
use crate::failure::Failure;
use crate::{config, output, suggest};
use pyralog_console::api::{CreateLogRequest, LogDescription, LogList, LogSummary, ValidatedLog};
use pyralog_model::{ErrorCode, LogSettings};

/// Runs one of them.
pub fn run(command: LogCommand) -> Result<(), Failure> {
    match command {
        LogCommand::Create {
            name,
            partitions,
            replication_factor,
            settings,
            schema,
            validate_only,
            server,
            output,
        } => {
            let settings = settings.into_iter().map(in_bytes).collect();
            let schema = schema.as_deref().map(schema_text).transpose()?;
            let request = CreateLogRequest {
                name,
                partitions,
                replication_factor,
                settings,
                schema,
                validate_only,
            };
            create(&Client::new(&server.server)?, &request, output.format)
        }
        LogCommand::List { internal, server, output } => {
            list(&Client::new(&server.server)?, internal, output.format)
        }
        LogCommand::Describe { name, server, output } => {
            describe::describe(&Client::new(&server.server)?, &name, output.format)
        }
        LogCommand::Alter(arguments) => alter::alter(arguments),
        LogCommand::Delete { name, server, output } => {
            delete(&Client::new(&server.server)?, &name, output.format)
        }
    }
}

fn create(client: &Client, request: &CreateLogRequest, format: Format) -> Result<(), Failure> {
    let keys = || request.settings.keys();
    let explained = |failure| explain_settings(keys(), failure);
    if request.validate_only {
        let log: ValidatedLog = block_on(client.post("/v1/logs", request)).map_err(explained)?;
        return match format {
            Format::Json => output::json(&log),
            Format::Table => {
                let partitions = count(log.partition_count);
                output::line(format!("{} could be made with {partitions}", log.name))
            }
        };
    }
    let log: LogDescription = block_on(client.post("/v1/logs", request)).map_err(explained)?;
    let (name, partitions) = (&log.summary.name, log.summary.partition_count);
    match format {
        Format::Json => output::json(&log),
        Format::Table => output::line(format!("made {name} with {}", count(partitions))),
    }
}

/// A size with a unit as the number of bytes that the API takes. What is no
/// size stays as it is: the server says what is wrong with it.
fn in_bytes((key, value): (String, String)) -> (String, String) {
    let is_size = key.ends_with(".bytes");
    match config::bytes(&value).filter(|_| is_size) {
        Some(bytes) => (key, bytes.to_string()),
        None => (key, value),
    }
}

/// Adds "did you mean …?" when the server knows no such setting.
fn explain_settings<'k>(mut keys: impl Iterator<Item = &'k String>, failure: Failure) -> Failure {
    if failure.code != Some(ErrorCode::SettingInvalid) {
        return failure;
    }
    let known: Vec<_> = LogSettings::default().rows().into_iter().map(|row| row.key).collect();
    let unknown = keys.find(|key| !known.contains(key));
    match unknown.and_then(|key| suggest::nearest(key, known.iter().map(String::as_str))) {
        Some(near) => failure.help(format!("did you mean '{near}'?")),
        None => failure,
    }
}

fn list(client: &Client, internal: bool, format: Format) -> Result<(), Failure> {
    let mut list: LogList = block_on(client.get("/v1/logs"))?;
    list.logs.retain(|log| internal || !log.internal);
    match format {
        Format::Json => output::json(&list.logs),
        Format::Table if list.logs.is_empty() => {
            output::line("no logs; `pyralog log create NAME` makes one")
        }
        Format::Table => {
            let rows = list.logs.into_iter().map(|log| {
                vec![
                    log.name,
                    log.partition_count.to_string(),
                    log.replication_factor.to_string(),
                    log.number.to_string(),
                ]
            });
            output::print_table(&output::table(
                &["name", "partitions", "copies", "number"],
                &[1, 2, 3],
                rows,
            ))
        }
    }
}

fn delete(client: &Client, name: &str, format: Format) -> Result<(), Failure> {
    let log: LogSummary =
        about(client, name, client.delete(&format!("/v1/logs/{}", in_path(name))))?;
    match format {
        Format::Json => output::json(&log),
        Format::Table => output::line(format!("deleted {}", log.name)),
    }
}

/// Runs a request about one log; a log that is not there gets a suggestion.
fn about<T>(
    client: &Client,
    name: &str,
    request: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on(async {
        match request.await {
            Err(failure) => Err(client.explain(failure, name).await),
            done => done,
        }
    })
}

fn count(partitions: u32) -> String {
    if partitions == 1 { "1 partition".into() } else { format!("{partitions} partitions") }
}
