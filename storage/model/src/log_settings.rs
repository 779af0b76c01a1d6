//! The settings of a log, under the names Kafka's users know.
//!
//! They are kept for ever inside the directory's commands, where a field cannot be
//! appended. So the last of the three numbers that are kept carries flags above the
//! durability's four bits; settings without flags have the bytes they always had.

use crate::Durability;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a log was created with. Absent keys follow the node's defaults at
/// creation, so that a log never changes because a configuration file did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct LogSettings {
    /// A segment is sealed when it would pass this many bytes.
    pub segment_bytes: u64,
    /// The largest record batch in bytes.
    pub max_message_bytes: u32,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// Every batch carries a Scarab id, if there are ids when it comes.
    pub scarab_ids: bool,
}

/// The settings as they are kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    segment_bytes: u64,
    max_message_bytes: u32,
    durability_and_flags: u32,
}

const DURABILITIES: [Durability; 3] =
    [Durability::Fsync, Durability::PageCache, Durability::Memory];
const DURABILITY_MASK: u32 = 0x0f;
/// Set where ids are off: logs made before there were ids have them on.
const NO_SCARAB_IDS: u32 = 0x10;

impl From<LogSettings> for Kept {
    fn from(settings: LogSettings) -> Kept {
        let place = DURABILITIES.iter().position(|known| *known == settings.durability);
        let durability = place.expect("every durability has a place") as u32;
        let flags = if settings.scarab_ids { 0 } else { NO_SCARAB_IDS };
        Kept {
            segment_bytes: settings.segment_bytes,
            max_message_bytes: settings.max_message_bytes,
            durability_and_flags: durability | flags,
        }
    }
}

impl TryFrom<Kept> for LogSettings {
    type Error = &'static str;

    fn try_from(kept: Kept) -> Result<LogSettings, &'static str> {
        let durability = (kept.durability_and_flags & DURABILITY_MASK) as usize;
        let durability = DURABILITIES.get(durability).ok_or("an unknown durability of a log")?;
        let flags = kept.durability_and_flags & !DURABILITY_MASK;
        if flags & !NO_SCARAB_IDS != 0 {
            return Err("unknown flags in the settings of a log");
        }
        Ok(LogSettings {
            segment_bytes: kept.segment_bytes,
            max_message_bytes: kept.max_message_bytes,
            durability: *durability,
            scarab_ids: flags & NO_SCARAB_IDS == 0,
        })
    }
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings {
            segment_bytes: 1_000_000_000,
            max_message_bytes: 1_048_588,
            durability: Durability::Fsync,
            scarab_ids: true,
        }
    }
}

/// Why a setting was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingError {
    /// No such key.
    #[error("no setting is called '{key}'; known settings are {known}")]
    Unknown {
        /// The key that was given.
        key: String,
        /// Every known key.
        known: String,
    },
    /// The value cannot be.
    #[error("'{value}' is not a value for '{key}': {expect}")]
    Value {
        /// The key.
        key: String,
        /// The value that was given.
        value: String,
        /// What is taken.
        expect: &'static str,
    },
}

/// One row of `log describe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingRow {
    /// The key.
    pub key: String,
    /// Its value as text.
    pub value: String,
    /// True if it can be set to something else in this version.
    pub settable: bool,
}

/// Keys whose one value in this version is fixed, so that a client which asks
/// for what it would get anyway is not turned away, and one that asks for more
/// is told.
const FIXED: &[(&str, &str, &str)] = &[
    ("cleanup.policy", "delete", "only 'delete' until compaction is there"),
    ("compression.type", "producer", "only 'producer': batches are kept as they were sent"),
    ("message.timestamp.type", "CreateTime", "only 'CreateTime'"),
    ("min.insync.replicas", "1", "only 1 until replicas are there"),
    ("retention.bytes", "-1", "only -1 (keep everything) until retention is there"),
    ("retention.ms", "-1", "only -1 (keep everything) until retention is there"),
];

impl LogSettings {
    /// Sets one key from text.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), SettingError> {
        let refuse = |expect| {
            Err(SettingError::Value { key: key.to_owned(), value: value.to_owned(), expect })
        };
        match key {
            "segment.bytes" => match value.parse() {
                Ok(bytes @ 65_536..=4_000_000_000) => self.segment_bytes = bytes,
                _ => return refuse("a number of bytes from 65536 to 4000000000"),
            },
            "max.message.bytes" => match value.parse() {
                Ok(bytes @ 1_024..=16_000_000) => self.max_message_bytes = bytes,
                _ => return refuse("a number of bytes from 1024 to 16000000"),
            },
            "pyralog.durability" => match value.parse() {
                Ok(Durability::Fsync) => self.durability = Durability::Fsync,
                Ok(_) => return refuse("only 'fsync' until weaker logs are there"),
                Err(()) => return refuse("'fsync'"),
            },
            "scarab.ids" => match value.parse() {
                Ok(ids) => self.scarab_ids = ids,
                Err(_) => return refuse("'true' or 'false'"),
            },
            _ => match FIXED.iter().find(|(name, ..)| *name == key) {
                Some((_, only, _)) if value == *only => {}
                Some((_, _, expect)) => return refuse(expect),
                None => return Err(SettingError::Unknown { key: key.to_owned(), known: known() }),
            },
        }
        Ok(())
    }

    /// Puts one key back to what it is in `defaults`.
    ///
    /// # Errors
    /// `Unknown` if no setting is called so.
    pub fn reset(&mut self, key: &str, defaults: &LogSettings) -> Result<(), SettingError> {
        match defaults.rows().into_iter().find(|row| row.key == key) {
            Some(row) => self.set(key, &row.value),
            None => Err(SettingError::Unknown { key: key.to_owned(), known: known() }),
        }
    }

    /// Every setting with its present value, sorted by key.
    pub fn rows(&self) -> Vec<SettingRow> {
        let row =
            |key: &str, value: String, settable| SettingRow { key: key.into(), value, settable };
        let mut rows = vec![
            row("segment.bytes", self.segment_bytes.to_string(), true),
            row("max.message.bytes", self.max_message_bytes.to_string(), true),
            row("pyralog.durability", self.durability.to_string(), true),
            row("scarab.ids", self.scarab_ids.to_string(), true),
        ];
        rows.extend(FIXED.iter().map(|(key, value, _)| row(key, (*value).to_owned(), false)));
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    }
}

fn known() -> String {
    let rows = LogSettings::default().rows();
    rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_set_to_its_own_value() {
        let mut settings = LogSettings::default();
        for row in settings.clone().rows() {
            settings.set(&row.key, &row.value).unwrap();
        }
        assert_eq!(settings, LogSettings::default());
    }

    #[test]
    fn a_key_is_put_back_to_the_default_and_no_other_is() {
        let mut settings = LogSettings { segment_bytes: 1, scarab_ids: false, ..defaults() };
        settings.reset("segment.bytes", &defaults()).unwrap();
        assert_eq!(settings, LogSettings { scarab_ids: false, ..defaults() });
        let unknown = settings.reset("segment.byte", &defaults()).unwrap_err();
        assert!(matches!(unknown, SettingError::Unknown { .. }));
    }

    fn defaults() -> LogSettings {
        LogSettings { segment_bytes: 70_000, ..LogSettings::default() }
    }

    #[test]
    fn settings_with_ids_have_the_bytes_of_the_first_version() {
        let mut settings = LogSettings {
            segment_bytes: 65_536,
            max_message_bytes: 1_024,
            durability: Durability::Memory,
            scarab_ids: true,
        };
        let kept = |settings: &LogSettings| postcard::to_stdvec(settings).unwrap();
        assert_eq!(kept(&settings), [0x80, 0x80, 0x04, 0x80, 0x08, 2]);
        settings.set("scarab.ids", "false").unwrap();
        let bytes = kept(&settings);
        assert_eq!(bytes, [0x80, 0x80, 0x04, 0x80, 0x08, 0x12]);
        assert_eq!(postcard::from_bytes::<LogSettings>(&bytes).unwrap(), settings);
        for unknown in [3, 0x20, 0x92] {
            let bytes = [1, 1, unknown, 1];
            assert!(postcard::from_bytes::<LogSettings>(&bytes).is_err(), "{unknown}");
        }
    }

    #[test]
    fn what_is_not_there_yet_says_so() {
        let mut settings = LogSettings::default();
        let refused = settings.set("retention.ms", "1000").unwrap_err().to_string();
        assert!(refused.contains("until retention is there"), "{refused}");
        assert!(matches!(settings.set("segmnt.bytes", "1"), Err(SettingError::Unknown { .. })));
        assert!(settings.set("segment.bytes", "1").is_err());
        settings.set("segment.bytes", "65536").unwrap();
        assert_eq!(settings.segment_bytes, 65_536);
    }
}
