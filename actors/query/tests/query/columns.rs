//! Every column has what was stored.

use crate::node::Node;
use bytes::Bytes;
use pyralog_model::{BatchBuilder, Compression, batch_crc};

const ALL: [Compression; 5] = [
    Compression::None,
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

#[tokio::test(flavor = "multi_thread")]
async fn system_columns_are_what_was_sent() {
    let node = Node::start().await;
    let log = node.create("events", 2, "").await;
    let mut batch = BatchBuilder::new();
    batch.push(1_357_016_400_000, Some(b"k"), Some(b"v"), &[("h", Some(b"1")), ("e", None)]);
    batch.push(-5, None, None, &[]);
    node.append(log, 1, batch.finish().unwrap()).await;
    let rows =
        node.rows("SELECT _partition, _offset, _timestamp, _epoch, _key, _value FROM events").await;
    assert_eq!(
        rows,
        ["1 0 2013-01-01T05:00:00 1 6b 76", "1 1 1969-12-31T23:59:59.995 1 NULL NULL",]
    );
    let headers = node.rows("SELECT _headers FROM events ORDER BY _offset").await;
    assert_eq!(headers, ["[{key: h, value: 31}, {key: e, value: NULL}]", "[]"]);
    let texts = node.rows("SELECT text(_key), text(_value) FROM events ORDER BY _offset").await;
    assert_eq!(texts, ["k v", "NULL NULL"]);
    let ids = node.rows("SELECT _scarab_id FROM events WHERE _partition = 1").await;
    let first = 1_u64 << 40;
    assert_eq!(ids, [first.to_string(), (first + 1).to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_columns_come_out_of_every_compression() {
    let node = Node::start().await;
    let schema = "carrier TEXT, dep_delay BIGINT, time_hour TIMESTAMP, paid DECIMAL(9, 2)";
    let log = node.create("flights", 1, schema).await;
    for (hour, compression) in ALL.into_iter().enumerate() {
        let mut batch = BatchBuilder::new();
        let value = format!(
            r#"{{"carrier":"UA","dep_delay":{hour},"time_hour":"2013-01-01T0{hour}:00:00Z","paid":1.50}}"#
        );
        batch.push(0, None, Some(value.as_bytes()), &[]);
        batch.push(0, None, Some(br#"{"dep_delay":"NA"}"#), &[]);
        batch.push(0, None, None, &[]);
        batch.push(0, None, Some(b"no json"), &[]);
        node.append(log, 0, batch.finish_compressed(compression).unwrap()).await;
    }
    let (rows, cost) = node
        .measured("SELECT carrier, dep_delay, time_hour, paid FROM flights ORDER BY _offset")
        .await;
    for (hour, four) in rows.chunks(4).enumerate() {
        assert_eq!(four[0], format!("UA {hour} 2013-01-01T0{hour}:00:00 1.50"));
        assert!(four[1..].iter().all(|row| row == "NULL NULL NULL NULL"), "{four:?}");
    }
    // Of each four one field and one whole value; a mark of deletion is no mistake.
    assert_eq!((rows.len(), cost.values_coerced_to_null), (20, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn control_records_are_rows_without_content() {
    let node = Node::start().await;
    let log = node.create("events", 1, "a BIGINT").await;
    let mut batch = BatchBuilder::new();
    batch.push(7, Some(b"\0\0\0\x01"), Some(b"{\"a\": 1}"), &[("h", None)]);
    node.append(log, 0, as_control(&batch.finish().unwrap())).await;
    node.append_values(log, 0, &[r#"{"a": 2}"#]).await;
    let (rows, cost) = node.measured("SELECT _offset, _key, _value, a, _headers FROM events").await;
    assert_eq!(rows, ["0 NULL NULL NULL []", "1 NULL 7b2261223a20327d 2 []"]);
    assert_eq!(cost.values_coerced_to_null, 0);
    assert_eq!(node.rows("SELECT count(*) FROM events").await, ["2"]);
}

fn as_control(batch: &Bytes) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[22] |= 0x20;
    let crc = batch_crc(&bytes);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_grew_reads_old_records_too() {
    let node = Node::start().await;
    let log = node.create("events", 1, "a BIGINT").await;
    node.append_values(log, 0, &[r#"{"a": 1, "b": "x"}"#, r#"{"a": 2}"#]).await;
    assert!(node.error("SELECT b FROM events").await.message.contains("No field named b"));
    let grown = "a BIGINT, b TEXT".parse().unwrap();
    node.shen.alter_schema(pyralog_model::LogNumber(log), grown).await.unwrap();
    assert_eq!(node.rows("SELECT a, b FROM events").await, ["1 x", "2 NULL"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_made_and_read() {
    let node = Node::start().await;
    let log = node.create("events", 1, "").await;
    node.append_values(log, 0, &["a", "b", "c"]).await;
    let ids = node.rows("SELECT scarab_id() FROM events").await;
    assert_eq!(ids, ["1", "2", "3"]);
    let times = node.rows("SELECT scarab_time(0), scarab_time(-1), scarab_time(NULL)").await;
    assert_eq!(times, ["2025-01-01T00:00:00 NULL NULL"]);
    let scarab = 5_000_u64 << 23;
    let times = node.rows(&format!("SELECT scarab_time(arrow_cast({scarab}, 'UInt64'))")).await;
    assert_eq!(times, ["2025-01-01T00:00:05"]);
    let gone = node.error("SELECT scarab_id() FROM generate_series(1, 2000)").await;
    assert_eq!(gone.code, pyralog_model::ErrorCode::ObeliskAway);
    assert!(gone.message.contains("no lease"), "{}", gone.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_can_be_asked_without_a_schema() {
    let node = Node::start().await;
    let log = node.create("events", 1, "").await;
    let values =
        [r#"{"a": "x\n", "b": 1.50}"#, r#"{"a": {"c": 1}, "b": null}"#, "junk", r#"{"b": true}"#];
    node.append_values(log, 0, &values).await;
    let rows = node.rows("SELECT json_text(_value, 'a'), json_text(_value, 'b') FROM events").await;
    assert_eq!(rows, ["x\n 1.50", "{\"c\": 1} NULL", "NULL NULL", "NULL true"]);
    assert_eq!(node.rows("SELECT text(X'ff'), text('é'), text(NULL)").await, ["NULL é NULL"]);
}
