//! What is stored is what was sent, but for base offset and leader epoch.

use pyralog_tests::batch::{Record, assemble, encode};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::Plan;
use pyralog_tests::seeded::Seeded;

const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];
const TIMES: (i64, i64) = (1_357_000_000_000, 1_357_000_000_777);

/// A batch of a codec. To a log that passes batches through, the payload of a
/// compressed one is opaque; nothing here could compress it for most codecs.
fn batch(codec: usize, seeded: &mut Seeded) -> Vec<u8> {
    if codec == 0 {
        let key = Some(b"N14228".to_vec());
        let records: Vec<Record> = (0..9)
            .map(|n| Record {
                timestamp: TIMES.0 + n,
                key: key.clone(),
                value: Some(vec![n as u8; 100]),
            })
            .collect();
        return encode(&records);
    }
    let payload: Vec<u8> = (0..300 + seeded.below(3000)).map(|_| seeded.next_u64() as u8).collect();
    let payload = if codec == 4 { zstd::encode_all(&payload[..], 1).unwrap() } else { payload };
    assemble(codec as i16, 1 + seeded.below(50) as i32, TIMES, &payload)
}

#[test]
fn stored_batches_equal_sent_ones() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&folder.path().join("data"), folder.path());
    let mut node = plan.start().unwrap();
    let mut client = Client::dial(plan.kafka()).unwrap();
    let mut seeded = Seeded::new(1);
    let mut sent = Vec::new();
    for (codec, name) in CODECS.iter().enumerate() {
        assert_eq!(client.create(name, 1).unwrap(), code::NONE);
        let batches: Vec<Vec<u8>> = (0..7).map(|_| batch(codec, &mut seeded)).collect();
        let mut next = 0;
        for batch in &batches {
            let produced = client.produce(name, 0, batch.clone()).unwrap();
            assert_eq!((produced.code, produced.base_offset), (code::NONE, next), "{name}");
            next += i64::from(i32::from_be_bytes(batch[57..61].try_into().unwrap()));
        }
        sent.push((*name, batches));
    }
    // Before a kill they come from memory, after it from the disk.
    for round in ["before", "after"] {
        for (name, batches) in &sent {
            let read = client.read_all(name, 0).unwrap();
            assert_eq!(read.len(), batches.len(), "{name} {round}");
            let mut next = 0;
            for (read, sent) in read.iter().zip(batches) {
                assert_eq!(read.base_offset, next, "{name} {round}");
                assert_eq!(read.kept(), [&sent[8..12], &sent[16..]].concat(), "{name} {round}");
                assert!(read.leader_epoch >= 0, "{name} {round}");
                next += i64::from(read.record_count);
            }
        }
        if round == "before" {
            node.kill().unwrap();
            node = plan.start().unwrap();
            client = Client::dial(plan.kafka()).unwrap();
        }
    }
    node.stop().unwrap();
}
