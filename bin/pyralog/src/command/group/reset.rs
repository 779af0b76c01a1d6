//! `pyralog group reset`: where a group goes on reading.

use super::{about, path};
use crate::cli::{Format, ResetArguments};
use crate::client::{Client, block_on};
use crate::failure::Failure;
use crate::output;
use pyralog_console::api::{ResetOffsetsReply, ResetOffsetsRequest, ResetPartition};
use pyralog_model::ErrorCode;

/// Resets, or shows what a reset would do.
pub fn reset(arguments: ResetArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.server.server)?;
    let request = ResetOffsetsRequest {
        to: arguments.to.place(),
        log: arguments.log,
        partitions: Some(arguments.partitions).filter(|partitions| !partitions.is_empty()),
        dry_run: arguments.dry_run,
    };
    let name = &arguments.name;
    let path = format!("{}/offsets", path(name));
    let posted = client.post(&path, &request);
    let reset = about(&client, name, posted);
    let reply: ResetOffsetsReply = match reset {
        Err(failure) if failure.code == Some(ErrorCode::LogNotFound) => {
            return block_on(async { Err(client.explain(failure, &request.log).await) });
        }
        done => done?,
    };
    match arguments.output.format {
        Format::Json => output::json(&reply),
        Format::Table => print(&reply),
    }
}

fn print(reply: &ResetOffsetsReply) -> Result<(), Failure> {
    let row = |reset: &ResetPartition| {
        let before = reset.before.map_or_else(|| "-".to_owned(), |before| before.to_string());
        vec![reply.log.clone(), reset.partition.to_string(), before, reset.after.to_string()]
    };
    let head = ["log", "partition", "before", "after"];
    let rows = reply.partitions.iter().map(row);
    output::print_table(&output::table(&head, &[1, 2, 3], rows))?;
    match reply.dry_run {
        true => output::line("\nnothing was changed; leave out --dry-run to do it"),
        false => Ok(()),
    }
}
