//! `pyralog get`: the newest record with a key, or every one.

use crate::cli::{GetArguments, GetFormat};
use crate::client::{Client, RequestBody, block_on, bytes_in_path, in_path};
use crate::failure::{Failure, Status};
use crate::output;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Method;
use pyralog_console::api::{RecordOut, Text};
use pyralog_model::ErrorCode;
use std::io::Write;

/// Characters of a value in a table.
const SHOWN_CHARS: usize = 60;

/// Finds it and prints it.
pub fn run(arguments: GetArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.server.server)?;
    let path = path(&arguments)?;
    let found = block_on(async {
        match find(&client, &path).await {
            Err(failure) if failure.code == Some(ErrorCode::KeyNotFound) => Err(failure
                .help(format!("`pyralog get {} KEY --all` shows every version", arguments.log))),
            Err(failure) => Err(client.explain(failure, &arguments.log).await),
            found => found,
        }
    })?;
    if found.is_empty() {
        let message = format!("no record of log '{}' has this key", arguments.log);
        return Err(Failure::new(Status::NotFound, message));
    }
    let usual = if arguments.all { GetFormat::Table } else { GetFormat::Value };
    match arguments.format.unwrap_or(usual) {
        GetFormat::Table => print_table(&found),
        GetFormat::Value => print_values(found),
        GetFormat::Json => print_lines(&found),
    }
}

/// The lines of the answer, each a record.
async fn find(client: &Client, path: &str) -> Result<Vec<(RecordOut, Bytes)>, Failure> {
    let body: RequestBody = Empty::new().boxed_unsync();
    let mut lines = client.stream(Method::GET, path, body).await?;
    let mut found = Vec::new();
    while let Some(line) = lines.next().await? {
        let record = serde_json::from_slice(&line).map_err(|error| {
            Failure::failed(format!("the server sent a line that is no record: {error}"))
        })?;
        found.push((record, line));
    }
    Ok(found)
}

fn path(arguments: &GetArguments) -> Result<String, Failure> {
    let key = match arguments.base64 {
        false => arguments.key.clone().into_bytes(),
        true => {
            let key = Text::Encoded { base64: arguments.key.clone() }.into_bytes();
            key.map_err(|error| Failure::new(Status::Usage, error.to_string()))?
        }
    };
    let mut path = format!("/v1/logs/{}/keys/{}", in_path(&arguments.log), bytes_in_path(&key));
    let numbers = [
        ("partition", arguments.partition.map(u64::from)),
        ("before", arguments.before),
        ("limit", arguments.limit.map(|limit| limit as u64)),
    ];
    let mut parameters: Vec<String> =
        arguments.all.then(|| "all=true".to_owned()).into_iter().collect();
    parameters.extend(numbers.iter().filter_map(|(name, n)| Some(format!("{name}={}", (*n)?))));
    if !parameters.is_empty() {
        path.push('?');
        path.push_str(&parameters.join("&"));
    }
    Ok(path)
}

fn print_values(found: Vec<(RecordOut, Bytes)>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for (record, _) in found {
        let value = record.value.map_or_else(|| Ok(Vec::new()), Text::into_bytes);
        out.write_all(&value.map_err(Failure::failed)?)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn print_lines(found: &[(RecordOut, Bytes)]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for (_, line) in found {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn print_table(found: &[(RecordOut, Bytes)]) -> Result<(), Failure> {
    let rows = found.iter().map(|(record, _)| {
        vec![
            record.partition.to_string(),
            record.offset.to_string(),
            time(record.timestamp),
            record.value.as_ref().map_or_else(|| "(deleted)".to_owned(), beginning),
        ]
    });
    output::print_table(&output::table(&["partition", "offset", "time", "value"], &[0, 1], rows))
}

fn time(timestamp_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(timestamp_ms) {
        Ok(time) if timestamp_ms >= 0 => time.to_string(),
        _ => "-".to_owned(),
    }
}

/// How a value begins, on one line.
fn beginning(value: &Text) -> String {
    let text = match value {
        Text::Plain(text) => text,
        Text::Encoded { base64 } => return format!("{} bytes, no text", base64.len() / 4 * 3),
    };
    let mut chars = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    let beginning: String = chars.by_ref().take(SHOWN_CHARS).collect();
    if chars.next().is_some() { beginning + "…" } else { beginning }
}
