//! Data directories on the real disk: founded, reopened, refused.

use super::*;
use pyralog_env::{RealDisk, RealEntropy};

fn open(path: &Path, wanted: &Wanted) -> Result<DataDirectory, DataDirectoryError> {
    DataDirectory::open(Arc::new(RealDisk), path, wanted, &RealEntropy)
}

#[test]
fn identity_is_founded_once_and_boots_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/data");
    let wanted = Wanted { name: Some("pyramid-1".into()), cluster: None };
    let mut first = open(&path, &wanted).unwrap();
    assert!(first.was_clean());
    assert_eq!((first.boot(), first.node().number), (Boot(1), None));
    first.record_number(NodeNumber(7)).unwrap();
    let (cluster, store) = (first.node().cluster, first.store());
    drop(first);

    // Dropped without the mark: a crash.
    let mut second = open(&path, &Wanted::default()).unwrap();
    assert!(!second.was_clean());
    assert_eq!((second.node().cluster, second.store()), (cluster, store));
    assert_eq!((second.boot(), second.node().number), (Boot(2), Some(NodeNumber(7))));
    assert_eq!(second.node().name, "pyramid-1");
    second.mark_clean().unwrap();
    drop(second);
    assert!(open(&path, &wanted).unwrap().was_clean());
}

#[test]
fn a_directory_has_one_user_one_name_and_one_cluster() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let held = open(path, &Wanted { name: Some("a".into()), cluster: None }).unwrap();
    let refused = open(path, &Wanted::default()).unwrap_err();
    assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
    drop(held);
    let other = open(path, &Wanted { name: Some("b".into()), cluster: None }).unwrap_err();
    assert!(matches!(other, DataDirectoryError::OtherNode { .. }), "{other}");
    let other = open(path, &Wanted { name: None, cluster: Some(ClusterId(1)) }).unwrap_err();
    assert!(matches!(other, DataDirectoryError::OtherCluster { .. }), "{other}");
}

#[test]
fn a_file_in_its_place_and_a_user_who_may_not_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let refused = open(&path, &Wanted::default()).unwrap_err().to_string();
        assert!(refused.contains("is not a directory"), "{refused}");
    }
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let refused = DataDirectoryError::io("open", &file)(denied).to_string();
    assert!(refused.contains("permission denied") && refused.contains("chown"), "{refused}");
}

#[test]
fn a_newer_format_is_refused_and_a_damaged_file_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("node.toml"), "format_version = 2\nsomething = 'new'\n")
        .unwrap();
    let refused = open(dir.path(), &Wanted::default()).unwrap_err();
    assert!(matches!(refused, DataDirectoryError::TooNew { found: 2, known: 1, .. }), "{refused}");
    std::fs::write(dir.path().join("node.toml"), "format_version = 1\nboot = 3\n").unwrap();
    let refused = open(dir.path(), &Wanted::default()).unwrap_err();
    assert!(matches!(refused, DataDirectoryError::Damaged { .. }), "{refused}");
    assert_eq!(
        std::fs::read_to_string(dir.path().join("node.toml")).unwrap(),
        "format_version = 1\nboot = 3\n"
    );
}

#[test]
fn what_a_dead_dev_node_left_is_removed_and_a_living_one_is_not() {
    let parent = tempfile::tempdir().unwrap();
    let create = || TemporaryDirectory::create(&RealDisk, parent.path(), &RealEntropy).unwrap();
    let (dead, living) = (create(), create());
    drop(open(dead.path(), &Wanted::default()).unwrap());
    let held = open(living.path(), &Wanted::default()).unwrap();
    let next = create();
    assert!(!dead.path().exists());
    assert!(living.path().exists() && next.path().exists());
    drop(held);
    living.remove(&RealDisk).unwrap();
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 1);
}
