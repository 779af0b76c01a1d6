//! The attack on the link's port: strangers, who know no cookie, and insiders,
//! who know it and speak ractor_cluster.
//!
//! Meanwhile a good link, the Kafka door and the HTTP door must answer. What a
//! connection costs is weighed against what the process used when it was quiet,
//! so that the end of the last connection excuses nothing.

mod bombs;
mod crowd;
mod friend;
mod insiders;
mod messages;
mod protobuf;
mod strangers;
mod talk;
mod wire;

use crate::node::Sockets;
use crate::socket::address;
use crate::weight::{SLACK_BYTES, Weight, settle};
use crate::{ALLOCATOR, CLUSTER};
use anyhow::{Result, ensure};
use friend::Friend;
use pyralog_tests::recordings::Recording;
use pyralog_tests::seeded::Seeded;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use wire::Peer;

/// What a session may cost beside what it sends: a handful of actors on both
/// sides of it (measured: 75 KB for one that says nothing), and mirrors of 10 kB for the 64
/// actors and groups that it may name.
const SESSION_BYTES: usize = 768 * 1024;
/// One connection in this many.
const INSIDERS: usize = 8;
/// The last session is wound up when no more than this is left of it, or when
/// that takes longer than it ever does.
const REMAINS_BYTES: usize = 4 * 1024;
const WINDING_UP: Duration = Duration::from_millis(5);
/// How often a connection that cost too much is tried again.
const REPETITIONS: usize = 3;
/// Connections between two looks at how the others fare, and at what the
/// process uses when it is quiet.
const ROUND: usize = 128;
/// What may be left of all of it: counters, logs and nodes that were asked for.
const LEFT_BYTES_MAX: usize = 4 << 20;

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Party {
    Strangers,
    Insiders,
}

/// What has been tried and what became of it.
pub struct LinkAttack<'a> {
    link: SocketAddr,
    recordings: &'a [Recording],
    seeded: Seeded,
    said: Vec<u8>,
    mutant: Vec<u8>,
    room: Vec<u8>,
    friend: Friend,
    boots: u64,
    connections: usize,
    repeated: usize,
    /// Usage when all is quiet: now and at first.
    rest: usize,
    first_rest: usize,
    /// By what was tried: how often, and how often it ended the connection.
    tried: BTreeMap<&'static str, [usize; 2]>,
    worst: [Weight; 2],
}

impl LinkAttack<'_> {
    pub fn new<'a>(
        sockets: &Sockets,
        recordings: &'a [Recording],
        seed: u64,
    ) -> Result<LinkAttack<'a>> {
        let mut attack = LinkAttack {
            link: sockets.link.local_addr()?,
            recordings,
            seeded: Seeded::new(seed),
            said: Vec::with_capacity(4 << 20),
            mutant: Vec::with_capacity(1 << 20),
            room: vec![0; talk::FRAME_BYTES_MAX],
            friend: Friend::make(sockets)?,
            boots: 0,
            connections: 0,
            repeated: 0,
            rest: 0,
            first_rest: 0,
            tried: BTreeMap::new(),
            worst: [Weight::new(SLACK_BYTES), Weight::new(SESSION_BYTES)],
        };
        // Buffers of the attack itself do not count.
        settle();
        attack.rest = ALLOCATOR.current_usage();
        attack.first_rest = attack.rest;
        Ok(attack)
    }

    /// Mutations that were dealt with.
    pub fn total(&self) -> usize {
        self.tried.values().map(|[count, _]| count).sum()
    }

    /// One connection, until it has had enough.
    pub fn connection(&mut self) -> Result<()> {
        if self.connections.is_multiple_of(ROUND) {
            self.friend.look_around()?;
            settle();
            self.rest = ALLOCATOR.current_usage();
        }
        self.connections += 1;
        // Insiders say many things in a connection, strangers one.
        let insider = self.seeded.below(INSIDERS) == 0;
        let party = if insider { Party::Insiders } else { Party::Strangers };
        let before = self.seeded.clone();
        let mut weight = self.speak(party)?;
        // The process has other things to do: what a peer costs, it costs every time.
        for _ in 0..REPETITIONS {
            if weight.excess() > 0 {
                self.repeated += 1;
                settle();
                self.rest = ALLOCATOR.current_usage();
                self.seeded = before.clone();
                let again = self.speak(party)?;
                weight = if again.excess() < weight.excess() { again } else { weight };
            }
        }
        let worst = &mut self.worst[party as usize];
        if weight.excess() > worst.excess() {
            *worst = weight;
        }
        Ok(())
    }

    fn speak(&mut self, party: Party) -> Result<Weight> {
        self.wind_up();
        ALLOCATOR.reset_peak_usage();
        match party {
            Party::Strangers => self.stranger(),
            Party::Insiders => self.insider(),
        }
    }

    /// Waits for the end of the last connection's actors, which would be weighed
    /// with the next one. Too short a time for `settle`.
    fn wind_up(&self) {
        let started = Instant::now();
        while ALLOCATOR.current_usage() > self.rest + REMAINS_BYTES
            && started.elapsed() < WINDING_UP
        {
            std::thread::yield_now();
        }
    }

    /// The most that has been used since the connection began.
    fn weigh(&self, weight: &mut Weight, sent: usize) {
        weight.received = sent;
        weight.note(ALLOCATOR.peak_usage().saturating_sub(self.rest));
    }

    fn count(&mut self, what: &'static str, closed: bool) {
        let [count, ends] = self.tried.entry(what).or_default();
        *count += 1;
        *ends += usize::from(closed);
    }

    /// A peer that the node has never seen.
    fn peer(&mut self) -> Peer {
        self.boots += 1;
        Peer { cluster: CLUSTER, store: 0xbad, boot: self.boots }
    }

    /// An address of our own.
    fn from(&self) -> Ipv4Addr {
        address(self.connections)
    }

    /// What has happened, for people.
    pub fn report(&self, elapsed: Duration) -> String {
        let worst = |weight: &Weight| {
            weight.worst().map_or("nothing".to_owned(), |worst| {
                let (peak, received, left) = (worst.peak, worst.received, -worst.excess());
                format!("{peak} bytes for {received} received, {left} below what is allowed")
            })
        };
        format!(
            "{} mutations in {:.1} s over {} connections; tried and ended by it: {:?}\n\
             memory at worst: strangers {}; insiders {}; {} connections repeated\n{}",
            self.total(),
            elapsed.as_secs_f64(),
            self.connections,
            self.tried,
            worst(&self.worst[0]),
            worst(&self.worst[1]),
            self.repeated,
            self.friend.report(),
        )
    }

    /// Whether it was good, and worth anything.
    pub fn check(&self) -> Result<()> {
        for worst in &self.worst {
            ensure!(worst.excess() <= 0, "too much memory: {:?}", worst.worst());
        }
        let ended: usize = self.tried.values().map(|[_, ends]| ends).sum();
        let least = self.total() / 50;
        ensure!(ended > least && self.total() - ended > least, "the mutations are too alike");
        Ok(())
    }

    /// Whether the node has let go of all of them.
    pub fn leaves_nothing(&self) -> Result<()> {
        settle();
        let left = ALLOCATOR.current_usage().saturating_sub(self.first_rest);
        println!("link: {left} bytes are left of {} connections", self.connections);
        ensure!(left <= LEFT_BYTES_MAX, "{left} bytes are left of them");
        Ok(())
    }
}
