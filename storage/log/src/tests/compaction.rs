//! Compaction against a plain model: of every key the last record is there, each at
//! the offset that it always had, and nothing else is ever invented.

mod cuts;
mod directed;
mod histories;
mod ledger;
mod readers;

use super::rig::{P, Rig, small};
use crate::*;
use bytes::Bytes;
use ledger::{Ledger, Sent};
use pyralog_model::{
    BatchBuilder, CleanupPolicy, Compression, Offset, Record, UpkeepSettings, decode_records,
    stored_batches,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long marks of deletion stay here.
const DELETE_RETENTION_MS: u64 = 1_000;

pub(super) fn compacting() -> UpkeepSettings {
    UpkeepSettings {
        cleanup: CleanupPolicy::Compact,
        delete_retention_ms: DELETE_RETENTION_MS,
        dirty_millionths_min: 0,
        ..UpkeepSettings::default()
    }
}

/// A compacted partition, what was sent to it, and a clock.
pub(super) struct World {
    rig: Rig,
    ledger: Ledger,
    now: i64,
    /// Memory for keys in a round.
    key_bytes_max: usize,
    /// The sessions as they were when something was last appended.
    sessions: SessionTable,
}

impl World {
    pub(super) fn new(mutation: Option<Mutation>) -> World {
        let options = LogOptions { segment_bytes: 2 << 10, mutation, ..small() };
        let rig = Rig::new(options);
        rig.logs[&P].set_upkeep(compacting());
        World {
            rig,
            ledger: Ledger::default(),
            now: 1_000_000,
            key_bytes_max: 1 << 20,
            sessions: SessionTable::default(),
        }
    }

    pub(super) fn log(&self) -> &Arc<PartitionLog> {
        &self.rig.logs[&P]
    }

    /// Appends one batch of these records.
    fn append(&mut self, sent: &[Sent], compression: Compression) -> Result<u64, LogError> {
        let batch = batch_of(sent, compression);
        self.append_batch(batch, sent)
    }

    fn append_batch(&mut self, batch: Bytes, sent: &[Sent]) -> Result<u64, LogError> {
        let appended = self.rig.append(P, &batch)?;
        self.ledger.sent(appended.base.0, sent);
        self.sessions = self.log().view(|view| view.sessions.clone());
        Ok(appended.base.0)
    }

    /// One record with a key, in a batch of its own.
    fn put(&mut self, key: &str, value: Option<&str>) -> u64 {
        let sent = Sent::new(key, value, self.now);
        self.append(&[sent], Compression::None).unwrap()
    }

    /// Writes and seals all that there is.
    fn seal(&mut self) {
        self.rig.finish();
        self.rig.writer.seal(&self.rig.logs[&P]).unwrap();
    }

    fn round(&mut self) -> Result<Option<CompactionReport>, LogError> {
        let below = self.log().bounds().1;
        self.round_for(u64::MAX, below)
    }

    /// A round that may read and write so many bytes.
    fn round_for(
        &mut self,
        bytes: u64,
        below: Offset,
    ) -> Result<Option<CompactionReport>, LogError> {
        self.ledger.round_at(self.now, below.0);
        self.rig.compact_with(P, self.now, below, self.key_bytes_max, bytes)
    }

    /// Everything that can be read, by offset.
    fn visible(&self) -> Result<BTreeMap<u64, Record>, LogError> {
        visible(self.log())
    }

    fn check(&self) -> Result<(), String> {
        let visible = self.visible().map_err(|error| error.to_string())?;
        let (Offset(start), Offset(end)) = self.log().bounds();
        self.ledger.check(&visible, start, self.log().cleaned().0)?;
        for from in (start..end).step_by(3) {
            let expect = visible.range(from..).next().map(|(offset, _)| *offset);
            let found = first_from(self.log(), from);
            if found != expect {
                return Err(format!("{found:?} is found from {from} on, and {expect:?} is there"));
            }
        }
        match self.log().view(|view| view.sessions == self.sessions) {
            true => Ok(()),
            false => Err("what is known of producers has changed".to_owned()),
        }
    }

    /// Cuts the power, or what was left of it, and starts again.
    fn reboot(self, seed: u64) -> Result<World, String> {
        let World { rig, ledger, now, key_bytes_max, sessions } = self;
        rig.disk.clear_faults();
        rig.disk.set_capacity(u64::MAX);
        rig.disk.crash(seed);
        let rig = Rig::open(rig.disk, rig.checkpoints, rig.options);
        let rig = rig.map_err(|error| error.to_string())?;
        rig.logs[&P].set_upkeep(compacting());
        let world = World { rig, ledger, now, key_bytes_max, sessions };
        world.check().map(|()| world)
    }
}

fn batch_of(sent: &[Sent], compression: Compression) -> Bytes {
    let mut builder = BatchBuilder::new();
    for Sent { key, value, time } in sent {
        let (key, value) = (key.as_deref(), value.as_deref());
        builder.push(*time, key.map(str::as_bytes), value.map(str::as_bytes), &[]);
    }
    builder.finish_compressed(compression).unwrap()
}

/// The first record that one who begins at `from` gets.
fn first_from(log: &PartitionLog, from: u64) -> Option<u64> {
    let (mut next, end) = (from, log.bounds().1.0);
    while next < end {
        let slice = log.read(Offset(next), 1).unwrap();
        for (header, batch) in stored_batches(slice.pieces.concat().into()).unwrap() {
            let base = header.base_offset as u64;
            for record in decode_records(&header, &batch, 1 << 20).unwrap() {
                let offset = base + record.unwrap().offset_delta as u64;
                if offset >= from {
                    return Some(offset);
                }
            }
            next = base + header.offsets();
        }
    }
    None
}

/// Reads as a client does: on from where the last batch ended.
pub(super) fn visible(log: &PartitionLog) -> Result<BTreeMap<u64, Record>, LogError> {
    let (Offset(start), Offset(end)) = log.bounds();
    let (mut next, mut found) = (start, BTreeMap::new());
    while next < end {
        let slice = log.read(Offset(next), 3_000)?;
        let batches = stored_batches(slice.pieces.concat().into()).expect("what was verified");
        for (header, batch) in batches {
            let base = header.base_offset as u64;
            assert!(base + header.offsets() > next, "a read goes on");
            for record in decode_records(&header, &batch, 1 << 20).unwrap() {
                let record = record.unwrap();
                let offset = base + record.offset_delta as u64;
                if offset >= start {
                    assert!(found.insert(offset, record).is_none(), "{offset} came twice");
                }
            }
            next = base + header.offsets();
        }
    }
    assert_eq!(next, end);
    Ok(found)
}
