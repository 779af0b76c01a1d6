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
    let wanted = Wanted { name: Some("pyramid-1".into()), cluster: None, founds: true };
    let mut first = open(&path, &wanted).unwrap();
    assert!(first.was_clean());
    assert_eq!((first.boot(), first.node().number), (Boot(1), None));
    let (cluster, store) = (first.node().cluster, first.store());
    first.record_membership(cluster.unwrap(), NodeNumber(7), StartToken(5)).unwrap();
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
    let held = open(path, &Wanted { name: Some("a".into()), cluster: None, founds: true }).unwrap();
    let refused = open(path, &Wanted::default()).unwrap_err();
    assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
    drop(held);
    let other =
        open(path, &Wanted { name: Some("b".into()), cluster: None, founds: true }).unwrap_err();
    assert!(matches!(other, DataDirectoryError::OtherNode { .. }), "{other}");
    let other =
        open(path, &Wanted { name: None, cluster: Some(ClusterId(1)), founds: true }).unwrap_err();
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
    std::fs::write(dir.path().join("node.toml"), "format_version = 4\nsomething = 'new'\n")
        .unwrap();
    let refused = open(dir.path(), &Wanted::default()).unwrap_err();
    assert!(matches!(refused, DataDirectoryError::TooNew { found: 4, known: 3, .. }), "{refused}");
    std::fs::write(dir.path().join("node.toml"), "format_version = 1\nboot = 3\n").unwrap();
    let refused = open(dir.path(), &Wanted::default()).unwrap_err();
    assert!(matches!(refused, DataDirectoryError::Damaged { .. }), "{refused}");
    assert_eq!(
        std::fs::read_to_string(dir.path().join("node.toml")).unwrap(),
        "format_version = 1\nboot = 3\n"
    );
}

#[test]
fn a_directory_of_version_1_is_read_and_becomes_version_3() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("node.toml");
    let id = "00000000000000000000000000000abc";
    let old = format!(
        "format_version = 1\ncluster_id = \"{id}\"\nname = \"n\"\nnumber = 4\nstore_id = \"{id}\"\nboot = 9\nclean = true\n"
    );
    std::fs::write(&file, old).unwrap();
    let opened = open(dir.path(), &Wanted::default()).unwrap();
    assert_eq!((opened.node().cluster, opened.boot()), (Some(ClusterId(0xabc)), Boot(10)));
    assert!(std::fs::read_to_string(&file).unwrap().contains("format_version = 3"));
}

#[test]
fn one_that_founds_no_cluster_joins_one_and_stays_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let wanted = Wanted { name: Some("p".into()), cluster: None, founds: false };
    let mut first = open(dir.path(), &wanted).unwrap();
    assert_eq!(first.node().cluster, None);
    first.add_start_token(StartToken(1)).unwrap();
    first.add_start_token(StartToken(2)).unwrap();
    drop(first);
    let mut second = open(dir.path(), &wanted).unwrap();
    assert_eq!(second.node().start_tokens, [StartToken(1), StartToken(2)]);
    second.record_membership(ClusterId(9), NodeNumber(2), StartToken(2)).unwrap();
    let other = second.record_membership(ClusterId(8), NodeNumber(2), StartToken(3)).unwrap_err();
    assert!(matches!(other, DataDirectoryError::OtherCluster { .. }), "{other}");
    drop(second);
    let third = open(dir.path(), &wanted).unwrap();
    assert_eq!(
        (third.node().cluster, third.node().number),
        (Some(ClusterId(9)), Some(NodeNumber(2)))
    );
    assert_eq!(third.node().start_tokens, [StartToken(2)]);
}

#[test]
fn tokens_that_were_never_answered_neither_pile_up_nor_get_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut data = open(dir.path(), &Wanted { founds: true, ..Wanted::default() }).unwrap();
    let cluster = data.node().cluster.unwrap();
    data.record_membership(cluster, NodeNumber(1), StartToken(100)).unwrap();
    for token in 0..40 {
        // None is dropped: the cluster may have taken any of them.
        let sent = data.add_start_token(StartToken(token)).unwrap();
        assert_eq!(sent, StartToken(token.min(14)));
    }
    let tokens = &data.node().start_tokens;
    assert_eq!((tokens.len(), tokens[0], tokens[15]), (16, StartToken(100), StartToken(14)));
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
