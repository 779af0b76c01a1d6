//! `pyralog group`: list, describe, reset and delete consumer groups.

mod describe;
mod reset;

use crate::cli::{Format, GroupCommand};
use crate::client::{Client, block_on, in_path};
use crate::failure::Failure;
use crate::{output, suggest};
use pyralog_console::api::{GroupList, GroupSummary};
use pyralog_model::ErrorCode;

/// Runs one of them.
pub fn run(command: GroupCommand) -> Result<(), Failure> {
    match command {
        GroupCommand::List { server, output } => list(&Client::new(&server.server)?, output.format),
        GroupCommand::Describe { name, server, output } => {
            describe::describe(&Client::new(&server.server)?, &name, output.format)
        }
        GroupCommand::Reset(arguments) => reset::reset(arguments),
        GroupCommand::Delete { name, server, output } => {
            delete(&Client::new(&server.server)?, &name, output.format)
        }
    }
}

fn list(client: &Client, format: Format) -> Result<(), Failure> {
    let GroupList { groups } = block_on(client.get("/v1/groups"))?;
    match format {
        Format::Json => output::json(&groups),
        Format::Table if groups.is_empty() => {
            output::line("no groups; a consumer with a group.id makes one")
        }
        Format::Table => {
            let rows = groups.into_iter().map(|group| {
                vec![group.name, group.state, group.member_count.to_string(), group.protocol_type]
            });
            output::print_table(&output::table(&["name", "state", "members", "kind"], &[2], rows))
        }
    }
}

fn delete(client: &Client, name: &str, format: Format) -> Result<(), Failure> {
    let group: GroupSummary = about(client, name, client.delete(&path(name)))?;
    match format {
        Format::Json => output::json(&group),
        Format::Table => output::line(format!("deleted {} and its offsets", group.name)),
    }
}

fn path(name: &str) -> String {
    format!("/v1/groups/{}", in_path(name))
}

/// Runs a request about one group; one that is not there gets a suggestion.
fn about<T>(
    client: &Client,
    name: &str,
    request: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on(async {
        let failure = match request.await {
            Err(failure) if failure.code == Some(ErrorCode::GroupNotFound) => failure,
            done => return done,
        };
        let Ok(GroupList { groups }) = client.get("/v1/groups").await else {
            return Err(failure);
        };
        let near = suggest::nearest(name, groups.iter().map(|group| group.name.as_str()));
        Err(match near {
            Some(near) if near != name => failure.help(format!("did you mean '{near}'?")),
            _ => failure.help("`pyralog group list` shows what is there"),
        })
    })
}
