//! `pyralog produce`: the records of a file or of standard input into a log.
//!
//! - `input`: the bytes, unpacked; `lines`, `csv`, `json`: the records in them.
//! - `feed` reads them on a thread that may wait, `sending` sends them from the
//!   runtime; between the two stands a bounded queue.
//! - `ledger` knows which rows are durable when it breaks off.
//! - `target_log`: the log and its schema; `progress`, `report`: what is seen.

mod bounded;
mod csv;
mod feed;
mod input;
mod json;
mod ledger;
mod lines;
mod progress;
mod record;
mod report;
mod sending;
mod target_log;

pub use csv::{CsvForm, CsvRecords};
pub use feed::FeedRules;
pub use input::Input;
pub use progress::Progress;
pub use report::summary;
pub use sending::{Loaded, Target, load};
pub use target_log::{find, make, schema_given, schema_text};

use crate::cli::ProduceArguments;
use crate::client::Client;
use crate::failure::Failure;
use bounded::Buffered;
use indicatif::HumanCount;
use json::JsonRecords;
use lines::LineRecords;
use pyralog_console::ConsoleLimits;
use pyralog_console::api::LogDescription;
use pyralog_model::Schema;
use record::{Fault, Records};
use std::io::Write;
use std::path::Path;

/// The longest line of the server's, and so of an input.
pub fn line_bytes_max() -> usize {
    ConsoleLimits::default().line_bytes_max
}

/// Appends every record.
pub fn run(arguments: ProduceArguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    let outcome = runtime.block_on(produce(&arguments));
    // The reader may wait for a terminal still, and nobody waits for it.
    runtime.shutdown_background();
    let loaded = outcome?;
    report::print(&arguments.log, &loaded, arguments.output.format)
}

async fn produce(arguments: &ProduceArguments) -> Result<Loaded, Failure> {
    let client = Client::new(&arguments.server.server)?;
    let input = Input::open(file(arguments))?;
    let progress = match arguments.quiet || input.is_typed {
        true => Progress::hidden(),
        false => Progress::shown(&arguments.log, input.bytes),
    };
    let unpacked = input.unpacked(&progress)?;
    let records = records(arguments, &client, unpacked).await?;
    let target = Target { client: &client, log: &arguments.log, partition: arguments.partition };
    let rules = FeedRules { skip_rows: arguments.skip_rows, skip_invalid: arguments.skip_invalid };
    let outcome = load(target, records, rules, progress.clone()).await;
    progress.end();
    outcome
}

fn file(arguments: &ProduceArguments) -> &Path {
    arguments.csv.as_ref().or(arguments.json.as_ref()).unwrap_or(&arguments.file)
}

/// The records in the input, as the arguments and the log's schema have them.
async fn records(
    arguments: &ProduceArguments,
    client: &Client,
    input: impl Buffered + 'static,
) -> Result<Box<dyn Records>, Failure> {
    if arguments.csv.is_some() {
        return csv_records(arguments, client, input).await;
    }
    if arguments.create {
        ensure(arguments, client, None::<fn() -> _>).await?;
    }
    if arguments.json.is_some() {
        let key = arguments.key.clone();
        return Ok(Box::new(JsonRecords::new(input, key, line_bytes_max())));
    }
    let separator = arguments.key_separator.as_deref().unwrap_or_default();
    Ok(Box::new(LineRecords::new(input, separator, line_bytes_max())))
}

async fn csv_records(
    arguments: &ProduceArguments,
    client: &Client,
    input: impl Buffered + 'static,
) -> Result<Box<dyn Records>, Failure> {
    let form = CsvForm {
        columns: arguments.columns.clone(),
        delimiter: arguments.delimiter,
        nulls: arguments.nulls.clone(),
        key: arguments.key.clone(),
    };
    // The head may have to be waited for.
    let opened = tokio::task::block_in_place(|| CsvRecords::open(input, form, line_bytes_max()));
    let mut records = opened.map_err(Failure::from)?;
    let log = match arguments.create {
        true => ensure(arguments, client, Some(|| records.infer())).await?,
        false => target_log::there(client, &arguments.log).await?,
    };
    if let Some(schema) = target_log::schema(&log)? {
        records.obey(&schema);
        let strangers = records.strangers(&schema);
        if !strangers.is_empty() {
            let log = &arguments.log;
            note(&format!("not in the schema of {log}, so not in SQL: {}", strangers.join(", ")));
        }
    }
    Ok(Box::new(records))
}

/// The log: the one that is there, or a new one with the schema that was given, or
/// that can be inferred.
async fn ensure(
    arguments: &ProduceArguments,
    client: &Client,
    infer: Option<impl FnOnce() -> Result<Schema, Fault>>,
) -> Result<LogDescription, Failure> {
    let given = arguments.schema.as_deref().map(schema_given).transpose()?;
    if let Some(log) = find(client, &arguments.log).await? {
        let is = target_log::schema(&log)?;
        if given.is_some_and(|given| is.is_none_or(|is| is.columns != given.columns)) {
            let name = &arguments.log;
            note(&format!(
                "{name} is there already, with another schema, which stays; `pyralog log alter {name} --schema …` appends columns"
            ));
        }
        return Ok(log);
    }
    let schema = match (given, infer) {
        (Some(given), _) => Some(given),
        (None, Some(infer)) if arguments.infer_schema => {
            let inferred = tokio::task::block_in_place(infer).map_err(Failure::from)?;
            note(&format!("inferred --schema '{inferred}'"));
            Some(inferred)
        }
        _ => None,
    };
    let log = make(client, &arguments.log, arguments.partitions, schema.as_ref()).await?;
    let partitions = HumanCount(u64::from(log.summary.partition_count));
    note(&format!("made {} with {partitions} partitions", arguments.log));
    Ok(log)
}

/// Something worth knowing, beside the output.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
