//! A full disk: a typed error, reads go on, and writes resume when there is
//! room again, without a restart.

use pyralog_tests::batch::{Record, encode};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::{Plan, READY_PATIENCE};
use pyralog_tests::volume::{Volume, are_possible};
use pyralog_tests::wait;
use std::fs;

const VOLUME_BYTES: u64 = 208 << 20;
const BALLAST_BYTES: usize = 64 << 20;
/// A bulk batch goes straight into a segment, a small one through the WAL.
const BULK_BYTES: usize = 900_000;
const SMALL_BYTES: usize = 100;

/// One partition and what was acknowledged on it: offset and first byte.
struct Lane {
    partition: i32,
    value_bytes: usize,
    acknowledged: Vec<(i64, u8)>,
    turn: u8,
}

impl Lane {
    fn new(partition: i32, value_bytes: usize) -> Lane {
        Lane { partition, value_bytes, acknowledged: Vec::new(), turn: 0 }
    }

    /// Sends one batch; Kafka's error code.
    fn produce(&mut self, client: &mut Client) -> i16 {
        self.turn = self.turn.wrapping_add(1);
        let batch = encode(&[Record::value(vec![self.turn; self.value_bytes])]);
        let produced = client.produce("full", self.partition, batch).unwrap();
        if produced.code == code::NONE {
            self.acknowledged.push((produced.base_offset, self.turn));
        }
        produced.code
    }

    /// Every acknowledged record is there.
    fn check(&self, client: &mut Client) {
        let batches = client.read_all("full", self.partition).unwrap();
        let read: std::collections::BTreeMap<i64, u8> = batches
            .iter()
            .flat_map(|batch| batch.records().unwrap())
            .map(|(offset, record)| {
                let value = record.value.unwrap();
                assert_eq!(value.len(), self.value_bytes);
                (offset, value[0])
            })
            .collect();
        for (offset, first) in &self.acknowledged {
            assert_eq!(read.get(offset), Some(first), "{offset} of partition {}", self.partition);
        }
    }
}

#[test]
fn a_full_disk_is_an_error_that_passes() {
    if !are_possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut volume = Volume::create(folder.path(), VOLUME_BYTES).unwrap();
    let ballast = volume.path().join("ballast");
    fs::write(&ballast, vec![1; BALLAST_BYTES]).unwrap();
    let plan = Plan::new(&volume.path().join("data"), folder.path());
    let mut node = plan.start().unwrap();
    let mut client = Client::dial(plan.kafka()).unwrap();
    assert_eq!(client.create("full", 2).unwrap(), code::NONE);
    let (mut bulk, mut small) = (Lane::new(0, BULK_BYTES), Lane::new(1, SMALL_BYTES));

    let batches_max = VOLUME_BYTES as usize / BULK_BYTES + 1;
    let full = (0..batches_max).find_map(|_| {
        assert!([code::NONE, code::KAFKA_STORAGE_ERROR].contains(&small.produce(&mut client)));
        Some(bulk.produce(&mut client)).filter(|code| *code != code::NONE)
    });
    assert_eq!(full, Some(code::KAFKA_STORAGE_ERROR), "{}", node.tail());
    // Reads go on, and the node does not give up.
    bulk.check(&mut client);
    small.check(&mut client);
    assert!(node.is_alive());

    fs::remove_file(&ballast).unwrap();
    let before = bulk.acknowledged.len();
    let resumed = wait::holds(READY_PATIENCE, || {
        let codes = [bulk.produce(&mut client), small.produce(&mut client)];
        assert!(
            codes.iter().all(|code| [code::NONE, code::KAFKA_STORAGE_ERROR].contains(code)),
            "{codes:?}"
        );
        codes == [code::NONE; 2]
    });
    assert!(resumed, "writes have not resumed\n{}", node.tail());
    assert!(bulk.acknowledged.len() > before);
    for when in ["before", "after"] {
        bulk.check(&mut client);
        small.check(&mut client);
        if when == "before" {
            node.kill().unwrap();
            node = plan.start().unwrap();
            client = Client::dial(plan.kafka()).unwrap();
        }
    }
    println!(
        "{} bulk and {} small records acknowledged",
        bulk.acknowledged.len(),
        small.acknowledged.len()
    );
    node.stop().unwrap();
    volume.unmount().unwrap();
}
