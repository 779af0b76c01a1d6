//! A file of the WAL from its header to its last page, rounds of earlier uses
//! included.
//!
//! A file is written from its beginning again and again. So the rounds of its
//! present use come first, numbered without gaps; behind them lie what the last
//! use left, with smaller numbers, of which nobody needs to be whole, and zeros.

use super::explain::{self, hex};
use crate::LogError;
use crate::error::io_error;
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::keyed_crc::keyed_crc;
use crate::wal::{
    HEADER_BYTES, MAGIC, PAGE_BYTES, ROUND_HEADER_BYTES, ROUND_MAGIC, RoundHeader, VERSION, padded,
};
use bytes::Bytes;
use pyralog_env::DiskFile;
use pyralog_model::{Damage, Lsn, StoreId};
use std::path::Path;

/// The header page of a WAL file, as far as it can be made out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalHeader {
    /// Whose it is.
    pub store: StoreId,
    /// The length that it was made with, in bytes.
    pub file_bytes: u64,
    /// Its version.
    pub version: u16,
}

impl WalHeader {
    /// Reads the header and says what is wrong with it.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn read(file: &dyn DiskFile, path: &Path) -> Result<(WalHeader, Option<Damage>), LogError> {
        let len = file.len().map_err(io_error("cannot measure", path))?;
        let mut bytes = [0; HEADER_BYTES];
        let read = file.read_at(&mut bytes, 0).map_err(io_error("cannot read", path))?;
        let header = WalHeader {
            store: StoreId(u128::from_le_bytes(bytes[24..40].try_into().expect("16 bytes"))),
            file_bytes: u64::from_le_bytes(bytes[16..24].try_into().expect("8 bytes")),
            version: u16::from_le_bytes([bytes[8], bytes[9]]),
        };
        let stored = u32::from_le_bytes(bytes[12..16].try_into().expect("4 bytes"));
        let computed = keyed_crc(header.store, &[&bytes[16..40]]);
        let version = header.version;
        let wrong = if read < HEADER_BYTES {
            Some((0..read as u64, "a header page".to_owned(), format!("{read} bytes")))
        } else if bytes[0..8] != MAGIC {
            Some((0..8, "PYRAWAL1".to_owned(), hex(&bytes[0..8])))
        } else if version != VERSION {
            Some((8..10, format!("version {VERSION}"), format!("version {version}")))
        } else if stored != computed {
            let expected = format!("a header with the CRC {stored:08x} that it carries");
            Some((12..40, expected, format!("bytes with the CRC {computed:08x}")))
        } else if header.file_bytes != len {
            let expected = format!("a file of {} bytes", header.file_bytes);
            let (shorter, longer) = (header.file_bytes.min(len), header.file_bytes.max(len));
            Some((shorter..longer, expected, format!("{len} bytes")))
        } else {
            None
        };
        Ok((header, wrong.map(|(at, expected, found)| Damage::new(at, expected, found))))
    }
}

/// A round, of the present use or an earlier one.
#[derive(Debug, Clone)]
pub struct WalRound {
    /// Where it begins, in bytes from the beginning of the file.
    pub position: u64,
    /// Where the next one would begin.
    pub end: u64,
    /// Its number.
    pub round: u64,
    /// LSN of its first frame.
    pub first_lsn: Lsn,
    /// How many frames it should have.
    pub frame_count: u64,
    /// It is of an earlier use of the file: nobody needs it.
    pub old: bool,
    /// The frames before the first that is damaged.
    pub frames: Vec<WalFrame>,
    /// Where it is damaged, if it is.
    pub damage: Option<Damage>,
}

/// A whole frame of a round.
#[derive(Debug, Clone)]
pub struct WalFrame {
    /// Where it begins, in bytes from the beginning of the file.
    pub position: u64,
    /// Its fixed part.
    pub header: FrameHeader,
    /// The batch, empty for a truncation.
    pub batch: Bytes,
}

/// What lies next in a file of the WAL.
#[derive(Debug, Clone)]
pub enum WalItem {
    /// A round with a whole header.
    Round(WalRound),
    /// Bytes where a round should be.
    Damage(Damage),
    /// A round that must have been there, for a later one follows.
    Missing(Damage),
}

/// Goes through a file of the WAL.
pub struct WalWalk<'a> {
    file: &'a dyn DiskFile,
    path: &'a Path,
    store: StoreId,
    len: u64,
    position: u64,
    /// The last round of the present use.
    last: Option<u64>,
    /// The present use has ended.
    old: bool,
    /// A round that was read and waits for what is missing before it to be told.
    waiting: Option<WalRound>,
}

impl<'a> WalWalk<'a> {
    /// A walk through the rounds of this store.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn new(
        file: &'a dyn DiskFile,
        path: &'a Path,
        store: StoreId,
    ) -> Result<WalWalk<'a>, LogError> {
        let len = file.len().map_err(io_error("cannot measure", path))?;
        let position = PAGE_BYTES as u64;
        Ok(WalWalk { file, path, store, len, position, last: None, old: false, waiting: None })
    }

    /// What lies next; none at the end of the file.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn step(&mut self) -> Result<Option<WalItem>, LogError> {
        if let Some(round) = self.waiting.take() {
            return Ok(Some(WalItem::Round(round)));
        }
        // Where the next round of the present use is due.
        let due = self.position;
        while self.position + ROUND_HEADER_BYTES as u64 <= self.len {
            let position = self.position;
            let mut bytes = [0; ROUND_HEADER_BYTES];
            self.read(&mut bytes, position)?;
            let header = RoundHeader::decode(self.store, &bytes);
            let fits = header.filter(|h| position + padded(h.body_bytes) as u64 <= self.len);
            if let Some(header) = fits {
                return self.round(&header, due).map(Some);
            }
            self.position += PAGE_BYTES as u64;
            if position == due && !self.old && bytes[0..8] == ROUND_MAGIC {
                return Ok(Some(WalItem::Damage(header_damage(self.store, position, &bytes))));
            }
        }
        Ok(None)
    }

    fn round(&mut self, header: &RoundHeader, due: u64) -> Result<WalItem, LogError> {
        let position = self.position;
        let mut round = self.read_round(header, position)?;
        self.position = round.end;
        self.old = self.old || self.last.is_some_and(|last| round.round <= last);
        round.old = self.old;
        let expected = match self.last {
            Some(last) if !self.old && round.round != last + 1 => format!("round {}", last + 1),
            // Every use of a file begins at its beginning.
            None if position > PAGE_BYTES as u64 => "the first round of the file".to_owned(),
            _ => String::new(),
        };
        if !self.old {
            self.last = Some(round.round);
        }
        if expected.is_empty() {
            return Ok(WalItem::Round(round));
        }
        let found = format!("round {} after it", round.round);
        let damage = Damage::new(due..position, expected, found);
        self.waiting = Some(round);
        Ok(WalItem::Missing(damage))
    }

    fn read_round(&self, header: &RoundHeader, position: u64) -> Result<WalRound, LogError> {
        let begin = position + ROUND_HEADER_BYTES as u64;
        let end = position + padded(header.body_bytes) as u64;
        let mut body = vec![0; header.body_bytes];
        self.read(&mut body, begin)?;
        let body = Bytes::from(body);
        let (mut frames, mut at, mut damage) = (Vec::new(), 0, None);
        while at < body.len() {
            let rest = body.slice(at..);
            let here = begin + at as u64;
            let header = FrameHeader::decode(self.store, &rest);
            let header = header.filter(|header| header.frame_bytes() <= rest.len());
            let Some(header) = header else {
                let (expected, found) = explain::frame(self.store, &rest, rest.len() as u64);
                damage = Some(Damage::new(here..end, expected, found));
                break;
            };
            let batch = rest.slice(FRAME_HEADER_BYTES..header.frame_bytes());
            if !batch.is_empty() && !header.batch_is_intact(&batch) {
                let (expected, found) = explain::batch(&header, &batch);
                damage = Some(Damage::new(here..end, expected, found));
                break;
            }
            at += header.frame_bytes();
            frames.push(WalFrame { position: here, header, batch });
        }
        let count = frames.len();
        if damage.is_none() && count != header.frames {
            let expected = format!("{} frames in the round", header.frames);
            damage = Some(Damage::new(position..end, expected, format!("{count}")));
        }
        let RoundHeader { round, first_lsn, frames: frame_count, .. } = *header;
        let frame_count = frame_count as u64;
        Ok(WalRound { position, end, round, first_lsn, frame_count, old: false, frames, damage })
    }

    fn read(&self, bytes: &mut [u8], position: u64) -> Result<(), LogError> {
        self.file.read_exact_at(bytes, position).map_err(io_error("cannot read", self.path))
    }
}

fn header_damage(store: StoreId, position: u64, bytes: &[u8; ROUND_HEADER_BYTES]) -> Damage {
    let end = position + ROUND_HEADER_BYTES as u64;
    let stored = u32::from_le_bytes(bytes[8..12].try_into().expect("4 bytes"));
    let computed = keyed_crc(store, &[&bytes[12..]]);
    if stored == computed {
        let expected = "a round of version 1 that ends in the file";
        return Damage::new(position..end, expected, hex(&bytes[12..24]));
    }
    let expected = format!("a round's header with the CRC {stored:08x} that it carries");
    Damage::new(position..end, expected, format!("bytes with the CRC {computed:08x}"))
}
