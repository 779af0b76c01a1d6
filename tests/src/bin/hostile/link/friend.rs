//! Those who mean well, and must be served whatever others do: a good link, a
//! Kafka client and an HTTP client.

use super::messages::call;
use super::talk::{FRAME_BYTES_MAX, Talk};
use super::wire::Peer;
use crate::CLUSTER;
use crate::node::Sockets;
use anyhow::{Context, Result, ensure};
use pyralog_tests::http;
use pyralog_tests::kafka::Client;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// The first of the well-known addresses of loopback, as any client has it.
const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// How long any of them may wait, at worst.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// All three.
pub struct Friend {
    kafka: SocketAddr,
    http: SocketAddr,
    good: Good,
    /// The longest waits: link, Kafka, HTTP.
    waits: [Duration; 3],
}

/// A good link: a session and its heartbeats.
pub struct Good {
    talk: Talk,
    peer: Peer,
    router: u64,
    beats: u64,
    room: Vec<u8>,
}

impl Good {
    pub fn link(to: SocketAddr, from: Ipv4Addr, peer: Peer) -> Result<Good> {
        let mut room = vec![0; FRAME_BYTES_MAX];
        let mut talk = Talk::open(to, from)?;
        ensure!(talk.shake(&peer.hello())?, "a good link is refused");
        let router = talk.session(&peer, &mut room)?.context("a good session ends")?;
        let mut good = Good { talk, peer, router, beats: 0, room };
        good.beat()?;
        Ok(good)
    }

    pub fn beat(&mut self) -> Result<()> {
        self.beats += 1;
        self.talk.say(&call(self.router, &self.peer.beat(), self.beats, None));
        let answered = self.talk.await_reply(self.beats, true, &mut self.room)?;
        ensure!(answered, "the good link ended");
        Ok(())
    }
}

impl Friend {
    pub fn make(sockets: &Sockets) -> Result<Friend> {
        let peer = Peer { cluster: CLUSTER, store: 0x600d, boot: 1 };
        let good = Good::link(sockets.link.local_addr()?, HOME, peer)?;
        let (kafka, http) = (sockets.kafka.local_addr()?, sockets.http.local_addr()?);
        Ok(Friend { kafka, http, good, waits: [Duration::ZERO; 3] })
    }

    /// Whether all of them are served, and soon.
    pub fn look_around(&mut self) -> Result<()> {
        let took = [
            timed(|| self.good.beat())?,
            timed(|| Client::dial(self.kafka).map(drop))?,
            timed(|| status(self.http))?,
        ];
        for (wait, took) in self.waits.iter_mut().zip(took) {
            *wait = took.max(*wait);
        }
        ensure!(took.iter().all(|took| *took < WAIT_MAX), "others waited: {took:?}");
        Ok(())
    }

    pub fn report(&self) -> String {
        let [link, kafka, http] = self.waits;
        format!("others waited at most: link {link:.1?}, Kafka {kafka:.1?}, HTTP {http:.1?}")
    }
}

fn status(address: SocketAddr) -> Result<()> {
    let status = http::get(address, "/v1/status")?.status;
    ensure!(status == 200, "the HTTP door answers {status}");
    Ok(())
}

pub fn timed(what: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    what()?;
    Ok(started.elapsed())
}
