//! Where in a segment an offset or a time begins: one entry every 32 KiB, in
//! memory while the segment grows, in two small files once it is sealed. The
//! files are derived: a missing or damaged one is made again by a scan.
//!
//! ```text
//! .offsets  ├─ "PYRAOFFS" 8 ─┼─ CRC 4 ─┼─ version 2 ─┼─ flags 2 ─┼─ entries 8 ─┼─ segment bytes 8 ─┼─ …
//!           … ─ next offset 8 ─┼─ last LSN 8 ─┼─ last epoch 4 ─┼─ 0 4 ─┤ (56)
//!           then per entry  ├─ offset 8 ─┼─ position 8 ─┤
//!
//! .times    ├─ "PYRATIME" 8 ─┼─ CRC 4 ─┼─ version 2 ─┼─ 0 2 ─┼─ entries 8 ─┼─ max time 8 ─┤ (32)
//!           then per entry  ├─ greatest time before it 8 ─┤
//! ```
//!
//! Little-endian; the CRC-32C covers everything after itself. Flag 1: a `.sessions`
//! lies beside it; without it there was no session up to here. Version history: 1,
//! the first; later the flags, which were 0 before there were sessions.

use crate::LogError;
use crate::error::io_error;
use crate::paths::SegmentName;
use crate::segment::SEGMENT_HEADER_BYTES;
use pyralog_env::Disk;
use pyralog_model::{Epoch, Lsn, Offset};
use std::ops::Range;
use std::path::Path;

/// Bytes of segment between two entries.
pub(crate) const INTERVAL_BYTES: u64 = 32 << 10;

pub(crate) const VERSION: u16 = 1;
pub(crate) const OFFSETS_MAGIC: [u8; 8] = *b"PYRAOFFS";
pub(crate) const TIMES_MAGIC: [u8; 8] = *b"PYRATIME";
pub(crate) const OFFSETS_HEADER_BYTES: usize = 56;
pub(crate) const TIMES_HEADER_BYTES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    offset: Offset,
    position: u64,
    /// Greatest timestamp of all batches before this position.
    time_before: i64,
}

/// The sparse index of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SparseIndex {
    entries: Vec<Entry>,
    pub(crate) max_timestamp: i64,
}

/// What a sealed segment's index file says about the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealedFacts {
    pub(crate) segment_bytes: u64,
    pub(crate) next_offset: Offset,
    pub(crate) last_lsn: Lsn,
    pub(crate) last_epoch: Epoch,
    /// There were sessions before the end of the segment.
    pub(crate) has_sessions: bool,
}

impl SparseIndex {
    pub(crate) fn new() -> SparseIndex {
        SparseIndex { entries: Vec::new(), max_timestamp: i64::MIN }
    }

    /// Notes a frame that begins at `position`; frames come in order.
    pub(crate) fn note(&mut self, offset: Offset, position: u64, max_timestamp: i64) {
        let due = self.entries.last().is_none_or(|e| position - e.position >= INTERVAL_BYTES);
        if due {
            self.entries.push(Entry { offset, position, time_before: self.max_timestamp });
        }
        self.max_timestamp = self.max_timestamp.max(max_timestamp);
    }

    /// An index of these entries; none if there are not as many times as offsets.
    pub(crate) fn from_parts(
        offsets: &[(Offset, u64)],
        times: &[i64],
        max_timestamp: i64,
    ) -> Option<SparseIndex> {
        let both = offsets.iter().zip(times);
        let entries =
            both.map(|(&(offset, position), &time_before)| Entry { offset, position, time_before });
        let entries: Vec<Entry> = entries.collect();
        (offsets.len() == times.len()).then_some(SparseIndex { entries, max_timestamp })
    }

    /// The offset and the position of every entry.
    pub(crate) fn offsets(&self) -> Vec<(Offset, u64)> {
        self.entries.iter().map(|entry| (entry.offset, entry.position)).collect()
    }

    /// Every position that has an entry, in order; a frame begins at each.
    pub(crate) fn positions(&self) -> Vec<u64> {
        self.entries.iter().map(|entry| entry.position).collect()
    }

    /// A position at or before the frame that holds `offset`.
    pub(crate) fn position_of(&self, offset: Offset) -> Option<u64> {
        let after = self.entries.partition_point(|entry| entry.offset <= offset);
        after.checked_sub(1).map(|index| self.entries[index].position)
    }

    /// Where the frame lies that holds `offset`: not before the first position, and it ends
    /// at the second, or before it.
    pub(crate) fn span_of(&self, offset: Offset, end: u64) -> Range<u64> {
        let after = self.entries.partition_point(|entry| entry.offset <= offset);
        let position = |index: usize| self.entries.get(index).map(|entry| entry.position);
        let from = after.checked_sub(1).and_then(position);
        from.unwrap_or(SEGMENT_HEADER_BYTES as u64)..position(after).unwrap_or(end)
    }

    /// A position at or before the first frame with a timestamp of `time` or more.
    pub(crate) fn position_of_time(&self, time: i64) -> Option<u64> {
        let after = self.entries.partition_point(|entry| entry.time_before < time);
        after.checked_sub(1).map(|index| self.entries[index].position)
    }

    /// True if every entry lies in the segment that is spoken of, in order. One that
    /// leads past its end would let readers wait for records that are there.
    fn fits(&self, facts: &SealedFacts) -> bool {
        let lies_within = |entry: &Entry| {
            (SEGMENT_HEADER_BYTES as u64..facts.segment_bytes).contains(&entry.position)
                && entry.offset < facts.next_offset
                && entry.time_before <= self.max_timestamp
        };
        let ascends = |pair: &[Entry]| {
            pair[0].offset < pair[1].offset
                && pair[0].position < pair[1].position
                && pair[0].time_before <= pair[1].time_before
        };
        self.entries.iter().all(lies_within) && self.entries.windows(2).all(ascends)
    }

    pub(crate) fn write_files(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        name: SegmentName,
        facts: &SealedFacts,
    ) -> Result<(), LogError> {
        write_file(disk, &name.file(dir, "offsets"), self.encode_offsets(facts))?;
        write_file(disk, &name.file(dir, "times"), self.encode_times())
    }

    /// The index of a sealed segment, or `None` if its files are absent or not
    /// as they were written.
    pub(crate) fn read_files(
        disk: &dyn Disk,
        dir: &Path,
        name: SegmentName,
    ) -> Result<Option<(SparseIndex, SealedFacts)>, LogError> {
        let offsets = read_file(disk, &name.file(dir, "offsets"))?;
        let times = read_file(disk, &name.file(dir, "times"))?;
        Ok(offsets.zip(times).and_then(|(offsets, times)| decode(&offsets, &times)))
    }

    fn encode_offsets(&self, facts: &SealedFacts) -> Vec<u8> {
        let mut bytes = start(OFFSETS_MAGIC, self.entries.len());
        bytes.extend_from_slice(&facts.segment_bytes.to_le_bytes());
        bytes.extend_from_slice(&facts.next_offset.0.to_le_bytes());
        bytes.extend_from_slice(&facts.last_lsn.0.to_le_bytes());
        bytes.extend_from_slice(&facts.last_epoch.0.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        debug_assert_eq!(bytes.len(), OFFSETS_HEADER_BYTES);
        bytes[14] = u8::from(facts.has_sessions);
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.offset.0.to_le_bytes());
            bytes.extend_from_slice(&entry.position.to_le_bytes());
        }
        finish(bytes)
    }

    fn encode_times(&self) -> Vec<u8> {
        let mut bytes = start(TIMES_MAGIC, self.entries.len());
        bytes.extend_from_slice(&self.max_timestamp.to_le_bytes());
        debug_assert_eq!(bytes.len(), TIMES_HEADER_BYTES);
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.time_before.to_le_bytes());
        }
        finish(bytes)
    }
}

fn start(magic: [u8; 8], entries: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OFFSETS_HEADER_BYTES + entries * 16);
    bytes.extend_from_slice(&magic);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&(entries as u64).to_le_bytes());
    bytes
}

fn finish(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc_fast::crc32_iscsi(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(offsets: &[u8], times: &[u8]) -> Option<(SparseIndex, SealedFacts)> {
    let count = intact(offsets, OFFSETS_MAGIC, OFFSETS_HEADER_BYTES, 16)?;
    if intact(times, TIMES_MAGIC, TIMES_HEADER_BYTES, 8)? != count {
        return None;
    }
    let pairs = offsets[OFFSETS_HEADER_BYTES..].chunks_exact(16);
    let befores = times[TIMES_HEADER_BYTES..].chunks_exact(8);
    let entries = pairs.zip(befores).map(|(pair, before)| Entry {
        offset: Offset(eight(pair, 0)),
        position: eight(pair, 8),
        time_before: eight(before, 0) as i64,
    });
    let index = SparseIndex { entries: entries.collect(), max_timestamp: eight(times, 24) as i64 };
    let facts = SealedFacts {
        segment_bytes: eight(offsets, 24),
        next_offset: Offset(eight(offsets, 32)),
        last_lsn: Lsn(eight(offsets, 40)),
        last_epoch: Epoch(eight(offsets, 48) as u32),
        has_sessions: offsets[14] & 1 != 0,
    };
    index.fits(&facts).then_some((index, facts))
}

/// The number of entries, if `bytes` is a whole file of this kind.
fn intact(bytes: &[u8], magic: [u8; 8], header: usize, entry: usize) -> Option<usize> {
    if bytes.len() < header || bytes[0..8] != magic || bytes[12..14] != VERSION.to_le_bytes() {
        return None;
    }
    let crc = u32::from_le_bytes(bytes[8..12].try_into().expect("4 bytes"));
    let count = usize::try_from(eight(bytes, 16)).ok()?;
    let len_fits = count.checked_mul(entry)?.checked_add(header)? == bytes.len();
    (len_fits && crc_fast::crc32_iscsi(&bytes[12..]) == crc).then_some(count)
}

fn eight(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

fn write_file(disk: &dyn Disk, path: &Path, bytes: Vec<u8>) -> Result<(), LogError> {
    if disk.exists(path).map_err(io_error("cannot look at", path))? {
        disk.remove_file(path).map_err(io_error("cannot remove", path))?;
    }
    let file = disk.create(path).map_err(io_error("cannot create", path))?;
    file.write_all_at(&bytes, 0).map_err(io_error("cannot write", path))?;
    file.sync_all().map_err(io_error("cannot sync", path))
}

pub(crate) fn read_file(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, LogError> {
    if !disk.exists(path).map_err(io_error("cannot look at", path))? {
        return Ok(None);
    }
    let file = disk.open(path).map_err(io_error("cannot open", path))?;
    let len = file.len().map_err(io_error("cannot measure", path))?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX).min(256 << 20)];
    file.read_exact_at(&mut bytes, 0).map_err(io_error("cannot read", path))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lookups_agree_with_a_walk(
            frames in proptest::collection::vec((1u64..50, 100u64..60_000, 0i64..1_000), 1..80),
            probe in 0u64..4_000, time in 0i64..1_100,
        ) {
            let mut index = SparseIndex::new();
            let (mut offset, mut position) = (0, 128);
            let mut walked = Vec::new();
            for (records, bytes, timestamp) in frames {
                index.note(Offset(offset), position, timestamp);
                walked.push((offset, position, timestamp));
                offset += records;
                position += bytes;
            }
            let holder = walked.iter().rev().find(|frame| frame.0 <= probe).unwrap();
            prop_assert!(index.position_of(Offset(probe)).unwrap() <= holder.1);
            if let Some(first) = walked.iter().find(|frame| frame.2 >= time) {
                prop_assert!(index.position_of_time(time).unwrap() <= first.1);
            }
            let facts = SealedFacts {
                segment_bytes: position, next_offset: Offset(offset), last_lsn: Lsn(9), last_epoch: Epoch(3),
                has_sessions: time % 2 == 1,
            };
            let (offsets, times) = (index.encode_offsets(&facts), index.encode_times());
            prop_assert_eq!(decode(&offsets, &times), Some((index, facts)));
        }

        #[test]
        fn entries_that_lead_out_of_the_segment_are_not_believed(
            offset in 0u64..9, position in 0u64..700, time_before in -2i64..9,
        ) {
            let mut index = SparseIndex::new();
            index.note(Offset(0), 128, 5);
            index.entries.push(Entry { offset: Offset(offset), position, time_before });
            let facts = SealedFacts {
                segment_bytes: 500, next_offset: Offset(4), last_lsn: Lsn(1), last_epoch: Epoch(1),
                has_sessions: false,
            };
            let sound = (1..4).contains(&offset) && (129..500).contains(&position) && time_before <= 5;
            let decoded = decode(&index.encode_offsets(&facts), &index.encode_times());
            prop_assert_eq!(decoded.is_some(), sound);
        }

        #[test]
        fn a_flipped_bit_is_found(bit in any::<proptest::sample::Index>()) {
            let mut index = SparseIndex::new();
            index.note(Offset(0), 128, 5);
            let facts = SealedFacts {
                segment_bytes: 500, next_offset: Offset(1), last_lsn: Lsn(1), last_epoch: Epoch(1),
                has_sessions: false,
            };
            let mut offsets = index.encode_offsets(&facts);
            let bit = bit.index(offsets.len() * 8);
            offsets[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(decode(&offsets, &index.encode_times()), None);
        }
    }
}
