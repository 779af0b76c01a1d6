//! Exactly once, byte by byte: batches of a producer's session that are sent
//! again, over whatever way and after whatever happened.

use pyralog_tests::batch::{self, Record, in_session};
use pyralog_tests::kafka::{Client, Produced, code};
use pyralog_tests::node::{Node, Plan, READY_PATIENCE};
use std::time::Duration;
use tempfile::TempDir;

const LOG: &str = "once";
/// Records in most batches.
const RECORDS: i32 = 3;

struct Place {
    _folder: TempDir,
    plan: Plan,
    node: Option<Node>,
}

impl Place {
    fn start() -> Place {
        let folder = TempDir::new().unwrap();
        let plan = Plan::new(&folder.path().join("data"), folder.path());
        let mut place = Place { _folder: folder, plan, node: None };
        place.begin();
        assert_eq!(place.dial().create(LOG, 1).unwrap(), code::NONE);
        place
    }

    fn begin(&mut self) {
        let mut node = self.plan.spawn().unwrap();
        node.wait_ready(READY_PATIENCE).unwrap();
        self.node = Some(node);
    }

    fn kill(&mut self) {
        self.node.take().unwrap().kill().unwrap();
    }

    fn dial(&self) -> Client {
        Client::dial(self.plan.kafka()).unwrap()
    }
}

/// The `n`-th batch of a session that sends batches of three records.
fn nth(session: i64, epoch: i16, n: i32) -> Vec<u8> {
    let record = |k: i32| Record::value(format!("{session}/{epoch}/{}", n * RECORDS + k));
    let records: Vec<Record> = (0..RECORDS).map(record).collect();
    in_session(batch::encode(&records), session, epoch, n * RECORDS)
}

fn at(base_offset: i32) -> Produced {
    Produced { code: code::NONE, base_offset: i64::from(base_offset) }
}

fn refused(code: i16) -> Produced {
    Produced { code, base_offset: -1 }
}

#[test]
fn what_is_sent_again_is_stored_once() {
    let mut place = Place::start();
    let mut client = place.dial();
    for n in 0..7 {
        let sent = client.produce(LOG, 0, nth(40, 0, n)).unwrap();
        assert_eq!(sent, at(n * RECORDS));
    }
    let judge = |client: &mut Client| {
        let mut send = |batch| client.produce(LOG, 0, batch).unwrap();
        assert_eq!(send(nth(40, 0, 6)), at(18), "the last one");
        assert_eq!(send(nth(40, 0, 2)), at(6), "the fifth to last");
        let old = send(nth(40, 0, 0));
        assert_eq!(old, refused(code::DUPLICATE_SEQUENCE_NUMBER), "after six newer ones");
        assert_eq!(send(nth(40, 0, 8)), refused(code::OUT_OF_ORDER_SEQUENCE_NUMBER), "a gap");
        assert_eq!(send(nth(41, 0, 1)), refused(code::UNKNOWN_PRODUCER_ID), "no beginning");
    };
    judge(&mut client);
    for _ in 0..3 {
        place.kill();
        place.begin();
        judge(&mut place.dial());
    }
    let mut client = place.dial();
    assert_eq!(client.produce(LOG, 0, nth(40, 0, 7)).unwrap(), at(21));
    // A new epoch begins anew, and the one before is over.
    let new_epoch = client.produce(LOG, 0, nth(40, 1, 1)).unwrap();
    assert_eq!(new_epoch, refused(code::OUT_OF_ORDER_SEQUENCE_NUMBER));
    assert_eq!(client.produce(LOG, 0, nth(40, 1, 0)).unwrap(), at(24));
    let old_epoch = client.produce(LOG, 0, nth(40, 0, 8)).unwrap();
    assert_eq!(old_epoch, refused(code::INVALID_PRODUCER_EPOCH));
    assert_eq!(client.produce(LOG, 0, nth(40, 1, 0)).unwrap(), at(24));
    let stored = client.read_all(LOG, 0).unwrap();
    assert_eq!(stored.len(), 9);
}

#[test]
fn what_was_in_flight_at_a_kill_is_stored_once() {
    let mut place = Place::start();
    let (mut sent, mut acknowledged) = (0, 0);
    for round in 0..6 {
        let mut client = place.dial();
        // What was not acknowledged, and then more.
        let next = acknowledged..(sent + 40);
        sent = next.end;
        let limit = next.start + 10 + round * 3;
        let mut waiting = next.start;
        for n in next {
            if client.send_produce(LOG, 0, nth(40, 0, n)).is_err() {
                break;
            }
            if n - waiting == 4 {
                assert_eq!(client.receive_produced().unwrap(), at(waiting * RECORDS));
                waiting += 1;
            }
            if n == limit {
                place.kill();
                break;
            }
        }
        acknowledged = waiting;
        place.begin();
    }
    let mut client = place.dial();
    for n in acknowledged..sent {
        assert_eq!(client.produce(LOG, 0, nth(40, 0, n)).unwrap(), at(n * RECORDS));
    }
    let stored = client.read_all(LOG, 0).unwrap();
    let bases: Vec<i64> = stored.iter().map(|batch| batch.base_offset).collect();
    let expect: Vec<i64> = (0..sent).map(|n| i64::from(n * RECORDS)).collect();
    assert_eq!(bases, expect, "every batch once, in order");
    for (n, batch) in stored.iter().enumerate() {
        assert_eq!(batch.bytes[21..], nth(40, 0, n as i32)[21..]);
    }
}

#[test]
fn a_batch_on_two_connections_at_once_is_stored_once() {
    let place = Place::start();
    let (mut one, mut other) = (place.dial(), place.dial());
    for n in 0..300 {
        one.send_produce(LOG, 0, nth(40, 0, n)).unwrap();
        other.send_produce(LOG, 0, nth(40, 0, n)).unwrap();
        for client in [&mut one, &mut other] {
            assert_eq!(client.receive_produced().unwrap(), at(n * RECORDS));
        }
    }
    assert_eq!(one.read_all(LOG, 0).unwrap().len(), 300);
}

#[test]
fn sequences_wrap() {
    const LAST: i32 = i32::MAX;
    let mut place = Place::start();
    let mut client = place.dial();
    // Nobody counts the records in a batch but who reads them.
    let many =
        |count, sequence| in_session(batch::assemble(0, count, (0, 0), &[]), 40, 0, sequence);
    assert_eq!(client.produce(LOG, 0, many(LAST - 1, 0)).unwrap(), at(0));
    assert_eq!(client.produce(LOG, 0, many(4, LAST - 1)).unwrap(), at(LAST - 1));
    place.kill();
    place.begin();
    let mut client = place.dial();
    assert_eq!(client.produce(LOG, 0, many(4, LAST - 1)).unwrap(), at(LAST - 1));
    let gap = client.produce(LOG, 0, many(1, 3)).unwrap();
    assert_eq!(gap, refused(code::OUT_OF_ORDER_SEQUENCE_NUMBER));
    let next = Produced { code: code::NONE, base_offset: i64::from(LAST) + 3 };
    assert_eq!(client.produce(LOG, 0, many(1, 2)).unwrap(), next);
    assert_eq!(client.produce(LOG, 0, many(1, 2)).unwrap(), next);
}

#[test]
fn an_idle_session_is_forgotten_after_the_time_that_is_set() {
    let folder = TempDir::new().unwrap();
    let mut plan = Plan::new(&folder.path().join("data"), folder.path());
    plan.environment.push(("PYRALOG_PYRAMID_PRODUCER_ID_EXPIRATION".into(), "1s".into()));
    let mut place = Place { _folder: folder, plan, node: None };
    place.begin();
    let mut client = place.dial();
    assert_eq!(client.create(LOG, 1).unwrap(), code::NONE);
    assert_eq!(client.produce(LOG, 0, nth(40, 0, 0)).unwrap(), at(0));
    let forgotten = pyralog_tests::wait::holds(Duration::from_secs(20), || {
        let again = client.produce(LOG, 0, nth(40, 0, 0)).unwrap();
        again == refused(code::UNKNOWN_PRODUCER_ID)
    });
    assert!(forgotten, "the setting has no effect");
    assert_eq!(client.produce(LOG, 0, nth(40, 1, 0)).unwrap(), at(RECORDS));
}
