//! The examples do what they say.

use pyralog_tests::binary;
use pyralog_tests::flights::repository;
use pyralog_tests::node::Plan;
use std::process::{Command, Output};

/// Runs an example against a fresh node, with the binary on the path.
fn run(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&folder.path().join("data"), folder.path());
    let node = plan.start().unwrap();
    let binary = binary::path();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .arg(repository().join("examples").join(name))
        .env("PATH", format!("{}:{path}", binary.parent().unwrap().display()))
        .env("PYRALOG_SERVER", format!("http://{}", plan.http()))
        .env("PYRALOG_KAFKA", plan.kafka().to_string())
        .output()
        .unwrap();
    let Output { status, stdout, stderr } = output;
    assert!(status.success(), "{name}: {status}\n{}", String::from_utf8_lossy(&stderr));
    node.stop().unwrap();
    String::from_utf8(stdout).unwrap()
}

#[test]
fn flights_counts_the_year() {
    let said = run("flights.sh");
    assert!(said.contains("336776 flights"), "{said}");
    assert!(said.contains("58665 UA"), "{said}");
}

#[test]
fn hello_says_hello() {
    let said = run("hello.sh");
    assert_eq!(said.lines().last(), Some("0\t0\tgreeting\thello"), "{said}");
}

#[test]
fn sql_answers_its_three_questions() {
    let said = run("sql.sh");
    assert!(said.contains("Frontier Airlines Inc.") && said.contains("21.9"), "{said}");
    // 8 March: snow.
    let words: Vec<_> = said.split_whitespace().collect();
    assert!(words.windows(3).any(|row| row == ["3", "8", "83.5"]), "{said}");
    // In the order in which they were sent, which is that of their departures.
    let places: Vec<_> = ["IAH", "MIA", "BOS"].map(|place| said.find(place)).to_vec();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{said}");
}

#[test]
fn a_group_shares_its_work() {
    let said = run("groups.sh");
    assert!(said.contains("1000 orders billed"), "{said}");
    assert!(said.contains("billing"), "{said}");
}
