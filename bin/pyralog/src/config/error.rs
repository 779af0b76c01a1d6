//! What is wrong with a configuration, shown where it stands.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where a mistake stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The line's text.
        text: String,
        /// How many characters to underline; at least 1.
        width: usize,
    },
    /// In an environment variable.
    Variable(String),
    /// In a flag, with its dashes.
    Flag(String),
    /// In the configuration as a whole.
    Whole,
}

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// What is wrong, and why.
    pub what: String,
    /// Where.
    pub place: Place,
    /// What to do.
    pub help: Option<String>,
}

impl ConfigError {
    /// A mistake at a place.
    pub fn new(what: impl Into<String>, place: Place) -> ConfigError {
        ConfigError { what: what.into(), place, help: None }
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> ConfigError {
        self.help = Some(help.into());
        self
    }

    /// With the nearest of `known` as advice, if one is near.
    pub fn did_you_mean<'a>(
        self,
        given: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> ConfigError {
        match crate::suggest::nearest(given, known) {
            Some(near) => self.help(format!("did you mean '{near}'?")),
            None => self,
        }
    }
}

impl Place {
    /// The place of `span` (bytes) in the text of a file.
    pub fn in_file(path: &Path, source: &str, span: Range<usize>) -> Place {
        let start = span.start.min(source.len());
        let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |newline| start + newline);
        let end = span.end.clamp(start, line_end);
        Place::File {
            path: path.to_owned(),
            line: source[..start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            text: source[line_start..line_end].trim_end().to_owned(),
            width: source[start..end].chars().count().max(1),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match &self.place {
            Place::File { path, line, column, text, width } => {
                let gutter = line.to_string().len();
                let indent =
                    text.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' });
                write!(f, "\n{:gutter$}--> {}:{line}:{column}", "", path.display())?;
                write!(f, "\n{:gutter$} |\n{line} | {text}", "")?;
                write!(
                    f,
                    "\n{:gutter$} | {}{}",
                    "",
                    indent.collect::<String>(),
                    "^".repeat(*width)
                )?;
            }
            Place::Variable(name) => write!(f, "\n  in the environment variable {name}")?,
            Place::Flag(name) => write!(f, "\n  in the flag {name}")?,
            Place::Whole => {}
        }
        match &self.help {
            Some(help) => write!(f, "\n  {help}"),
            None => Ok(()),
        }
    }
}
