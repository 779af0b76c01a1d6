//! `pyralog group reset`: where a group goes on reading.
//!
//! Of one log, or of all that the group has offsets of. Before anything is changed in
//! several logs each is tried, so that a wrong place changes nothing.

use super::{about, path};
use crate::cli::{Format, ResetArguments};
use crate::client::{Client, block_on};
use crate::failure::Failure;
use crate::output;
use pyralog_console::api::{
    GroupDescription, ResetOffsetsReply, ResetOffsetsRequest, ResetPartition,
};
use pyralog_model::ErrorCode;
use std::collections::BTreeMap;

/// Resets, or shows what a reset would do.
pub fn reset(arguments: ResetArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.server.server)?;
    let (format, dry_run) = (arguments.output.format, arguments.dry_run);
    let Some(log) = &arguments.logs.log else {
        let replies = reset_all(&client, &arguments)?;
        return match format {
            Format::Json => output::json(&replies),
            Format::Table => print(&replies, dry_run),
        };
    };
    let partitions = arguments.partitions.clone();
    let reply = reset_one(&client, &arguments, log, partitions, dry_run)?;
    match format {
        Format::Json => output::json(&reply),
        Format::Table => print(&[reply], dry_run),
    }
}

/// Every partition with a committed offset, by log.
fn reset_all(
    client: &Client,
    arguments: &ResetArguments,
) -> Result<Vec<ResetOffsetsReply>, Failure> {
    let name = &arguments.name;
    let group: GroupDescription = about(client, name, client.get(&path(name)))?;
    let committed = group.offsets.into_iter().filter(|offset| offset.committed.is_some());
    let mut logs: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for offset in committed {
        logs.entry(offset.log).or_default().push(offset.partition);
    }
    let each = |dry_run| {
        let one = |(log, partitions): (&String, &Vec<u32>)| {
            reset_one(client, arguments, log, partitions.clone(), dry_run)
        };
        logs.iter().map(one).collect::<Result<Vec<_>, Failure>>()
    };
    let tried = each(true)?;
    if arguments.dry_run { Ok(tried) } else { each(false) }
}

fn reset_one(
    client: &Client,
    arguments: &ResetArguments,
    log: &str,
    partitions: Vec<u32>,
    dry_run: bool,
) -> Result<ResetOffsetsReply, Failure> {
    let request = ResetOffsetsRequest {
        to: arguments.to.place(),
        log: log.to_owned(),
        partitions: Some(partitions).filter(|partitions| !partitions.is_empty()),
        dry_run,
    };
    let path = format!("{}/offsets", path(&arguments.name));
    match about(client, &arguments.name, client.post(&path, &request)) {
        Err(failure) if failure.code == Some(ErrorCode::LogNotFound) => {
            block_on(async { Err(client.explain(failure, log).await) })
        }
        done => done,
    }
}

fn print(replies: &[ResetOffsetsReply], dry_run: bool) -> Result<(), Failure> {
    if replies.is_empty() {
        return output::line("the group has no committed offsets; name a log with --log");
    }
    let row = |log: &str, reset: &ResetPartition| {
        let before = reset.before.map_or_else(|| "-".to_owned(), |before| before.to_string());
        vec![log.to_owned(), reset.partition.to_string(), before, reset.after.to_string()]
    };
    let head = ["log", "partition", "before", "after"];
    let rows = replies
        .iter()
        .flat_map(|reply| reply.partitions.iter().map(|partition| row(&reply.log, partition)));
    output::print_table(&output::table(&head, &[1, 2, 3], rows))?;
    match dry_run {
        true => output::line("\nnothing was changed; leave out --dry-run to do it"),
        false => Ok(()),
    }
}
