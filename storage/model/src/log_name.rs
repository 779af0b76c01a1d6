//! The name of a log, checked once and trusted from then on.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// `[A-Za-z0-9._-]{1,249}`, never `.` or `..`. A leading `__` is for internal
/// logs. No name becomes a path: directories are named by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogName(String);

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogNameError {
    /// Empty, or more than 249 bytes.
    #[error("a log name has 1 to 249 characters, this one has {0}")]
    Length(usize),
    /// `.` or `..`.
    #[error("'.' and '..' are not log names")]
    Dots,
    /// A character outside the set.
    #[error("{0:?} is not allowed in a log name; use letters, digits, '.', '_' and '-'")]
    Character(char),
    /// A leading `__` from a user.
    #[error("names that begin with '__' are kept for internal logs")]
    Reserved,
}

impl LogName {
    /// The longest name in bytes.
    pub const BYTES_MAX: usize = 249;

    /// Checks a name that a user gave: as `parse`, and no leading `__`.
    pub fn for_user(text: &str) -> Result<LogName, LogNameError> {
        let name: LogName = text.parse()?;
        if name.is_internal() {
            return Err(LogNameError::Reserved);
        }
        Ok(name)
    }

    /// True for a leading `__`.
    pub fn is_internal(&self) -> bool {
        self.0.starts_with("__")
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogName {
    type Err = LogNameError;
    fn from_str(text: &str) -> Result<LogName, LogNameError> {
        if text.is_empty() || text.len() > LogName::BYTES_MAX {
            return Err(LogNameError::Length(text.len()));
        }
        if text == "." || text == ".." {
            return Err(LogNameError::Dots);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        match text.chars().find(|&c| !allowed(c)) {
            Some(c) => Err(LogNameError::Character(c)),
            None => Ok(LogName(text.to_owned())),
        }
    }
}

/// Names are looked up by text; a name and its text compare alike.
impl Borrow<str> for LogName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LogName {
    type Error = LogNameError;
    fn try_from(text: String) -> Result<LogName, LogNameError> {
        text.parse()
    }
}

impl From<LogName> for String {
    fn from(name: LogName) -> String {
        name.0
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<(), LogNameError>) {
        assert_eq!(LogName::for_user(text).map(|_| ()), expect, "{text:?}");
    }

    #[test]
    fn names_are_checked() {
        check("flights", Ok(()));
        check("a.b_c-9", Ok(()));
        check(&"x".repeat(249), Ok(()));
        check(&"x".repeat(250), Err(LogNameError::Length(250)));
        check("", Err(LogNameError::Length(0)));
        check(".", Err(LogNameError::Dots));
        check("..", Err(LogNameError::Dots));
        check("../etc", Err(LogNameError::Character('/')));
        check("a\0b", Err(LogNameError::Character('\0')));
        check("ä", Err(LogNameError::Character('ä')));
        check("__groups", Err(LogNameError::Reserved));
    }
}
