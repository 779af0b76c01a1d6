//! The plain model: what was sent, by offset, and what may be missing of it.

use super::DELETE_RETENTION_MS;
use pyralog_model::Record;
use std::collections::BTreeMap;

/// A record as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
    pub(super) time: i64,
}

impl Sent {
    pub(super) fn new(key: &str, value: Option<&str>, time: i64) -> Sent {
        Sent { key: Some(key.to_owned()), value: value.map(str::to_owned), time }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    sent: BTreeMap<u64, Sent>,
    /// By offset of a mark of deletion: the time of the first round after it.
    first_round: BTreeMap<u64, i64>,
    /// The latest time of any round.
    last_round: i64,
}

impl Ledger {
    pub(super) fn sent(&mut self, base: u64, sent: &[Sent]) {
        self.sent.extend((base..).zip(sent.iter().cloned()));
    }

    /// Notes that a round is about to run, which may touch what lies below `below`.
    pub(super) fn round_at(&mut self, now: i64, below: u64) {
        let marks = self.sent.range(..below).filter(|(_, sent)| sent.value.is_none());
        for (offset, _) in marks {
            self.first_round.entry(*offset).or_insert(now);
        }
        self.last_round = self.last_round.max(now);
    }

    /// What was never acknowledged, or was cut back.
    pub(super) fn cut(&mut self, end: u64) {
        self.sent.split_off(&end);
        self.first_round.split_off(&end);
    }

    /// Holds what can be read from `start` on against what was sent. Below `cleaned`
    /// nothing may be left that something below it supersedes.
    pub(super) fn check(
        &self,
        visible: &BTreeMap<u64, Record>,
        start: u64,
        cleaned: u64,
    ) -> Result<(), String> {
        for (offset, record) in visible {
            let sent = self.sent.get(offset).ok_or(format!("{offset} was never sent"))?;
            let text = |bytes: &Option<bytes::Bytes>| {
                bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            };
            let (key, value) = (text(&record.key), text(&record.value));
            if (&key, &value, record.timestamp) != (&sent.key, &sent.value, sent.time) {
                return Err(format!("{offset} is {record:?} and was {sent:?}"));
            }
        }
        let mut latest: BTreeMap<&str, u64> = BTreeMap::new();
        for (offset, sent) in self.sent.range(start..) {
            match &sent.key {
                Some(key) => drop(latest.insert(key, *offset)),
                None if visible.contains_key(offset) => {}
                None => return Err(format!("{offset} has no key and is gone")),
            }
        }
        latest.iter().try_for_each(|(key, offset)| self.check_key(key, *offset, visible, start))?;
        self.check_clean(visible, cleaned)
    }

    /// The last record of a key is there; or it is a mark of deletion whose time is
    /// over, and then nothing of the key is.
    fn check_key(
        &self,
        key: &str,
        latest: u64,
        visible: &BTreeMap<u64, Record>,
        start: u64,
    ) -> Result<(), String> {
        if visible.contains_key(&latest) {
            return Ok(());
        }
        if self.sent[&latest].value.is_some() {
            return Err(format!("{latest}, the last one of '{key}', is gone"));
        }
        let over = self.first_round.get(&latest).map(|first| first + DELETE_RETENTION_MS as i64);
        if over.is_none_or(|over| over > self.last_round) {
            return Err(format!("{latest}, which deletes '{key}', is gone too early"));
        }
        let of_key = self.sent.range(start..latest).filter(|(_, s)| s.key.as_deref() == Some(key));
        match of_key.map(|(offset, _)| offset).find(|offset| visible.contains_key(offset)) {
            None => Ok(()),
            Some(back) => Err(format!("{back} of '{key}' is back, which {latest} deleted")),
        }
    }

    fn check_clean(&self, visible: &BTreeMap<u64, Record>, cleaned: u64) -> Result<(), String> {
        let mut seen = BTreeMap::new();
        for offset in visible.range(..cleaned).map(|(offset, _)| offset) {
            let Some(key) = &self.sent[offset].key else { continue };
            if let Some(before) = seen.insert(key, offset) {
                return Err(format!("{before} and {offset} of '{key}' are both there"));
            }
        }
        Ok(())
    }
}
