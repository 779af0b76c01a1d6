//! Before the preamble is done: whoever is there has proven nothing.

use super::talk::Talk;
use super::wire::proof;
use super::{LinkAttack, SESSION_BYTES};
use crate::COOKIE;
use crate::weight::{SLACK_BYTES, Weight};
use anyhow::Result;
use pyralog_tests::mutation::mutate;

const HTTP: &[u8] = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
/// An identity that was damaged, and proven.
const CHANGED: &str = "a changed node";
const RUBBISH_BYTES_MAX: usize = 8 * 1024;

impl LinkAttack<'_> {
    /// One of them, who says one thing.
    pub(super) fn stranger(&mut self) -> Result<Weight> {
        let mut talk = Talk::open(self.link, self.from())?;
        let what = match self.seeded.below(8) {
            0..4 => self.bad_hello(&mut talk)?,
            4 | 5 => self.bad_proof(&mut talk)?,
            6 => self.bad_node(&mut talk)?,
            _ => self.no_node(&mut talk),
        };
        talk.end(&mut self.room)?;
        // One that is let in is no stranger any more.
        let inside = what == CHANGED;
        let mut weight = Weight::new(if inside { SESSION_BYTES } else { SLACK_BYTES });
        self.weigh(&mut weight, talk.sent);
        self.count(what, !inside);
        Ok(weight)
    }

    /// A mutated hello, at times as if it had been a good one.
    fn bad_hello(&mut self, talk: &mut Talk) -> Result<&'static str> {
        let hello = self.peer().hello();
        mutate(&mut self.seeded, &hello, &mut self.mutant);
        if self.seeded.below(2) == 0 {
            self.mutant.extend_from_slice(&[0x5a; 32]);
        }
        talk.say(&self.mutant);
        Ok("hello")
    }

    /// A good hello and a mutated proof, of any length.
    fn bad_proof(&mut self, talk: &mut Talk) -> Result<&'static str> {
        let hello = self.peer().hello();
        if let Some(answered) = talk.hello(&hello)? {
            let mut proof = proof(&COOKIE, &hello, &answered);
            // So that it is never the right one.
            proof[0] ^= 0xff;
            mutate(&mut self.seeded, &proof, &mut self.mutant);
            talk.say(&self.mutant);
        }
        Ok("proof")
    }

    /// A mutated hello whose proof is right: an identity that nobody has.
    fn bad_node(&mut self, talk: &mut Talk) -> Result<&'static str> {
        let hello = self.peer().hello();
        mutate(&mut self.seeded, &hello, &mut self.mutant);
        self.mutant.resize(hello.len(), 0);
        let mutant = std::mem::take(&mut self.mutant);
        let shaken = talk.shake(&mutant);
        self.mutant = mutant;
        Ok(if shaken? { CHANGED } else { "a refused node" })
    }

    /// Something else altogether.
    fn no_node(&mut self, talk: &mut Talk) -> &'static str {
        match self.seeded.below(3) {
            0 => {
                mutate(&mut self.seeded, HTTP, &mut self.mutant);
                talk.say(&self.mutant);
                "HTTP"
            }
            1 => {
                let frame = &self.recordings[self.seeded.below(self.recordings.len())].frame;
                talk.say(&(frame.len() as u32).to_be_bytes());
                talk.say(frame);
                "Kafka"
            }
            _ => {
                let length = self.seeded.below(RUBBISH_BYTES_MAX);
                self.mutant.clear();
                let seeded = &mut self.seeded;
                self.mutant.extend((0..length).map(|_| seeded.next_u64() as u8));
                talk.say(&self.mutant);
                "rubbish"
            }
        }
    }
}
