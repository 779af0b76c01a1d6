//! `pyralog dev --demo`: January 2013 as seen from New York's airports, in five
//! logs, and questions worth asking about it.
//!
//! The data is part of the program, and goes in by the road that everything else
//! takes: the HTTP door, as `pyralog produce --csv` does.

mod questions;
mod tables;

pub use questions::{QUESTIONS, Question};
pub use tables::{TABLES, Table};

use crate::client::Client;
use crate::command::produce::{
    CsvForm, CsvRecords, FeedRules, Input, Progress, Target, find, line_bytes_max, load, make,
};
use crate::failure::Failure;
use indicatif::HumanCount;
use pyralog_console::api::LogDescription;
use pyralog_model::{Schema, SchemaError};
use std::io::Write;
use std::net::SocketAddr;

/// Fills the logs of the node that serves HTTP here, and says what to ask it. A
/// failure is logged: the node serves without the data.
pub fn start(http: SocketAddr) {
    tokio::spawn(async move {
        match run(&format!("http://{http}")).await {
            Err(failure) if !failure.is_reader_left() => {
                tracing::warn!("the demonstration is not complete: {failure}");
            }
            _ => {}
        }
    });
}

/// Fills the logs that have nothing yet, and prints the questions.
///
/// # Errors
/// When the server refuses, or cannot be reached.
pub async fn run(server: &str) -> Result<(), Failure> {
    let client = Client::new(server)?;
    for table in TABLES {
        let said = fill(&client, table).await?;
        say(&format!("  {:<9} {said}", table.name))?;
    }
    let server = if server.ends_with(":8080") { "" } else { server };
    say(&questions::text(server))
}

/// Makes and fills one log, unless it has records.
async fn fill(client: &Client, table: &Table) -> Result<String, Failure> {
    let schema: Schema =
        table.schema.parse().map_err(|error: SchemaError| Failure::failed(error))?;
    match find(client, table.name).await? {
        Some(log) if records(&log) > 0 => return Ok(there(table, records(&log))),
        Some(_) => {}
        None => _ = make(client, table.name, Some(table.partitions), Some(&schema)).await?,
    }
    let input = Input::embedded(table.file, table.bytes);
    let progress = Progress::shown(table.name, input.bytes);
    let form =
        CsvForm { nulls: vec!["NA".into()], key: Some(table.key.into()), ..CsvForm::default() };
    let unpacked = input.unpacked(&progress)?;
    let mut csv = CsvRecords::open(unpacked, form, line_bytes_max()).map_err(Failure::from)?;
    csv.obey(&schema);
    let target = Target { client, log: table.name, partition: None };
    let loaded = load(target, Box::new(csv), FeedRules::default(), progress.clone()).await;
    progress.end();
    let loaded = loaded?;
    let (count, seconds) = (HumanCount(loaded.reply.records), loaded.elapsed.as_secs_f64());
    Ok(format!("{count} records in {seconds:.1} s"))
}

/// A kept data directory has them from the last time.
fn there(table: &Table, records: u64) -> String {
    let found = HumanCount(records);
    if records >= table.rows {
        return format!("{found} records are there already");
    }
    format!(
        "{found} records are there already, {} are known; `pyralog log delete {}` and a new start \
         load all of them",
        HumanCount(table.rows),
        table.name
    )
}

fn records(log: &LogDescription) -> u64 {
    let counts = log
        .partitions
        .iter()
        .filter_map(|partition| Some(partition.high?.saturating_sub(partition.start?)));
    counts.sum()
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}
