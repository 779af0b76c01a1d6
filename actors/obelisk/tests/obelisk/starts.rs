//! Starts are registered, the Obelisk's own first; copies are refused.

use crate::world::{World, node_start};
use pyralog_directory::Roles;
use pyralog_env::Disk;
use pyralog_model::{CounterMode, ErrorCode, Incarnation, NodeNumber, StartToken};
use pyralog_pharaoh::Request;
use pyralog_store::{HealthLatch, Keeper};
use std::path::Path;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn an_obelisk_founds_its_cluster_and_registers_itself() {
    let mut world = World::new(1);
    let running = world.start().await;
    let own = running.own();
    assert_eq!(
        (own.cluster, own.node, own.incarnation),
        (world.cluster, NodeNumber(1), Incarnation(1))
    );
    let directory = running.directory();
    assert_eq!(directory.node(own.node).unwrap().roles, world.start.roles);
    // An actor that is started again is no other start of the node.
    running.tree.kill("pyralog/obelisk/directory").await.unwrap();
    running.session().await;
    assert_eq!(running.own().incarnation, Incarnation(1));
    running.stop().await;
    let running = world.start().await;
    assert_eq!(running.own().incarnation, Incarnation(2));
    // Nor is a process that was killed before it had kept that it was accepted.
    world.kill(running);
    let running = world.restart().await.unwrap();
    assert_eq!(running.own().incarnation, Incarnation(2));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_of_others_are_counted_and_copies_refused() {
    let mut world = World::new(2);
    let running = world.start().await;
    let first = running.node(node_start("p1", 11, &[], 100)).await;
    assert_eq!(first, (NodeNumber(2), Incarnation(2)));
    let index = running.directory().last_index();
    assert_eq!(running.node(node_start("p1", 11, &[], 100)).await, first, "asked again");
    assert_eq!(running.directory().last_index(), index, "which is not written down again");
    assert_eq!(running.node(node_start("p1", 11, &[100], 101)).await.1, Incarnation(3));
    let copy = running.ask(Request::Start(node_start("p1", 11, &[100], 102))).await;
    running.refused(copy, ErrorCode::NodeCopied);
    let namesake = running.ask(Request::Start(node_start("p1", 12, &[], 103))).await;
    running.refused(namesake, ErrorCode::NodeNameTaken);
    let own_name = running.ask(Request::Start(node_start("o1", 13, &[], 104))).await;
    running.refused(own_name, ErrorCode::NodeNameTaken);
    running.stop().await;
    let running = world.start().await;
    let copy = running.ask(Request::Start(node_start("p1", 11, &[100], 102))).await;
    running.refused(copy, ErrorCode::NodeCopied);
    assert_eq!(running.node(node_start("p1", 11, &[101], 105)).await.1, Incarnation(5));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_obelisk_with_old_tokens_is_told_why_it_does_not_start() {
    let mut world = World::new(3);
    world.start().await.stop().await;
    world.start.presented = vec![StartToken(77)];
    world.start.next = StartToken(78);
    let refused = world.restart().await.err().expect("it does not start");
    assert!(
        refused.starts_with("node-copied: node 'o1' was started from another copy"),
        "{refused}"
    );
    world.start.next = StartToken(1);
    world.cluster.0 += 1;
    let other_cluster = world.restart().await.err().expect("it does not start");
    assert!(other_cluster.contains("two data directories"), "{other_cluster}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arena_that_was_lost_is_not_made_again() {
    let mut world = World::new(4);
    let running = world.start().await;
    running.session().await;
    running.stop().await;
    world.disk.remove_file(Path::new("/data/obelisk/arena")).unwrap();
    let refused = world.restart().await.err().expect("it does not start");
    assert!(refused.contains("repeat values"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_was_lost_is_not_founded_anew() {
    let file = Path::new("/data/obelisk/directory.redb");
    for remains in ["arena", "lane"] {
        let mut world = World::new(6);
        let running = world.start().await;
        running.session().await;
        // The keeper of ids is the last that starts.
        running.ids(1).await;
        running.stop().await;
        world.disk.remove_file(file).unwrap();
        for lost in ["arena", "lane"].into_iter().filter(|lost| *lost != remains) {
            world.disk.remove_file(&file.with_file_name(lost)).unwrap();
        }
        for _ in 0..2 {
            let refused = world.restart().await.err().expect("it does not start");
            assert!(refused.contains("put back the newest copy"), "{remains}: {refused}");
        }
    }
}

/// Killed in its very first moments, again and again: nothing was lost by that.
#[tokio::test(flavor = "multi_thread")]
async fn an_arena_alone_is_no_trace_of_a_directory() {
    let mut world = World::new(7);
    for seed in 0..40 {
        world.disk.arm_crash_at(1 + 7 * seed);
        if let Ok(running) = world.restart().await {
            running.tree.root().kill();
        }
        world.disk.crash(seed);
    }
    let running = world.start().await;
    assert_eq!(running.session().await, 1);
    running.stop().await;
}

/// As the first release left it: one node of both roles, a log, no arena.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_the_first_release_is_taken_over() {
    let mut world = World::new(5);
    world.start.name.0 = "n1".to_owned();
    world.start.store.0 = 7;
    world.cluster.0 = 0xabc;
    world.start.roles = Roles::BOTH;
    let folder = Path::new("/data/obelisk");
    world.disk.create_dir_all(folder).unwrap();
    {
        let disk: Arc<dyn Disk> = Arc::new(world.disk.clone());
        let file = folder.join("directory.redb");
        let (keeper, _) = Keeper::start(disk, &file, HealthLatch::default()).unwrap();
        let commands: [&[u8]; 3] = [
            &[1, 0, 0xbc, 0x15],
            &[1, 1, 2, b'n', b'1', 7, 0],
            &[1, 2, 1, b'a', 2, 1, 0x80, 0x94, 0xeb, 0xdc, 3, 0x8c, 0x80, 0x40, 0, 0],
        ];
        for (index, command) in (1..).zip(commands) {
            keeper.append(index, command.to_vec()).await.unwrap();
        }
    }
    let running = world.start().await;
    assert_eq!(running.own().node, NodeNumber(1));
    assert_eq!(running.own().incarnation, Incarnation(1));
    assert_eq!(running.directory().logs().count(), 1);
    assert_eq!(running.session().await, 1);
    let counter = running.counter("a", CounterMode::Exact).await;
    assert_eq!(running.claim(counter, 3).await, 1);
    running.stop().await;
    let running = world.start().await;
    assert_eq!(running.claim(counter, 1).await, 4);
    running.stop().await;
}
