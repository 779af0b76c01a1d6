//! The settings as the directory's commands keep them, for ever.
//!
//! ```text
//! ├─ segment bytes ─┼─ greatest batch ─┼─ durability and flags ─┼─ upkeep, if flag 32 ─┤
//!
//! durability and flags   bits 0..4 durability · 16 no Scarab ids · 32 upkeep follows
//!                        64 no index of keys
//! upkeep                 how many, then for each: its number, its value
//! ```
//!
//! In a command a field cannot be appended. So the last of the three numbers that
//! were kept first carries flags above the durability's four bits, and settings
//! without flags have the bytes they always had. Upkeep lists only what is not the
//! default, by ascending numbers: one value has one encoding.

use super::LogSettings;
use super::upkeep::{UPKEEP_KEYS, UpkeepSettings};
use crate::Durability;
use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

const DURABILITIES: [Durability; 3] =
    [Durability::Fsync, Durability::PageCache, Durability::Memory];
const DURABILITY_MASK: u32 = 0x0f;
/// Set where ids are off: logs made before there were ids have them on.
const NO_SCARAB_IDS: u32 = 0x10;
/// Set where a list of upkeep settings follows.
const UPKEEP: u32 = 0x20;

/// Set where keys are not indexed: logs made before there were indexes have one.
const NO_KEYS: u32 = 0x40;

/// Numbers and values of upkeep settings.
type Upkeep = Vec<(u32, u64)>;

impl Serialize for LogSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let upkeep = changed(&self.upkeep);
        let mut kept = serializer.serialize_tuple(if upkeep.is_empty() { 3 } else { 4 })?;
        kept.serialize_element(&self.segment_bytes)?;
        kept.serialize_element(&self.max_message_bytes)?;
        kept.serialize_element(&durability_and_flags(self, !upkeep.is_empty()))?;
        if !upkeep.is_empty() {
            kept.serialize_element(&upkeep)?;
        }
        kept.end()
    }
}

impl<'de> Deserialize<'de> for LogSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LogSettings, D::Error> {
        deserializer.deserialize_tuple(4, Kept)
    }
}

struct Kept;

impl<'de> Visitor<'de> for Kept {
    type Value = LogSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings of a log")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut kept: A) -> Result<LogSettings, A::Error> {
        let short =
            |at| A::Error::invalid_length(at, &"three numbers, and upkeep if a flag says so");
        let segment_bytes = kept.next_element()?.ok_or_else(|| short(0))?;
        let max_message_bytes = kept.next_element()?.ok_or_else(|| short(1))?;
        let last: u32 = kept.next_element()?.ok_or_else(|| short(2))?;
        let flags = last & !DURABILITY_MASK;
        if flags & !(NO_SCARAB_IDS | UPKEEP | NO_KEYS) != 0 {
            return Err(A::Error::custom("unknown flags in the settings of a log"));
        }
        let durability = DURABILITIES.get((last & DURABILITY_MASK) as usize).copied();
        let durability =
            durability.ok_or_else(|| A::Error::custom("an unknown durability of a log"))?;
        let upkeep = match flags & UPKEEP {
            0 => UpkeepSettings::default(),
            _ => upkeep(&kept.next_element::<Upkeep>()?.ok_or_else(|| short(3))?)
                .map_err(A::Error::custom)?,
        };
        let (scarab_ids, keys) = (flags & NO_SCARAB_IDS == 0, flags & NO_KEYS == 0);
        Ok(LogSettings { segment_bytes, max_message_bytes, durability, scarab_ids, keys, upkeep })
    }
}

fn durability_and_flags(settings: &LogSettings, upkeep: bool) -> u32 {
    let place = DURABILITIES.iter().position(|known| *known == settings.durability);
    let durability = place.expect("every durability has a place") as u32;
    let ids = if settings.scarab_ids { 0 } else { NO_SCARAB_IDS };
    let keys = if settings.keys { 0 } else { NO_KEYS };
    durability | ids | keys | if upkeep { UPKEEP } else { 0 }
}

/// What is not the default.
fn changed(settings: &UpkeepSettings) -> Upkeep {
    let defaults = UpkeepSettings::default();
    let changed = UPKEEP_KEYS.iter().filter(|key| (key.get)(settings) != (key.get)(&defaults));
    changed.map(|key| (key.number, (key.get)(settings))).collect()
}

fn upkeep(kept: &Upkeep) -> Result<UpkeepSettings, &'static str> {
    let mut settings = UpkeepSettings::default();
    for (number, value) in kept {
        let key = UPKEEP_KEYS.iter().find(|key| key.number == *number);
        let key = key.ok_or("an unknown setting of a log")?;
        if !key.takes(*value) {
            return Err("a setting of a log has a value that cannot be");
        }
        (key.set)(&mut settings, *value);
    }
    // Nothing, repeated, out of order, or what is left out.
    if !kept.is_empty() && changed(&settings) == *kept {
        Ok(settings)
    } else {
        Err("the settings of a log are not written as they are kept")
    }
}
