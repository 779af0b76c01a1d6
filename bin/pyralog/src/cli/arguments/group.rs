//! `pyralog group` as it is typed.

use super::{OutputFlag, ServerFlags};
use clap::{Args, Subcommand};
use pyralog_console::api::{ResetEnd, ResetPlace, ResetTo};

/// `pyralog group …`
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List the consumer groups
    List {
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// Show the members of a group, what they read, and how far behind they are
    Describe {
        /// Its name
        name: String,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// Say where a group without members goes on reading, or where a new one begins
    Reset(ResetArguments),
    /// Delete a group without members, and its offsets
    Delete {
        /// Its name
        name: String,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
}

/// `pyralog group reset`
#[derive(Debug, Args)]
pub struct ResetArguments {
    /// The group's name
    pub name: String,
    /// Which logs.
    #[command(flatten)]
    pub logs: ResetLogs,
    /// Only this partition of the log; may be repeated
    #[arg(short, long = "partition", value_name = "N", conflicts_with = "all_logs")]
    pub partitions: Vec<u32>,
    /// Where to.
    #[command(flatten)]
    pub to: ResetFlags,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Which server.
    #[command(flatten)]
    pub server: ServerFlags,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// Of which logs a group is reset: one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ResetLogs {
    /// Of which log
    #[arg(long, value_name = "LOG")]
    pub log: Option<String>,
    /// Of all partitions that the group has committed offsets of
    #[arg(long)]
    pub all_logs: bool,
}

/// Where a reset leads: one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ResetFlags {
    /// To the oldest record
    #[arg(long)]
    to_earliest: bool,
    /// To the next record
    #[arg(long)]
    to_latest: bool,
    /// To this offset
    #[arg(long, value_name = "N")]
    to_offset: Option<u64>,
    /// To the first record of this time or later: 2013-01-31T12:00:00Z, or milliseconds since 1970
    #[arg(long, value_name = "TIME", value_parser = milliseconds, allow_negative_numbers = true)]
    to_time: Option<i64>,
    /// So many records on, or back if negative
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    shift_by: Option<i64>,
}

impl ResetFlags {
    /// The one that is given.
    pub fn place(&self) -> ResetTo {
        let offset = self.to_offset.map(ResetTo::Offset);
        let time = self.to_time.map(|time| ResetTo::Place(ResetPlace::Timestamp(time)));
        let shift = self.shift_by.map(|records| ResetTo::Place(ResetPlace::Shift(records)));
        let end = if self.to_earliest { ResetEnd::Earliest } else { ResetEnd::Latest };
        offset.or(time).or(shift).unwrap_or(ResetTo::End(end))
    }
}

fn milliseconds(text: &str) -> Result<i64, String> {
    let time = text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond);
    time.or_else(|_| text.parse()).map_err(|_| {
        "expected a time with its zone, such as 2013-01-31T12:00:00Z, or milliseconds".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Typed {
        #[command(flatten)]
        to: ResetFlags,
    }

    fn typed(words: &[&str]) -> Result<ResetTo, clap::Error> {
        let words = ["reset"].iter().chain(words);
        Typed::try_parse_from(words).map(|typed| typed.to.place())
    }

    #[test]
    fn one_place_is_given_and_no_more() {
        let place = |words: &[&str]| typed(words).unwrap();
        assert_eq!(place(&["--to-earliest"]), ResetTo::End(ResetEnd::Earliest));
        assert_eq!(place(&["--to-latest"]), ResetTo::End(ResetEnd::Latest));
        assert_eq!(place(&["--to-offset", "5"]), ResetTo::Offset(5));
        assert_eq!(place(&["--shift-by", "-5"]), ResetTo::Place(ResetPlace::Shift(-5)));
        let time = ResetTo::Place(ResetPlace::Timestamp(1_359_633_600_500));
        assert_eq!(place(&["--to-time", "2013-01-31T12:00:00.5Z"]), time);
        assert_eq!(place(&["--to-time", "1359633600500"]), time);
        for bad in [
            &[][..],
            &["--to-earliest", "--to-latest"],
            &["--to-time", "noon"],
            &["--to-offset", "-1"],
        ] {
            assert!(typed(bad).is_err(), "{bad:?}");
        }
    }
}
