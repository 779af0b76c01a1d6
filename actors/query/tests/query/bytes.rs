//! Values that are not text: a query over many does not fail for one.

use crate::node::Node;
use pyralog_model::{BatchBuilder, ErrorCode};

async fn node() -> Node {
    let node = Node::start().await;
    let log = node.create("events", 1, "").await;
    let mut batch = BatchBuilder::new();
    batch.push(0, Some("é".as_bytes()), Some(b"abc"), &[]);
    batch.push(1, Some(b"\xff\xfe"), Some(b"a\xff\xfe"), &[]);
    batch.push(2, None, None, &[]);
    node.append(log, 0, batch.finish().unwrap()).await;
    node
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_is_null_where_text_is_meant() {
    let node = node().await;
    let asked = [
        ("_value LIKE 'a%'", ["true", "NULL", "NULL"]),
        ("_value ILIKE 'A%'", ["true", "NULL", "NULL"]),
        ("_value || 'x'", ["abcx", "NULL", "NULL"]),
        ("CAST(_value AS TEXT)", ["abc", "NULL", "NULL"]),
        ("concat(text(_key), '-')", ["é-", "-", "-"]),
        ("text(_value) ~ 'b'", ["true", "NULL", "NULL"]),
        ("upper(text(_key))", ["É", "NULL", "NULL"]),
        ("coalesce(text(_value), '?')", ["abc", "?", "?"]),
        ("_value = 'abc'", ["true", "false", "NULL"]),
    ];
    for (expression, expect) in asked {
        let rows = node.rows(&format!("SELECT {expression} FROM events ORDER BY _offset")).await;
        assert_eq!(rows, expect, "{expression}");
    }
    let kept = node.rows("SELECT _offset FROM events WHERE _value LIKE 'a%'").await;
    assert_eq!(kept, ["0"]);
    let named = node.run("SELECT _value || 'x', _value LIKE 'a%' FROM events").await;
    let names: Vec<_> = named.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["events._value || Utf8(\"x\")", "events._value LIKE Utf8(\"a%\")"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_have_a_length_of_their_own() {
    let node = node().await;
    let asked = [
        ("length(_value), octet_length(_value)", ["3 3", "3 3", "NULL NULL"]),
        ("length(_key), octet_length(_key)", ["2 2", "2 2", "NULL NULL"]),
        ("length(text(_key)), octet_length(text(_key))", ["1 2", "NULL NULL", "NULL NULL"]),
    ];
    for (expression, expect) in asked {
        let rows = node.rows(&format!("SELECT {expression} FROM events ORDER BY _offset")).await;
        assert_eq!(rows, expect, "{expression}");
    }
    let others = "SELECT length('é'), octet_length('é'), length(1234), length(NULL)";
    assert_eq!(node.rows(others).await, ["1 2 4 NULL"]);
    for expression in ["upper(_key)", "_value ~ 'b'"] {
        let error = node.error(&format!("SELECT {expression} FROM events")).await;
        assert_eq!(error.code, ErrorCode::QueryInvalid);
        assert!(error.message.contains("text(…) makes text of bytes"), "{error}");
    }
}
