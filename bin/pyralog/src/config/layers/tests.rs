//! Layers read from files, variables and flags, and the mistakes in each.

use super::*;
use crate::config::{Effect, NodeSettings};
use std::io::Write;

/// The two blocks of the architecture document, in one file.
const DOCUMENT: &str = r#"[pyramid]
node_id = "pyramid-1"
listen_addr = "0.0.0.0:9092"
data_dir = "/var/lib/pyralog/data"

# Storage
segment_size = "1GB"
segment_cache_size = "16GB"

# Pharaoh Network connection
pharaoh_endpoints = [
    "obelisk-1:7070",
    "obelisk-2:7070",
    "obelisk-3:7070"
]

# Consensus
raft_election_timeout_ms = 300
raft_heartbeat_interval_ms = 100

# Replication
replication_factor = 3
min_in_sync_replicas = 2

[obelisk]
node_id = "obelisk-1"
listen_addr = "0.0.0.0:7070"
data_dir = "/var/lib/pharaoh/counters"

# Sparse file configuration
counter_file_size = "1TB"  # Sparse, doesn't use actual space
fsync_on_increment = false  # Trust OS page cache

# Raft (small cluster)
raft_election_timeout_ms = 100
raft_heartbeat_interval_ms = 30

# No data segments - only counters!
"#;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[track_caller]
fn mistake(text: &str, expect: &[&str]) {
    let file = file(text);
    let layers = Layers { file: Some(file.path().to_owned()), ..Layers::default() };
    let error = layers.read().unwrap_err().to_string();
    for part in expect {
        assert!(error.contains(part), "{part:?} is missing from\n{error}");
    }
}

#[test]
fn the_documents_blocks_parse_verbatim_with_every_key_accounted_for() {
    let file = file(DOCUMENT);
    let layers = Layers { file: Some(file.path().to_owned()), ..Layers::default() };
    let configuration = layers.read().unwrap();
    let given: Vec<_> = configuration
        .settings()
        .iter()
        .filter(|setting| matches!(setting.origin, Origin::File(..)))
        .map(|setting| (setting.key.path(), setting.given.as_str()))
        .collect();
    assert_eq!(given.len(), 17, "{given:?}");
    assert_eq!(configuration.get(Section::Pyramid, "segment_cache_size").given, "16GB");
    let line = Origin::File(file.path().to_owned(), 7);
    assert_eq!(configuration.get(Section::Pyramid, "segment_size").origin, line);
    let endpoints = Value::List(vec![
        "obelisk-1:7070".into(),
        "obelisk-2:7070".into(),
        "obelisk-3:7070".into(),
    ]);
    assert_eq!(configuration.get(Section::Pyramid, "pharaoh_endpoints").value, endpoints);
    let waits = |section, name| configuration.get(section, name).key.effect != Effect::Now;
    assert!(waits(Section::Pyramid, "raft_heartbeat_interval_ms"));
    assert!(waits(Section::Obelisk, "raft_heartbeat_interval_ms"));
    let pyramid = NodeSettings::of(&configuration, Roles { obelisk: false, pyramid: true });
    assert_eq!(pyramid.pharaoh_endpoints.len(), 3);
    assert_eq!(pyramid.pyramid.unwrap().segment_bytes, 1_000_000_000);
    let obelisk = NodeSettings::of(&configuration, Roles { obelisk: true, pyramid: false });
    assert_eq!(obelisk.data_dir.to_str(), Some("/var/lib/pharaoh/counters"));
    assert_eq!(obelisk.obelisk.unwrap().counter_file_bytes, 1_000_000_000_000);
}

#[test]
fn later_layers_win_and_are_remembered() {
    let file = file(
        "[pyramid]\nlisten_addr = \"127.0.0.1:1\"\nhttp_addr = \"127.0.0.1:2\"\nnode_id = 'f'\n",
    );
    let layers = Layers {
        dev: true,
        file: Some(file.path().to_owned()),
        environment: vec![
            ("PYRALOG_PYRAMID_LISTEN_ADDR".into(), "127.0.0.1:3".into()),
            ("PYRALOG_PYRAMID_NODE_ID".into(), "e".into()),
            ("PYRALOG_SERVER".into(), "not a key, and not ours to judge".into()),
        ],
        flags: vec![("listen_addr", "127.0.0.1:4".into())],
        roles: Roles { obelisk: true, pyramid: true },
    };
    let configuration = layers.read().unwrap();
    let of = |name| {
        let setting = configuration.get(Section::Pyramid, name);
        (setting.given.as_str(), setting.origin.to_string())
    };
    assert_eq!(of("listen_addr"), ("127.0.0.1:4", "--listen-addr".into()));
    assert_eq!(of("node_id"), ("e", "PYRALOG_PYRAMID_NODE_ID".into()));
    assert_eq!(of("http_addr"), ("127.0.0.1:2", format!("{}:3", file.path().display())));
    assert_eq!(of("auto_create_logs"), ("true", "dev".into()));
    assert_eq!(of("default_partitions"), ("1", "default".into()));
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    mistake(
        "[pyramid]\nnode_id = \"a\"\nsegmnt_size = \"1GB\"\n",
        &[
            "unknown key 'segmnt_size' in [pyramid]",
            ":3:1",
            "3 | segmnt_size",
            "| ^^^^^^^^^^^",
            "did you mean 'segment_size'?",
        ],
    );
    mistake(
        "[pyramid]\nsegment_size = \"1 gigs\"\n",
        &["'segment_size' cannot be this", ":2:16", "^^^^^^^^", "10^9"],
    );
    mistake("[pyramid]\nreplication_factor = \"many\"\n", &["a whole number from 1 to 32"]);
    mistake("[pyramid]\ninsecure = 1\n", &["true or false"]);
    mistake("[pyramid]\nlisten_addr = 9092\n", &["an address like"]);
    mistake("listen_addr = \"a:1\"\n", &["keys stand in [pyramid] or [obelisk]"]);
    mistake("[pyramd]\nnode_id = \"a\"\n", &["'pyramd'", ":1:2", "did you mean [pyramid]?"]);
    mistake("[pyramid\n", &["the file is not TOML", ":1:"]);
    mistake("[pyramid]\nnode_id = \"a\"\nnode_id = \"b\"\n", &["not TOML", "duplicate"]);
}

#[test]
fn a_variable_that_sets_nothing_is_a_mistake() {
    let layers = Layers {
        environment: vec![("PYRALOG_PYRAMID_LISTN_ADDR".into(), "x:1".into())],
        ..Layers::default()
    };
    let error = layers.read().unwrap_err().to_string();
    assert!(error.contains("did you mean 'PYRALOG_PYRAMID_LISTEN_ADDR'?"), "{error}");
}

#[test]
fn what_has_no_effect_says_what_has() {
    let file = file(DOCUMENT);
    let layers = Layers { file: Some(file.path().to_owned()), ..Layers::default() };
    let configuration = layers.read().unwrap();
    let told = |obelisk, pyramid| {
        let rows = configuration.without_effect(Roles { obelisk, pyramid });
        rows.into_iter().map(|(row, why)| (row.key, why)).collect::<Vec<_>>()
    };
    let obelisk = told(true, false);
    assert_eq!(obelisk.len(), 2, "{obelisk:?}");
    assert!(obelisk[0].1.contains("the Pharaoh Network"), "{obelisk:?}");
    let both = told(true, true);
    let why = |key: &str| both.iter().find(|(of, _)| of == key).map(|(_, why)| why.as_str());
    assert!(why("obelisk.listen_addr").unwrap().contains("pyramid.link_addr speaks"), "{both:?}");
    assert!(why("obelisk.raft_election_timeout_ms").unwrap().contains("Pharaoh"), "{both:?}");
    assert_eq!(why("obelisk.counter_file_size"), None);
    assert_eq!(why("pyramid.pharaoh_endpoints"), None);
}
