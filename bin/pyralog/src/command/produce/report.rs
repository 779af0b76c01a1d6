//! What is said at the end: where the records are, and what became of the rows.

use super::sending::{Loaded, records_text};
use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use indicatif::HumanCount;
use pyralog_console::api::ProduceReply;
use serde::Serialize;
use std::time::Duration;

/// For programs.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    reply: &'a ProduceReply,
    rows: u64,
    invalid: u64,
    nulls: u64,
    elapsed_ms: u64,
}

/// Prints it.
pub fn print(log: &str, loaded: &Loaded, format: Format) -> Result<(), Failure> {
    let Loaded { fed, reply, elapsed } = loaded;
    match format {
        Format::Json => output::json(&Report {
            reply,
            rows: fed.rows,
            invalid: fed.invalid,
            nulls: fed.nulls,
            elapsed_ms: elapsed.as_millis() as u64,
        }),
        Format::Table => output::line(summary(log, loaded)),
    }
}

/// One line for people, and one more if rows were left out.
pub fn summary(log: &str, Loaded { fed, reply, elapsed }: &Loaded) -> String {
    let mut text = format!(
        "appended {} to {log}: {}; {}",
        records_text(reply.records),
        places(reply),
        pace(reply.records, *elapsed)
    );
    if fed.nulls > 0 {
        text.push_str(&format!(", {} nulls", HumanCount(fed.nulls)));
    }
    if let Some(first) = &fed.invalid_first {
        let invalid = HumanCount(fed.invalid);
        text.push_str(&format!("\nleft out {invalid} that are no records; the first is {first}"));
    }
    text
}

fn places(reply: &ProduceReply) -> String {
    match reply.partitions.as_slice() {
        [] => "nothing was there".to_owned(),
        [one] => format!(
            "partition {}, offsets {} to {}",
            one.partition, one.first_offset, one.last_offset
        ),
        many => format!("{} partitions", many.len()),
    }
}

fn pace(records: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    let per_second = HumanCount((records as f64 / seconds.max(0.001)) as u64);
    format!("{seconds:.1} s, {per_second} a second")
}
