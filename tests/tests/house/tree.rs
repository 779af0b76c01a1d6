//! The top level is fixed, and what the documents point at exists.

use super::{assert_complains, assert_tidy};
use pyralog_tests::flights::repository;
use std::fs;
use std::path::Path;

/// Folders with code.
pub const CODE_FOLDERS: [&str; 6] =
    ["actors", "bin", "examples", "storage", "supervisors", "tests"];
/// Texts beside them.
pub const ROOT_TEXTS: [&str; 8] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.toml",
    "README.md",
    "clippy.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
    ".ci/run",
];
const OTHERS: [&str; 5] = [".ci", ".gitignore", "Cargo.lock", "LICENSE", "docs"];

/// What may lie there without being committed: git's own, and what it ignores.
fn untracked() -> Vec<String> {
    let ignored = fs::read_to_string(repository().join(".gitignore")).unwrap();
    let ignored = ignored.lines().map(|line| line.trim_matches('/').to_owned());
    ignored.filter(|name| !name.is_empty()).chain([".git".to_owned()]).collect()
}

fn top_level(names: &[String], untracked: &[String]) -> Vec<String> {
    let texts = ROOT_TEXTS.iter().filter(|name| !name.contains('/'));
    let wanted: Vec<&str> = CODE_FOLDERS.iter().chain(texts).chain(&OTHERS).copied().collect();
    let missing = wanted.iter().filter(|name| !names.iter().any(|found| found == *name));
    let surplus =
        names.iter().filter(|name| !wanted.contains(&name.as_str()) && !untracked.contains(name));
    let missing = missing.map(|name| format!("{name} is missing from the top level"));
    missing.chain(surplus.map(|name| format!("{name} does not belong on the top level"))).collect()
}

/// Links to files, of the form `](path)` or `](path#part)`.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.map(|target| target.split('#').next().unwrap_or(target)).collect()
}

fn dead_links(document: &str, text: &str, root: &Path) -> Vec<String> {
    let folder = root.join(document).parent().map(Path::to_owned).unwrap_or_default();
    let dead = links(text).into_iter().filter(|target| !folder.join(target).exists());
    dead.map(|target| format!("{document}: {target} is not there")).collect()
}

#[test]
fn the_top_level_is_as_it_was_fixed() {
    let entries = fs::read_dir(repository()).unwrap();
    let names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_tidy(top_level(&names, &untracked()));
}

#[test]
fn links_lead_somewhere() {
    let mut documents =
        vec!["README.md".to_owned(), "ARCHITECTURE.md".to_owned(), "CHANGELOG.md".to_owned()];
    for entry in fs::read_dir(repository().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            documents.push(format!("docs/{name}"));
        }
    }
    let complaints = documents.iter().flat_map(|document| {
        let text = fs::read_to_string(repository().join(document))
            .unwrap_or_else(|error| panic!("{document}: {error}"));
        dead_links(document, &text, &repository())
    });
    assert_tidy(complaints.collect());
}

#[test]
fn every_example_is_run_by_a_test() {
    let runner = fs::read_to_string(repository().join("tests/tests/examples.rs")).unwrap();
    for entry in fs::read_dir(repository().join("examples")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let is_example = name.ends_with(".sh") || name.ends_with(".py");
        assert!(!is_example || runner.contains(&name), "no test runs examples/{name}");
    }
}

#[test]
fn planted_trees_and_links_are_noticed() {
    let names = ["storage", "scratch"].map(str::to_owned);
    assert_complains(&top_level(&names, &[]), "scratch does not belong");
    assert_complains(&top_level(&names, &[]), "README.md is missing");
    let text = "see [a](docs/nowhere.md#part), [b](https://example.org) and [c](#here)";
    let dead = dead_links("README.md", text, &repository());
    assert_eq!(dead, ["README.md: docs/nowhere.md is not there"]);
}
