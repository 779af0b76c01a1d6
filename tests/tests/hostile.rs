//! Hostile clients, in a process of their own: it counts every byte that it
//! allocates. Here a short run; `.ci/run` makes a million mutations.

use std::process::Command;

const MUTATIONS: usize = 30_000;

#[test]
fn hostile_clients_cost_no_more_than_they_send() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hostile")).arg(MUTATIONS.to_string()).output().unwrap();
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
