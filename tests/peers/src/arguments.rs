//! What is typed.

use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::time::Duration;

const USAGE: &str =
    "pyralog-peers --pyralog FILE [--seconds S] [--rounds N] [--dir DIR] [--json FILE]";

/// The command line.
#[derive(Debug)]
pub struct Arguments {
    /// The binary to measure.
    pub pyralog: PathBuf,
    /// How long each cell is measured in each round.
    pub each: Duration,
    /// How often.
    pub rounds: usize,
    /// A directory on the disk to measure on; what is made in it is removed.
    pub dir: PathBuf,
    /// Where every figure goes.
    pub json: Option<PathBuf>,
}

impl Arguments {
    /// Reads the arguments behind the program's name.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments> {
        let (mut pyralog, mut json) = (None, None);
        let (mut seconds, mut rounds, mut dir) = (5u64, 5usize, PathBuf::from("/var/tmp"));
        while let Some(flag) = words.next() {
            let value = words.next().with_context(|| format!("{flag} needs a value\n{USAGE}"))?;
            match flag.as_str() {
                "--pyralog" => pyralog = Some(PathBuf::from(value)),
                "--seconds" => seconds = value.parse().context("--seconds is a whole number")?,
                "--rounds" => rounds = value.parse().context("--rounds is a whole number")?,
                "--dir" => dir = value.into(),
                "--json" => json = Some(value.into()),
                _ => bail!("{flag} is not known\n{USAGE}"),
            }
        }
        ensure!(seconds > 0 && rounds > 0, "nothing is measured in no time");
        let pyralog = pyralog.with_context(|| format!("which binary?\n{USAGE}"))?;
        Ok(Arguments { pyralog, each: Duration::from_secs(seconds), rounds, dir, json })
    }
}
