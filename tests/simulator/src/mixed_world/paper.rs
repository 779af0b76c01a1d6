//! What is known of one partition, on paper, and what a restart may have made of it.

use crate::judge::{Found, Verdict, parse};
use bytes::Bytes;
use pyralog_log::PartitionLog;
use pyralog_model::{Durability, Offset};

/// A batch as it must be found.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) base: u64,
    pub(super) records: u64,
    pub(super) epoch: u32,
    pub(super) sent: Bytes,
}

/// How the last life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// The process: what was written is there.
    Kill,
    /// The power, or a sync that failed: what was synced is there.
    Cut,
}

#[derive(Debug, Clone)]
pub(super) struct Paper {
    pub(super) durability: Durability,
    kept: Vec<Kept>,
    /// Asked for and answered with a failure: they may be there, in this order.
    flying: Vec<Kept>,
    start: u64,
    /// Where the partition begins, if that was not answered.
    wanted_start: Option<u64>,
    /// What lies before is on disk whatever happens.
    durable_end: u64,
    end: u64,
    /// The last epoch that was led, and the last one in which a record was taken.
    pub(super) epoch: u32,
    epoch_taken: u32,
}

impl Kept {
    fn end(&self) -> u64 {
        self.base + self.records
    }

    fn is(&self, found: &Found) -> bool {
        self.base == found.base
            && self.epoch == found.epoch
            && found.bytes.len() == self.sent.len()
            && found.bytes[8..12] == self.sent[8..12]
            && found.bytes[16..] == self.sent[16..]
    }
}

impl Paper {
    pub(super) fn new(durability: Durability) -> Paper {
        Paper {
            durability,
            kept: Vec::new(),
            flying: Vec::new(),
            start: 0,
            wanted_start: None,
            durable_end: 0,
            end: 0,
            epoch: 0,
            epoch_taken: 0,
        }
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// True if no record was ever asked of it.
    pub(super) fn is_unused(&self) -> bool {
        self.end == 0 && self.flying.is_empty()
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    pub(super) fn acknowledged(&mut self, batches: Vec<Kept>) {
        self.end = batches.last().map_or(self.end, Kept::end);
        self.epoch_taken = batches.last().map_or(self.epoch_taken, |last| last.epoch);
        self.kept.extend(batches);
        if self.durability == Durability::Fsync {
            self.durable_end = self.end;
        }
    }

    pub(super) fn failed(&mut self, batches: Vec<Kept>) {
        self.flying.extend(batches);
    }

    /// Everything that is acknowledged by now is synced.
    pub(super) fn synced(&mut self, end: u64) {
        if self.durability != Durability::Memory {
            self.durable_end = self.durable_end.max(end);
        }
    }

    pub(super) fn ask_start(&mut self, to: u64) {
        self.wanted_start = Some(to);
    }

    pub(super) fn answer_start(&mut self, start: u64) {
        self.wanted_start = None;
        self.begin_at(start);
    }

    pub(super) fn refuse_start(&mut self) {
        self.wanted_start = None;
    }

    /// A partition leads an epoch after a start.
    pub(super) fn leads(&mut self, epoch: u32) -> Verdict {
        if self.durability != Durability::Fsync && epoch <= self.epoch_taken {
            return Err(format!("EPOCH: {epoch} is led again, after {}", self.epoch_taken));
        }
        self.epoch = epoch;
        Ok(())
    }

    /// All that is there after a start. It becomes what must be found from now on.
    /// Returns how many batches a power cut has taken.
    pub(super) fn found(&mut self, log: &PartitionLog, harm: Harm) -> Verdict<u64> {
        if log.durability() != self.durability {
            return Err(format!("it is of {} now", log.durability()));
        }
        if self.durability == Durability::Memory {
            return self.found_in_memory(log);
        }
        self.judge_start(log.bounds().0.0)?;
        let stored = read_all(log)?;
        let found = parse(&stored)?;
        let end = log.bounds().1.0;
        if end < self.durable_end {
            return Err(format!("LOST: it ends at {end}, and {} is synced", self.durable_end));
        }
        let whole = self.durability == Durability::Fsync || harm == Harm::Kill;
        if whole && end < self.end {
            return Err(format!("LOST: it ends at {end}, {} is acknowledged", self.end));
        }
        let lost = self.kept.iter().filter(|kept| kept.end() > end).count() as u64;
        let possible = self.kept.iter().chain(&self.flying);
        let kept: Vec<Kept> = possible.take_while(|kept| kept.end() <= end).cloned().collect();
        if end != kept.last().map_or(self.start.min(self.durable_end), Kept::end) && end != 0 {
            return Err(format!("it ends at {end}, in the middle of what was sent"));
        }
        compare(&kept, &found, self.start)?;
        (self.kept, self.end, self.durable_end) = (kept, end, end);
        self.flying.clear();
        Ok(lost)
    }

    fn found_in_memory(&mut self, log: &PartitionLog) -> Verdict<u64> {
        let (start, end) = log.bounds();
        if start != end {
            return Err(format!("a log in memory has {start}..{end} after a start"));
        }
        if end.0 < self.end {
            return Err(format!("REISSUED: it goes on at {end}, {} was reached", self.end));
        }
        self.wanted_start = None;
        self.flying.clear();
        self.kept.clear();
        (self.start, self.end) = (end.0, end.0);
        Ok(0)
    }

    /// Everything that is there while the store runs.
    pub(super) fn is_there(&mut self, log: &PartitionLog) -> Verdict {
        let (Offset(start), Offset(end)) = log.bounds();
        if end != self.end {
            return Err(format!("it ends at {end} instead of {}", self.end));
        }
        if self.durability == Durability::Memory && start > self.start {
            self.begin_at(start);
        }
        if start != self.start {
            return Err(format!("it begins at {start} instead of {}", self.start));
        }
        compare(&self.kept, &parse(&read_all(log)?)?, self.start)
    }

    fn judge_start(&mut self, start: u64) -> Verdict {
        let wanted = self.wanted_start.take();
        if start != self.start && Some(start) != wanted {
            return Err(format!("it begins at {start}, not at {} or {wanted:?}", self.start));
        }
        self.begin_at(start);
        Ok(())
    }

    fn begin_at(&mut self, start: u64) {
        self.start = start;
        self.kept.retain(|kept| kept.end() > start);
    }
}

fn compare(kept: &[Kept], found: &[Found], start: u64) -> Verdict {
    let mut expect = kept.iter().filter(|kept| kept.end() > start);
    for found in found {
        let kept = expect.next().ok_or(format!("a batch at {} was never sent", found.base))?;
        if !kept.is(found) {
            return Err(format!("the batch at {} is not what was sent", kept.base));
        }
    }
    match expect.next() {
        Some(kept) => Err(format!("LOST: the batch at {}", kept.base)),
        None => Ok(()),
    }
}

/// Everything a partition holds, from its start.
fn read_all(log: &PartitionLog) -> Verdict<Vec<u8>> {
    let (Offset(mut from), Offset(end)) = log.bounds();
    let mut stored = Vec::new();
    while from < end {
        let slice = log.read(Offset(from), 64 << 10).map_err(|error| error.to_string())?;
        let begin = stored.len();
        slice.pieces.iter().for_each(|piece| stored.extend_from_slice(piece));
        let batches = parse(&stored[begin..])?;
        let last = batches.last().ok_or(format!("a read from {from} leads nowhere"))?;
        let records = u32::from_be_bytes(last.bytes[57..61].try_into().expect("4 bytes"));
        from = last.base + u64::from(records);
    }
    Ok(stored)
}
