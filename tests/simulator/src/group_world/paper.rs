//! The coordinator's log on paper: it refuses, it is torn in a crash, its beginning is
//! cut off.

use crate::chance::Chance;
use pyralog_groups::{EncodedRecord, Fold, Folded, Mutation};

#[derive(Debug, Default)]
pub(super) struct Paper {
    start: u64,
    records: Vec<EncodedRecord>,
}

impl Paper {
    pub(super) fn append(&mut self, records: Vec<EncodedRecord>) -> u64 {
        let base = self.start + self.records.len() as u64;
        self.records.extend(records);
        base
    }

    /// A crash in an append: none of it, all of it, or the beginning of it is there.
    pub(super) fn tear(&mut self, chance: &Chance, mut records: Vec<EncodedRecord>) -> bool {
        let all = records.len() as u64;
        let kept = [0, all, chance.below(all + 1)][chance.below(3) as usize];
        records.truncate(kept as usize);
        self.append(records);
        kept > 0 && kept < all
    }

    pub(super) fn trim(&mut self, before: u64) {
        self.records.drain(..(before - self.start) as usize);
        self.start = before;
    }

    /// Reads everything.
    pub(super) fn fold(&self, mutation: Option<Mutation>) -> Result<Folded, String> {
        let mut fold = Fold::new(self.start).with_mutation(mutation);
        for record in &self.records {
            fold.push(&record.key, record.value.as_deref()).map_err(|error| error.to_string())?;
        }
        fold.finish().map_err(|error| error.to_string())
    }
}
