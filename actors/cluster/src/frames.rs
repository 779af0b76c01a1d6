//! What a peer may send: each frame is judged before ractor_cluster has its end.
//!
//! ractor_cluster believes whoever knows the cookie: one frame of two mebibytes
//! can name half a million actors, and it makes a mirror of 10 kB for each. So
//! the reading half of a link cuts the stream into frames itself (a length,
//! eight bytes big-endian, then protobuf of one field) and ends the link at the
//! first one that none of our nodes would send:
//!
//! ```text
//!   field        bytes      what is more
//!   1 auth       <= 1 Ki    first of all, and never again; the name is the
//!                           one that the preamble has proven
//!   2 node       <= 1.25 Mi after the authentication
//!   3 control    <= 1 Ki    after it too; names a bounded number of things,
//!                           asks nothing about other peers, is ready once
//! ```

mod fields;
#[cfg(test)]
mod tests;

use fields::{Fields, key, only, varint};

/// A message to an actor: the largest body, and room for its envelope.
const NODE_BYTES_MAX: usize = (1 << 20) + (1 << 18);
/// Everything else.
const SMALL_BYTES_MAX: usize = 1 << 10;
/// Key and length of the one field of a frame: at most one and four bytes.
const HEAD_BYTES_MAX: usize = 5;
/// The exchange that ends a doubtful predecessor has one more than the usual.
const AUTH_FRAMES_MAX: u32 = 4;
/// Actors and groups that a peer may name during a link: one that is restarted
/// has a new name, and our nodes have few. After that the link is made anew.
const NAMED_MAX: usize = 64;

const AUTH: u8 = key(1);
const NODE: u8 = key(2);
const CONTROL: u8 = key(3);

/// Why a link is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer sent {0}, which no node does")]
pub(crate) struct Breach(&'static str);

/// The judge of one link's incoming bytes.
#[derive(Debug)]
pub(crate) struct Frames {
    /// What the peer calls itself, proven by the preamble.
    name: String,
    auth_frames_min: u32,
    auth_frames: u32,
    session: bool,
    ready: bool,
    named: usize,
    at: At,
}

#[derive(Debug)]
enum At {
    /// In the length.
    Length([u8; 8], usize),
    /// In a frame that is looked at as a whole; of a node message, in its head.
    Kept { bytes: Vec<u8>, length: usize },
    /// In a node message, so many bytes before its end.
    Passing(usize),
}

impl Frames {
    /// For a link to the peer of that name.
    pub(crate) fn new(name: String, dialled: bool) -> Frames {
        // What the dialler hears: status, challenge, proof; the acceptor: a name, a proof.
        let auth_frames_min = if dialled { 3 } else { 2 };
        let at = At::Length([0; 8], 0);
        let (auth_frames, session, ready, named) = (0, false, false, 0);
        Frames { name, auth_frames_min, auth_frames, session, ready, named, at }
    }

    /// Takes the next bytes, however the stream was cut; returns how many frames
    /// came to their end.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) -> Result<u64, Breach> {
        let mut ended = 0;
        while !bytes.is_empty() {
            bytes = match &mut self.at {
                At::Length(length, have) => {
                    let rest = take(&mut length[*have..], bytes);
                    *have += bytes.len() - rest.len();
                    if *have == 8 {
                        self.at = begin(u64::from_be_bytes(*length))?;
                    }
                    rest
                }
                At::Kept { bytes: kept, length } => {
                    let more = (*length - kept.len()).min(bytes.len());
                    // A node message is passed on when its head is known.
                    let node = kept.first().or(bytes.first()) == Some(&NODE);
                    let more = if node { more.min(HEAD_BYTES_MAX - kept.len()) } else { more };
                    let (piece, rest) = bytes.split_at(more);
                    if !node && *length > SMALL_BYTES_MAX {
                        return Err(Breach("a long frame that is no message"));
                    }
                    kept.extend_from_slice(piece);
                    if kept.len() == *length || node && kept.len() == HEAD_BYTES_MAX {
                        let (kept, length) = (std::mem::take(kept), *length);
                        self.at = At::Passing(length - kept.len());
                        self.judge(&kept, length)?;
                    }
                    rest
                }
                At::Passing(left) => {
                    let rest = &bytes[(*left).min(bytes.len())..];
                    *left -= bytes.len() - rest.len();
                    rest
                }
            };
            if let At::Passing(0) = self.at {
                ended += 1;
                self.at = At::Length([0; 8], 0);
            }
        }
        Ok(ended)
    }

    /// Judges a frame of `length` bytes by what was kept of it.
    fn judge(&mut self, kept: &[u8], length: usize) -> Result<(), Breach> {
        let (body, rest) = varint(&kept[1..]).ok_or(Breach("a frame without a length inside"))?;
        if body != (length - (kept.len() - rest.len())) as u64 {
            return Err(Breach("a frame of more than one field"));
        }
        match kept[0] {
            AUTH => self.auth(rest),
            _ if self.auth_frames < self.auth_frames_min => {
                Err(Breach("something else before the authentication"))
            }
            NODE => {
                self.session = true;
                Ok(())
            }
            CONTROL => self.control(rest),
            _ => Err(Breach("a frame of an unknown kind")),
        }
    }

    fn auth(&mut self, body: &[u8]) -> Result<(), Breach> {
        self.auth_frames += 1;
        if self.session || self.auth_frames > AUTH_FRAMES_MAX {
            return Err(Breach("an authentication without end"));
        }
        let (number, message) = only(body).ok_or(Breach("a broken authentication"))?;
        // The message of either side that says who it is.
        let names = if matches!(number, 1 | 4) { message } else { return Ok(()) };
        let mut named = false;
        for field in Fields(names) {
            let (number, value) = field.ok_or(Breach("a broken name"))?;
            if number == 1 && value != self.name.as_bytes() {
                return Err(Breach("a name that is not its own"));
            }
            named |= number == 1;
        }
        if named { Ok(()) } else { Err(Breach("no name")) }
    }

    fn control(&mut self, body: &[u8]) -> Result<(), Breach> {
        self.session = true;
        let (number, message) = only(body).ok_or(Breach("a broken control message"))?;
        match number {
            // Actors spawned; actors joined a group.
            1 | 5 => {
                for field in Fields(message) {
                    field.ok_or(Breach("a broken list of actors"))?;
                    self.named += 1;
                }
            }
            // Actors terminated, ping, pong, actors left a group.
            2 | 3 | 4 | 6 => (),
            9 if !self.ready => self.ready = true,
            _ => return Err(Breach("a control message that is out of place")),
        }
        match self.named {
            0..=NAMED_MAX => Ok(()),
            _ => Err(Breach("more names of actors than are allowed")),
        }
    }
}

fn begin(length: u64) -> Result<At, Breach> {
    match usize::try_from(length) {
        // Shorter than a key and a length.
        Ok(0 | 1) => Err(Breach("an empty frame")),
        Ok(length @ ..=NODE_BYTES_MAX) => Ok(At::Kept { bytes: Vec::new(), length }),
        _ => Err(Breach("a frame that is too long")),
    }
}

/// Fills `room` from `bytes`; the rest of them.
fn take<'a>(room: &mut [u8], bytes: &'a [u8]) -> &'a [u8] {
    let count = room.len().min(bytes.len());
    room[..count].copy_from_slice(&bytes[..count]);
    &bytes[count..]
}
