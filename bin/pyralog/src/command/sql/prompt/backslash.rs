//! What begins with `\`: not for the server, or shorter than what the server takes.

use crate::cli::SqlFormat;
use clap::ValueEnum;
use std::str::FromStr;

/// What `\?` shows.
pub const HELP: &str = "\
\\d          the logs, which are tables
\\d TABLE    the columns of a table
\\ds         the tables of the system
\\o FORMAT   print as table, json, ndjson or csv
\\q          leave
Ctrl-C      cancel the query, or what is typed
Tab         complete a word";

/// One of these commands.
#[derive(Debug, PartialEq, Eq)]
pub enum Backslash {
    /// Leave.
    Quit,
    /// Show them.
    Help,
    /// Print answers so from now on.
    Format(SqlFormat),
    /// Ask this.
    Ask(String),
}

const LOGS: &str = "SELECT name, partitions, records, bytes, schema FROM sys.logs \
                    WHERE NOT internal ORDER BY name";
const SYSTEM: &str = "SELECT 'sys.' || name AS name, meaning FROM sys.tables";

impl FromStr for Backslash {
    type Err = String;

    fn from_str(text: &str) -> Result<Backslash, String> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match (command, rest.trim()) {
            ("\\q", "") => Ok(Backslash::Quit),
            ("\\?", "") => Ok(Backslash::Help),
            ("\\d", "") => Ok(Backslash::Ask(LOGS.to_owned())),
            ("\\d", table) => Ok(Backslash::Ask(format!("DESCRIBE {table}"))),
            ("\\ds", "") => Ok(Backslash::Ask(SYSTEM.to_owned())),
            ("\\o", format) => SqlFormat::from_str(format, true)
                .map(Backslash::Format)
                .map_err(|_| "\\o takes table, json, ndjson or csv".to_owned()),
            _ => Err(format!("there is no {text}; \\? shows what there is")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood() {
        for (text, expect) in [
            ("\\q", Ok(Backslash::Quit)),
            (" \\q ; ", Ok(Backslash::Quit)),
            ("\\?", Ok(Backslash::Help)),
            ("\\d  \"Flights\";", Ok(Backslash::Ask("DESCRIBE \"Flights\"".into()))),
            ("\\d", Ok(Backslash::Ask(LOGS.into()))),
            ("\\o CSV", Ok(Backslash::Format(SqlFormat::Csv))),
            ("\\o", Err("\\o takes table, json, ndjson or csv".into())),
            ("\\x 1", Err("there is no \\x 1; \\? shows what there is".into())),
        ] {
            assert_eq!(text.parse(), expect, "{text}");
        }
    }
}
