//! `pyralog verify` and `pyralog inspect` of indexes of keys: nothing is found in a
//! sound one, everything in a spoiled one, and nothing is ever changed.

use crate::data_files::{DataDirectory, fingerprint, fixture, flip, json};
use crate::process::{bad, good, run};
use pyralog_env::{Disk, RealDisk};
use pyralog_index::{BlockCache, IndexOf, KeyIndex, KeyIndexOptions};
use pyralog_model::{Offset, PartitionId};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Records that `fill` writes: all of them are indexed here, in two files.
const RECORDS: u64 = 256;

/// A data directory whose one partition with records has an index of two files.
struct Keys {
    data: DataDirectory,
    dir: PathBuf,
    files: [PathBuf; 2],
    manifest: PathBuf,
}

impl Keys {
    fn new() -> Keys {
        let data = DataDirectory::stopped();
        let dir = data.partition.join("keys");
        // What the node has made itself covers what it has sealed, in files of its own.
        let _ = std::fs::remove_dir_all(&dir);
        let segment = data.of_partition(".segment", 0);
        let shown = json(&["inspect", "segment", segment.to_str().unwrap(), "-o", "json"]);
        let header = &shown[0]["header"];
        let store = header["store"].as_str().unwrap().parse().unwrap();
        let partition = PartitionId::new(header["log"].as_u64().unwrap(), 0);
        let options = KeyIndexOptions::new(IndexOf { store, partition }, 5);
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let (none, cache) = (Offset(0)..Offset(0), Arc::new(BlockCache::new(0)));
        let index = KeyIndex::open(&disk, &dir, options, none, &cache).unwrap().index;
        for end in [RECORDS / 2, RECORDS] {
            // Many versions of a few keys: pages; and keys of one version: rows.
            for offset in end - RECORDS / 2..end {
                let key = if offset % 2 == 0 { offset } else { offset % 5 };
                index.insert(index.hash(&key.to_le_bytes()), Offset(offset), offset % 9 == 0);
            }
            index.seal(Offset(end));
            while let Some(work) = index.plan() {
                index.install(work.run(1 << 20, [])).unwrap();
            }
        }
        let files = [0, RECORDS / 2].map(|base| {
            let entries = std::fs::read_dir(&dir).unwrap().flatten();
            let begins = format!("{base:020}-");
            let mut names = entries.map(|entry| entry.path());
            let is_it =
                |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(&begins);
            names.find(is_it).unwrap()
        });
        let manifest = dir.join("keys.manifest");
        Keys { data, dir, files, manifest }
    }

    /// Findings about the index, notes too, and the exit code.
    fn verified(&self) -> (Vec<Value>, i32) {
        let output = run(&["verify", self.data.text(), "-o", "json"]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = document["findings"].as_array().unwrap().iter();
        let is_here = |finding: &&Value| {
            finding["path"].as_str().unwrap().starts_with(self.dir.to_str().unwrap())
        };
        (found.filter(is_here).cloned().collect(), output.status.code().unwrap())
    }

    /// One finding, of this severity, about this file, that says this; the exit code
    /// goes with it.
    #[track_caller]
    fn only(&self, severity: &str, path: &Path, says: &str) {
        let (found, code) = self.verified();
        let [finding] = &found[..] else { panic!("one finding, not {found:#?}") };
        let what = finding["what"].as_str().unwrap();
        assert_eq!(finding["path"].as_str(), path.to_str(), "{finding}");
        assert_eq!(finding["severity"], severity, "{finding}");
        assert!(what.contains(says), "{finding}");
        assert_eq!(code, i32::from(severity != "note"), "{finding}");
    }
}

/// A place in each region of a file of keys: header, directory, pages, block, its end.
fn regions(file: &Path) -> Vec<u64> {
    let shown = json(&["inspect", "index", file.to_str().unwrap(), "-o", "json"]);
    let row = &shown[0]["rows"][0];
    let number = |name: &str| row[name].as_u64().unwrap();
    let (pages, block) = (number("position"), number("block_position"));
    assert!(number("pages") > 0 && pages < block, "{row}");
    let end = block + number("block_bytes") - 1;
    vec![2, 9, 13, 50, 127, 130, 137, 143, pages + 1, block - 1, block + 1, block + 40, end]
}

#[test]
fn a_sound_index_is_counted_and_nothing_is_changed() {
    let keys = Keys::new();
    let before = fingerprint(&keys.data.path);
    let text = good(&["verify", keys.data.text()]);
    assert!(text.contains(": sound\n") && text.contains("256 versions in indexes"), "{text}");
    assert_eq!(keys.verified(), (vec![], 0));
    let [file, manifest] = [&keys.files[0], &keys.manifest].map(|path| path.to_str().unwrap());
    good(&["inspect", "index", file, "--records"]);
    good(&["inspect", "manifest", manifest]);
    assert!(fingerprint(&keys.data.path) == before, "nothing is changed");
}

#[test]
fn a_flipped_bit_in_each_region_of_an_index_is_found_and_repairable() {
    let keys = Keys::new();
    let [first, second] = &keys.files;
    let rows = [0, 8, 13, 20, 47, 50, 63, 64, 75, 90, 101, 143];
    let places =
        [(first, regions(first)), (second, regions(second)), (&keys.manifest, rows.into())];
    for (path, positions) in places {
        for position in positions {
            flip(path, position);
            let (found, code) = keys.verified();
            let about = |finding: &&Value| finding["path"].as_str() == path.to_str();
            let finding = found.iter().find(about);
            let place = format!("{} at byte {position}", path.display());
            let finding = finding.unwrap_or_else(|| panic!("{place}: {found:#?}"));
            assert_eq!((finding["severity"].as_str(), code), (Some("repairable"), 1), "{place}");
            assert!(finding["position"].is_u64(), "{place}: {finding}");
            let advice = finding["advice"].as_str().unwrap();
            assert!(advice.contains("nothing is lost"), "{place}: {advice}");
            // Whoever looks into the file alone sees it as well.
            let kind = if path == &keys.manifest { "manifest" } else { "index" };
            let path_text = path.to_str().unwrap();
            bad(&["inspect", kind, path_text, "-o", "json"], 1, &["a file is damaged"]);
            flip(path, position);
        }
    }
    assert_eq!(keys.verified(), (vec![], 0), "everything is as it was");
}

#[test]
fn missing_cut_and_exchanged_indexes_are_found() {
    let keys = Keys::new();
    let aside = keys.data.path.with_extension("aside");
    let [first, second] = &keys.files;
    std::fs::rename(first, &aside).unwrap();
    keys.only("repairable", first, "is missing, with the keys of 0..128");
    std::fs::rename(second, first).unwrap();
    std::fs::rename(&aside, second).unwrap();
    let (found, code) = keys.verified();
    assert_eq!((found.len(), code), (2, 1), "{found:?}");
    std::fs::rename(second, &aside).unwrap();
    std::fs::rename(first, second).unwrap();
    std::fs::rename(&aside, first).unwrap();
    let bytes = std::fs::read(second).unwrap();
    std::fs::write(second, &bytes[..bytes.len() - 7]).unwrap();
    let (found, code) = keys.verified();
    assert!(code == 1 && found[0]["path"].as_str() == second.to_str(), "{found:?}");
    std::fs::write(second, bytes).unwrap();
    // Without a manifest the files are nobody's, and the next start removes them.
    std::fs::remove_file(&keys.manifest).unwrap();
    let (found, code) = keys.verified();
    assert_eq!((found.len(), code), (2, 0), "{found:?}");
    assert!(found.iter().all(|finding| finding["severity"] == "note"), "{found:?}");
}

#[test]
fn what_was_being_built_is_a_note_and_an_index_past_the_log_is_not() {
    let keys = Keys::new();
    let unfinished = keys.dir.join("00000000000000000256-0000000009.pphm.new");
    std::fs::write(&unfinished, b"x").unwrap();
    keys.only("note", &unfinished, "was being written when the node died");
    std::fs::remove_file(&unfinished).unwrap();
    // The last row's end, with the checksum put right by whoever is wrong.
    let mut bytes = std::fs::read(&keys.manifest).unwrap();
    let end = 64 + 40 + 24;
    bytes[end..end + 8].copy_from_slice(&(RECORDS + 1).to_le_bytes());
    let crc = crc32c(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&keys.manifest, &bytes).unwrap();
    let (found, code) = keys.verified();
    let past = "speaks for offsets up to 257, and the log ends at 256";
    let told = found.iter().any(|finding| finding["what"].as_str().unwrap().contains(past));
    assert!(told && code == 1, "{found:#?}");
}

#[test]
fn kept_indexes_are_shown() {
    let file = fixture("index", "v1.pphm");
    let file = file.to_str().unwrap();
    let shown = &json(&["inspect", "index", file, "-o", "json"])[0];
    let header = &shown["header"];
    assert_eq!((&header["base_offset"], &header["end_offset"]), (&1_000.into(), &3_400.into()));
    assert_eq!((&header["reducer"], &header["version"]), (&"all".into(), &1.into()));
    assert_eq!((&header["header"], &header["block_table"]), (&"ok".into(), &"ok".into()));
    assert!(header["bits_per_key"].as_f64().unwrap() > 60.0, "{header}");
    assert_eq!(shown["rows"].as_array().unwrap().len(), 2);
    let summary = &shown["summary"];
    assert_eq!((&summary["keys"], &summary["versions"]), (&header["keys"], &header["versions"]));
    assert!(summary["first_damage"].is_null(), "{summary}");
    let all = &json(&["inspect", "index", file, "-o", "json", "--records"])[0];
    let versions = all["rows"].as_array().unwrap();
    assert_eq!(Some(versions.len() as u64), header["versions"].as_u64());
    let late = json(&["inspect", "index", file, "-o", "json", "--records", "--from", "3390"]);
    assert_eq!(late[0]["rows"].as_array().unwrap().len(), 10);

    let manifest = fixture("index", "v1.manifest");
    let manifest = manifest.to_str().unwrap();
    let shown = &json(&["inspect", "manifest", manifest, "-o", "json"])[0];
    assert_eq!(shown["header"]["hash_seed"], "000000000000000b");
    let rows = shown["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[1]["end"], &rows[1]["there"]), (2, &45.into(), &false.into()));
    let text = good(&["inspect", "manifest", manifest]);
    assert!(text.contains(".pphm") && text.contains("indexed offsets 45"), "{text}");
    bad(&["inspect", "segment", file], 2, &["an index of keys", "pyralog inspect index"]);
    bad(&["inspect", "index", manifest], 2, &["a manifest of", "pyralog inspect manifest"]);
}

#[test]
fn damage_of_an_index_is_shown_where_it_is() {
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("spoiled.pphm");
    std::fs::copy(fixture("index", "v1.pphm"), &copy).unwrap();
    let path = copy.to_str().unwrap();
    let rows = json(&["inspect", "index", path, "-o", "json"])[0]["rows"].clone();
    let block = rows[1]["block_position"].as_u64().unwrap();
    flip(&copy, block + 99);
    let output = run(&["inspect", "index", path, "-o", "json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (damage, summary) = (&shown[0]["damage"], &shown[0]["summary"]);
    assert_eq!((damage.as_array().unwrap().len(), output.status.code()), (1, Some(1)), "{damage}");
    assert_eq!((&damage[0]["position"], &summary["first_damage"]), (&block.into(), &block.into()));
    assert_eq!(
        (&shown[0]["rows"][0]["state"], &shown[0]["rows"][1]["state"]),
        (&"ok".into(), &"damaged".into())
    );
    // A directory that fails its checksum still leads to blocks that do not.
    flip(&copy, block + 99);
    flip(&copy, 128 + 12);
    let output = run(&["inspect", "index", path]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("block_table      damaged") && text.contains("DAMAGED"), "{text}");
    assert_eq!(output.status.code(), Some(1), "{text}");
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let shift = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        (0..8).fold(crc ^ u32::from(*byte), shift)
    };
    !bytes.iter().fold(!0, step)
}
