//! Sources: every module tells its story, and nothing reaches past its border.

use super::{SourceFile, assert_complains, assert_tidy, files};
use pyralog_tests::flights::repository;
use std::fs;

const LINES_MAX: usize = 700;
/// Names of files where anything goes, and so everything ends up.
const GRAB_BAGS: [&str; 7] =
    ["utils.rs", "util.rs", "common.rs", "helpers.rs", "types.rs", "manager.rs", "mod.rs"];
/// Marks of work that is not done. In two halves, or this file would be one.
const UNFINISHED: [(&str, &str); 4] =
    [("#[ign", "ore"), ("todo", "!("), ("unimplemen", "ted!("), ("dbg", "!(")];
/// Paths of one machine.
const MACHINE_PATHS: [(&str, &str); 3] = [("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/")];

/// A call that only one place may make.
struct Border {
    call: &'static str,
    homes: &'static [&'static str],
    instead: &'static str,
}

const BORDERS: [Border; 7] = [
    Border {
        call: "SystemTime::now",
        homes: &["storage/env/src/real/clock.rs"],
        instead: "pyralog_env::Clock",
    },
    Border {
        call: "std::time::Instant::now",
        homes: &["storage/env/src/real/clock.rs"],
        instead: "pyralog_env::Clock",
    },
    Border {
        call: "thread::spawn(",
        homes: &["actors/store/src/thread.rs"],
        instead: "an actor, or the threads of actors/store",
    },
    Border {
        call: "thread::Builder",
        homes: &["actors/store/src/thread.rs"],
        instead: "an actor, or the threads of actors/store",
    },
    Border { call: "println!(", homes: &["bin/"], instead: "text that is returned, or tracing" },
    Border {
        call: "use ractor",
        homes: &["supervisors/", "actors/", "bin/"],
        instead: "plain calls: storage knows no actors",
    },
    Border {
        call: "use anyhow",
        homes: &["bin/", "tests/", "examples/"],
        instead: "an error of the crate's own",
    },
];

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// What stands before the unit tests of a file.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

fn borders(file: &SourceFile) -> Vec<String> {
    if is_test(&file.path) || file.path.starts_with("examples/") {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    let code = without_tests(&file.text);
    for (number, line) in (1..).zip(code.lines()) {
        let line = line.split("//").next().unwrap_or(line);
        for border in &BORDERS {
            let at_home = border.homes.iter().any(|home| file.path.starts_with(home));
            if line.contains(border.call) && !at_home {
                complaints.push(format!(
                    "{}:{number}: {} belongs to {:?}; use {}",
                    file.path, border.call, border.homes, border.instead
                ));
            }
        }
        // tokio's own clock is the runtime's, and tests can pause it.
        let own_clock =
            line.contains("Instant::now") && !line.contains("tokio::time::Instant::now");
        if own_clock
            && code.contains("use std::time::")
            && imports_std_instant(code)
            && !file.path.starts_with("storage/env/src/real")
        {
            complaints.push(format!("{}:{number}: Instant::now of std belongs to storage/env/src/real; use pyralog_env::Clock", file.path));
        }
    }
    complaints
}

fn imports_std_instant(code: &str) -> bool {
    code.lines()
        .any(|line| line.trim_start().starts_with("use std::time::") && line.contains("Instant"))
}

fn story(file: &SourceFile) -> Option<String> {
    let tells =
        file.text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 12);
    (!tells).then(|| format!("{}: the file does not open with its story (`//! …`)", file.path))
}

fn length(file: &SourceFile) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > LINES_MAX).then(|| format!("{}: {lines} lines, more than {LINES_MAX}", file.path))
}

fn name(file: &SourceFile) -> Option<String> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    GRAB_BAGS
        .contains(&name)
        .then(|| format!("{}: a grab-bag; name it after what it is", file.path))
}

fn marks(file: &SourceFile, marks: &[(&str, &str)], what: &str) -> Vec<String> {
    let marks: Vec<String> = marks.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let found = |(number, line): (usize, &str)| {
        let mark = marks.iter().find(|mark| line.contains(mark.as_str()))?;
        Some(format!("{}:{number}: {mark} is {what}", file.path))
    };
    (1..).zip(file.text.lines()).filter_map(found).collect()
}

fn complaints(files: &[SourceFile]) -> Vec<String> {
    let each = files.iter().flat_map(|file| {
        let single = [story(file), length(file), name(file)].into_iter().flatten();
        let unfinished = marks(file, &UNFINISHED, "work that is not done");
        single.chain(borders(file)).chain(unfinished).chain(machine_paths(file)).collect::<Vec<_>>()
    });
    each.collect()
}

fn machine_paths(file: &SourceFile) -> Vec<String> {
    marks(file, &MACHINE_PATHS, "a path of one machine")
}

#[test]
fn sources_are_tidy() {
    assert_tidy(complaints(&files(".rs")));
}

#[test]
fn documents_and_settings_name_no_machine() {
    let mut all = files(".toml");
    all.extend([".sh", ".py", ".md"].iter().flat_map(|ending| files_or_none(ending)));
    for name in super::tree::ROOT_TEXTS {
        if let Ok(text) = fs::read_to_string(repository().join(name)) {
            all.push(SourceFile::new(name, &text));
        }
    }
    assert_tidy(all.iter().flat_map(machine_paths).collect());
}

fn files_or_none(ending: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    for folder in super::tree::CODE_FOLDERS.iter().chain(&["docs", ".ci"]) {
        let folder = repository().join(folder);
        if folder.is_dir() {
            super::collect(&folder, ending, &mut found);
        }
    }
    found
}

#[test]
fn clippy_holds_the_same_borders() {
    let text = fs::read_to_string(repository().join("clippy.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let listed: Vec<toml::Value> = ["disallowed-methods", "disallowed-macros"]
        .iter()
        .flat_map(|key| table[*key].as_array().cloned().unwrap_or_default())
        .collect();
    let wanted = [
        "std::time::Instant::now",
        "std::time::SystemTime::now",
        "std::thread::spawn",
        "std::thread::Builder::spawn",
        "rand::rng",
        "std::println",
        "std::eprintln",
        "std::print",
    ];
    for path in wanted {
        let entry = listed.iter().find(|entry| entry["path"].as_str() == Some(path));
        let entry = entry.unwrap_or_else(|| panic!("clippy.toml does not forbid {path}"));
        let reason = entry["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(": "), "{path}: a reason and what to use instead, not {reason:?}");
    }
    let workspace = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    assert!(
        workspace.contains("disallowed_methods = \"deny\"")
            && workspace.contains("disallowed_macros = \"deny\"")
    );
}

#[test]
fn planted_sources_are_noticed() {
    #[track_caller]
    fn check(path: &str, text: &str, about: &str) {
        assert_complains(&complaints(&[SourceFile::new(path, text)]), about);
    }
    let story = "//! A story that is told.\n";
    check("storage/log/src/a.rs", "use std::io;\n", "does not open with its story");
    check("storage/log/src/a.rs", &format!("{story}{}", "\n".repeat(701)), "702 lines");
    check("storage/log/src/utils.rs", story, "a grab-bag");
    check("storage/log/src/wal/mod.rs", story, "a grab-bag");
    for (a, b) in UNFINISHED {
        check("storage/log/src/a.rs", &format!("{story}{a}{b}"), "a.rs:2: ");
    }
    for (a, b) in MACHINE_PATHS {
        check("storage/log/src/a.rs", &format!("{story}// see {a}{b}x"), "a path of one machine");
    }
    let calls = [
        "let now = SystemTime::now();",
        "let now = std::time::Instant::now();",
        "std::thread::spawn(move || {});",
        "std::thread::Builder::new();",
        "println!(\"{x}\");",
        "eprintln!(\"{x}\");",
        "use ractor::Actor;",
        "use anyhow::Result;",
    ];
    for call in calls {
        check("storage/log/src/a.rs", &format!("{story}{call}\n"), "a.rs:2: ");
    }
    check(
        "actors/kafka/src/a.rs",
        &format!("{story}use std::time::Instant;\nlet now = Instant::now();"),
        "a.rs:3: Instant::now",
    );
}

#[test]
fn what_is_allowed_is_not_complained_about() {
    #[track_caller]
    fn check(path: &str, text: &str) {
        assert_tidy(complaints(&[SourceFile::new(
            path,
            &format!("//! A story that is told.\n{text}\n"),
        )]));
    }
    check("storage/env/src/real/clock.rs", "use std::time::Instant;\nlet now = Instant::now();");
    check("actors/store/src/thread.rs", "std::thread::Builder::new();");
    check("actors/kafka/src/a.rs", "use tokio::time::Instant;\nlet now = Instant::now();");
    check("actors/kafka/src/a.rs", "// println!(\"in a comment\")");
    check("actors/kafka/src/a.rs", "#[cfg(test)]\nmod tests {\n    println!();\n}");
    check("bin/pyralog/src/a.rs", "use anyhow::Result;\nprintln!();");
}
