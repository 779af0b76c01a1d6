//! `pyralog group` beside a consumer that speaks to the Kafka port.

use crate::process::Node;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// One connection of a consumer that calls itself "reader".
struct Consumer(TcpStream);

impl Consumer {
    fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_client_id(Some(text("reader")));
        let mut body = Vec::new();
        header.encode(&mut body, R::header_version(version)).unwrap();
        request.encode(&mut body, version).unwrap();
        self.0.write_all(&(body.len() as u32).to_be_bytes()).unwrap();
        self.0.write_all(&body).unwrap();
        let mut length = [0; 4];
        self.0.read_exact(&mut length).unwrap();
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut frame).unwrap();
        let mut frame = bytes::Bytes::from(frame);
        ResponseHeader::decode(&mut frame, R::Response::header_version(version)).unwrap();
        R::Response::decode(&mut frame, version).unwrap()
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group() -> GroupId {
    GroupId(text("readers"))
}

/// Commits `offset` in partition 0 of "flights" as one who is no member.
fn commit(consumer: &mut Consumer, offset: i64) {
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text("noon")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text("flights")))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    let answer = consumer.call(7, &request);
    assert_eq!(answer.topics[0].partitions[0].error_code, 0);
}

/// Joins and is assigned both partitions of "flights"; gives the member id.
fn join(consumer: &mut Consumer) -> StrBytes {
    let request = JoinGroupRequest::default()
        .with_group_id(group())
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(30_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![JoinGroupRequestProtocol::default().with_name(text("range"))]);
    let joined = consumer.call(2, &request);
    assert_eq!(joined.error_code, 0);
    let assigned = [
        &[0, 1, 0, 0, 0, 1, 0, 7][..],
        b"flights",
        &[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
    ];
    let assignment = SyncGroupRequestAssignment::default()
        .with_member_id(joined.member_id.clone())
        .with_assignment(assigned.concat().into());
    let request = SyncGroupRequest::default()
        .with_group_id(group())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_assignments(vec![assignment]);
    assert_eq!(consumer.call(2, &request).error_code, 0);
    joined.member_id
}

#[test]
fn groups_are_listed_described_reset_and_deleted() {
    let node = Node::dev(&[]);
    let asked = |arguments: &[&str]| -> Value {
        serde_json::from_str(&node.good(&[arguments, &["-o", "json"]].concat())).unwrap()
    };
    assert!(node.good(&["group", "list"]).contains("no groups"));
    node.good(&["log", "create", "flights", "--partitions", "2"]);
    node.fed(&["produce", "flights", "--partition", "0"], b"a\nb\nc\nd\n");
    let mut consumer = Consumer(TcpStream::connect(&node.kafka).unwrap());
    commit(&mut consumer, 3);
    let list = asked(&["group", "list"]);
    assert_eq!(
        list,
        json!([{ "name": "readers", "state": "Empty", "protocol_type": "", "member_count": 0 }])
    );
    let offset = &asked(&["group", "describe", "readers"])["offsets"][0];
    assert_eq!(
        (&offset["committed"], &offset["end"], &offset["lag"], &offset["metadata"]),
        (&json!(3), &json!(4), &json!(1), &json!("noon"))
    );

    // With a member: what it reads, also where nothing is committed yet.
    let member = join(&mut consumer);
    let group = asked(&["group", "describe", "readers"]);
    assert_eq!(
        (&group["state"], &group["assignor"], &group["leader"]),
        (&json!("Stable"), &json!("range"), &json!(&*member))
    );
    let assigned = &group["members"][0]["assigned"];
    assert_eq!(*assigned, json!([{ "log": "flights", "partitions": [0, 1] }]));
    let of_second = &group["offsets"][1];
    assert_eq!(
        (&of_second["partition"], &of_second["committed"], &of_second["member"]),
        (&json!(1), &Value::Null, &json!(&*member))
    );
    let table = node.good(&["group", "describe", "readers"]);
    assert_eq!(group["members"][0]["client_host"], json!("127.0.0.1"));
    for part in ["readers: Stable, generation", "assignor range, lag 1", "flights 0,1"] {
        assert!(table.contains(part), "{part:?} is missing from: {table}");
    }
    let reset = ["group", "reset", "readers", "--log", "flights"];
    node.bad(
        &[&reset[..], &["--to-latest"]].concat(),
        1,
        &["group-not-empty", "stop its consumers"],
    );
    node.bad(&["group", "delete", "readers"], 1, &["group-not-empty"]);
    let request = LeaveGroupRequest::default().with_group_id(self::group());
    assert_eq!(consumer.call(2, &request.with_member_id(member)).error_code, 0);

    let place = |words: &[&str]| -> Vec<(Value, Value)> {
        let reply = asked(&[&reset[..], words].concat());
        let rows = reply["partitions"].as_array().unwrap().iter();
        rows.map(|row| (row["before"].clone(), row["after"].clone())).collect()
    };
    let (three, four, nothing) = (json!(3), json!(4), Value::Null);
    let dry = place(&["--to-earliest", "--dry-run"]);
    assert_eq!(dry, [(three.clone(), json!(0)), (nothing.clone(), json!(0))]);
    assert_eq!(place(&["--shift-by", "-2", "-p", "0"]), [(three, json!(1))]);
    assert_eq!(place(&["--to-offset", "99", "-p", "0"]), [(json!(1), four.clone())]);
    assert_eq!(place(&["--to-time", "2013-01-01T00:00:00Z", "-p", "0"]), [(four, json!(0))]);
    assert_eq!(place(&["--to-latest", "-p", "1"]), [(nothing, json!(0))]);
    let offsets = &asked(&["group", "describe", "readers"])["offsets"];
    assert_eq!((&offsets[0]["lag"], &offsets[1]["lag"]), (&json!(4), &json!(0)));

    node.bad(&["group", "describe", "raeders"], 3, &["group-not-found", "did you mean 'readers'?"]);
    node.bad(&["group", "delete", "zzz"], 3, &["group-not-found", "pyralog group list"]);
    let wrong_log = ["group", "reset", "readers", "--log", "fligths", "--to-latest"];
    node.bad(&wrong_log, 3, &["log-not-found", "did you mean 'flights'?"]);
    let wrong_partition = [&reset[..], &["--to-latest", "-p", "7"]].concat();
    node.bad(&wrong_partition, 3, &["partition-not-found", "partitions 0 to 1, not 7"]);
    node.bad(&reset, 2, &["--to-earliest"]);
    node.bad(&["group", "reset", "readers", "--to-latest"], 2, &["--all-logs"]);
    node.bad(&["group", "reset", "raeders", "--all-logs", "--to-latest"], 3, &["'readers'?"]);

    // All that it has offsets of, and a group that is not there yet.
    node.good(&["log", "create", "weather", "--partitions", "1"]);
    node.good(&["group", "reset", "readers", "--log", "weather", "--to-latest"]);
    let all = asked(&["group", "reset", "readers", "--all-logs", "--to-earliest"]);
    let logs: Vec<_> = all.as_array().unwrap().iter().map(|reply| &reply["log"]).collect();
    assert_eq!(logs, ["flights", "weather"]);
    assert_eq!(all[0]["partitions"][0]["after"], json!(0));
    let new = ["group", "reset", "newcomers", "--log", "flights", "--to-latest"];
    asked(&[&new[..], &["--dry-run"]].concat());
    node.bad(&["group", "describe", "newcomers"], 3, &["group-not-found"]);
    let begins = asked(&new);
    assert_eq!(begins["partitions"][0], json!({ "partition": 0, "before": null, "after": 4 }));
    assert_eq!(asked(&["group", "describe", "newcomers"])["offsets"][0]["lag"], json!(0));
    node.good(&["group", "delete", "newcomers"]);

    assert!(node.good(&["group", "delete", "readers"]).contains("deleted readers"));
    assert_eq!(asked(&["group", "list"]), json!([]));
    node.stop();
}
