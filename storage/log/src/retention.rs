//! Which records are kept no longer: by their age, and by the size of their log.
//!
//! A pure decision over facts about segments. Whole segments go, the oldest first, and
//! the start of the log moves to the end of the last of them. The last segment goes by
//! age only, and is sealed before it does.
//!
//! Age is what records say of themselves, as in Kafka: a segment is as old as its
//! youngest record. Where no record has a time, it is as old as the next segment: so
//! such a log is never emptied by age, and a record from the far future keeps all
//! that follow it. `retention.bytes` bounds both.

use crate::PartitionLog;
use crate::partition_log::SegmentFacts;
use pyralog_env::{Monotonic, WallMillis};
use pyralog_model::{Durability, Offset, UpkeepSettings};
use std::time::Duration;

/// What is to be done so that only what is kept stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Where the log is to begin.
    pub start: Offset,
    /// The last segment is to be sealed before, since all of it goes.
    pub seal: bool,
}

/// What is to be done in this partition by its settings, if anything is. Nothing at or
/// above `below`, the high watermark, goes.
pub fn expiry(log: &PartitionLog, now: WallMillis, below: Offset) -> Option<Expiry> {
    let settings = log.upkeep_settings()?;
    if log.durability() == Durability::Memory {
        let oldest = settings.retention_ms.map_or(i64::MIN, |ms| before(now, ms));
        let start = log.kept_from(oldest, settings.retention_bytes).min(below);
        return (start > log.bounds().0).then_some(Expiry { start, seal: false });
    }
    expired(&log.segment_facts(), &settings, now, below)
}

/// How long a segment grows at the least before its records' times count: they may all
/// be old when they come, and each look would seal a few of them.
const GROWTH_MIN: Duration = Duration::from_secs(3_600);

/// True if the last segment holds something and has grown, or its first record lies
/// back, for longer than `segment.ms`; or than `max.compaction.lag.ms`, if it is to be
/// compacted. Asked now and then: how long it grows is counted from the first time on.
pub fn is_to_be_sealed(log: &PartitionLog, now: WallMillis, at: Monotonic) -> bool {
    let Some(settings) = log.upkeep_settings() else { return false };
    if log.durability() == Durability::Memory {
        return false;
    }
    let facts = log.segment_facts();
    let Some(last) = facts.last().filter(|last| !last.is_sealed && !last.is_empty()) else {
        return false;
    };
    outlived(last, &settings, now, log.growing_for(last.base, at))
}

fn outlived(
    last: &SegmentFacts,
    settings: &UpkeepSettings,
    now: WallMillis,
    growing_for: Duration,
) -> bool {
    let age_ms_max = match settings.cleanup.compacts() {
        true => settings.segment_ms.min(settings.compaction_lag_ms_max),
        false => settings.segment_ms,
    };
    let age_max = Duration::from_millis(age_ms_max);
    let is_old = |first: i64| first >= 0 && first < before(now, age_ms_max);
    growing_for >= age_max || growing_for >= GROWTH_MIN && last.first_timestamp.is_some_and(is_old)
}

fn expired(
    facts: &[SegmentFacts],
    settings: &UpkeepSettings,
    now: WallMillis,
    below: Offset,
) -> Option<Expiry> {
    if !settings.cleanup.deletes() {
        return None;
    }
    let committed = facts.iter().take_while(|segment| segment.end <= below).count();
    let by_age = settings.retention_ms.map_or(0, |ms| too_old(facts, before(now, ms)));
    let by_size = settings.retention_bytes.map_or(0, |bytes| too_much(facts, bytes));
    let going = by_age.max(by_size).min(committed);
    let last = facts[..going].last()?;
    Some(Expiry { start: last.end, seal: !last.is_sealed })
}

/// How many segments from the first on have nothing from `oldest` on.
fn too_old(facts: &[SegmentFacts], oldest: i64) -> usize {
    let mut going = 0;
    for (place, segment) in facts.iter().enumerate().filter(|(_, segment)| !segment.is_empty()) {
        match segment.max_timestamp {
            // As old as the next one.
            ..0 => {}
            time if time < oldest => going = place + 1,
            _ => break,
        }
    }
    going
}

/// How many sealed segments from the first on are not needed for `bytes`.
fn too_much(facts: &[SegmentFacts], bytes: u64) -> usize {
    let mut left: u64 = facts.iter().map(|segment| segment.bytes).sum();
    let goes = |segment: &&SegmentFacts| {
        left -= segment.bytes;
        segment.is_sealed && left >= bytes
    };
    facts.iter().take_while(goes).count()
}

/// The time so long before `now`.
fn before(now: WallMillis, ms: u64) -> i64 {
    now.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_model::CleanupPolicy;

    const NOW: WallMillis = WallMillis(1_000_000);

    /// Segments of ten records with these bytes and greatest times; the last one grows.
    fn segments(all: &[(u64, i64)]) -> Vec<SegmentFacts> {
        let of = |(place, (bytes, time)): (usize, &(u64, i64))| SegmentFacts {
            base: Offset(place as u64 * 10),
            end: Offset(place as u64 * 10 + 10),
            bytes: *bytes,
            max_timestamp: *time,
            first_timestamp: Some(*time),
            is_sealed: place + 1 < all.len(),
        };
        all.iter().enumerate().map(of).collect()
    }

    fn by_age(all: &[(u64, i64)], ms: u64) -> Option<(u64, bool)> {
        let settings = UpkeepSettings { retention_ms: Some(ms), ..UpkeepSettings::default() };
        let expired = expired(&segments(all), &settings, NOW, Offset(1_000));
        expired.map(|expiry| (expiry.start.0, expiry.seal))
    }

    fn by_size(all: &[(u64, i64)], bytes: u64) -> Option<(u64, bool)> {
        let settings = UpkeepSettings { retention_bytes: Some(bytes), ..UpkeepSettings::default() };
        let expired = expired(&segments(all), &settings, NOW, Offset(1_000));
        expired.map(|expiry| (expiry.start.0, expiry.seal))
    }

    #[test]
    fn a_segment_is_as_old_as_its_youngest_record() {
        let all = [(1, 100), (1, 300), (1, 200), (1, 999_000)];
        assert_eq!(by_age(&all, 999_900), None, "just as old as may be");
        assert_eq!(by_age(&all, 999_899), Some((10, false)));
        assert_eq!(by_age(&all, 999_750), Some((10, false)), "the second keeps the third");
        assert_eq!(by_age(&all, 999_600), Some((30, false)));
        assert_eq!(by_age(&all, 0), Some((40, true)), "everything, sealed before");
        assert_eq!(by_age(&[], 0), None);
    }

    #[test]
    fn segments_without_a_time_go_with_the_next_one() {
        assert_eq!(by_age(&[(1, -1), (1, i64::MIN), (1, 5), (1, 999_999)], 100), Some((30, false)));
        assert_eq!(by_age(&[(1, 5), (1, -1), (1, 999_999)], 100), Some((10, false)));
        assert_eq!(by_age(&[(1, -1), (1, -1)], 100), None);
        assert_eq!(by_age(&[(1, i64::MAX), (1, 5), (1, 5)], 100), None, "the future keeps all");
    }

    #[test]
    fn a_log_stays_as_large_as_it_may_be() {
        let all = [(100, 1), (50, 1), (70, 1), (30, 1)];
        for (bytes, start) in
            [(150, Some(10)), (151, None), (100, Some(20)), (30, Some(30)), (0, Some(30))]
        {
            assert_eq!(by_size(&all, bytes), start.map(|start| (start, false)), "{bytes}");
        }
        assert_eq!(by_size(&[(500, 1)], 0), None, "the last segment stays");
    }

    #[test]
    fn what_is_not_committed_and_what_is_only_compacted_stays() {
        let facts = segments(&[(100, 1), (50, 1), (30, 1)]);
        let mut settings = UpkeepSettings { retention_ms: Some(1), ..UpkeepSettings::default() };
        let start = |settings: &UpkeepSettings, below| {
            expired(&facts, settings, NOW, Offset(below)).map(|expiry| expiry.start.0)
        };
        assert_eq!(start(&settings, 30), Some(30));
        assert_eq!(start(&settings, 29), Some(20));
        assert_eq!(start(&settings, 9), None);
        settings.cleanup = CleanupPolicy::Compact;
        assert_eq!(start(&settings, 30), None);
        settings.cleanup = CleanupPolicy::CompactAndDelete;
        assert_eq!(start(&settings, 30), Some(30));
    }

    #[test]
    fn an_old_segment_is_sealed() {
        let settings = UpkeepSettings { segment_ms: 1_000, ..UpkeepSettings::default() };
        let last = segments(&[(1, 5), (1, 998_999)])[1];
        let (short, long) = (Duration::from_millis(999), Duration::from_millis(1_000));
        assert!(!outlived(&last, &settings, NOW, short), "old records may be new here");
        assert!(outlived(&last, &settings, NOW, long));
        let day = UpkeepSettings { segment_ms: 86_400_000, ..settings };
        let tomorrow = WallMillis(86_400_000 + 998_999 + 1);
        assert!(outlived(&last, &day, tomorrow, GROWTH_MIN));
        assert!(!outlived(&last, &day, WallMillis(tomorrow.0 - 1), GROWTH_MIN));
        for no_time in [Some(-1), None, Some(i64::MAX)] {
            let last = SegmentFacts { first_timestamp: no_time, ..last };
            assert!(!outlived(&last, &day, tomorrow, GROWTH_MIN * 23));
            assert!(outlived(&last, &day, tomorrow, GROWTH_MIN * 24), "by our own clock");
        }
        let lag = UpkeepSettings { compaction_lag_ms_max: 10, ..UpkeepSettings::default() };
        assert!(!outlived(&last, &lag, NOW, long), "it is not compacted");
        let lag = UpkeepSettings { cleanup: CleanupPolicy::Compact, ..lag };
        assert!(outlived(&last, &lag, NOW, long));
    }
}
