//! `config check`: every key, its value, who set it, and what it waits for.

use super::{Configuration, Effect, Origin, Setting};
use serde::Serialize;

/// One row of `config check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckRow {
    /// `pyramid.listen_addr`.
    pub key: String,
    /// The value as it was given; `null` when not set.
    pub value: Option<String>,
    /// `default`, a file with line, a variable or a flag.
    pub origin: String,
    /// The feature that this version lacks and the key needs.
    pub takes_effect_with: Option<&'static str>,
}

impl From<&Setting> for CheckRow {
    fn from(setting: &Setting) -> CheckRow {
        CheckRow {
            key: setting.key.path(),
            value: Some(setting.given.clone()).filter(|text| !text.is_empty()),
            origin: setting.origin.to_string(),
            takes_effect_with: match setting.key.effect {
                Effect::Now => None,
                Effect::With(feature) => Some(feature),
            },
        }
    }
}

impl Configuration {
    /// Every key as a row, in the order of the documentation.
    pub fn check_rows(&self) -> Vec<CheckRow> {
        self.settings().iter().map(CheckRow::from).collect()
    }

    /// The keys that somebody set and that this version does not act on.
    pub fn without_effect(&self) -> impl Iterator<Item = CheckRow> {
        self.settings()
            .iter()
            .filter(|setting| setting.key.effect != Effect::Now)
            .filter(|setting| !matches!(setting.origin, Origin::Default | Origin::Dev))
            .map(CheckRow::from)
    }
}
