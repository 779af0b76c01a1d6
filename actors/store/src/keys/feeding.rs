//! From durable records to the index.

use super::KeysError;
use super::partition_keys::PartitionKeys;
use super::stored::Stored;
use pyralog_model::Offset;
use std::sync::PoisonError;

impl PartitionKeys {
    /// Feeds every record before `until`, which must be durable, unless `goes_on` says
    /// no between two reads. Returns how far it came.
    pub(super) fn feed(
        &self,
        until: Offset,
        mut goes_on: impl FnMut() -> bool,
    ) -> Result<Offset, KeysError> {
        let mut fed = self.fed.lock().unwrap_or_else(PoisonError::into_inner);
        while *fed < until && goes_on() {
            let batches = Stored::read(&self.log, *fed)?;
            let Some(last) = batches.last() else { break };
            let end = last.end();
            for stored in &batches {
                self.index.insert_all(stored.keyed(&self.index, *fed));
            }
            *fed = end.max(*fed);
        }
        Ok(*fed)
    }
}
