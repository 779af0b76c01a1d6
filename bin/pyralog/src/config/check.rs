//! `config check`: every key, its value, who set it, and what it waits for.

use super::{Configuration, Effect, Key, Origin, Section, Setting};
use pyralog_directory::Roles;
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

    /// The keys that somebody set and that a node of these roles does not act
    /// on: the row, and what acts instead or will.
    pub fn without_effect(&self, roles: Roles) -> Vec<(CheckRow, String)> {
        let sections = [(Section::Pyramid, roles.pyramid), (Section::Obelisk, roles.obelisk)];
        // A file may hold the sections of two nodes; the other's is not ours to judge.
        let ours = |section| sections.contains(&(section, true));
        self.settings()
            .iter()
            .filter(|setting| ours(setting.key.section))
            .filter(|setting| !matches!(setting.origin, Origin::Default | Origin::Dev))
            .filter_map(|setting| Some((setting.into(), why_without_effect(setting.key, roles)?)))
            .collect()
    }
}

fn why_without_effect(key: &Key, roles: Roles) -> Option<String> {
    let own = Section::of(roles);
    if key.section != own {
        let name = if key.name == key.section.link_key() { own.link_key() } else { key.name };
        // Both sections have it, and there is one of it in a process.
        if let Some(acting) = Key::find(own, name).filter(|_| !key.name.starts_with("raft_")) {
            return Some(format!(
                "both roles share this process, and {} speaks for it",
                acting.path()
            ));
        }
    }
    match key.effect {
        Effect::Now => None,
        Effect::With(feature) => {
            Some(format!("it takes effect with {feature}, not in this version"))
        }
    }
}
