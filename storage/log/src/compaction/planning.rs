//! Whether a partition is worth a round, how far it may reach, and which neighbours
//! become one file. Pure decisions over facts about segments.

use crate::PartitionLog;
use crate::mutation::{Mutation, Planted};
use crate::partition_log::SegmentFacts;
use pyralog_env::WallMillis;
use pyralog_model::{Offset, UpkeepSettings};
use std::ops::Range;

/// What of a partition is new since it was compacted, and may be compacted now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DirtyPart {
    /// The first offset that no round has covered.
    pub from: Offset,
    /// Where the last segment ends that a round may touch.
    pub to: Offset,
    /// Bytes of segments that are not clean.
    pub bytes: u64,
    /// Their part of all that a round would touch, in millionths.
    pub millionths: u32,
    /// By the settings it is time for a round.
    pub is_due: bool,
}

/// The dirty part of a partition whose high watermark is `below`; none if its policy
/// is not to compact, or nothing may be compacted.
pub fn dirty_part(log: &PartitionLog, now: WallMillis, below: Offset) -> Option<DirtyPart> {
    let settings = log.upkeep_settings().filter(|settings| settings.cleanup.compacts())?;
    let from = log.cleaned().max(log.bounds().0);
    dirty(&log.segment_facts(), &settings, now, below, from, log.planted())
}

fn dirty(
    facts: &[SegmentFacts],
    settings: &UpkeepSettings,
    now: WallMillis,
    below: Offset,
    from: Offset,
    planted: Planted,
) -> Option<DirtyPart> {
    let age = |ms: u64| now.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX));
    let youngest = age(settings.compaction_lag_ms_min);
    let may = |segment: &&SegmentFacts| {
        let is_old = settings.compaction_lag_ms_min == 0 || segment.max_timestamp <= youngest;
        let is_committed = segment.end <= below || planted.is(Mutation::CompactionAboveWatermark);
        segment.is_sealed && is_committed && is_old
    };
    let touched: Vec<&SegmentFacts> = facts.iter().take_while(may).collect();
    let to = touched.last()?.end;
    let dirty: Vec<&SegmentFacts> =
        touched.iter().copied().filter(|segment| segment.end > from).collect();
    let first = dirty.first()?;
    let sum = |segments: &[&SegmentFacts]| segments.iter().map(|s| s.bytes).sum::<u64>();
    let (bytes, all) = (sum(&dirty), sum(&touched).max(1));
    let millionths = (u128::from(bytes) * 1_000_000 / u128::from(all)) as u32;
    // Of a segment that was sealed before the start only the youngest record is known.
    let oldest = first.first_timestamp.unwrap_or(first.max_timestamp);
    let is_overdue = oldest >= 0 && oldest < age(settings.compaction_lag_ms_max);
    let is_due = millionths > settings.dirty_millionths_min || is_overdue;
    Some(DirtyPart { from: from.max(facts[0].base), to, bytes, millionths, is_due })
}

/// Neighbours that together have no more than `bytes_max` become one file; a larger
/// one stays alone.
pub(super) fn groups(bytes: &[u64], bytes_max: u64) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut sum = 0;
    for (place, &bytes) in bytes.iter().enumerate() {
        match groups.last_mut() {
            Some(last) if sum + bytes <= bytes_max => last.end += 1,
            _ => {
                groups.push(place..place + 1);
                sum = 0;
            }
        }
        sum += bytes;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_model::CleanupPolicy;

    const NOW: WallMillis = WallMillis(1_000_000);

    /// Sealed segments of ten records, 100 bytes and these greatest times, and one that
    /// grows.
    fn facts(times: &[i64]) -> Vec<SegmentFacts> {
        let of = |(place, time): (usize, &i64)| SegmentFacts {
            base: Offset(place as u64 * 10),
            end: Offset(place as u64 * 10 + 10),
            bytes: 100,
            max_timestamp: *time,
            first_timestamp: None,
            is_sealed: place < times.len() - 1,
        };
        times.iter().enumerate().map(of).collect()
    }

    fn compacting() -> UpkeepSettings {
        UpkeepSettings { cleanup: CleanupPolicy::Compact, ..UpkeepSettings::default() }
    }

    fn found(settings: &UpkeepSettings, below: u64, from: u64) -> Option<(u64, u64, u32, bool)> {
        let facts = facts(&[1_000, 2_000, 3_000, 999_000, 5]);
        let from = Offset(from);
        let part = dirty(&facts, settings, NOW, Offset(below), from, Planted::default())?;
        Some((part.from.0, part.to.0, part.millionths, part.is_due))
    }

    #[test]
    fn the_growing_segment_and_what_is_not_committed_are_not_touched() {
        let settings = compacting();
        assert_eq!(found(&settings, 50, 0), Some((0, 40, 1_000_000, true)));
        assert_eq!(found(&settings, 39, 0), Some((0, 30, 1_000_000, true)));
        assert_eq!(found(&settings, 9, 0), None);
        assert_eq!(found(&settings, 50, 40), None, "all of it is clean");
        assert_eq!(dirty(&[], &settings, NOW, Offset(5), Offset(0), Planted::default()), None);
    }

    #[test]
    fn what_is_young_waits_and_what_is_old_does_not() {
        let young = UpkeepSettings { compaction_lag_ms_min: 1_001, ..compacting() };
        assert_eq!(found(&young, 50, 0), Some((0, 30, 1_000_000, true)));
        let old_enough = UpkeepSettings { compaction_lag_ms_min: 1_000, ..compacting() };
        assert_eq!(found(&old_enough, 50, 0), Some((0, 40, 1_000_000, true)));
        // A quarter of it is dirty, which is not enough by itself.
        assert_eq!(found(&compacting(), 50, 30), Some((30, 40, 250_000, false)));
        let half = UpkeepSettings { dirty_millionths_min: 249_999, ..compacting() };
        assert_eq!(found(&half, 50, 30), Some((30, 40, 250_000, true)));
        let lag = |ms| UpkeepSettings { compaction_lag_ms_max: ms, ..compacting() };
        assert_eq!(found(&lag(999), 50, 30).map(|found| found.3), Some(true));
        assert_eq!(found(&lag(1_000), 50, 30).map(|found| found.3), Some(false));
    }

    #[test]
    fn a_segment_that_is_clean_in_part_is_dirty() {
        assert_eq!(found(&compacting(), 50, 15), Some((15, 40, 750_000, true)));
    }

    #[test]
    fn small_neighbours_become_one() {
        assert_eq!(groups(&[], 10), []);
        assert_eq!(groups(&[4, 4, 4, 20, 1, 9, 1], 10), [0..2, 2..3, 3..4, 4..6, 6..7]);
        assert_eq!(groups(&[20, 20], 10), [0..1, 1..2]);
    }
}
