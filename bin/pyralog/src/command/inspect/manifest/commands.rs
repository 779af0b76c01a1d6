//! A `directory.redb`: the directory as its snapshot and its commands make it, and
//! those commands.

use crate::cli::InspectArguments;
use crate::command::inspect::{Cell, Fields, Output, Sheet};
use crate::failure::Failure;
use crate::offline::{Replayed, Step, describe, replay, time};
use crate::output;
use pyralog_directory::Directory;
use pyralog_meta::MetaError;
use pyralog_model::Damage;
use std::path::Path;

/// Shows it; the outer error is that it is no such database.
pub(super) fn show(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<Result<u64, Failure>, MetaError> {
    let replayed = replay(path)?;
    Ok(print(path, &replayed, arguments, output))
}

fn print(
    path: &Path,
    replayed: &Replayed,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let Replayed { snapshot, snapshot_damage, steps, directory } = replayed;
    let header = Fields(vec![
        ("cluster", Cell::new(directory.cluster().map(|cluster| cluster.to_string()))),
        ("last_index", Cell::new(directory.last_index())),
        ("snapshot_index", Cell::new(snapshot.map(|(index, _)| index))),
        ("snapshot_bytes", Cell::new(snapshot.map(|(_, bytes)| bytes))),
    ]);
    let mut sheet = output.file(path, "a directory", header)?;
    if let Some(what) = snapshot_damage {
        sheet.damage(&Damage::new(0..0, "a snapshot", what.as_str()))?;
    }
    entries(directory, &mut sheet)?;
    for step in steps.iter().filter(|step| step.index >= arguments.from.unwrap_or_default()) {
        command(step, &mut sheet)?;
    }
    sheet.end(Fields(vec![
        ("nodes", Cell::new(directory.nodes().count())),
        ("logs", Cell::new(directory.logs().count())),
        ("counters", Cell::new(directory.counter_count())),
        ("lanes", Cell::new(directory.lanes().count())),
        ("commands", Cell::new(steps.len())),
    ]))
}

/// What there is, by its numbers: directories and frames are named by them.
fn entries(directory: &Directory, sheet: &mut Sheet<'_>) -> Result<(), Failure> {
    for node in directory.nodes() {
        let detail = format!("store {}, start {}", node.store, node.incarnation.0);
        sheet.row("node", entry("node", node.number.0.into(), &node.name.0, detail, "ok"))?;
    }
    for log in directory.logs() {
        let schema = log.schema.as_ref().map(|schema| format!(": {schema}"));
        let partitions = output::count(log.partitions.into(), "partition");
        let detail = format!("{partitions}{}", schema.unwrap_or_default());
        sheet.row("log", entry("log", log.number.0, log.name.as_str(), detail, "ok"))?;
    }
    for counter in directory.counters() {
        let mode = counter.mode.to_string();
        let name = counter.name.as_str();
        sheet.row("counter", entry("counter", counter.number.0, name, mode, "ok"))?;
    }
    for lane in directory.lanes() {
        let holder = lane.holder.map_or_else(
            || "nobody".to_owned(),
            |(node, start)| format!("node {} in start {}", node.0, start.0),
        );
        let (from, to) = (time(lane.from), time(lane.to));
        let detail = format!("leased to {holder} from {from} to {to}");
        sheet.row("lane", entry("lane", lane.lane.number().into(), "", detail, "ok"))?;
    }
    Ok(())
}

fn command(step: &Step, sheet: &mut Sheet<'_>) -> Result<(), Failure> {
    match &step.command {
        Ok(command) => {
            let refused = step.refused.as_ref();
            let state = refused.map_or_else(|| "ok".to_owned(), |why| format!("refused: {why}"));
            let fields = entry("command", step.index, "", describe(command), &state);
            sheet.row("command", fields)
        }
        Err(what) => {
            let expected = format!("command {}", step.index);
            sheet.damage(&Damage::new(0..0, expected, what.as_str()))
        }
    }
}

fn entry(what: &'static str, number: u64, name: &str, detail: String, state: &str) -> Fields {
    Fields(vec![
        ("what", Cell::new(what)),
        ("number", Cell::new(number)),
        ("name", Cell::new(name)),
        ("detail", Cell::new(detail)),
        ("state", Cell::new(state)),
    ])
}
