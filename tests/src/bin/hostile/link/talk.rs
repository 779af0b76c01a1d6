//! One connection to the link's port, as far as it gets.

use super::messages::{OUR_PID, challenge_reply, group, name, ready, reply, spawn};
use super::protobuf::{value, within};
use super::wire::{ANSWER_BYTES, Peer, WELCOME_BYTES, digest, proof, secret};
use crate::socket::connect_from;
use crate::{COOKIE, PATIENCE};
use anyhow::{Context, Result, bail};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};

/// The longest frame that a node sends.
pub const FRAME_BYTES_MAX: usize = 2 << 20;

/// The connection.
pub struct Talk {
    pub stream: TcpStream,
    /// Bytes that were sent.
    pub sent: usize,
}

impl Talk {
    /// Connects from the loopback address `from`: there are places by address.
    pub fn open(to: SocketAddr, from: Ipv4Addr) -> Result<Talk> {
        let stream = connect_from(from, to)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Talk { stream, sent: 0 })
    }

    /// False if the connection has ended.
    pub fn say(&mut self, bytes: &[u8]) -> bool {
        self.sent += bytes.len();
        self.stream.write_all(bytes).is_ok()
    }

    /// False if the connection ends before.
    pub fn hear(&mut self, bytes: &mut [u8]) -> Result<bool> {
        arrived(self.stream.read_exact(bytes))
    }

    /// Says hello; the answer and the welcome if the node goes on.
    pub fn hello(&mut self, hello: &[u8]) -> Result<Option<[u8; ANSWER_BYTES + WELCOME_BYTES]>> {
        let mut answered = [0; ANSWER_BYTES + WELCOME_BYTES];
        let went = self.say(hello) && self.hear(&mut answered[..ANSWER_BYTES])?;
        let goes_on = went && answered[8] == 0 && self.hear(&mut answered[ANSWER_BYTES..])?;
        Ok(goes_on.then_some(answered))
    }

    /// The whole preamble.
    pub fn shake(&mut self, hello: &[u8]) -> Result<bool> {
        let Some(answered) = self.hello(hello)? else { return Ok(false) };
        let mut answer = [0; ANSWER_BYTES];
        let proof = proof(&COOKIE, hello, &answered);
        Ok(self.say(&proof) && self.hear(&mut answer)? && answer[8] == 0)
    }

    /// A session as a good node opens it; the router that it may call.
    pub fn session(&mut self, peer: &Peer, room: &mut [u8]) -> Result<Option<u64>> {
        self.say(&name(peer));
        let mut router = None;
        loop {
            let Some(message) = self.frame(room)? else { return Ok(None) };
            if let Some(challenge) = within(message, &[1, 4]) {
                let challenge = value(challenge, 3) as u32;
                let secret = secret(&COOKIE);
                self.say(&challenge_reply(7, &digest(&secret, challenge)));
            } else if let Some(join) = within(message, &[3, 5]) {
                let ours = within(join, &[1]).is_some_and(|g| g.starts_with(b"pyralog-router/"));
                let pid = within(join, &[2]).map(|actor| value(actor, 1));
                router = router.or(pid.filter(|_| ours));
            } else if within(message, &[3, 9]).is_some() {
                break;
            }
        }
        let joined = group(5, peer.group().as_bytes(), OUR_PID);
        self.say(&[spawn(&[OUR_PID]), joined, ready()].concat());
        router.map(Some).context("the node has no router")
    }

    /// The next frame, without its length.
    pub fn frame<'a>(&mut self, room: &'a mut [u8]) -> Result<Option<&'a [u8]>> {
        let mut length = [0; 8];
        if !self.hear(&mut length)? {
            return Ok(None);
        }
        let length = usize::try_from(u64::from_be_bytes(length))?;
        let room = room.get_mut(..length).context("a frame of more than two mebibytes")?;
        Ok(self.hear(room)?.then_some(&*room))
    }

    /// Reads until the call of this tag is answered; false if the connection
    /// ends. Heartbeats of the node are answered on the way if `alive`.
    pub fn await_reply(&mut self, tag: u64, alive: bool, room: &mut [u8]) -> Result<bool> {
        loop {
            let Some(message) = self.frame(room)? else { return Ok(false) };
            if within(message, &[2, 3]).is_some_and(|reply| value(reply, 2) == tag) {
                return Ok(true);
            }
            if let Some(call) = within(message, &[2, 2]).filter(|_| alive) {
                let (to, tag) = (value(call, 1), value(call, 3));
                // That it is well, and knows neither cluster nor number.
                self.say(&reply(to, tag, &[0; 21]));
            }
        }
    }

    /// Says no more and reads until the node closes too.
    pub fn end(&mut self, room: &mut [u8]) -> Result<()> {
        let _ = self.stream.shutdown(Shutdown::Write);
        loop {
            match self.stream.read(room) {
                Ok(0) => return Ok(()),
                Ok(_) => (),
                Err(error) if is_late(&error) => bail!("the node does not close"),
                Err(_) => return Ok(()),
            }
        }
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn arrived(outcome: std::io::Result<()>) -> Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if is_late(&error) => Err(error).context("neither an answer nor an end"),
        Err(_) => Ok(false),
    }
}
