//! Hostile clients and peers, in a process of their own: it counts every byte
//! that it allocates. Here a short run; `.ci/run` makes a million mutations at
//! the Kafka door and three hundred thousand on the link's port.

use std::process::Command;

/// At the Kafka door, and on the link's port.
const MUTATIONS: [&str; 2] = ["20000", "6000"];

#[test]
fn hostile_clients_cost_no_more_than_they_send() {
    let output = Command::new(env!("CARGO_BIN_EXE_hostile")).args(MUTATIONS).output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{stdout}");
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(
        output.status.success(),
        "{stdout}\n{}",
        lines[lines.len().saturating_sub(30)..].join("\n")
    );
}
