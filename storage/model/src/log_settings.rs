//! The settings of a log, under the names Kafka's users know.
//!
//! How they are kept for ever is told in `kept`; what becomes of old records, in
//! `upkeep`.

mod kept;
#[cfg(test)]
mod tests;
mod upkeep;

pub use upkeep::{CleanupPolicy, UpkeepSettings};

use crate::Durability;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use upkeep::UPKEEP_KEYS;

/// What a log was created with. Absent keys follow the node's defaults at
/// creation, so that a log never changes because a configuration file did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A segment is sealed when it would pass this many bytes.
    pub segment_bytes: u64,
    /// The largest record batch in bytes.
    pub max_message_bytes: u32,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// Every batch carries a Scarab id, if there are ids when it comes.
    pub scarab_ids: bool,
    /// Records are found by their keys.
    pub keys: bool,
    /// What becomes of old records.
    pub upkeep: UpkeepSettings,
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings {
            segment_bytes: 1_000_000_000,
            max_message_bytes: 1_048_588,
            durability: Durability::Fsync,
            scarab_ids: true,
            keys: true,
            upkeep: UpkeepSettings::default(),
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
    /// Two settings that no log has together.
    #[error("'cleanup.policy' is '{policy}', which a log in memory cannot have: {MEMORY_DELETES}")]
    MemoryCompacts {
        /// The policy that was asked for.
        policy: String,
    },
    /// What a log promises is decided when it is made.
    #[error(
        "'pyralog.durability' is '{from}' since the log was made and cannot become '{to}': \
         make another log and copy the records"
    )]
    DurabilityFixed {
        /// What the log promises.
        from: Durability,
        /// What was asked for.
        to: Durability,
    },
}

const MEMORY_DELETES: &str = "it keeps the newest records and lets go of the oldest; use 'delete'";

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
    ("compression.type", "producer", "only 'producer': batches are kept as they were sent"),
    ("message.timestamp.type", "CreateTime", "only 'CreateTime'"),
    ("min.insync.replicas", "1", "only 1 until replicas are there"),
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
                Ok(durability) => self.durability = durability,
                Err(()) => return refuse("'fsync', 'page-cache' or 'memory'"),
            },
            "scarab.ids" => match value.parse() {
                Ok(ids) => self.scarab_ids = ids,
                Err(_) => return refuse("'true' or 'false'"),
            },
            "pyralog.keys" => match value.parse() {
                Ok(keys) => self.keys = keys,
                Err(_) => return refuse("'true' or 'false'"),
            },
            _ => return self.set_other(key, value),
        }
        Ok(())
    }

    fn set_other(&mut self, key: &str, value: &str) -> Result<(), SettingError> {
        let refuse = |expect| {
            Err(SettingError::Value { key: key.to_owned(), value: value.to_owned(), expect })
        };
        if let Some(upkeep) = UPKEEP_KEYS.iter().find(|upkeep| upkeep.key == key) {
            return match (upkeep.parse)(value) {
                Some(number) => {
                    (upkeep.set)(&mut self.upkeep, number);
                    Ok(())
                }
                None => refuse(upkeep.expect),
            };
        }
        match FIXED.iter().find(|(name, ..)| *name == key) {
            Some((_, only, _)) if value == *only => Ok(()),
            Some((_, _, expect)) => refuse(expect),
            None => Err(SettingError::Unknown { key: key.to_owned(), known: known() }),
        }
    }

    /// Asks whether a log can have all of these at once.
    ///
    /// # Errors
    /// `MemoryCompacts`.
    pub fn check(&self) -> Result<(), SettingError> {
        match self.durability == Durability::Memory && self.upkeep.cleanup.compacts() {
            true => Err(SettingError::MemoryCompacts { policy: self.upkeep.cleanup.to_string() }),
            false => Ok(()),
        }
    }

    /// Asks whether a log that has the settings `present` can get these.
    ///
    /// # Errors
    /// `DurabilityFixed`, and those of `check`.
    pub fn check_change(&self, present: &LogSettings) -> Result<(), SettingError> {
        let (from, to) = (present.durability, self.durability);
        if from != to {
            return Err(SettingError::DurabilityFixed { from, to });
        }
        self.check()
    }

    /// True if records are found by their keys. Of a log in memory nothing is written, an
    /// index neither.
    pub fn indexes_keys(&self) -> bool {
        self.keys && self.durability != Durability::Memory
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
            row("pyralog.keys", self.keys.to_string(), true),
            row("scarab.ids", self.scarab_ids.to_string(), true),
        ];
        let of_upkeep = |key: &upkeep::UpkeepKey| (key.show)((key.get)(&self.upkeep));
        rows.extend(UPKEEP_KEYS.iter().map(|key| row(key.key, of_upkeep(key), true)));
        rows.extend(FIXED.iter().map(|(key, value, _)| row(key, (*value).to_owned(), false)));
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    }
}

fn known() -> String {
    let rows = LogSettings::default().rows();
    rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>().join(", ")
}
