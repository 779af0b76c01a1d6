//! The judge: a plain list of what was acknowledged, and what may have happened
//! besides. Shares no code with what it judges: it reads the stored bytes by
//! hand.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

/// A verdict: `Err` says what was lost, invented or changed.
pub(crate) type Verdict<T = ()> = Result<T, String>;

/// A batch as it must be found.
#[derive(Debug, Clone)]
struct Kept {
    base: u64,
    records: u64,
    epoch: u32,
    sent: Bytes,
}

/// Something that was asked of a partition.
#[derive(Clone)]
pub(crate) enum Attempt {
    Append { epoch: u32, batches: Vec<(u64, Bytes)> },
    Truncate { end: u64 },
}

/// What is known of one partition.
#[derive(Debug, Clone, Default)]
struct History {
    kept: Vec<Kept>,
    /// Asked and never answered: each may have happened, in this order.
    in_flight: Vec<Attempt>,
    epoch_acknowledged: u32,
    epoch_asked: u32,
}

/// Everything that is known, by any key for partitions.
#[derive(Debug)]
pub(crate) struct Judge<K> {
    histories: BTreeMap<K, History>,
}

impl<K: Ord + Copy + Debug> Judge<K> {
    pub(crate) fn new() -> Judge<K> {
        Judge { histories: BTreeMap::new() }
    }

    pub(crate) fn created(&mut self, id: K) {
        self.histories.insert(id, History::default());
    }

    pub(crate) fn forgotten(&mut self, id: K) {
        self.histories.remove(&id);
    }

    /// The offset after the last record that is acknowledged.
    pub(crate) fn end(&self, id: K) -> u64 {
        self.histories[&id].end()
    }

    pub(crate) fn epoch_asked(&self, id: K) -> u32 {
        self.histories[&id].epoch_asked
    }

    /// Something is asked. Until it is answered it may or may not happen.
    pub(crate) fn asked(&mut self, id: K, attempt: Attempt) {
        let history = self.histories.get_mut(&id).expect("it was created");
        if let Attempt::Append { epoch, .. } = attempt {
            history.epoch_asked = history.epoch_asked.max(epoch);
        }
        history.in_flight.push(attempt);
    }

    /// The oldest thing asked was acknowledged; `end` is what the answer says.
    pub(crate) fn acknowledged(&mut self, id: K, end: u64) -> Verdict {
        let history = self.histories.get_mut(&id).expect("it was created");
        let attempt = history.in_flight.remove(0);
        if let Attempt::Append { epoch, .. } = attempt {
            history.epoch_acknowledged = history.epoch_acknowledged.max(epoch);
        }
        history.apply(&attempt, usize::MAX);
        let expect = history.end();
        if end != expect {
            return Err(format!("{id:?}: acknowledged up to {end}, but {expect} is right"));
        }
        Ok(())
    }

    /// The oldest thing asked was refused: it must never be seen.
    pub(crate) fn refused(&mut self, id: K) {
        self.histories.get_mut(&id).expect("it was created").in_flight.remove(0);
    }

    /// A partition was opened, with nothing in flight.
    pub(crate) fn opened(&self, id: K, end: u64, epoch: u32) -> Verdict {
        let history = &self.histories[&id];
        let (least, most) = (history.epoch_acknowledged, history.epoch_asked);
        if !(least..=most).contains(&epoch) {
            return Err(format!("{id:?}: opened in epoch {epoch}, not in {least}..={most}"));
        }
        let expect = history.end();
        (end == expect).then_some(()).ok_or(format!("{id:?}: opened at {end}, not {expect}"))
    }

    /// All that was found after a restart, from offset 0. It becomes what must be
    /// found from now on. Returns the number of batches.
    pub(crate) fn found(&mut self, id: K, end: u64, stored: &[u8]) -> Verdict<u64> {
        let history = self.histories.get_mut(&id).expect("it was created");
        let found = parse(stored).map_err(|what| format!("{id:?}: {what}"))?;
        let mut candidate = History { kept: history.kept.clone(), ..History::default() };
        let mut closest = candidate.differs(&found, end);
        let mut settled = closest.is_none();
        'search: for attempt in history.in_flight.iter().filter(|_| !settled) {
            let before = candidate.kept.clone();
            for part in 1..=attempt.parts() {
                candidate.kept.clone_from(&before);
                candidate.apply(attempt, part);
                match candidate.differs(&found, end) {
                    None => {
                        settled = true;
                        break 'search;
                    }
                    Some(what) => closest = Some(what),
                }
            }
        }
        if !settled {
            let flying = history.in_flight.len();
            let what = closest.unwrap_or_default();
            return Err(format!("{id:?}: {what} ({flying} answers were outstanding)"));
        }
        history.kept = candidate.kept;
        history.in_flight.clear();
        let last = history.kept.last().map_or(0, |kept| kept.epoch);
        history.epoch_acknowledged = history.epoch_acknowledged.max(last);
        Ok(found.len() as u64)
    }

    /// One read from `from`, while the store runs.
    pub(crate) fn read(&self, id: K, from: u64, stored: &[u8]) -> Verdict {
        let kept = &self.histories[&id].kept;
        let found = parse(stored).map_err(|what| format!("{id:?}: {what}"))?;
        let first = kept.partition_point(|kept| kept.base + kept.records <= from);
        if found.is_empty() && first < kept.len() {
            return Err(format!("{id:?}: nothing was read from {from}"));
        }
        for (index, found) in found.iter().enumerate() {
            let expect = kept.get(first + index);
            let same = expect.is_some_and(|kept| found.is(kept));
            if !same {
                return Err(format!("{id:?}: a read from {from} gave another batch"));
            }
        }
        Ok(())
    }

    /// The first batch with this time or a later one, while the store runs.
    pub(crate) fn at_time(&self, id: K, time: i64, stored: Option<&[u8]>) -> Verdict {
        let mut kept = self.histories[&id].kept.iter();
        let expect = kept.find(|kept| number(&kept.sent, 35) as i64 >= time);
        let found = parse(stored.unwrap_or_default()).map_err(|what| format!("{id:?}: {what}"))?;
        let same = match (expect, found.first()) {
            (Some(kept), Some(found)) => found.is(kept),
            (None, None) => true,
            _ => false,
        };
        same.then_some(()).ok_or(format!("{id:?}: another batch was found at time {time}"))
    }
}

impl History {
    fn end(&self) -> u64 {
        self.kept.last().map_or(0, |kept| kept.base + kept.records)
    }

    /// Lets the first `parts` parts of an attempt happen.
    fn apply(&mut self, attempt: &Attempt, parts: usize) {
        match attempt {
            Attempt::Append { epoch, batches } => {
                for (records, sent) in batches.iter().take(parts) {
                    let (base, sent) = (self.end(), sent.clone());
                    self.kept.push(Kept { base, records: *records, epoch: *epoch, sent });
                }
            }
            Attempt::Truncate { end } => {
                self.kept.retain(|kept| kept.base + kept.records <= *end);
            }
        }
    }

    /// How what was found is not this history.
    fn differs(&self, found: &[Found], end: u64) -> Option<String> {
        if self.end() != end {
            return Some(format!("it ends at {end} and should end at {}", self.end()));
        }
        if self.kept.len() != found.len() {
            return Some(format!("{} batches instead of {}", found.len(), self.kept.len()));
        }
        let pairs = self.kept.iter().zip(found);
        let other = pairs.filter(|(kept, found)| !found.is(kept)).map(|(kept, _)| kept.base);
        other.min().map(|base| format!("the batch at {base} is not what was sent"))
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attempt::Append { epoch, batches } => {
                write!(f, "an append of {} batches in epoch {epoch}", batches.len())
            }
            Attempt::Truncate { end } => write!(f, "a cut-back to {end}"),
        }
    }
}

impl Attempt {
    fn parts(&self) -> usize {
        match self {
            Attempt::Append { batches, .. } => batches.len(),
            Attempt::Truncate { .. } => 1,
        }
    }
}

/// A batch as it is stored.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) base: u64,
    pub(crate) epoch: u32,
    pub(crate) bytes: &'a [u8],
}

impl Found<'_> {
    /// Same bytes but for base offset and leader epoch, and those as they must be.
    fn is(&self, kept: &Kept) -> bool {
        self.base == kept.base
            && self.epoch == kept.epoch
            && self.bytes.len() == kept.sent.len()
            && self.bytes[8..12] == kept.sent[8..12]
            && self.bytes[16..] == kept.sent[16..]
    }
}

/// The batches in what was read.
pub(crate) fn parse(mut stored: &[u8]) -> Verdict<Vec<Found<'_>>> {
    let mut found = Vec::new();
    while !stored.is_empty() {
        let length = stored.get(8..12).map(|field| u32::from_be_bytes(field.try_into().unwrap()));
        let len = length.ok_or("a batch is cut short")? as usize + 12;
        let bytes = stored.get(..len).ok_or("a batch is cut short")?;
        let epoch = u32::from_be_bytes(bytes[12..16].try_into().expect("4 bytes"));
        found.push(Found { base: number(bytes, 0), epoch, bytes });
        stored = &stored[len..];
    }
    Ok(found)
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}
