//! The house is kept tidy by a test: levels, borders, stories, names.
//!
//! Each rule is a function from a file's path and text to complaints. It runs
//! over the repository, and over planted violations: a rule that has never
//! complained proves nothing.

mod manifests;
mod sources;
mod tree;

use pyralog_tests::flights::repository;
use std::fs;
use std::path::Path;

/// A file, its path from the root of the repository.
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

impl SourceFile {
    pub fn new(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }
}

/// Every file with this ending, in the folders that are the workspace.
pub fn files(ending: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    for folder in tree::CODE_FOLDERS {
        collect(&repository().join(folder), ending, &mut found);
    }
    assert!(!found.is_empty());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<SourceFile>) {
    for entry in
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path.strip_prefix(repository()).unwrap().to_string_lossy().into_owned();
            found.push(SourceFile { path, text });
        }
    }
}

/// Fails with every complaint at once.
#[track_caller]
pub fn assert_tidy(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// A rule must complain about what was planted, and name the place.
#[track_caller]
pub fn assert_complains(complaints: &[String], about: &str) {
    assert!(
        complaints.iter().any(|complaint| complaint.contains(about)),
        "no complaint about {about}: {complaints:?}"
    );
}
