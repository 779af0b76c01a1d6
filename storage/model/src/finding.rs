//! What somebody who looks through files has to say: where bytes are not what was
//! written, how bad that is, and what to do about it.

use serde::Serialize;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// A place in a file where bytes are not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Where it begins, in bytes from the beginning of the file.
    pub position: u64,
    /// Where it ends: the next byte that is sound again, or the end of the file.
    pub end: u64,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Damage {
    /// Damage of these bytes.
    pub fn new(bytes: Range<u64>, expected: impl Into<String>, found: impl Into<String>) -> Damage {
        let (expected, found) = (expected.into(), found.into());
        Damage { position: bytes.start, end: bytes.end, expected, found }
    }

    /// What should be there and what is, without the place.
    pub fn contrast(&self) -> String {
        format!("expected {}, found {}", self.expected, self.found)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { position, end, .. } = self;
        write!(f, "byte {position}")?;
        if *end > position + 1 {
            write!(f, "..{end}")?;
        }
        write!(f, ": {}", self.contrast())
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing is wrong; it may be good to know.
    Note,
    /// Something is wrong that the next start puts right by itself.
    Repairable,
    /// Something that was written is lost, here.
    Damage,
}

impl Severity {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Repairable => "repairable",
            Severity::Damage => "damage",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that was found in a data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file or directory.
    pub path: PathBuf,
    /// Where in it, in bytes; none if it is about the whole of it.
    pub position: Option<u64>,
    /// What was found.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl Finding {
    /// That a place in a file is damaged.
    pub fn of(severity: Severity, path: impl Into<PathBuf>, damage: &Damage) -> Finding {
        let what = format!("{}, up to byte {}", damage.contrast(), damage.end);
        Finding::new(severity, path, what).at(damage.position)
    }

    /// A finding about a whole file.
    pub fn new(severity: Severity, path: impl Into<PathBuf>, what: impl Into<String>) -> Finding {
        let (path, what) = (path.into(), what.into());
        Finding { severity, path, position: None, what, advice: String::new() }
    }

    /// At a place in the file.
    pub fn at(mut self, position: u64) -> Finding {
        self.position = Some(position);
        self
    }

    /// With what to do.
    pub fn advice(mut self, advice: impl Into<String>) -> Finding {
        self.advice = advice.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_says_where_it_is() {
        let place = Damage::new(7..8, "1", "2").to_string();
        assert_eq!(place, "byte 7: expected 1, found 2");
        assert_eq!(Damage::new(7..90, "a", "b").to_string(), "byte 7..90: expected a, found b");
        assert!(Severity::Note < Severity::Repairable && Severity::Repairable < Severity::Damage);
    }
}
