//! Strangers, liars and broken wires: no panic, bounded memory, and friends are
//! still served.

use super::node::{Node, Settings};
use super::proxy::{Damage, PREAMBLE_BYTES, proxy};
use pyralog_cluster::preamble::*;
use pyralog_cluster::{Cookie, SelfIdentity};
use pyralog_directory::Roles;
use pyralog_env::Entropy;
use pyralog_env::sim::SimEntropy;
use pyralog_model::{Boot, ClusterId, StoreId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

fn stranger(store: u128) -> SelfIdentity {
    SelfIdentity {
        cluster: Some(ClusterId(7)),
        node: None,
        store: StoreId(store),
        boot: Boot(1),
        roles: Roles { obelisk: false, pyramid: true },
    }
}

/// A client of its own: the handshake as the documentation of the preamble has it.
async fn shake(there: &str, store: u128) -> TcpStream {
    let mut stream = TcpStream::connect(there).await.unwrap();
    let mut machine = DiallerHandshake::new(stranger(store), [3; NONCE_BYTES]);
    stream.write_all(&machine.hello()).await.unwrap();
    let mut answer = [0; ANSWER_BYTES];
    stream.read_exact(&mut answer).await.unwrap();
    machine.answered(answer).unwrap();
    let mut welcome = [0; WELCOME_BYTES];
    stream.read_exact(&mut welcome).await.unwrap();
    let (_, proof) = machine.welcomed(&welcome, &Cookie::from_bytes([9; 32])).unwrap();
    stream.write_all(&proof).await.unwrap();
    stream.read_exact(&mut answer).await.unwrap();
    machine.finished(&answer).unwrap();
    stream
}

/// Sends bytes and waits until the other side has closed, or for a moment.
async fn throw(mut stream: TcpStream, bytes: &[u8]) {
    // It may close before all is written.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut rest = Vec::new();
    let reading = stream.read_to_end(&mut rest);
    let _ = tokio::time::timeout(Duration::from_secs(3), reading).await;
}

fn memory(node: &mut Node) -> (i64, i64) {
    let answer = node.ask("memory");
    let (now, peak) = answer.split_once(' ').unwrap();
    (now.parse().unwrap(), peak.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_preambles_open_nothing() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    let hello = DiallerHandshake::new(stranger(77), [3; NONCE_BYTES]).hello();
    let entropy = SimEntropy::new(5);
    for round in 0..400usize {
        let mut bytes = [hello.to_vec(), vec![0x5a; 32]].concat();
        let [at, how] = [entropy.next_u64(), entropy.next_u64()].map(|n| n as usize);
        match round % 4 {
            0 => bytes[at % 112] ^= (how % 255 + 1) as u8,
            1 => bytes.truncate(at % 112),
            2 => entropy.fill(&mut bytes),
            _ => bytes[at % 80..].iter_mut().for_each(|byte| *byte = how as u8),
        }
        throw(TcpStream::connect(&there).await.unwrap(), &bytes).await;
    }
    assert_eq!(obelisk.ask("panics"), "0");
    assert_eq!(obelisk.ask("rows"), "");
    Node::start(2).link(&there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rubbish_after_a_good_preamble_ends_the_link_and_takes_no_memory() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    let entropy = SimEntropy::new(6);
    throw(shake(&there, 99).await, &[]).await;
    obelisk.ask("forget-peak");
    let before = memory(&mut obelisk).0;
    let mut sent = 0;
    for round in 0..120u128 {
        // A frame is a length, eight bytes, and that many bytes of protobuf.
        let claim: u64 = match round % 4 {
            0 => u64::MAX,
            1 => (2 << 20) + 1,
            2 => 2 << 20,
            _ => entropy.next_u64() % 4_096,
        };
        let mut bytes = claim.to_be_bytes().to_vec();
        let mut rubbish = vec![0; 4_096];
        entropy.fill(&mut rubbish);
        bytes.extend(rubbish);
        sent += bytes.len() as i64;
        throw(shake(&there, 1_000 + round).await, &bytes).await;
    }
    let peak = memory(&mut obelisk).1;
    assert_eq!(obelisk.ask("panics"), "0");
    assert!(peak - before < 4 * sent + (4 << 20), "{} bytes for {sent}", peak - before);
    obelisk.ask_until("rows", str::is_empty);
    let mut friend = Node::start(2);
    friend.link(&there);
    let tree = obelisk.ask_until("tree", |tree| tree.matches("/from-").count() == 1);
    assert!(tree.contains("root/links/door"), "{tree}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_changes_a_byte_breaks_no_node() {
    let mut obelisk = Node::start(1);
    let mut pyramid = Node::start(2);
    let damage = Arc::new(Damage::default());
    let there = proxy(obelisk.address.clone(), damage.clone()).await;
    pyramid.link(&there);
    pyramid.ask(&format!("call {there} 1 300 500"));
    let entropy = SimEntropy::new(8);
    let mut outcomes = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..60u64 {
        // Each connection is hit once: in the session's own handshake, in the
        // exchange of actors, or in a call.
        let reach = damage.carried.load(Ordering::SeqCst).clamp(600, 1_400) - PREAMBLE_BYTES;
        let position = PREAMBLE_BYTES + (round * 23 + entropy.next_u64() % 23) % reach;
        damage.mask.store(1 << (entropy.next_u64() % 8), Ordering::SeqCst);
        damage.position.store(position, Ordering::SeqCst);
        // The wire is cut by killing the dialler, which dials anew.
        pyramid.ask(&format!("kill root/links/peers/to-{there}"));
        let mut answer = String::new();
        for _ in 0..30 {
            answer = pyramid.ask(&format!("call {there} 1 300 100"));
            if answer != "Down" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        *outcomes.entry(answer).or_default() += 1;
    }
    damage.position.store(0, Ordering::SeqCst);
    assert_eq!((obelisk.ask("panics"), pyramid.ask("panics")), ("0".into(), "0".into()));
    pyramid.ask_until(&format!("call {there} 1 300 500"), |answer| answer == "ok 300");
    assert!(outcomes.len() > 1, "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_clients_block_nobody() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    let mut idle = Vec::new();
    // All the places of three addresses; the fourth is ours.
    for host in 2..5 {
        for _ in 0..70 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(format!("127.0.0.{host}:0").parse().unwrap()).unwrap();
            idle.push(socket.connect(there.parse().unwrap()).await.unwrap());
        }
    }
    obelisk.ask_until("detail root/links/door", |detail| {
        detail.contains("\"in handshake\": \"192\"") && detail.contains("\"turned away\": \"18\"")
    });
    Node::start(2).link(&there);
    // After five seconds the places are free again.
    obelisk
        .ask_until("detail root/links/door", |detail| detail.contains("\"in handshake\": \"0\""));
    assert_eq!(obelisk.ask("panics"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_goes_quiet_after_the_preamble_is_let_go() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    let mut quiet = shake(&there, 50).await;
    let mut rest = Vec::new();
    // The session does not open within five seconds.
    let closed = tokio::time::timeout(Duration::from_secs(9), quiet.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "it is closed");
    obelisk.ask_until("tree", |tree| !tree.contains("/from-"));
    let mut second = Settings::of(3).start();
    second.link(&there);
}
