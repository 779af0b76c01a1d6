//! Levels: a crate names only crates below it, and ractor only from level 2 up.

use super::{SourceFile, assert_complains, assert_tidy, files};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Those of one level do not name each other, but for these.
const SIBLINGS_ALLOWED: [(&str, &str); 1] = [("pyralog-log", "pyralog-index")];
/// `supervisors/behaviour` is the lowest that knows actors.
const ACTORS_FROM_LEVEL: i64 = 2;
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

struct Manifest {
    path: String,
    name: String,
    level: Option<i64>,
    /// Names of packages, ours and others.
    dependencies: Vec<String>,
}

fn parse(file: &SourceFile) -> Manifest {
    let table: Table = file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let package = &table["package"];
    let level = package
        .get("metadata")
        .and_then(|metadata| metadata.get("pyralog")?.get("level")?.as_integer());
    let named =
        |section: &&str| table.get(*section).and_then(Value::as_table).cloned().unwrap_or_default();
    let dependencies =
        DEPENDENCIES.iter().flat_map(|section| named(section).into_iter().map(|(key, _)| key));
    Manifest {
        path: file.path.clone(),
        name: package["name"].as_str().unwrap_or_default().to_owned(),
        level,
        dependencies: dependencies.collect(),
    }
}

fn complaints(files: &[SourceFile]) -> Vec<String> {
    let manifests: Vec<Manifest> = files.iter().map(parse).collect();
    let levels: BTreeMap<&str, i64> = manifests
        .iter()
        .filter_map(|manifest| Some((manifest.name.as_str(), manifest.level?)))
        .collect();
    let mut complaints = Vec::new();
    for manifest in &manifests {
        let (path, name) = (&manifest.path, manifest.name.as_str());
        let expected = expected_name(path);
        if name != expected {
            complaints.push(format!("{path}: the package is {name}, its folder says {expected}"));
        }
        let Some(level) = manifest.level else {
            complaints.push(format!("{path}: no level in [package.metadata.pyralog]"));
            continue;
        };
        for dependency in &manifest.dependencies {
            let sibling = SIBLINGS_ALLOWED.contains(&(name, dependency));
            match levels.get(dependency.as_str()) {
                Some(below) if *below >= level && !sibling => {
                    complaints
                        .push(format!("{path}: level {level} names {dependency} on level {below}"));
                }
                None if dependency.starts_with("pyralog") => {
                    complaints.push(format!("{path}: {dependency} has no level"));
                }
                None if dependency.starts_with("ractor")
                    && (level < ACTORS_FROM_LEVEL || path.starts_with("storage/")) =>
                {
                    complaints
                        .push(format!("{path}: {dependency} below level {ACTORS_FROM_LEVEL}"));
                }
                _ => {}
            }
        }
    }
    complaints
}

/// `storage/log/Cargo.toml` is of `pyralog-log`.
fn expected_name(path: &str) -> String {
    let folder = path.trim_end_matches("/Cargo.toml");
    match folder.rsplit('/').next() {
        Some("pyralog") => "pyralog".to_owned(),
        Some(last) => format!("pyralog-{last}"),
        None => String::new(),
    }
}

#[test]
fn crates_stand_on_their_levels() {
    assert_tidy(complaints(&files("Cargo.toml")));
}

#[test]
fn planted_manifests_are_noticed() {
    let manifest = |path: &str, name: &str, level: &str, rest: &str| {
        SourceFile::new(
            path,
            &format!("[package]\nname = \"{name}\"\n[package.metadata.pyralog]\n{level}\n{rest}"),
        )
    };
    let planted = [
        manifest(
            "storage/model/Cargo.toml",
            "pyralog-model",
            "level = 0",
            "[dependencies]\npyralog-log.workspace = true",
        ),
        manifest(
            "storage/log/Cargo.toml",
            "pyralog-log",
            "level = 1",
            "[dev-dependencies]\npyralog-meta.workspace = true",
        ),
        manifest(
            "storage/meta/Cargo.toml",
            "pyralog-meta",
            "level = 1",
            "[dependencies]\nractor = \"0\"",
        ),
        manifest("storage/counter/Cargo.toml", "pyralog-clock", "level = 1", ""),
        manifest("storage/index/Cargo.toml", "pyralog-index", "", ""),
        manifest(
            "storage/tier/Cargo.toml",
            "pyralog-tier",
            "level = 1",
            "[build-dependencies]\npyralog-nobody = \"1\"",
        ),
    ];
    let complaints = complaints(&planted);
    assert_complains(&complaints, "level 0 names pyralog-log on level 1");
    assert_complains(&complaints, "level 1 names pyralog-meta on level 1");
    assert_complains(&complaints, "storage/meta/Cargo.toml: ractor below level 2");
    assert_complains(&complaints, "the package is pyralog-clock, its folder says pyralog-counter");
    assert_complains(&complaints, "storage/index/Cargo.toml: no level");
    assert_complains(&complaints, "pyralog-nobody has no level");
    assert_eq!(complaints.len(), 6, "{complaints:?}");
}

#[test]
fn the_log_may_name_the_index() {
    let manifest = |name: &str, rest: &str| {
        let text = format!(
            "[package]\nname = \"pyralog-{name}\"\n[package.metadata.pyralog]\nlevel = 1\n{rest}"
        );
        SourceFile::new(&format!("storage/{name}/Cargo.toml"), &text)
    };
    let allowed = [manifest("log", "[dependencies]\npyralog-index = {}"), manifest("index", "")];
    assert_tidy(complaints(&allowed));
}
