//! After a good preamble: whoever is there knows the cookie, and lies.
//!
//! Most lies keep to the form, because the others end the connection: numbers
//! of actors that were never shown, bodies that are no requests, replies to
//! what nobody asked. After each few of them a good call is answered, or the
//! connection ends.

use super::messages::*;
use super::protobuf::bytes;
use super::talk::Talk;
use super::wire::{Peer, digest, secret};
use super::{LinkAttack, SESSION_BYTES};
use crate::COOKIE;
use crate::weight::Weight;
use anyhow::Result;
use pyralog_tests::mutation::mutate;

/// Turns of one connection, if it survives them.
const TURNS: usize = 64;
/// Lies before one good call.
const LIES_MAX: usize = 3;
/// One in this many breaks the form.
const BROKEN: usize = 24;
/// The tag of good calls.
const SENTINEL: u64 = 0x5eed_5eed;
/// The number of the Obelisk's service.
const OBELISK: u16 = 1;
/// Requests to an Obelisk: a version, a kind, and what belongs to it.
const REQUESTS: [&[u8]; 12] = [
    b"\x01\x00\x04echo",
    b"\x01\x02\x03\x07",
    b"\x01\x03\x00\x00",
    b"\x01\x04\x01\x00",
    b"\x01\x05\x01\x01\x80\x01",
    b"\x01\x06\x01\x01\x00\x80\x01",
    b"\x01\x07",
    b"\x01\x08\x01",
    b"\x01\x09\x01",
    b"\x01\x0a\x00",
    b"\x01\x0c\x05\x01",
    b"\x01\x0e",
];

impl LinkAttack<'_> {
    /// One of them, until the connection is closed or has had enough.
    pub(super) fn insider(&mut self) -> Result<Weight> {
        let mut weight = Weight::new(SESSION_BYTES);
        let peer = self.peer();
        let mut talk = Talk::open(self.link, self.from())?;
        let mut room = std::mem::take(&mut self.room);
        if talk.shake(&peer.hello())? {
            if self.seeded.below(4) == 0 {
                self.out_of_order(&peer, &mut talk);
            } else if let Some(router) = talk.session(&peer, &mut room)? {
                self.lies(&peer, router, &mut talk, &mut room, &mut weight)?;
            }
        }
        talk.end(&mut room)?;
        self.room = room;
        self.weigh(&mut weight, talk.sent);
        Ok(weight)
    }

    /// Good frames in any order but the right one.
    fn out_of_order(&mut self, peer: &Peer, talk: &mut Talk) {
        self.said.clear();
        for _ in 0..1 + self.seeded.below(5) {
            let frame = match self.seeded.below(4) {
                0 => name(peer),
                1 => challenge_reply(7, &digest(&secret(&COOKIE), self.seeded.next_u64() as u32)),
                _ => self.lie(peer, 1).1,
            };
            self.said.extend_from_slice(&frame);
        }
        talk.say(&self.said);
        self.count("out of order", true);
    }

    fn lies(
        &mut self,
        peer: &Peer,
        router: u64,
        talk: &mut Talk,
        room: &mut [u8],
        weight: &mut Weight,
    ) -> Result<()> {
        let beat = call(router, &peer.beat(), SENTINEL, None);
        for _ in 0..TURNS {
            self.said.clear();
            let mut whats = [""; LIES_MAX];
            let (count, mut broken) = (1 + self.seeded.below(LIES_MAX), false);
            for what in &mut whats[..count] {
                let (kind, frame) = self.lie(peer, router);
                *what = kind;
                let lie = self.seeded.below(BROKEN) == 0;
                if lie {
                    *what = self.break_form(&frame);
                    broken |= *what == "length";
                } else {
                    self.said.extend_from_slice(&frame);
                }
            }
            self.said.extend_from_slice(&beat);
            let said = talk.say(&self.said);
            if broken {
                // The node may wait for bytes that were never meant to come.
                let _ = talk.stream.shutdown(std::net::Shutdown::Write);
            }
            let open = said && talk.await_reply(SENTINEL, false, room)? && !broken;
            self.weigh(weight, talk.sent);
            // Of several, nobody knows which one ended it: the last, say.
            for (place, what) in whats[..count].iter().enumerate() {
                self.count(what, !open && place + 1 == count);
            }
            if !open {
                break;
            }
        }
        Ok(())
    }

    /// Something of good form.
    fn lie(&mut self, peer: &Peer, router: u64) -> (&'static str, Vec<u8>) {
        let pid = [router, router, OUR_PID, 0, u64::MAX, self.seeded.next_u64() % 256]
            [self.seeded.below(6)];
        let tag = self.seeded.next_u64() >> self.seeded.below(64);
        match self.seeded.below(20) {
            0..7 => {
                let timeout = [None, Some(0), Some(1_000), Some(u64::MAX)][self.seeded.below(4)];
                let what = self.what();
                ("call", call(pid, &what, tag, timeout))
            }
            7 | 8 => {
                let what = self.what();
                ("cast", cast(pid, &what, &what[..what.len().min(64)]))
            }
            9 | 10 => {
                let what = self.what();
                ("reply", reply(pid, tag, &what))
            }
            11 => ("ping", ping(3, tag, self.seeded.next_u64())),
            12 => ("pong", ping(4, tag, self.seeded.next_u64())),
            13 => ("leave", group(6, peer.group().as_bytes(), pid)),
            14 => {
                let pids = [OUR_PID as u8, 0x7f, 0x01, 0xff, 0x01];
                ("terminate", terminate(&pids[..self.seeded.below(6)]))
            }
            15 => ("spawn", spawn(&[pid, tag][..1 + self.seeded.below(2)])),
            16 => {
                let what = self.what();
                let text: String =
                    what.iter().take(200).map(|byte| char::from(byte % 128)).collect();
                ("join", group(5, text.as_bytes(), pid))
            }
            17 if self.seeded.below(8) == 0 => ("ready", ready()),
            18 if self.seeded.below(8) == 0 => ("name", name(peer)),
            19 if self.seeded.below(8) == 0 => {
                ("sessions", sessions(7 + self.seeded.below(2) as u8, peer))
            }
            _ => ("nothing", node(&bytes(9, &tag.to_be_bytes()))),
        }
    }

    /// What an actor is told: a service and a body.
    fn what(&mut self) -> Vec<u8> {
        let service = match self.seeded.below(8) {
            0 => 0,
            1 => self.seeded.next_u64() as u16,
            _ => OBELISK,
        };
        let request = REQUESTS[self.seeded.below(REQUESTS.len())];
        if self.seeded.below(16) == 0 {
            let length = self.seeded.below(4_096);
            self.mutant.clear();
            self.mutant.resize(length, length as u8);
        } else {
            mutate(&mut self.seeded, request, &mut self.mutant);
        }
        // One who waits for news for half a minute does honest work, and keeps
        // a place that the next one needs.
        if self.mutant.get(1) == Some(&3) {
            self.mutant.resize(4, 0);
            self.mutant[3] = 0;
        }
        let mut what = service.to_be_bytes().to_vec();
        what.extend_from_slice(&self.mutant);
        what
    }

    /// Adds a frame with damage to what is said.
    fn break_form(&mut self, frame: &[u8]) -> &'static str {
        if self.seeded.below(4) == 0 {
            let lengths = [0, 1, u64::MAX, 1 << 63, 2 << 20, (2 << 20) + 1, 1 << 20];
            let any = self.seeded.next_u64() % 4_096;
            let length = *lengths.get(self.seeded.below(lengths.len() + 4)).unwrap_or(&any);
            self.said.extend_from_slice(&length.to_be_bytes());
            self.said.extend_from_slice(&frame[8..]);
            return "length";
        }
        mutate(&mut self.seeded, &frame[8..], &mut self.mutant);
        self.said.extend_from_slice(&(self.mutant.len() as u64).to_be_bytes());
        self.said.extend_from_slice(&self.mutant);
        "form"
    }
}
