//! What becomes of old records: how long they are kept, and whether only the last
//! record of each key is.
//!
//! The defaults keep everything, for ever. Kafka's keep seven days: a log loses
//! nothing here that nobody asked to lose.

use std::fmt;

/// What is done to old records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CleanupPolicy {
    /// Whole segments go when they are too old, or the log is too large.
    #[default]
    Delete,
    /// Of the records with one key the last one is kept.
    Compact,
    /// Both.
    CompactAndDelete,
}

impl CleanupPolicy {
    /// True if segments go by age and size.
    pub fn deletes(self) -> bool {
        self != CleanupPolicy::Compact
    }

    /// True if only the last record of a key is kept, so that all must have one.
    pub fn compacts(self) -> bool {
        self != CleanupPolicy::Delete
    }
}

impl fmt::Display for CleanupPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = POLICIES.iter().find(|(policy, _)| policy == self);
        f.write_str(known.expect("every policy has a name").1)
    }
}

/// The settings of a log that concern its old records. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpkeepSettings {
    /// What is done to old records.
    pub cleanup: CleanupPolicy,
    /// A segment goes once all of its records are older; none keeps them.
    pub retention_ms: Option<u64>,
    /// The oldest segments go while a partition has as many bytes without them;
    /// none keeps them.
    pub retention_bytes: Option<u64>,
    /// A segment is sealed once its first record is older.
    pub segment_ms: u64,
    /// How long a mark of deletion stays after everything older of its key is gone.
    pub delete_retention_ms: u64,
    /// Records that are younger are not compacted.
    pub compaction_lag_ms_min: u64,
    /// Records that are older are compacted, however few they are.
    pub compaction_lag_ms_max: u64,
    /// The part of a log that must be new since the last compaction for another one,
    /// in millionths.
    pub dirty_millionths_min: u32,
}

/// A week.
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// What Kafka calls for ever.
const FOR_EVER_MS: u64 = i64::MAX as u64;
const MILLION: u64 = 1_000_000;

impl Default for UpkeepSettings {
    /// These are kept by leaving them out, and so can never be others.
    fn default() -> UpkeepSettings {
        UpkeepSettings {
            cleanup: CleanupPolicy::Delete,
            retention_ms: None,
            retention_bytes: None,
            segment_ms: WEEK_MS,
            delete_retention_ms: 24 * 60 * 60 * 1_000,
            compaction_lag_ms_min: 0,
            compaction_lag_ms_max: FOR_EVER_MS,
            dirty_millionths_min: 500_000,
        }
    }
}

/// One of these settings: its names, and its value as a number and as text.
pub(super) struct UpkeepKey {
    /// What users call it.
    pub(super) key: &'static str,
    /// What the kept settings call it, for ever.
    pub(super) number: u32,
    /// What is taken.
    pub(super) expect: &'static str,
    pub(super) get: fn(&UpkeepSettings) -> u64,
    pub(super) set: fn(&mut UpkeepSettings, u64),
    /// None for a value that cannot be.
    pub(super) parse: fn(&str) -> Option<u64>,
    pub(super) show: fn(u64) -> String,
}

/// In place of a number: no limit. Greater than any value that can be set.
const UNLIMITED: u64 = u64::MAX;

pub(super) const UPKEEP_KEYS: [UpkeepKey; 8] = [
    UpkeepKey {
        key: "cleanup.policy",
        number: 1,
        expect: "'delete', 'compact' or 'compact,delete'",
        get: |upkeep| upkeep.cleanup as u64,
        set: |upkeep, number| upkeep.cleanup = POLICIES[number as usize].0,
        parse: parse_policy,
        show: |number| POLICIES[number as usize].1.to_owned(),
    },
    UpkeepKey {
        key: "retention.ms",
        number: 2,
        expect: "a number of milliseconds, or -1 (keep everything)",
        get: |upkeep| upkeep.retention_ms.unwrap_or(UNLIMITED),
        set: |upkeep, number| upkeep.retention_ms = limit(number),
        parse: parse_limit,
        show: show_limit,
    },
    UpkeepKey {
        key: "retention.bytes",
        number: 3,
        expect: "a number of bytes, or -1 (keep everything)",
        get: |upkeep| upkeep.retention_bytes.unwrap_or(UNLIMITED),
        set: |upkeep, number| upkeep.retention_bytes = limit(number),
        parse: parse_limit,
        show: show_limit,
    },
    UpkeepKey {
        key: "segment.ms",
        number: 4,
        expect: "a number of milliseconds from 1",
        get: |upkeep| upkeep.segment_ms,
        set: |upkeep, number| upkeep.segment_ms = number,
        parse: |text| parse_number(text).filter(|number| *number > 0),
        show: |number| number.to_string(),
    },
    UpkeepKey {
        key: "delete.retention.ms",
        number: 5,
        expect: "a number of milliseconds",
        get: |upkeep| upkeep.delete_retention_ms,
        set: |upkeep, number| upkeep.delete_retention_ms = number,
        parse: parse_number,
        show: |number| number.to_string(),
    },
    UpkeepKey {
        key: "min.compaction.lag.ms",
        number: 6,
        expect: "a number of milliseconds",
        get: |upkeep| upkeep.compaction_lag_ms_min,
        set: |upkeep, number| upkeep.compaction_lag_ms_min = number,
        parse: parse_number,
        show: |number| number.to_string(),
    },
    UpkeepKey {
        key: "max.compaction.lag.ms",
        number: 7,
        expect: "a number of milliseconds from 1",
        get: |upkeep| upkeep.compaction_lag_ms_max,
        set: |upkeep, number| upkeep.compaction_lag_ms_max = number,
        parse: |text| parse_number(text).filter(|number| *number > 0),
        show: |number| number.to_string(),
    },
    UpkeepKey {
        key: "min.cleanable.dirty.ratio",
        number: 8,
        expect: "a number from 0 to 1, with at most six digits after the point",
        get: |upkeep| u64::from(upkeep.dirty_millionths_min),
        set: |upkeep, number| upkeep.dirty_millionths_min = number as u32,
        parse: parse_ratio,
        show: show_ratio,
    },
];

const POLICIES: [(CleanupPolicy, &str); 3] = [
    (CleanupPolicy::Delete, "delete"),
    (CleanupPolicy::Compact, "compact"),
    (CleanupPolicy::CompactAndDelete, "compact,delete"),
];

impl UpkeepKey {
    /// True for a value that text can say.
    pub(super) fn takes(&self, number: u64) -> bool {
        let known = self.key != "cleanup.policy" || (number as usize) < POLICIES.len();
        known && (self.parse)(&(self.show)(number)) == Some(number)
    }
}

/// A list in any order, as Kafka's clients write it.
fn parse_policy(text: &str) -> Option<u64> {
    let mut words: Vec<&str> = text.split(',').map(str::trim).collect();
    words.sort_unstable();
    words.dedup();
    let words = words.join(",");
    POLICIES.iter().position(|(_, known)| *known == words).map(|place| place as u64)
}

fn parse_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number <= FOR_EVER_MS)
}

fn parse_limit(text: &str) -> Option<u64> {
    if text == "-1" { Some(UNLIMITED) } else { parse_number(text) }
}

fn show_limit(number: u64) -> String {
    limit(number).map_or("-1".to_owned(), |number| number.to_string())
}

fn limit(number: u64) -> Option<u64> {
    (number != UNLIMITED).then_some(number)
}

fn parse_ratio(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let whole: u64 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    Some(whole * MILLION + part).filter(|ratio| *ratio <= MILLION)
}

fn show_ratio(millionths: u64) -> String {
    let (whole, part) = (millionths / MILLION, format!("{:06}", millionths % MILLION));
    let part = part.trim_end_matches('0');
    format!("{whole}.{}", if part.is_empty() { "0" } else { part })
}
