//! HTTP without our own client: what any other one may send.

use crate::process::Node;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends bytes as they are; status and body of the answer.
fn raw(node: &Node, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(node.http.strip_prefix("http://").unwrap()).unwrap();
    // The server may refuse before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned())
}

pub fn send(node: &Node, method: &str, path: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    let head = format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    raw(node, [head.as_bytes(), body.as_bytes()].concat().as_slice())
}

#[track_caller]
fn refused(
    node: &Node,
    (method, path, body): (&str, &str, &str),
    status: u16,
    code: &str,
) -> String {
    let (found, answer) = send(node, method, path, body);
    let error: Value =
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{path}: {found} {answer}"));
    assert_eq!((found, error["error"]["code"].as_str()), (status, Some(code)), "{path}: {answer}");
    error["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn mistakes_have_a_status_a_code_and_a_reason() {
    let node = Node::dev(&[]);
    node.good(&["log", "create", "a"]);
    refused(&node, ("GET", "/v2", ""), 404, "request-invalid");
    refused(&node, ("PUT", "/v1/logs", ""), 405, "request-invalid");
    refused(&node, ("GET", "/v1/logs/b", ""), 404, "log-not-found");
    refused(&node, ("POST", "/v1/logs", "{"), 400, "request-invalid");
    refused(
        &node,
        ("POST", "/v1/logs", "{\"name\":\"x\",\"partitons\":1}"),
        400,
        "request-invalid",
    );
    refused(&node, ("POST", "/v1/logs", "{\"name\":\"a\"}"), 409, "log-exists");
    refused(&node, ("GET", "/v1/logs/a/records?form=start", ""), 400, "request-invalid");
    refused(&node, ("GET", "/v1/logs/a/records?from=9", ""), 416, "offset-out-of-range");
    refused(
        &node,
        ("POST", "/v1/logs/a/records?partition=7", "{\"value\":\"v\"}"),
        404,
        "partition-not-found",
    );
    let line = refused(
        &node,
        ("POST", "/v1/logs/a/records", "{\"value\":\"v\"}\n{\"valeu\":1}\n"),
        400,
        "request-invalid",
    );
    assert!(line.starts_with("line 2:"), "{line}");
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(300_000));
    let large = refused(&node, ("POST", "/v1/logs", &large), 413, "request-invalid");
    assert!(large.contains("256 KiB"), "{large}");
    let query = refused(&node, ("GET", "/v1/logs/a/records?limit=x", ""), 400, "request-invalid");
    assert!(query.starts_with("the query") && query.contains("invalid digit"), "{query}");
    let path = refused(&node, ("GET", "/v1/log", ""), 404, "request-invalid");
    assert!(path.contains("/v1/log ") && path.contains("/v1/logs"), "{path}");
    refused(&node, ("GET", "/v1/logs/%ff", ""), 400, "request-invalid");
    refused(&node, ("POST", "/v1/debug/kill", "{\"path\":\"pyralog\"}"), 403, "debug-disabled");
    assert!(node.good(&["log", "describe", "a"]).contains("a: number"));
}

#[test]
fn curl_needs_no_content_type_and_empty_lines_are_no_records() {
    let node = Node::dev(&["--debug-faults"]);
    for (path, body, status) in [
        ("/v1/logs", "{\"name\":\"a\"}", "201"),
        ("/v1/logs/a/records", "\n{\"value\":\"v\"}\r\n\r\n \n{\"value\":\"w\"}\n\n", "200"),
        ("/v1/debug/kill", "{\"path\":\"pyralog/nobody\"}", "404"),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        let form = "content-type: application/x-www-form-urlencoded\r\n";
        let request = format!("{head}{form}content-length: {}\r\n\r\n{body}", body.len());
        let (found, answer) = raw(&node, request.as_bytes());
        assert_eq!(found.to_string(), status, "{path}: {answer}");
    }
    assert_eq!(node.good(&["consume", "a", "--until-end"]), "v\nw\n");
}

#[test]
fn an_error_after_acknowledged_records_says_how_many_are_safe() {
    let node = Node::dev(&[]);
    node.good(&["log", "create", "a"]);
    // Two full batches and a half one, then a mistake.
    let body = "{\"value\":\"v\"}\n".repeat(2_500) + "nonsense\n";
    let (status, answer) = send(&node, "POST", "/v1/logs/a/records", &body);
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"acknowledged\":2000") && answer.contains("line 2501"), "{answer}");
    assert_eq!(node.good(&["consume", "a", "--until-end"]).lines().count(), 2_000);
}

#[test]
fn a_batch_over_the_logs_limit_is_refused_as_a_whole() {
    let node = Node::dev(&[]);
    node.good(&["log", "create", "small", "--set", "max.message.bytes=2000"]);
    let body = format!("{{\"value\":\"{}\"}}\n", "x".repeat(3_000));
    refused(&node, ("POST", "/v1/logs/small/records", &body), 413, "record-too-large");
    // Small records together are put into batches that fit.
    let body = format!("{{\"value\":\"{}\"}}\n", "x".repeat(100)).repeat(100);
    let (status, answer) = send(&node, "POST", "/v1/logs/small/records", &body);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(node.good(&["consume", "small", "--until-end"]).lines().count(), 100);
}

#[test]
fn hostile_bytes_close_a_connection_and_nothing_else() {
    let node = Node::dev(&[]);
    let long_head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    for request in [&b"\x16\x03\x01\x02\x00"[..], b"\r\n\r\n\r\n", b"GET", long_head.as_bytes()] {
        let mut stream = TcpStream::connect(node.http.strip_prefix("http://").unwrap()).unwrap();
        let _ = stream.write_all(request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    // A stream that breaks off in the middle of a record stores none of it.
    node.good(&["log", "create", "a"]);
    let head = b"POST /v1/logs/a/records HTTP/1.1\r\nhost: x\r\ncontent-length: 999\r\n\r\n{\"value\":\"half";
    raw_half(&node, head);
    assert_eq!(node.good(&["consume", "a", "--until-end"]), "");
}

fn raw_half(node: &Node, request: &[u8]) {
    let mut stream = TcpStream::connect(node.http.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn health_and_metrics_are_there_for_machines() {
    let node = Node::dev(&[]);
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(send(&node, "GET", path, "").0, 200, "{path}");
    }
    node.good(&["log", "create", "a"]);
    node.fed(&["produce", "a"], b"one\ntwo\n");
    let (status, page) = send(&node, "GET", "/metrics", "");
    assert_eq!(status, 200);
    for line in [
        "pyralog_ready 1",
        "pyralog_partition_high_watermark{log=\"a\",partition=\"0\"} 2",
        "pyralog_actor_restarts_total{path=\"pyralog/console\"} 0",
        "pyralog_batches_total 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is missing from\n{page}");
    }
    assert!(
        page.contains("process_resident_memory_bytes ")
            && page.contains("pyralog_commit_seconds_bucket")
    );
}

/// What a metric of a node is at; 0 if it is not there.
pub fn metric(node: &Node, name: &str) -> u64 {
    let (_, page) = send(node, "GET", "/metrics", "");
    let line = page.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or_default()
}
