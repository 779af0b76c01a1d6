//! `pyralog inspect`: every kind of file, kept ones and real ones, whole and spoiled.

use crate::data_files::{DataDirectory, fingerprint, fixture, flip, json};
use crate::process::{bad, good, run};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The store of the log's fixtures.
const STORE: &str = "00000000000000000000000000005eed";

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A copy of a fixture that may be spoiled.
fn copy(crate_name: &str, name: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join(name);
    std::fs::copy(fixture(crate_name, name), &copy).unwrap();
    (dir, copy)
}

#[test]
fn kept_files_of_the_log_are_shown() {
    let segment = fixture("log", "v1.segment");
    let shown = json(&["inspect", "segment", path(&segment), "-o", "json", "--records"]);
    let file = &shown[0];
    assert_eq!((&file["header"]["log"], &file["header"]["base_offset"]), (&1.into(), &0.into()));
    assert_eq!(file["rows"][1]["offset"], 2);
    assert_eq!(file["rows"][1]["contents"].as_array().unwrap().len(), 2);
    assert_eq!((&file["summary"]["records"], &file["damage"]), (&4.into(), &Value::Array(vec![])));

    let offsets = fixture("log", "v1.offsets");
    let times = fixture("log", "v1.times");
    let both = json(&["inspect", "index", path(&offsets), path(&times), "-o", "json"]);
    assert_eq!(both[0]["header"]["next_offset"], 4);
    assert_eq!(both[0]["rows"][0]["segment_position"], 128);
    assert_eq!(both[1]["header"]["max_time"], 3_001);

    let sessions = fixture("log", "v1.sessions");
    let text = good(&["inspect", "index", path(&sessions), "--store", STORE]);
    assert!(text.contains("checksum         checked") && text.contains("sessions 2"), "{text}");

    // The fixture is kept without the zeros at its end.
    let (_dir, wal) = copy("log", "v1.wal");
    std::fs::File::options().write(true).open(&wal).unwrap().set_len(32 << 10).unwrap();
    let lines = run(&["inspect", "wal", path(&wal), "-o", "ndjson"]);
    assert!(lines.status.success());
    let text = String::from_utf8(lines.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["type"], &lines[0]["store"]), (&"file".into(), &STORE.into()));
    let kinds: Vec<_> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds, ["append", "append", "append", "append", "append", "truncate"]);
    assert_eq!(lines.last().unwrap()["rounds"], 6);
}

#[test]
fn damage_is_shown_where_it_is_and_the_rest_around_it() {
    let (_dir, segment) = copy("log", "v1.segment");
    flip(&segment, 128 + 80 + 61);
    let output = run(&["inspect", "segment", path(&segment)]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let damaged = text.lines().find(|line| line.contains("DAMAGED")).unwrap();
    assert!(damaged.trim().starts_with("128") && damaged.contains("CRC"), "{text}");
    assert!(text.contains("frames 1") && text.contains("damaged places 1"), "{text}");

    let lines = run(&["inspect", "segment", path(&segment), "-o", "ndjson"]);
    assert_eq!(lines.status.code(), Some(1));
    let text = String::from_utf8(lines.stdout).unwrap();
    let damage = text.lines().find(|line| line.contains("\"damage\"")).unwrap();
    let damage: Value = serde_json::from_str(damage).unwrap();
    assert_eq!(damage["position"], 128);
    // Where the magic number itself is gone, the word that was typed counts.
    flip(&segment, 3);
    bad(&["inspect", "segment", path(&segment)], 1, &["a file is damaged"]);
}

#[test]
fn the_wrong_word_is_put_right() {
    let wal = fixture("log", "v1.wal");
    let help = format!("pyralog inspect wal {}", wal.display());
    bad(&["inspect", "segment", path(&wal)], 2, &["a file of the write-ahead log", &help]);
    bad(&["inspect", "wal", "/nowhere"], 3, &["cannot read /nowhere"]);
    bad(&["inspect", "arena", path(&fixture("counter", "v1.bound"))], 2, &["--store ID"]);
}

#[test]
fn a_table_shows_so_many_rows_and_from_where_it_is_told() {
    let data = DataDirectory::stopped();
    let segment = data.of_partition(".segment", 0);
    let whole = json(&["inspect", "segment", path(&segment), "-o", "json"]);
    let frames = whole[0]["summary"]["frames"].as_u64().unwrap();
    assert!(frames >= 2 && whole[0]["rows"].as_array().unwrap().len() as u64 == frames);
    let text = good(&["inspect", "segment", path(&segment), "--limit", "1"]);
    assert!(text.contains(&format!("… and {} more", frames - 1)), "{text}");
    let second = whole[0]["rows"][1]["offset"].as_u64().unwrap().to_string();
    let from =
        ["inspect", "segment", path(&segment), "-o", "json", "--limit", "1", "--from", &second];
    assert_eq!(json(&from)[0]["rows"][0]["offset"].to_string(), second);
    let text = good(&["inspect", "segment", path(&segment), "--records", "--limit", "2"]);
    assert!(text.contains("0123456789abcdef"), "{text}");
}

#[test]
fn everything_in_a_data_directory_can_be_looked_into() {
    let data = DataDirectory::killed();
    let before = fingerprint(&data.path);
    let show = |kind: &str, name: &str| {
        json(&["inspect", kind, path(&data.path.join(name)), "-o", "json"]).take()[0].take()
    };
    let arena = show("arena", "obelisk/arena");
    let rows = arena["rows"].as_array().unwrap();
    // Counters of users begin at 16.
    let invoices = rows.iter().find(|row| row["counter"] == 16).unwrap();
    assert!(invoices["bound"].as_u64().unwrap() >= 5, "{invoices}");
    let lane = show("arena", "pyramid/lane");
    assert_eq!(lane["rows"].as_array().unwrap().len(), 2);
    let directory = show("manifest", "pyramid/directory.redb");
    let rows = directory["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["what"] == "log" && row["name"] == "filled"), "{rows:?}");
    assert!(rows.iter().any(|row| row["what"] == "command"), "{rows:?}");
    let meta = show("manifest", "pyramid/meta.redb");
    assert!(meta["header"]["first_needed_round"].is_u64(), "{meta}");
    let node = show("manifest", "node.toml");
    assert_eq!(node["header"]["start_tokens"], 1);
    let token = std::fs::read_to_string(data.path.join("node.toml")).unwrap();
    let token = token.lines().find(|line| line.contains("start_tokens")).unwrap().to_owned();
    let token = token.split('"').nth(1).unwrap();
    assert!(!node.to_string().contains(token), "tokens are secrets");
    let wal = show("wal", "pyramid/wal/00000000.wal");
    assert!(wal["summary"]["rounds"].as_u64().unwrap() > 0);
    for kind in ["wal", "arena"] {
        let name = if kind == "wal" { "pyramid/wal/00000001.wal" } else { "obelisk/lane" };
        show(kind, name);
    }
    assert!(fingerprint(&data.path) == before, "inspect changes nothing");
}

#[test]
fn what_compaction_wrote_is_shown_with_its_generation_and_its_end() {
    let kept = fixture("log", "v2.segment");
    let kept = &json(&["inspect", "segment", path(&kept), "-o", "json"])[0];
    let header = &kept["header"];
    assert_eq!((&header["version"], &header["generation"]), (&2.into(), &1.into()));
    assert_eq!((&header["base_offset"], &header["end_offset"]), (&0.into(), &8.into()));
    let rows = kept["rows"].as_array().unwrap();
    let shape: Vec<_> =
        rows.iter().map(|row| ["offset", "offsets", "records"].map(|name| &row[name])).collect();
    assert_eq!(shape, [[2, 2, 1], [4, 2, 1], [6, 2, 2]]);
    assert_eq!((&kept["summary"]["records"], &kept["damage"]), (&4.into(), &Value::Array(vec![])));

    let data = DataDirectory::compacted();
    let segment = data.rewritten();
    let shown = &json(&["inspect", "segment", path(&segment), "-o", "json"])[0];
    let meta = data.path.join("pyramid/meta.redb");
    let manifest = &json(&["inspect", "manifest", path(&meta), "-o", "json"])[0];
    let rows = manifest["rows"].as_array().unwrap();
    let generation = &shown["header"]["generation"];
    let is_it = |row: &&Value| row["generation"] == *generation;
    let row = rows.iter().find(is_it).unwrap_or_else(|| panic!("{manifest:#}"));
    assert_eq!(row["what"], "rewritten segment");
    let said = [&row["segment"], &row["next_offset"], &row["synced_bytes"]];
    let header = &shown["header"];
    assert_eq!(said, [&header["base_offset"], &header["end_offset"], &header["bytes"]]);
    assert!(rows.iter().any(|row| row["compacted_to"].as_u64() > Some(0)), "{manifest:#}");
    let text = good(&["inspect", "manifest", path(&meta)]);
    assert!(text.contains("rewritten segment"), "{text}");
}
