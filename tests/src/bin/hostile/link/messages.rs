//! What nodes say to each other in frames of ractor_cluster.

use super::protobuf::{bytes, frame, number};
use super::wire::Peer;

/// The actor that we say we have.
pub const OUR_PID: u64 = 5;

const SCOPE: &[u8] = b"__default_scope__";

pub fn auth(inner: &[u8]) -> Vec<u8> {
    frame(&bytes(1, inner))
}

pub fn node(inner: &[u8]) -> Vec<u8> {
    frame(&bytes(2, inner))
}

pub fn control(inner: &[u8]) -> Vec<u8> {
    frame(&bytes(3, inner))
}

pub fn name(peer: &Peer) -> Vec<u8> {
    let name = peer.name();
    let fields = [
        bytes(1, name.as_bytes()),
        bytes(2, &number(1, 1)),
        bytes(3, b"x:1"),
        number(4, peer.boot.max(1)),
    ];
    auth(&bytes(1, &fields.concat()))
}

pub fn challenge_reply(challenge: u64, digest: &[u8]) -> Vec<u8> {
    auth(&bytes(5, &[number(1, challenge), bytes(2, digest)].concat()))
}

pub fn spawn(pids: &[u64]) -> Vec<u8> {
    let actors: Vec<u8> = pids.iter().flat_map(|pid| bytes(1, &number(1, *pid))).collect();
    control(&bytes(1, &actors))
}

pub fn terminate(pids: &[u8]) -> Vec<u8> {
    control(&bytes(2, &bytes(1, pids)))
}

/// Ping is 3, pong 4.
pub fn ping(kind: u8, seconds: u64, nanos: u64) -> Vec<u8> {
    control(&bytes(kind, &bytes(1, &[number(1, seconds), number(2, nanos)].concat())))
}

/// Join is 5, leave 6.
pub fn group(kind: u8, group: &[u8], pid: u64) -> Vec<u8> {
    let fields = [bytes(1, group), bytes(2, &number(1, pid)), bytes(3, SCOPE)];
    control(&bytes(kind, &fields.concat()))
}

pub fn ready() -> Vec<u8> {
    control(&bytes(9, &[]))
}

/// Asks who else is linked: 7; tells: 8.
pub fn sessions(kind: u8, peer: &Peer) -> Vec<u8> {
    let name = [bytes(1, peer.name().as_bytes()), bytes(3, b"127.0.0.1:1")].concat();
    control(&bytes(kind, &if kind == 8 { bytes(1, &name) } else { name }))
}

pub fn call(to: u64, what: &[u8], tag: u64, timeout_ms: Option<u64>) -> Vec<u8> {
    let timeout = timeout_ms.map_or(Vec::new(), |timeout| number(4, timeout));
    let fields = [number(1, to), bytes(2, what), number(3, tag), timeout];
    node(&bytes(2, &fields.concat()))
}

pub fn cast(to: u64, what: &[u8], variant: &[u8]) -> Vec<u8> {
    node(&bytes(1, &[number(1, to), bytes(2, what), bytes(3, variant)].concat()))
}

pub fn reply(to: u64, tag: u64, what: &[u8]) -> Vec<u8> {
    node(&bytes(3, &[number(1, to), number(2, tag), bytes(3, what)].concat()))
}
