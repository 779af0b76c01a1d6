//! `sys.counters`: what users count with.
//!
//! Names and modes are in the directory. What a counter stands at only an Obelisk
//! knows, so it is asked only if the query shows it; once none answers, the rest is
//! NULL instead of a wait for each.

use super::SystemSources;
use super::table::{Row, Rows, Table, Wanted, number};
use super::words::Kind::{Number, Text, Unsigned};
use futures::{StreamExt, stream};
use pyralog_directory::CounterEntry;
use pyralog_model::{CounterMode, CounterNumber};
use pyralog_pharaoh::{CounterView, Pharaoh};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Counters that are asked for at once.
const ASKED_AT_ONCE: usize = 32;

pub static COUNTERS: Table = Table {
    name: "counters",
    meaning: "the counters",
    columns: &[
        ("name", Text, "its name"),
        ("number", Number, "given by the directory, never reused"),
        ("mode", Text, "exact: in order and without gaps; leased: in blocks, much faster"),
        ("value", Unsigned, "the last value given out; NULL while no Obelisk answers"),
        ("durable_bound", Unsigned, "what it goes on after if the Obelisk falls now"),
    ],
    read,
};

fn read(sources: SystemSources, wanted: Wanted) -> Rows {
    let directory = sources.pharaoh.hub().directory();
    // Numbers of users' counters have no gaps.
    let entries = (CounterNumber::FIRST_OF_USERS.0..)
        .map(CounterNumber)
        .map_while(move |number| directory.counter_by_number(number));
    if !wanted.has("value") && !wanted.has("durable_bound") {
        return stream::iter(entries.map(|entry| Ok(row(&entry, None)))).boxed();
    }
    let silent = Arc::new(AtomicBool::new(false));
    let asked = stream::iter(entries).map(move |entry| {
        let (pharaoh, silent) = (sources.pharaoh.clone(), Arc::clone(&silent));
        async move {
            let value = value(&pharaoh, &entry, &silent).await;
            Ok(row(&entry, value))
        }
    });
    asked.buffered(ASKED_AT_ONCE).boxed()
}

async fn value(
    pharaoh: &Pharaoh,
    entry: &CounterEntry,
    silent: &AtomicBool,
) -> Option<CounterView> {
    if silent.load(Ordering::Relaxed) {
        return None;
    }
    let found = pharaoh.value(&entry.name).await;
    silent.fetch_or(found.is_err(), Ordering::Relaxed);
    found.ok()
}

fn row(entry: &CounterEntry, view: Option<CounterView>) -> Row {
    let mode = match entry.mode {
        CounterMode::Exact => "exact",
        CounterMode::Leased => "leased",
    };
    vec![
        entry.name.as_str().into(),
        number(entry.number.0),
        mode.into(),
        view.map(|view| view.value).into(),
        view.map(|view| view.durable_bound).into(),
    ]
}
