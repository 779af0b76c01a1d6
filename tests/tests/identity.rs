//! Who is who: duplicate names, cold copies, wrong cookies, other clusters, and
//! addresses that lead nowhere. Each is refused, or passed over, in words.

use pyralog_tests::batch::{Record, encode};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::{END_PATIENCE, Node, Plan, READY_PATIENCE};
use pyralog_tests::ports;
use pyralog_tests::tiers::{Tiers, status};
use pyralog_tests::wait;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How many lines about one trouble a log may have while a test looks at it:
/// attempts are repeated, words are not.
const LINES_MAX: usize = 10;

/// Waits for the end of a node that is refused, and returns what it said.
#[track_caller]
fn is_refused(plan: &Plan) -> String {
    let mut node = plan.spawn().unwrap();
    let status = node.wait_end(END_PATIENCE).unwrap();
    let said = node.stderr();
    assert_eq!(status.code(), Some(1), "{said}");
    let last = said.lines().position(|line| line.starts_with("error: "));
    last.map(|place| said.lines().skip(place).collect::<Vec<_>>().join("\n"))
        .unwrap_or_else(|| panic!("no message: {said}"))
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

fn member(plan: &Plan) -> bool {
    status(plan).is_ok_and(|status| !status["incarnation"].is_null())
}

#[track_caller]
fn joins(node: &Node) {
    assert!(wait::holds(READY_PATIENCE, || member(&node.plan)), "{}", node.tail());
}

#[test]
fn a_name_has_one_node() {
    let folder = tempfile::tempdir().unwrap();
    let tiers = Tiers::start(folder.path()).unwrap();
    let mut second = Plan::pyramid(folder.path(), "pyramid-2", &[tiers.obelisk_plan.link_port]);
    second.arguments.retain(|argument| !argument.starts_with("--node-id"));
    let second = second.argument("--node-id=pyramid-1");
    let said = is_refused(&second);
    assert!(said.contains("pyramid-1") && said.contains("--node-id"), "{said}");
    println!("{said}");
    assert_eq!(tiers.pyramid().readyz(), Some(200), "the first one goes on");
    tiers.create_counter("goes-on", "exact").unwrap();
}

/// A Pyramid that was stopped in order, and a copy of its data directory.
fn original_and_copy(folder: &Path) -> (Node, Plan, Plan) {
    let obelisk = Plan::obelisk(folder);
    let original = Plan::pyramid(folder, "pyramid-1", &[obelisk.link_port]);
    let obelisk = obelisk.start().unwrap();
    let node = original.start().unwrap();
    joins(&node);
    node.stop().unwrap();
    let cold = Plan::pyramid(folder, "pyramid-1", &[obelisk.plan.link_port]);
    let cold =
        Plan { data_dir: folder.join("copy-data"), output_dir: folder.join("copy-output"), ..cold };
    copy(&original.data_dir, &cold.data_dir);
    (obelisk, original, cold)
}

#[test]
fn a_cold_copy_is_refused_once_the_original_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let (_obelisk, original, cold) = original_and_copy(folder.path());
    let node = original.start().unwrap();
    joins(&node);
    let said = is_refused(&cold);
    assert!(said.contains("copy"), "{said}");
    println!("{said}");
    // Whether the original runs or not.
    assert_eq!(node.readyz(), Some(200));
    node.kill().unwrap();
    is_refused(&cold);
    let node = original.start().unwrap();
    joins(&node);
}

#[test]
fn the_original_is_refused_once_a_cold_copy_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let (_obelisk, original, cold) = original_and_copy(folder.path());
    let node = cold.start().unwrap();
    joins(&node);
    is_refused(&original);
    node.stop().unwrap();
    is_refused(&original);
    joins(&cold.start().unwrap());
}

/// A node that is not let in goes on trying, in silence, and says why when asked.
fn is_kept_out(node: &mut Node, reason: &str) {
    let kept_out = wait::holds(READY_PATIENCE, || {
        status(&node.plan).is_ok_and(|status| status.to_string().contains(reason))
    });
    assert!(kept_out, "no '{reason}' in {:?}\n{}", status(&node.plan), node.tail());
    // Several attempts later.
    std::thread::sleep(Duration::from_secs(3));
    assert!(node.is_alive(), "{}", node.tail());
    let log = node.stderr();
    let lines = log.lines().filter(|line| line.contains(reason)).count();
    assert!((1..=LINES_MAX).contains(&lines), "{lines} lines with '{reason}'\n{log}");
    assert!(!member(&node.plan));
}

#[test]
fn a_wrong_cookie_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let tiers = Tiers::start(folder.path()).unwrap();
    let stranger = Plan::pyramid(folder.path(), "stranger", &[tiers.obelisk_plan.link_port]);
    let cookie = folder.path().join("another-cookie");
    let mut stranger = stranger;
    stranger.arguments.retain(|argument| !argument.starts_with("--cookie-file"));
    let stranger = stranger.argument(format!("--cookie-file={}", cookie.display()));
    let mut node = stranger.spawn().unwrap();
    is_kept_out(&mut node, "the cookies differ");
    assert!(!node.is_ready(), "it belongs to no cluster yet");
    // Mended by the operator: the right cookie, and it is in.
    node.kill().unwrap();
    fs::copy(folder.path().join("cookie"), &cookie).unwrap();
    joins(&stranger.start().unwrap());
}

fn cluster(plan: &Plan) -> Value {
    status(plan).unwrap()["cluster"].clone()
}

#[test]
fn clusters_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let mut tiers = Tiers::start(folder.path()).unwrap();
    // The same cookie: by mistake, or because both are of one user.
    fs::copy(folder.path().join("cookie"), other.path().join("cookie")).unwrap();
    let foreign = Plan::obelisk(other.path()).start().unwrap();
    assert_ne!(cluster(&tiers.obelisk_plan), cluster(&foreign.plan), "each founds its own");
    assert_eq!(cluster(&tiers.obelisk_plan), cluster(&tiers.pyramid_plan));
    let mut client = Client::dial(tiers.pyramid_plan.kafka()).unwrap();
    assert_eq!(client.create("kept", 1).unwrap(), code::NONE);
    tiers.kill_pyramid().unwrap();

    let endpoints = |port: u16| {
        move |argument: &String| match argument.starts_with("--pharaoh-endpoints") {
            true => format!("--pharaoh-endpoints=127.0.0.1:{port}"),
            false => argument.clone(),
        }
    };
    let home = tiers.pyramid_plan.clone();
    let mut astray = home.clone();
    astray.arguments = home.arguments.iter().map(endpoints(foreign.plan.link_port)).collect();
    let mut node = astray.start().unwrap();
    is_kept_out(&mut node, "different clusters");
    // It serves what it has all the same.
    let mut client = Client::dial(astray.kafka()).unwrap();
    let produced = client.produce("kept", 0, encode(&[Record::value("v")])).unwrap();
    assert_eq!(produced.code, code::NONE);
    node.stop().unwrap();
    let node = home.start().unwrap();
    joins(&node);
    assert_eq!(cluster(&home), cluster(&tiers.obelisk_plan));
}

#[test]
fn addresses_that_lead_nowhere_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let obelisk = Plan::obelisk(folder.path()).start().unwrap();
    let black_hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = black_hole.local_addr().unwrap().port();
    let ports = [ports::free(), silent, obelisk.plan.link_port];
    let plan = Plan::pyramid(folder.path(), "pyramid-1", &ports);
    let began = Instant::now();
    let node = plan.start().unwrap();
    joins(&node);
    println!("a member after {:?}", began.elapsed());
    let mut client = Client::dial(plan.kafka()).unwrap();
    let asked = Instant::now();
    assert_eq!(client.create("reached", 1).unwrap(), code::NONE);
    assert_eq!(client.init_producer().unwrap().0, code::NONE);
    println!("a log and a session after {:?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    let produced = client.produce("reached", 0, encode(&[Record::value("v")])).unwrap();
    assert_eq!(produced.code, code::NONE);
    // Once one has answered, the others cost nothing.
    let asked = Instant::now();
    for _ in 0..20 {
        assert_eq!(client.init_producer().unwrap().0, code::NONE);
    }
    println!("20 sessions in {:?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let seen = status(&plan).unwrap();
    let up: Vec<bool> = seen["obelisks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|obelisk| obelisk["up"].as_bool().unwrap())
        .collect();
    assert_eq!(up, [false, false, true], "{seen}");
}

#[test]
fn a_data_directory_has_one_obelisk() {
    let folder = tempfile::tempdir().unwrap();
    let first = Plan::obelisk(folder.path()).start().unwrap();
    let second =
        Plan { output_dir: PathBuf::from(folder.path()).join("second"), ..first.plan.clone() };
    let second = Plan {
        kafka_port: ports::free(),
        http_port: ports::free(),
        link_port: ports::free(),
        ..second
    };
    let said = is_refused(&second);
    assert!(said.contains("obelisk-data") && said.contains("in use by process"), "{said}");
    println!("{said}");
    assert_eq!(first.readyz(), Some(200));
    // SIGKILL leaves no lock behind.
    first.kill().unwrap();
    second.start().unwrap();
}
