//! A real power cut: the file system stops as if the machine had, and what was
//! acknowledged is there when it is mounted again (ACK).

use pyralog_tests::kafka::{Client, code};
use pyralog_tests::load::{Load, LoadPlan};
use pyralog_tests::node::{Plan, READY_PATIENCE};
use pyralog_tests::volume::{Volume, are_possible};
use pyralog_tests::wait;

const VOLUME_BYTES: u64 = 1 << 30;
const PRODUCERS: usize = 4;
const RECORDS_PER_CUT: u64 = 2_000;

fn full() -> bool {
    std::env::var_os("PYRALOG_FULL").is_some_and(|value| value == "1")
}

#[test]
fn acknowledged_records_survive_power_cuts() {
    if !are_possible() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut volume = Volume::create(folder.path(), VOLUME_BYTES).unwrap();
    let plan = Plan::new(&volume.path().join("data"), folder.path());
    let mut node = plan.start().unwrap();
    let created = Client::dial(plan.kafka()).unwrap().create("cuts", PRODUCERS as i32).unwrap();
    assert_eq!(created, code::NONE);
    let load = Load::start(LoadPlan {
        address: plan.kafka(),
        topic: "cuts".into(),
        producers: PRODUCERS,
        batch_records: 40,
        in_flight: 4,
    });
    let cuts = if full() { 200 } else { 20 };
    for cut in 1..=cuts {
        let served = wait::holds(READY_PATIENCE, || load.acknowledged() >= cut * RECORDS_PER_CUT);
        assert!(served, "{} records acknowledged\n{}", load.acknowledged(), node.tail());
        volume.cut_power().unwrap();
        node.kill().unwrap();
        volume.unmount().unwrap();
        volume.mount().unwrap();
        node = plan.start().unwrap();
    }
    let outcome = load.stop();
    let anomalies = outcome.judge(plan.kafka(), "cuts").unwrap();
    println!(
        "{cuts} power cuts, {} records acknowledged, codes {:?}",
        outcome.acknowledged(),
        outcome.codes
    );
    assert!(
        anomalies.is_empty(),
        "{} anomalies, such as {:?}",
        anomalies.len(),
        &anomalies[..anomalies.len().min(10)]
    );
    node.stop().unwrap();
    volume.unmount().unwrap();
}
