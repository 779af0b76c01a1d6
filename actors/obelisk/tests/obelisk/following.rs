//! The directory is changed, and followed.

use crate::world::{Running, World, node_start};
use pyralog_directory::{Command, Directory, Roles};
use pyralog_model::{
    ClusterId, CounterMode, ErrorCode, Incarnation, LogNumber, LogSettings, LogicalClock,
    NodeNumber, StoreId,
};
use pyralog_pharaoh::{Answer, Ask, Made, Request};

fn create_log(name: &str) -> Command {
    let settings = LogSettings::default();
    let name = name.parse().unwrap();
    Command::CreateLog { name, partitions: 2, replication_factor: 1, settings, internal: false }
}

fn changes(after: u64, wait_ms: u32) -> Request {
    Request::Changes { after, wait_ms }
}

async fn propose(running: &Running, command: Command) -> (u64, Made) {
    match running.ask(Request::Propose(command)).await {
        Ok(Answer::Done { index, made }) => (index, made),
        other => panic!("{other:?}"),
    }
}

/// Follows until nothing new comes, as a copy does.
async fn follow(running: &Running, mut copy: Directory) -> Directory {
    loop {
        match running.ask(changes(copy.last_index(), 0)).await.unwrap() {
            Answer::Commands(commands) if commands.is_empty() => return copy,
            Answer::Commands(commands) => {
                for command in commands {
                    copy.apply(copy.last_index() + 1, &command).unwrap();
                }
            }
            Answer::SnapshotIs { index, bytes } => {
                let mut snapshot = Vec::new();
                loop {
                    let from = snapshot.len() as u64;
                    match running.ask(Request::Snapshot { index, from }).await.unwrap() {
                        Answer::Piece(piece) if piece.is_empty() => break,
                        Answer::Piece(piece) => snapshot.extend(piece),
                        other => panic!("{other:?}"),
                    }
                }
                assert_eq!(snapshot.len() as u64, bytes);
                copy = Directory::restore(&snapshot).unwrap();
                assert_eq!(copy.last_index(), index);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_counters_are_proposed_and_nothing_else() {
    let mut world = World::new(1);
    let running = world.start().await;
    let no_pyramid = running.ask(Request::Propose(create_log("a"))).await;
    running.refused(no_pyramid, ErrorCode::ReplicationInvalid);
    let (pyramid, _) = running.node(node_start("p1", 11, &[], 100)).await;
    let (index, made) = propose(&running, create_log("a")).await;
    assert_eq!(made, Made::Log(LogNumber(1)));
    assert_eq!(index, running.directory().last_index());
    assert_eq!(running.directory().partitions_of(pyramid).count(), 2);
    let again = running.ask(Request::Propose(create_log("a"))).await;
    running.refused(again, ErrorCode::LogExists);
    let name = "c".parse().unwrap();
    let counter = Command::CreateCounter { name, mode: CounterMode::Exact };
    let (_, Made::Counter(counter)) = propose(&running, counter).await else { panic!() };
    assert_eq!(running.claim(counter, 1).await, 1);
    let settings = LogSettings { segment_bytes: 65_536, ..LogSettings::default() };
    let alter = Command::AlterLog { number: LogNumber(1), settings };
    assert_eq!(propose(&running, alter).await.1, Made::Nothing);
    assert_eq!(
        propose(&running, Command::DeleteLog { number: LogNumber(1) }).await.1,
        Made::Nothing
    );
    let (node, incarnation) = (NodeNumber(2), Incarnation(2));
    let (floor, now) = (LogicalClock(0), LogicalClock::MAX);
    for command in [
        Command::FoundCluster { cluster: ClusterId(9) },
        Command::RegisterNode {
            name: pyralog_model::NodeName("x".into()),
            store: StoreId(9),
            advertised: Default::default(),
        },
        Command::LeaseLane { node, incarnation, floor, now, term_ms: 1 },
        Command::StartNode {
            name: pyralog_model::NodeName("x".into()),
            store: StoreId(9),
            roles: Roles::BOTH,
            presented: Vec::new(),
            next: pyralog_model::StartToken(1),
            advertised: Default::default(),
        },
    ] {
        let refused = running.ask(Request::Propose(command)).await;
        running.refused(refused, ErrorCode::RequestInvalid);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_are_told_when_something_happens_and_not_before() {
    let mut world = World::new(2);
    let running = world.start().await;
    running.node(node_start("p1", 11, &[], 100)).await;
    let index = running.directory().last_index();
    let nothing = running.ask(changes(index, 5)).await;
    assert_eq!(nothing, Ok(Answer::Commands(Vec::new())), "after its time it is told of nothing");
    let handle = running.handle.clone();
    let waiting = tokio::spawn(async move { handle.ask(changes(index, 30_000)).await });
    propose(&running, create_log("a")).await;
    assert_eq!(waiting.await.unwrap(), Ok(Answer::Commands(vec![create_log("a")])));
    let ahead = running.ask(changes(index + 2, 30_000)).await;
    running.refused(ahead, ErrorCode::DirectoryDiverged);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_survives_the_directorys_actor() {
    let mut world = World::new(3);
    let running = world.start().await;
    running.node(node_start("p1", 11, &[], 100)).await;
    let copy = follow(&running, Directory::default()).await;
    assert_eq!(copy, *running.directory());
    let (handle, index) = (running.handle.clone(), copy.last_index());
    let waiting = tokio::spawn(async move { handle.ask(changes(index, 30_000)).await });
    running.tree.kill("pyralog/obelisk/directory").await.unwrap();
    // One that the actor had taken when it was killed may be made, and is told so.
    let propose = || running.ask_until_served(Request::Propose(create_log("a")));
    let made = match propose().await {
        Err(error) if error.code == ErrorCode::Timeout => propose().await,
        answered => answered,
    };
    let code = made.map_err(|error| error.code);
    assert!(matches!(code, Ok(Answer::Done { .. }) | Err(ErrorCode::LogExists)), "{code:?}");
    assert_eq!(waiting.await.unwrap(), Ok(Answer::Commands(vec![create_log("a")])));
    assert_eq!(follow(&running, copy).await, *running.directory());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_followers_are_counted() {
    let mut world = World::new(4);
    world.limits.followers_max = 2;
    let running = world.start().await;
    let index = running.directory().last_index();
    let mut waiting: Vec<_> =
        (0..2).map(|_| Box::pin(running.handle.ask(changes(index, 30_000)))).collect();
    for follower in &mut waiting {
        // Polled once, it waits.
        let polled = tokio::time::timeout(std::time::Duration::ZERO, follower.as_mut());
        assert!(polled.await.is_err());
    }
    let third = running.ask(changes(index, 30_000)).await;
    running.refused(third, ErrorCode::Overloaded);
    let at_once = running.ask(changes(0, 30_000)).await;
    assert!(matches!(at_once, Ok(Answer::Commands(commands)) if commands.len() as u64 == index));
    // Nobody waits for the others meanwhile, and a follower that goes makes room.
    assert_eq!(running.session().await, 1);
    drop(waiting.pop());
    assert_eq!(running.ask(changes(index, 1)).await, Ok(Answer::Commands(Vec::new())));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_far_behind_takes_a_snapshot() {
    let mut world = World::new(5);
    world.limits.commands_max = 10;
    let running = world.start().await;
    running.node(node_start("p1", 11, &[], 100)).await;
    for log in 0..30 {
        propose(&running, create_log(&format!("log{log}"))).await;
    }
    let Ok(Answer::SnapshotIs { index, .. }) = running.ask(changes(0, 0)).await else { panic!() };
    let copy = follow(&running, Directory::default()).await;
    assert_eq!(copy, *running.directory());
    assert!(running.detail("pyralog/obelisk/directory", "commands_in_memory").await <= 10);
    // It is offered as long as what follows it is known.
    propose(&running, create_log("one-more")).await;
    let same = running.ask(changes(0, 0)).await;
    assert!(matches!(same, Ok(Answer::SnapshotIs { index: offered, .. }) if offered == index));
    for log in 0..10 {
        propose(&running, create_log(&format!("later{log}"))).await;
    }
    let Ok(Answer::SnapshotIs { index: next, .. }) = running.ask(changes(0, 0)).await else {
        panic!()
    };
    assert!(next > index);
    let gone = running.ask(Request::Snapshot { index, from: 0 }).await;
    running.refused(gone, ErrorCode::Unavailable);
    let past = running.ask(Request::Snapshot { index: next, from: u64::MAX }).await;
    assert_eq!(past, Ok(Answer::Piece(Vec::new())));
    running.stop().await;
    // What is in memory after a start is what was not in a snapshot yet.
    let running = world.start().await;
    assert_eq!(follow(&running, copy).await, *running.directory());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_survives_cuts_and_a_full_disk() {
    let mut world = World::new(6);
    let mut running = world.start().await;
    running.node(node_start("p1", 11, &[], 100)).await;
    let mut logs = 0;
    for round in 0..8 {
        for _ in 0..5 {
            propose(&running, create_log(&format!("log{logs}"))).await;
            logs += 1;
        }
        let before = running.directory();
        world.cut(running, round);
        running = world.start().await;
        assert_eq!(running.directory().logs().count(), logs);
        assert!(running.directory().last_index() > before.last_index());
    }
    world.disk.set_capacity(world.disk.used_bytes());
    let mut full = 0;
    for log in 0..200 {
        match running.ask(Request::Propose(create_log(&format!("full{log}")))).await {
            Err(error) if matches!(error.code, ErrorCode::DiskFull | ErrorCode::Timeout) => {
                full += 1;
                break;
            }
            Err(error) => panic!("{error:?}"),
            Ok(_) => {}
        }
    }
    assert_eq!(full, 1, "the disk was full");
    world.disk.set_capacity(u64::MAX);
    propose(&running, create_log("after")).await;
    running.stop().await;
}
