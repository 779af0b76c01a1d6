//! `pyralog dev --demo`: the data is there, and every question has an answer.

use crate::process::{Node, poll, pyralog};
use pyralog::demo::{QUESTIONS, TABLES};
use serde_json::Value;

/// Waits until the questions are printed.
fn loaded(node: &Node) -> String {
    poll("the demonstration to be loaded", || {
        let printed = node.printed();
        let last = QUESTIONS.last().unwrap().sql;
        printed.contains(last).then_some(printed)
    })
}

#[test]
fn the_demonstration_loads_once_and_its_questions_have_answers() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--demo", "--data-dir", folder.path().to_str().unwrap()];
    let node = Node::dev(&flags);
    let printed = loaded(&node);
    for table in TABLES {
        let log = node.good(&["log", "describe", table.name, "-o", "json"]);
        let log: Value = serde_json::from_str(&log).unwrap();
        let highs = log["partitions"].as_array().unwrap().iter();
        let records: u64 = highs.map(|partition| partition["high"].as_u64().unwrap()).sum();
        assert_eq!(records, table.rows, "{}", table.name);
        assert_eq!(log["schema"]["version"], 1);
    }
    for question in QUESTIONS {
        assert!(printed.contains(question.words));
        let answer = node.good(&["sql", question.sql, "-o", "json"]);
        let rows: Vec<Value> = serde_json::from_str(&answer).unwrap();
        assert!(rows.len() >= 3, "{}: {answer}", question.words);
        let nulls = rows.iter().flat_map(|row| row.as_object().unwrap().values());
        assert!(!nulls.clone().any(Value::is_null), "{}: {answer}", question.words);
    }
    // As it is printed, it can be pasted.
    let command =
        printed.lines().find_map(|line| line.trim().strip_prefix("pyralog sql ")).unwrap();
    let binary = env!("CARGO_BIN_EXE_pyralog");
    let mut shell = std::process::Command::new("sh");
    let pasted = shell.args(["-c", &format!("{binary} sql {command}")]).output().unwrap();
    assert!(pasted.status.success(), "{}", String::from_utf8_lossy(&pasted.stderr));
    node.stop();

    let again = Node::dev(&flags);
    assert!(loaded(&again).contains("27,004 records are there already"), "{}", again.printed());
    let count = pyralog(&again.asked(&["consume", "flights", "--until-end"])).output().unwrap();
    assert_eq!(count.stdout.iter().filter(|byte| **byte == b'\n').count(), 27_004);
}
