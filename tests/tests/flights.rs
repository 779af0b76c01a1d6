//! The main job: the year of flights goes in by kcat, the node is killed, and
//! the year comes out complete and in order.

use pyralog_tests::flights::{FLIGHTS, Flight, year};
use pyralog_tests::kcat::{self, SEPARATOR};
use pyralog_tests::node::Plan;
use pyralog_tests::{binary, flights};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

const PARTITIONS: usize = 8;

fn write_lines(year: &[Flight], path: &Path) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    year.iter()
        .for_each(|flight| writeln!(out, "{}{SEPARATOR}{}", flight.tailnum, flight.line).unwrap());
    out.flush().unwrap();
}

/// What kcat printed, per partition, in the order it came.
fn read(printed: &str) -> BTreeMap<usize, Vec<(i64, Flight)>> {
    let mut partitions: BTreeMap<usize, Vec<(i64, Flight)>> = BTreeMap::new();
    for line in printed.lines() {
        let mut parts = line.splitn(4, SEPARATOR);
        let mut part = || parts.next().unwrap_or_else(|| panic!("half a line: {line}")).to_owned();
        let (partition, offset) = (part().parse().unwrap(), part().parse().unwrap());
        let flight = Flight { tailnum: part(), line: part() };
        partitions.entry(partition).or_default().push((offset, flight));
    }
    partitions
}

/// Nothing is missing, nothing is there twice, and each partition has its
/// flights in the order in which they were sent.
fn check(year: &[Flight], partitions: &BTreeMap<usize, Vec<(i64, Flight)>>) {
    assert_eq!(partitions.values().map(Vec::len).sum::<usize>(), FLIGHTS);
    assert_eq!(partitions.len(), PARTITIONS, "the aircraft are spread over all partitions");
    let mut home: HashMap<&str, usize> = HashMap::new();
    for (partition, flights) in partitions {
        for (expected, (offset, flight)) in (0..).zip(flights) {
            assert_eq!(*offset, expected, "partition {partition}");
            let first = *home.entry(&flight.tailnum).or_insert(*partition);
            assert_eq!(first, *partition, "{} is in two partitions", flight.tailnum);
        }
    }
    let mut sent: BTreeMap<usize, Vec<&Flight>> = BTreeMap::new();
    for flight in year {
        sent.entry(home[flight.tailnum.as_str()]).or_default().push(flight);
    }
    for (partition, flights) in partitions {
        let sent = &sent[partition];
        assert_eq!(sent.len(), flights.len(), "partition {partition}");
        let wrong = sent.iter().zip(flights).find(|(sent, (_, read))| **sent != read);
        assert!(wrong.is_none(), "partition {partition}: {wrong:?}");
    }
}

#[test]
fn the_year_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&folder.path().join("data"), folder.path());
    let node = plan.start().unwrap();
    let create = ["log", "create", "flights", "--partitions", "8"].map(str::to_owned);
    let made = binary::run(create.into_iter().chain(plan.server()));
    assert_eq!(made.code, 0, "{}", made.stderr);

    let year = year().unwrap();
    assert_eq!(year.len(), flights::FLIGHTS);
    let lines = folder.path().join("flights.lines");
    write_lines(&year, &lines);
    kcat::produce(plan.kafka(), "flights", &lines, &[]).unwrap();
    node.kill().unwrap();

    let node = plan.start().unwrap();
    let printed = kcat::consume(plan.kafka(), "flights", "%p|%o|%k|%s\\n").unwrap();
    check(&year, &read(&printed));
    node.stop().unwrap();
}
