//! `pyralog log describe`: settings, schema and partitions.

use super::about;
use crate::cli::Format;
use crate::client::{Client, in_path};
use crate::failure::Failure;
use crate::output;
use pyralog_console::api::{LogDescription, LogSummary, PartitionDescription, SchemaDescription};

/// Prints it.
pub fn describe(client: &Client, name: &str, format: Format) -> Result<(), Failure> {
    let log: LogDescription =
        about(client, name, client.get(&format!("/v1/logs/{}", in_path(name))))?;
    if format == Format::Json {
        return output::json(&log);
    }
    print(log)
}

fn print(log: LogDescription) -> Result<(), Failure> {
    let LogSummary { name, number, replication_factor, .. } = log.summary;
    output::line(format!(
        "{name}: number {number}, {replication_factor} copies, topic id {}\n",
        log.topic_id
    ))?;
    let settings = log.settings.into_iter().map(|row| {
        vec![
            row.key,
            row.value,
            if row.settable { String::new() } else { "fixed in this version".into() },
        ]
    });
    output::print_table(&output::table(&["setting", "value", ""], &[], settings))?;
    output::line("")?;
    if let Some(schema) = &log.schema {
        print_schema(schema)?;
    }
    let rows = log.partitions.into_iter().map(partition_row);
    output::print_table(&output::table(
        &["partition", "start", "high", "records", "size", "segments", "epoch", ""],
        &[0, 1, 2, 3, 4, 5, 6],
        rows,
    ))
}

fn partition_row(partition: PartitionDescription) -> Vec<String> {
    let number =
        |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let records = partition.high.zip(partition.start).map(|(high, start)| high - start);
    vec![
        partition.partition.to_string(),
        number(partition.start),
        number(partition.high),
        number(records),
        partition.bytes.map_or_else(|| "-".to_owned(), output::size),
        number(partition.segments),
        number(partition.epoch.map(u64::from)),
        partition.error.unwrap_or_default(),
    ]
}

fn print_schema(schema: &SchemaDescription) -> Result<(), Failure> {
    let columns =
        schema.columns.iter().map(|column| vec![column.name.clone(), column.kind.clone()]);
    let head = ["column", "type"];
    output::print_table(&output::table(&head, &[], columns))?;
    output::line(format!("schema version {}\n", schema.version))
}
