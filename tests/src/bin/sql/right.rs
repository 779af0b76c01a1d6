//! Every cell of every flight, held against the reference.

use crate::columns::OTHER_TYPES;
use crate::reference::Reference;
use crate::world::World;
use anyhow::{Context, Result, anyhow, ensure};
use pyralog_tests::flights::FLIGHTS;
use pyralog_tests::sql::answer::{self, Column};
use pyralog_tests::sql::cell::{Cell, Row};
use pyralog_tests::sql::judge::{Filed, InOrder};
use serde_json::Value;
use std::collections::HashMap;

/// Partitions of the log that is keyed.
const PARTITIONS: u32 = 4;
const KEYED: &str = "flights_by_tail";

/// The flights in one partition, in order; then in four, by aircraft and in other
/// types; then the NULLs of both, as SQL counts them.
pub fn check(world: &World) -> Result<()> {
    let csv = world.files.csv("flights");
    let reference = Reference::read(&csv, &world.files.columns("flights")?)?;
    ensure!(reference.count() == FLIGHTS, "the reference has {} rows", reference.count());
    in_order(world, &reference).context("one partition")?;
    nulls(world, "flights", &reference)?;
    let reference = Reference::read(&csv, OTHER_TYPES)?;
    world.create(KEYED, OTHER_TYPES, PARTITIONS)?;
    world.load("flights", KEYED, Some("tailnum"))?;
    by_aircraft(world, &reference).context("four partitions")?;
    nulls(world, KEYED, &reference)
}

fn in_order(world: &World, reference: &Reference) -> Result<()> {
    let query = format!("SELECT {} FROM flights ORDER BY _offset", reference.columns.join(", "));
    let mut judge = InOrder::new(reference.columns.clone(), reference.rows());
    answer::stream(world.http(), query.as_str(), |columns, cells| {
        judge.row(&row(columns, &cells)?)
    })?
    .map_err(|refusal| anyhow!("{query}: {refusal}"))?;
    let (rows, hash) = judge.end()?;
    println!(
        "{rows} rows x {} columns are those of the CSV, in order: sha256 {hash}",
        reference.columns.len()
    );
    Ok(())
}

/// An aircraft's flights are in one partition and in order; those of nobody's are
/// somewhere.
fn by_aircraft(world: &World, reference: &Reference) -> Result<()> {
    let tail = reference.columns.iter().position(|name| name == "tailnum").context("no tailnum")?;
    let mut expected = Filed::default();
    reference.rows().for_each(|row| expected.row(text(&row[tail]), &row));
    expected.forget_order_without_key();

    let columns = reference.columns.join(", ");
    let query =
        format!("SELECT _partition, _key, {columns} FROM {KEYED} ORDER BY _partition, _offset");
    let (mut filed, mut homes) = (Filed::default(), HashMap::<String, Value>::new());
    answer::stream(world.http(), query.as_str(), |columns, cells| {
        let row = row(&columns[2..], &cells[2..])?;
        let key = text(&row[tail]);
        ensure!(cells[1].as_str() == key, "the key is {} and the tailnum {key:?}", cells[1]);
        if let Some(key) = key {
            let home = homes.entry(key.to_owned()).or_insert_with(|| cells[0].clone());
            ensure!(*home == cells[0], "{key} is in partitions {home} and {}", cells[0]);
        }
        filed.row(key, &row);
        Ok(())
    })?
    .map_err(|refusal| anyhow!("{query}: {refusal}"))?;
    filed.forget_order_without_key();
    filed.check(&expected)?;
    let used: std::collections::BTreeSet<String> = homes.values().map(Value::to_string).collect();
    ensure!(used.len() == PARTITIONS as usize, "only partitions {used:?} are used");
    println!(
        "{} rows by {} aircraft over {PARTITIONS} partitions, in other types: sha256 {}",
        filed.rows(),
        filed.keys() - 1,
        filed.hash()
    );
    Ok(())
}

fn nulls(world: &World, log: &str, reference: &Reference) -> Result<()> {
    let counts: Vec<String> =
        reference.columns.iter().map(|name| format!("count(*) - count({name})")).collect();
    let query = format!("SELECT {} FROM {log}", counts.join(", "));
    let answer = answer::must(world.http(), query.as_str())?;
    let counted = answer.rows.first().context("no row")?;
    for ((name, counted), right) in reference.columns.iter().zip(counted).zip(reference.nulls()) {
        ensure!(counted.as_u64() == Some(right as u64), "{log}.{name}: {counted} NULLs of {right}");
    }
    println!("{log}: {} NULLs, counted by column", reference.nulls().iter().sum::<usize>());
    Ok(())
}

fn row(columns: &[Column], cells: &[Value]) -> Result<Row> {
    columns.iter().zip(cells).map(|(column, cell)| Cell::read(&column.kind, cell)).collect()
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}
