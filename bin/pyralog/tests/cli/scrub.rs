//! A node that runs finds damage in what it sealed, says so, and serves the rest.

use crate::data_files::{DataDirectory, flip, node};
use crate::http::{self, send};
use crate::process::{bad, poll};

#[test]
fn a_running_node_finds_damage_and_serves_the_rest() {
    let data = DataDirectory::stopped();
    let node = node(
        &data.path,
        &[("PYRALOG_PYRAMID_SCRUB_INTERVAL", "1s"), ("PYRALOG_PYRAMID_SCRUB_RATE", "100MB")],
    );
    let metric = |name: &str| http::metric(&node, name);
    poll("a scrub of what is sound", || {
        (metric("pyralog_scrub_passes_total") > 0 && metric("pyralog_scrub_bytes_total") > 65_536)
            .then_some(())
    });
    assert_eq!(metric("pyralog_scrub_damages_total"), 0);
    let segment = data.of_partition(".segment", 1);
    flip(&segment, 128 + 80 + 100);
    poll("the damage to be found", || (metric("pyralog_scrub_damages_total") > 0).then_some(()));
    let told = poll("the damage to be told", || {
        let errors = node.errors();
        let line = errors.lines().find(|line| line.contains("the scrub found something"))?;
        Some(line.to_owned())
    });
    let name = segment.file_name().unwrap().to_str().unwrap();
    assert!(told.contains("WARN") && told.contains(name) && told.contains("128"), "{told}");
    assert_eq!(send(&node, "GET", "/readyz", "").0, 200);
    // What lies there is refused, what lies elsewhere is not, and writes go on.
    let base = name.split('.').next().unwrap().trim_start_matches('0').to_owned();
    let refused = node.asked(&["consume", "filled", "--from", &base, "--limit", "1"]);
    bad(&refused, 1, &["storage-corrupt"]);
    node.good(&["consume", "filled", "--from", "start", "--limit", "1"]);
    node.fed(&["produce", "filled"], b"more\n");
    node.stop();
    // Offline it is found as well.
    let (found, code) = data.verified();
    assert_eq!((found.len(), found[0]["position"].as_u64(), code), (1, Some(128), 1));
}
