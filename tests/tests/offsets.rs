//! Offsets: by timestamp, at both ends, and outside of what there is.

use pyralog_tests::batch::{Record, encode};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::Plan;

const START: i64 = -2;
const END: i64 = -1;

#[test]
fn a_timestamp_finds_its_record_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&folder.path().join("data"), folder.path());
    let node = plan.start().unwrap();
    let mut client = Client::dial(plan.kafka()).unwrap();
    assert_eq!(client.create("times", 2).unwrap(), code::NONE);
    // Ten batches of ten records, a second apart.
    for batch in 0..10 {
        let record = |n: i64| Record { timestamp: (batch * 10 + n) * 1000, ..Record::value("v") };
        let records: Vec<Record> = (0..10).map(record).collect();
        assert_eq!(client.produce("times", 0, encode(&records)).unwrap().code, code::NONE);
    }
    let check = |client: &mut Client| {
        assert_eq!(client.offset_at("times", 0, START).unwrap(), (code::NONE, 0));
        assert_eq!(client.offset_at("times", 0, END).unwrap(), (code::NONE, 100));
        for (time, offset) in
            [(0, 0), (1, 1), (41_000, 41), (41_001, 42), (99_000, 99), (99_001, -1)]
        {
            assert_eq!(
                client.offset_at("times", 0, time).unwrap(),
                (code::NONE, offset),
                "at {time}"
            );
        }
        assert_eq!(client.offset_at("times", 1, START).unwrap(), (code::NONE, 0));
        assert_eq!(client.offset_at("times", 1, END).unwrap(), (code::NONE, 0));
        assert_eq!(client.offset_at("times", 2, END).unwrap().0, code::UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(client.fetch("times", 0, 101).unwrap().code, code::OFFSET_OUT_OF_RANGE);
        // From the middle of a batch the whole batch comes; the client skips.
        let middle = client.fetch("times", 0, 45).unwrap();
        assert_eq!((middle.batches[0].base_offset, middle.high), (40, 100));
    };
    check(&mut client);
    node.kill().unwrap();
    let node = plan.start().unwrap();
    check(&mut Client::dial(plan.kafka()).unwrap());
    node.stop().unwrap();
}
