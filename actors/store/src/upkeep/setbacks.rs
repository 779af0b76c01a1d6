//! Partitions whose old records could not be looked after: a full disk is left alone
//! for a while, and each time for longer; damage for as long as this process runs, for
//! a round would only read it again.

use pyralog_env::Monotonic;
use pyralog_log::{LogError, PartitionLog};
use pyralog_model::PartitionId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const PAUSE_MIN: Duration = Duration::from_secs(15);
const PAUSE_MAX: Duration = Duration::from_secs(900);

#[derive(Debug, Default)]
pub(crate) struct Setbacks(BTreeMap<PartitionId, Setback>);

#[derive(Debug)]
struct Setback {
    /// Not before then; never without it.
    not_before: Option<Monotonic>,
    pause: Duration,
}

impl Setbacks {
    pub(super) fn may_try(&self, id: PartitionId, now: Monotonic) -> bool {
        let setback = self.0.get(&id);
        setback.is_none_or(|setback| setback.not_before.is_some_and(|then| now >= then))
    }

    /// True if it is worth a word.
    pub(super) fn note(&mut self, id: PartitionId, error: &LogError, now: Monotonic) -> bool {
        let before = self.0.get(&id).map(|setback| setback.pause);
        let pause = before.map_or(PAUSE_MIN, |pause| (pause * 2).min(PAUSE_MAX));
        let passes = matches!(error, LogError::DiskFull { .. });
        let setback = Setback { not_before: passes.then(|| now + pause), pause };
        self.0.insert(id, setback);
        before.is_none() || !passes
    }

    pub(super) fn clear(&mut self, id: PartitionId) {
        self.0.remove(&id);
    }

    /// Forgets partitions that are gone.
    pub(super) fn forget_but(&mut self, logs: &[Arc<PartitionLog>]) {
        if self.0.is_empty() {
            return;
        }
        let there: BTreeSet<PartitionId> = logs.iter().map(|log| log.id()).collect();
        self.0.retain(|id, _| there.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_tried_again_ever_more_rarely_and_damage_is_not() {
        let (mut setbacks, id) = (Setbacks::default(), PartitionId::new(1, 0));
        let full = LogError::DiskFull { what: "a file".into() };
        let mut now = Monotonic(5);
        assert!(setbacks.may_try(id, now));
        assert!(setbacks.note(id, &full, now));
        assert!(!setbacks.may_try(id, now));
        now = now + PAUSE_MIN;
        assert!(setbacks.may_try(id, now));
        assert!(!setbacks.note(id, &full, now), "said once");
        assert!(!setbacks.may_try(id, now + PAUSE_MIN));
        assert!(setbacks.may_try(id, now + PAUSE_MIN * 2));
        setbacks.clear(id);
        assert!(setbacks.may_try(id, now));
        let damage = LogError::Corrupt { path: "/x".into(), position: 1, what: "a bit".into() };
        assert!(setbacks.note(id, &damage, now));
        assert!(!setbacks.may_try(id, now + PAUSE_MAX * 100));
        setbacks.forget_but(&[]);
        assert!(setbacks.may_try(id, now));
    }
}
