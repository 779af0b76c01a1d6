//! Names are checked at every door, and never become paths.

use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::Plan;
use pyralog_tests::{binary, http};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Names that nobody may give a log.
fn hostile() -> Vec<String> {
    let fixed = ["../x", "..", ".", "", "a/b", "/etc/x", "a\0b", "ä", "__mine", "a b", "..\\x"];
    fixed.into_iter().map(str::to_owned).chain(["a".repeat(250), "../".repeat(80)]).collect()
}

/// Every path below a folder but the data directory.
fn outside(folder: &Path, data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path != data).collect();
    let below: Vec<PathBuf> =
        found.iter().filter(|path| path.is_dir()).flat_map(|path| outside(path, data)).collect();
    found.extend(below);
    found.sort();
    found
}

/// Every file name in the data directory.
fn names_inside(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| {
            let below =
                if entry.path().is_dir() { names_inside(&entry.path()) } else { Vec::new() };
            below.into_iter().chain([entry.file_name().to_string_lossy().into_owned()])
        })
        .collect()
}

#[test]
fn hostile_names_are_typed_errors_at_every_door() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep/down/data");
    fs::create_dir_all(data.parent().unwrap()).unwrap();
    let plan = Plan::new(&data, folder.path());
    let node = plan.start().unwrap();
    let before = outside(folder.path(), &data);
    let mut client = Client::dial(plan.kafka()).unwrap();
    for name in hostile() {
        assert_eq!(client.create(&name, 1).unwrap(), code::INVALID_TOPIC, "{name:?}");
        // A name of the system's own could be; it is just not made by asking.
        let refusal = if name.starts_with("__") {
            code::UNKNOWN_TOPIC_OR_PARTITION
        } else {
            code::INVALID_TOPIC
        };
        assert_eq!(client.metadata(&name, true).unwrap(), (refusal, 0), "{name:?}");
        let produced = client.produce(&name, 0, Vec::new()).unwrap();
        assert_ne!(produced.code, code::NONE, "{name:?}");

        let response = http::post(plan.http(), "/v1/logs", &json!({ "name": name })).unwrap();
        assert_eq!(response.status, 400, "{name:?}: {}", response.body);
        assert_eq!(response.json().unwrap()["error"]["code"], "log-name-invalid", "{name:?}");
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for (method, path) in
            [("GET", format!("/v1/logs/{escaped}")), ("DELETE", format!("/v1/logs/{escaped}"))]
        {
            let response = http::request(plan.http(), method, &path, None).unwrap();
            let is_list = name.is_empty() && method == "GET";
            assert!(
                is_list || (400..500).contains(&response.status),
                "{method} {name:?}: {}",
                response.status
            );
            assert!(
                is_list || response.json().unwrap()["error"]["code"].is_string(),
                "{method} {name:?}"
            );
        }

        // No argument of a process can hold a NUL.
        if !name.contains('\0') {
            let flags = ["log", "create"].map(str::to_owned).into_iter().chain(plan.server());
            let finished = binary::run(flags.chain(["--".to_owned(), name.clone()]));
            assert_eq!(finished.code, 1, "{name:?}: {}", finished.stderr);
            assert!(finished.stderr.contains("log-name-invalid"), "{name:?}: {}", finished.stderr);
        }
    }
    // A name of the greatest length is good, and still no file is called so.
    let long = "a".repeat(249);
    assert_eq!(client.create(&long, 1).unwrap(), code::NONE);
    assert_eq!(client.create(&long, 1).unwrap(), code::TOPIC_ALREADY_EXISTS);
    assert_eq!(outside(folder.path(), &data), before);
    let suspicious =
        |name: &String| name.len() > 60 || name.contains("..") || name == "x" || name == "b";
    assert_eq!(names_inside(&data).into_iter().find(suspicious), None);
    node.stop().unwrap();
}
