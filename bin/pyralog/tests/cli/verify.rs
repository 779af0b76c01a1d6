//! `pyralog verify`: nothing is found in a sound directory, everything in a spoiled
//! one, and nothing is ever changed.

use crate::data_files::{DataDirectory, fill, fingerprint, flip, node, position_of};
use crate::process::{bad, good, run};
use std::path::Path;

#[test]
fn a_stopped_and_a_killed_node_leave_a_sound_directory() {
    let settled = "256 records\n  0 rounds";
    for (data, settles) in [(DataDirectory::stopped(), true), (DataDirectory::killed(), false)] {
        let before = fingerprint(&data.path);
        let text = good(&["verify", data.text()]);
        assert!(text.contains(": sound\n"), "{text}");
        assert_eq!(text.contains(settled), settles, "{text}");
        assert_eq!(data.verified(), (vec![], 0));
        assert!(fingerprint(&data.path) == before, "verify changes nothing");
    }
}

#[test]
fn a_directory_in_use_is_refused_and_what_is_none_too() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let node = node(&data, &[]);
    fill(&node, &data);
    let pid = std::fs::read_to_string(data.join("LOCK")).unwrap();
    let pid = format!("process {}", pid.lines().next().unwrap());
    bad(&["verify", data.to_str().unwrap()], 4, &["is in use by", &pid, "stop the node first"]);
    node.stop();
    good(&["verify", data.to_str().unwrap()]);
    let empty = tempfile::tempdir().unwrap();
    bad(&["verify", empty.path().to_str().unwrap()], 3, &["is no data directory", "--data-dir"]);
    bad(&["verify", "/nowhere"], 3, &["is no directory"]);
}

/// One bit of `path` is turned over; verify must say so, there, and with advice.
#[track_caller]
fn flipped(data: &DataDirectory, path: &Path, position: u64, severity: &str) {
    flip(path, position);
    let (found, code) = data.verified();
    let place = format!("{} at byte {position}", path.display());
    let there = found.iter().find(|finding| finding["path"] == path.to_str().unwrap());
    let finding = there.unwrap_or_else(|| panic!("{place}: {found:#?}"));
    assert_eq!((finding["severity"].as_str(), code), (Some(severity), 1), "{place}: {finding}");
    assert!(finding["advice"].as_str().unwrap().len() > 10, "{place}: {finding}");
    flip(path, position);
}

#[test]
fn a_flipped_bit_in_each_kind_of_file_is_found() {
    let data = DataDirectory::stopped();
    let (pyramid, obelisk) = (data.path.join("pyramid"), data.path.join("obelisk"));
    let segment = data.of_partition(".segment", 1);
    for position in [0, 20, 128, 150, 128 + 80 + 5, 20_000] {
        flipped(&data, &segment, position, "damage");
    }
    for (ending, position) in [(".offsets", 0), (".offsets", 60), (".times", 35)] {
        flipped(&data, &data.of_partition(ending, 0), position, "repairable");
    }
    flipped(&data, &pyramid.join("wal/00000000.wal"), 20, "repairable");
    flipped(&data, &pyramid.join("meta.redb"), 0, "damage");
    for copy in [&pyramid, &obelisk] {
        let directory = copy.join("directory.redb");
        flipped(&data, &directory, 0, "damage");
        flipped(&data, &directory, position_of(&directory, b"filled"), "damage");
        flipped(&data, &copy.join("lane"), 20, "repairable");
    }
    let arena = obelisk.join("arena");
    flipped(&data, &arena, 40, "repairable");
    let node = data.path.join("node.toml");
    flipped(&data, &node, 0, "damage");
    assert_eq!(data.verified(), (vec![], 0), "everything is as it was");
}

#[test]
fn a_flipped_bit_in_the_write_ahead_log_is_found() {
    let data = DataDirectory::killed();
    let wal = data.path.join("pyramid/wal/00000000.wal");
    let position = position_of(&wal, b"PYRAROND");
    // The first of the rounds that the next start needs.
    flipped(&data, &wal, position + 64 + 30, "damage");
    assert_eq!(data.verified(), (vec![], 0));
}

#[test]
fn missing_cut_and_exchanged_files_are_found() {
    let data = DataDirectory::stopped();
    let aside = data.path.with_extension("aside");
    let pyramid = data.path.join("pyramid");
    let needed = [
        data.of_partition(".segment", 0),
        data.of_partition(".segment", 1),
        data.of_partition(".offsets", 0),
        data.of_partition(".times", 1),
        pyramid.join("meta.redb"),
        data.path.join("obelisk/arena"),
        data.path.join("node.toml"),
    ];
    for path in &needed {
        std::fs::rename(path, &aside).unwrap();
        let (found, code) = data.verified();
        assert!(!found.is_empty() && code == 1, "{} is missing: {found:?}", path.display());
        std::fs::rename(&aside, path).unwrap();
    }
    for path in &needed[..3] {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() - 7]).unwrap();
        let (found, code) = data.verified();
        let named = found.iter().any(|finding| finding["path"] == path.to_str().unwrap());
        assert!(named && code == 1, "{} is cut: {found:?}", path.display());
        std::fs::write(path, bytes).unwrap();
    }
    let exchanges = [
        (data.of_partition(".segment", 0), data.of_partition(".segment", 1)),
        (data.of_partition(".offsets", 0), data.of_partition(".offsets", 1)),
        (pyramid.join("meta.redb"), pyramid.join("directory.redb")),
    ];
    for (one, other) in &exchanges {
        let exchange = || {
            std::fs::rename(one, &aside).unwrap();
            std::fs::rename(other, one).unwrap();
            std::fs::rename(&aside, other).unwrap();
        };
        exchange();
        let (found, code) = data.verified();
        assert!(found.len() >= 2 && code == 1, "{} exchanged: {found:?}", one.display());
        exchange();
    }
    assert_eq!(data.verified(), (vec![], 0), "everything is as it was");
}

#[test]
fn what_nobody_keeps_is_named_and_no_failure() {
    let data = DataDirectory::stopped();
    for name in ["node.toml.new", "pyramid/meta.redb.new", "notes.txt", "pyramid/wal/x"] {
        std::fs::write(data.path.join(name), b"x").unwrap();
    }
    let text = good(&["verify", data.text()]);
    assert_eq!(text.matches("note: ").count(), 4, "{text}");
    assert!(text.contains("note: node.toml.new: was being written"), "{text}");
    let output = run(&["verify", data.text(), "-o", "json"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("\"sound\": true"));
}

#[test]
fn a_compacted_directory_is_sound_and_what_was_rewritten_is_watched() {
    let data = DataDirectory::compacted();
    assert_eq!(data.verified(), (vec![], 0));
    let segment = data.rewritten();
    let len = segment.metadata().unwrap().len();
    for position in [0, 20, 60, 66, 128, 128 + 80 + 5, len - 1] {
        flipped(&data, &segment, position, "damage");
    }
    // As if the node had died before it removed what the manifest names no more.
    let left = data.partition.join("00000000000000000000.segment");
    std::fs::copy(&segment, &left).unwrap();
    let text = good(&["verify", data.text()]);
    assert!(text.contains("note: ") && text.contains("is left of a compaction"), "{text}");
    std::fs::remove_file(&left).unwrap();
    std::fs::remove_file(&segment).unwrap();
    let (found, code) = data.verified();
    assert_eq!((found[0]["path"].as_str(), code), (segment.to_str(), 1), "{found:?}");
}
