//! SQL from the outside: `pyralog sql` in each of its formats, and `/v1/sql` as any
//! client would ask it.

use crate::process::{Node, pyralog};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

/// A node with a log of three records in one partition.
fn node() -> Node {
    let node = Node::dev(&[]);
    node.good(&["log", "create", "flights", "--partitions", "1"]);
    let records = ["UA:on time", "AA:late", "B6:on time"].join("\n");
    node.fed(&["produce", "flights", "--key-separator", ":"], records.as_bytes());
    node
}

#[test]
fn every_format_says_the_same() {
    let node = node();
    let query = "SELECT _offset, _key, _value FROM flights ORDER BY _offset";
    let ask = |format: &str| node.good(&["sql", query, "-o", format]);
    assert_eq!(ask("csv"), "_offset,_key,_value\n0,UA,on time\n1,AA,late\n2,B6,on time\n");
    let document: Value = serde_json::from_str(&ask("json")).unwrap();
    let lines: Vec<Value> =
        ask("ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(document, Value::from(lines));
    assert_eq!(document[1], serde_json::json!({"_offset": 1, "_key": "AA", "_value": "late"}));
    let table = ask("table");
    let rows: Vec<_> =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(rows[0], ["_offset", "_key", "_value"], "{table}");
    assert_eq!(rows[3], ["1", "AA", "late"], "{table}");
    assert!(!table.contains('\u{1b}'), "colours in a pipe: {table:?}");
}

#[test]
fn statements_come_from_files_and_pipes_too() {
    let node = node();
    let two = "-- two of them;\nSELECT count(*) AS n FROM flights;\nSELECT ';' AS n;\n";
    let expect = "n\n3\nn\n;\n";
    assert_eq!(node.fed(&["sql", "-o", "csv"], two.as_bytes()), expect);
    let path = node.home.path().join("questions.sql");
    std::fs::write(&path, two).unwrap();
    let path = path.to_str().unwrap();
    assert_eq!(node.good(&["sql", "--file", path, "-o", "csv"]), expect);
    node.bad(&["sql", "--file", "/nowhere/at/all.sql"], 2, &["/nowhere/at/all.sql"]);
    node.bad(&["sql", " -- nothing\n;"], 2, &["there is no query"]);
    node.bad(&["sql", "SELECT 1", "--timeout", "soon"], 2, &["30s"]);
}

#[test]
fn mistakes_are_named_and_pointed_out() {
    let node = node();
    let pointed_out = ["query-invalid", "\n  SELECT 1 FORM flights\n                ^"];
    node.bad(&["sql", "SELECT 1 FORM flights"], 1, &pointed_out);
    let meant = ["query-invalid", "flihgts", "did you mean flights?"];
    node.bad(&["sql", "SELECT * FROM flihgts"], 1, &meant);
    node.bad(&["sql", "DROP TABLE flights"], 1, &["query-read-only"]);
    node.bad(&["sql", "SELECT 1 / (_offset - 1) FROM flights"], 1, &["query-failed"]);
    let slow = "SELECT count(*) FROM generate_series(1, 1000000000000) WHERE value % 7 = 8";
    node.bad(&["sql", slow, "--timeout", "50ms"], 1, &["query-out-of-time"]);
    node.good(&["sql", "SELECT 1"]);
}

#[test]
fn a_reader_who_leaves_ends_the_query() {
    let node = node();
    let mut command = pyralog(&node.asked(&[
        "sql",
        "SELECT * FROM generate_series(1, 1000000000000)",
        "-o",
        "ndjson",
    ]));
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = [0; 12];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"{\"value\":1}\n");
    assert!(child.wait().unwrap().success());
    crate::process::poll("the query to end", || {
        let page = page(&node, "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        page.contains("pyralog_queries_running 0").then_some(())
    });
}

#[test]
fn the_system_has_tables() {
    let node = node();
    let tables = node.good(&["sql", "SELECT name FROM sys.tables", "-o", "csv"]);
    for table in tables.lines().skip(1) {
        node.good(&["sql", &format!("SELECT * FROM sys.{table}"), "-o", "json"]);
        let described = node.good(&["sql", &format!("DESCRIBE sys.{table}"), "-o", "csv"]);
        let columns = format!("SELECT name FROM sys.columns WHERE table_name = '{table}'");
        let columns = node.good(&["sql", &columns, "-o", "csv"]);
        for column in columns.lines().skip(1) {
            assert!(described.contains(&format!("\n{column},")), "{table}.{column}: {described}");
            // No name needs quotes.
            node.good(&["sql", &format!("SELECT {column} FROM sys.{table} ORDER BY {column}")]);
        }
    }
    let csv = |query: &str| node.good(&["sql", query, "-o", "csv"]);
    let partitions = "SELECT log, partition, log_start, high, p.records FROM sys.partitions p \
                      JOIN sys.logs l ON p.log = l.name WHERE NOT internal";
    assert!(csv(partitions).ends_with("flights,0,0,3,3\n"), "{}", csv(partitions));
    assert_eq!(csv("SELECT count(*) FROM sys.nodes WHERE here"), "count(*)\n1\n");
    assert!(csv("SELECT path, state FROM sys.actors").contains("pyralog/pyramid/store,running"));
    node.good(&["counter", "next", "tickets", "--mode", "exact", "--count", "5"]);
    assert_eq!(
        csv("SELECT name, mode, value FROM sys.counters"),
        "name,mode,value\ntickets,exact,5\n"
    );
    let config = "SELECT source FROM sys.config WHERE key = 'pyramid.segment_size'";
    assert!(csv(config).starts_with("source\ndefault"), "{}", csv(config));
}

#[test]
fn groups_show_how_far_behind_they_are() {
    let node = node();
    // FindCoordinator makes the log that OffsetCommit writes to.
    let find = [string("readers")].concat();
    let offsets = [&1_i32.to_be_bytes()[..], &0_i32.to_be_bytes(), &1_i64.to_be_bytes()];
    let topics = [&1_i32.to_be_bytes()[..], &string("flights"), &offsets.concat(), &string("mine")];
    let alone = [&string("readers")[..], &(-1_i32).to_be_bytes(), &string("")];
    let commit = [&alone.concat()[..], &(-1_i64).to_be_bytes(), &topics.concat()].concat();
    crate::process::poll("the coordinator", || {
        kafka(&node, 10, 0, &find);
        // The answer ends with the error of its one partition.
        kafka(&node, 8, 2, &commit).ends_with(&[0, 0]).then_some(())
    });
    let csv = |query: &str| node.good(&["sql", query, "-o", "csv"]);
    let groups = "SELECT group_name, state, members FROM sys.groups";
    assert_eq!(csv(groups), "group_name,state,members\nreaders,Empty,0\n");
    let offsets = "SELECT log, partition, committed, high, lag, metadata FROM sys.group_offsets";
    let head = "log,partition,committed,high,lag,metadata\n";
    assert_eq!(csv(offsets), format!("{head}flights,0,1,3,2,mine\n"));
    assert_eq!(csv("SELECT count(*) FROM sys.group_members"), "count(*)\n0\n");
}

/// The body of Kafka's answer to a request.
fn kafka(node: &Node, key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let head = [&key.to_be_bytes()[..], &version.to_be_bytes(), &7_i32.to_be_bytes()].concat();
    let request = [&head[..], &string("test"), body].concat();
    let mut stream = TcpStream::connect(&node.kafka).unwrap();
    stream.write_all(&(request.len() as i32).to_be_bytes()).unwrap();
    stream.write_all(&request).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; i32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    answer
}

/// A string as Kafka writes it.
fn string(text: &str) -> Vec<u8> {
    [&(text.len() as i16).to_be_bytes()[..], text.as_bytes()].concat()
}

/// The body of an answer to a request as it is written.
fn page(node: &Node, request: &str) -> String {
    let mut stream = TcpStream::connect(node.http.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn post(node: &Node, headers: &str, body: &str) -> String {
    let length = body.len();
    let head = format!("POST /v1/sql HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}");
    page(node, &format!("{head}content-length: {length}\r\n\r\n{body}"))
}

#[test]
fn http_takes_sql_as_it_is_and_errors_have_a_status() {
    let node = node();
    let answer = post(&node, "", "SELECT _offset FROM flights ORDER BY _offset");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("application/x-ndjson"));
    assert!(answer.contains("{\"columns\":[{\"name\":\"_offset\",\"type\":\"BIGINT\"}]}\n"));
    assert!(answer.contains("{\"done\":{\"rows\":3,"), "{answer}");
    let csv = post(&node, "accept: text/csv\r\n", "SELECT 'a' AS x, NULL AS y, '' AS z");
    assert!(csv.contains("text/csv") && csv.contains("x,y,z\na,,\"\"\n"), "{csv}");
    let asked = "{\"query\":\"SELECT 1 AS one\",\"format\":\"csv\"}";
    assert!(post(&node, "", asked).contains("one\n1\n"));
    for (body, status, code) in [
        ("", "400", "query-invalid"),
        ("SELEKT 1", "400", "query-invalid"),
        ("{\"query\":1}", "400", "request-invalid"),
        ("{\"qeury\":\"SELECT 1\"}", "400", "request-invalid"),
        ("{\"query\":\"SELECT 1\",\"time_max_ms\":0}", "400", "request-invalid"),
        ("CREATE TABLE x AS SELECT 1", "403", "query-read-only"),
        ("SELECT 1; SELECT 2", "400", "query-invalid"),
        ("SELECT 1 / (_offset - _offset) FROM flights", "422", "query-failed"),
    ] {
        let answer = post(&node, "", body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{body}: {answer}");
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{body}: {answer}");
    }
}

#[test]
fn an_error_after_the_first_rows_ends_the_answer_where_it_is() {
    let node = Node::dev(&[]);
    let late = "SELECT 1 / (value - 500000) AS x FROM generate_series(1, 1000000)";
    let json = post(&node, "", late);
    assert!(json.starts_with("HTTP/1.1 200"), "{}", &json[..200]);
    assert!(json.contains("\"error\":{\"code\":\"query-failed\"") && !json.contains("\"done\""));
    // The last chunk of a whole body is empty.
    let csv = post(&node, "accept: text/csv\r\n", late);
    assert!(csv.starts_with("HTTP/1.1 200") && !csv.ends_with("0\r\n\r\n"));
    let whole = post(&node, "accept: text/csv\r\n", "SELECT * FROM generate_series(1, 100000)");
    assert!(whole.ends_with("0\r\n\r\n"));
    node.bad(&["sql", late, "-o", "csv"], 1, &["query-failed"]);
}

#[test]
fn a_client_that_hangs_up_takes_its_query_with_it() {
    let node = Node::dev(&[]);
    let slow = "SELECT count(*) FROM generate_series(1, 1000000000000) WHERE value % 7 = 8";
    let mut stream = TcpStream::connect(node.http.strip_prefix("http://").unwrap()).unwrap();
    let head = "POST /v1/sql HTTP/1.1\r\nhost: x\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{slow}", slow.len());
    stream.write_all(request.as_bytes()).unwrap();
    let running = |count: u32| {
        let metrics = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let line = format!("pyralog_queries_running {count}");
        crate::process::poll(&line, || page(&node, metrics).contains(&line).then_some(()));
    };
    running(1);
    stream.shutdown(Shutdown::Both).unwrap();
    running(0);
}
