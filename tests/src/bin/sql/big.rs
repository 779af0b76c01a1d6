//! A log of many records, each with an offset, a time and a value that follow from one
//! another, so that any answer about it can be checked.

use anyhow::{Result, ensure};
use pyralog_tests::batch::{self, Record};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::Plan;
use std::time::Instant;

/// Its name.
pub const NAME: &str = "big";
/// Milliseconds between two records.
pub const STEP_MS: i64 = 10;
/// When the first of them was.
pub const FIRST_MS: i64 = 1_357_000_000_000;
/// A value's length in bytes.
pub const VALUE_BYTES: usize = 100;
const BATCH_RECORDS: u64 = 2_000;
const IN_FLIGHT: usize = 8;

/// The value at an offset.
pub fn value(offset: u64) -> String {
    format!("{offset:012} {:->1$}", "", VALUE_BYTES - 13)
}

/// Fills it.
pub fn load(plan: &Plan, records: u64) -> Result<()> {
    let started = Instant::now();
    let mut client = Client::dial(plan.kafka())?;
    ensure!(client.create(NAME, 1)? == code::NONE, "the log {NAME} could not be made");
    let mut waiting = 0;
    for first in (0..records).step_by(BATCH_RECORDS as usize) {
        let record = |offset: u64| Record {
            timestamp: FIRST_MS + offset as i64 * STEP_MS,
            ..Record::value(value(offset))
        };
        let batch: Vec<Record> = (first..records.min(first + BATCH_RECORDS)).map(record).collect();
        client.send_produce(NAME, 0, batch::encode(&batch))?;
        waiting += 1;
        if waiting == IN_FLIGHT {
            acknowledged(&mut client)?;
            waiting -= 1;
        }
    }
    (0..waiting).try_for_each(|_| acknowledged(&mut client))?;
    println!(
        "{records} records of {VALUE_BYTES} bytes in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

fn acknowledged(client: &mut Client) -> Result<()> {
    let produced = client.receive_produced()?;
    ensure!(produced.code == code::NONE, "loading failed with code {}", produced.code);
    Ok(())
}
