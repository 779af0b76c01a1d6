//! The attack on the Kafka door: connections that say mutated recordings, one after another.
//!
//! Buffers are made once, before anything is weighed: whatever is allocated
//! during a connection is the node's.

use crate::weight::{SLACK_BYTES, Weight, settle};
use crate::{ALLOCATOR, PATIENCE};
use anyhow::{Context, Result, ensure};
use pyralog_tests::mutation::{hurry, mutate};
use pyralog_tests::recordings::Recording;
use pyralog_tests::seeded::Seeded;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Mutations of one connection, if it survives them.
const CONNECTION_MUTATIONS: usize = 64;
/// One length in this many is wrong.
const WRONG_LENGTHS: usize = 64;
/// How often a connection that cost too much is tried again.
const REPETITIONS: usize = 8;
/// ListGroups: its answer is as long as there are groups, and what came before made many.
const LIST_GROUPS: i16 = 16;
/// The correlation id of the good request.
const SENTINEL: i32 = 0x5eed_5eed;
const SENTINEL_BYTES: usize = 14;

/// What has been tried and what became of it.
pub struct Attack {
    address: SocketAddr,
    seeded: Seeded,
    mutant: Vec<u8>,
    reply: Vec<u8>,
    /// All that is said on this connection, and where each part of it ends.
    said: Vec<u8>,
    ends: Vec<usize>,
    connections: usize,
    repeated: usize,
    answered: usize,
    closed: usize,
    /// By API key.
    tried: [usize; 128],
    worst: Weight,
    worst_said: Vec<u8>,
}

impl Attack {
    pub fn new(address: SocketAddr, seed: u64) -> Attack {
        Attack {
            address,
            seeded: Seeded::new(seed),
            mutant: Vec::with_capacity(1 << 20),
            reply: vec![0; 1 << 20],
            said: Vec::with_capacity(4 << 20),
            ends: Vec::with_capacity(CONNECTION_MUTATIONS),
            connections: 0,
            repeated: 0,
            answered: 0,
            closed: 0,
            tried: [0; 128],
            worst: Weight::new(SLACK_BYTES),
            worst_said: Vec::with_capacity(4 << 20),
        }
    }

    /// Mutations that were dealt with.
    pub fn total(&self) -> usize {
        self.answered + self.closed
    }

    /// One connection, until it has had enough.
    pub fn connection(&mut self, recordings: &[Recording]) -> Result<()> {
        self.said.clear();
        self.ends.clear();
        let mut weight = self.speak(Some(recordings))?;
        self.connections += 1;
        self.answered += weight.answered;
        self.closed += usize::from(weight.closed);
        // The process has other things to do, and a table that grows just now
        // is nobody's fault: what a client costs, it costs every time.
        for _ in 0..REPETITIONS {
            if weight.excess() > 0 {
                self.repeated += 1;
                settle();
                let again = self.speak(None)?;
                weight = if again.excess() < weight.excess() { again } else { weight };
            }
        }
        if weight.excess() > self.worst.excess() {
            self.worst = weight;
            self.worst_said.clone_from(&self.said);
        }
        Ok(())
    }

    /// A fresh connection, until it is closed or has had enough: with new
    /// mutations of `recordings`, or with what was said before.
    fn speak(&mut self, recordings: Option<&[Recording]>) -> Result<Weight> {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut weight = Weight::new(SLACK_BYTES);
        let mut start = 0;
        for turn in 0..CONNECTION_MUTATIONS {
            if let Some(recordings) = recordings {
                self.prepare(recordings);
            }
            let Some(&end) = self.ends.get(turn) else { break };
            weight.received += end - start;
            let open = self.exchange(&mut stream, start, end, &mut weight.received)?;
            weight.note(ALLOCATOR.peak_usage().saturating_sub(before));
            if !open {
                weight.closed = true;
                break;
            }
            weight.answered += 1;
            start = end;
        }
        Ok(weight)
    }

    /// Adds a mutation and a good request to what is said.
    fn prepare(&mut self, recordings: &[Recording]) {
        let recording = &recordings[self.seeded.below(recordings.len())];
        self.tried[usize::try_from(recording.api_key()).unwrap_or(0).min(127)] += 1;
        mutate(&mut self.seeded, &recording.frame, &mut self.mutant);
        hurry(&mut self.mutant);
        let wrong = self.seeded.below(WRONG_LENGTHS) == 0;
        let length = if wrong { self.seeded.next_u64() as i32 } else { self.mutant.len() as i32 };
        self.said.extend_from_slice(&length.to_be_bytes());
        self.said.extend_from_slice(&self.mutant);
        // ApiVersions v0 without a client's name.
        self.said.extend_from_slice(&10_i32.to_be_bytes());
        self.said.extend_from_slice(&[0, 18, 0, 0]);
        self.said.extend_from_slice(&SENTINEL.to_be_bytes());
        self.said.extend_from_slice(&[0xff, 0xff]);
        self.ends.push(self.said.len());
    }

    /// Sends one pair of them and reads until the good request is answered; false if the
    /// connection is closed instead. A list of groups counts with what was received,
    /// twice: each group is in it, and was summed up for it before.
    fn exchange(
        &mut self,
        stream: &mut TcpStream,
        start: usize,
        end: usize,
        received: &mut usize,
    ) -> Result<bool> {
        let wire = &self.said[start..end];
        let lists_groups = wire[4..6] == LIST_GROUPS.to_be_bytes();
        let length = i32::from_be_bytes([wire[0], wire[1], wire[2], wire[3]]);
        let wrong_length = usize::try_from(length) != Ok(wire.len() - 4 - SENTINEL_BYTES);
        if stream.write_all(wire).is_err() {
            return Ok(false);
        }
        if wrong_length {
            // The node may wait for bytes that were never meant to come.
            let _ = stream.shutdown(Shutdown::Write);
        }
        loop {
            let mut head = [0; 8];
            if !arrived(stream.read_exact(&mut head))? {
                return Ok(false);
            }
            let length = i32::from_be_bytes([head[0], head[1], head[2], head[3]]);
            let correlation = i32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            let rest = usize::try_from(length).context("a negative length")?.saturating_sub(4);
            let room = self.reply.get_mut(..rest).context("an answer of more than a megabyte")?;
            if !arrived(stream.read_exact(room))? {
                return Ok(false);
            }
            if lists_groups {
                *received += 2 * rest;
            }
            if correlation == SENTINEL {
                return Ok(!wrong_length);
            }
        }
    }

    /// What has happened, for people.
    pub fn report(&self, elapsed: Duration) -> String {
        let tried = self.tried.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        let tried: BTreeMap<usize, usize> = tried.collect();
        let memory = self.worst.worst().map_or_else(String::new, |worst| {
            let (peak, received, left) = (worst.peak, worst.received, -worst.excess());
            let api = self.worst_said.get(4..8).unwrap_or_default();
            format!(
                "at worst {peak} bytes for {received} received (API and version {api:?} first), \
                 {left} below what is allowed"
            )
        });
        format!(
            "{} mutations in {:.1} s over {} connections: {} answered, {} closed; by API key {tried:?}\n\
             memory: {memory}; {} connections repeated",
            self.total(),
            elapsed.as_secs_f64(),
            self.connections,
            self.answered,
            self.closed,
            self.repeated,
        )
    }

    /// Whether it was good, and worth anything.
    pub fn check(&self) -> Result<()> {
        ensure!(self.worst.excess() <= 0, "too much memory after {:02x?}", self.worst_said);
        // If everything or nothing got through, the mutations tried one branch.
        let least = self.total() / 50;
        ensure!(self.closed > least && self.answered > least, "the mutations are too alike");
        Ok(())
    }
}

/// False at the end of the connection.
fn arrived(outcome: std::io::Result<()>) -> Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(error).context("neither an answer nor an end")
        }
        Err(_) => Ok(false),
    }
}
