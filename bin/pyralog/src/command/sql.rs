//! `pyralog sql`: questions to the logs, one after the other or at a prompt.
//!
//! - `statements`: where one statement ends and the next begins.
//! - `asking`: one statement on its way to a server, its answer on its way back.
//! - `printer` and below: how an answer looks, in each of the formats.
//! - `mistake`: where in a statement the server found one.
//! - `prompt`: asking by hand.

mod asking;
mod mistake;
mod printer;
mod prompt;
mod spinner;
mod statements;

use crate::cli::{SqlArguments, SqlFormat};
use crate::client::{Client, block_on};
use crate::failure::{Failure, Status};
use asking::Asking;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

/// The most text taken from a file or standard input: more than anybody writes.
const TEXT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Asks what was typed, what a file says, or what is asked at the prompt.
pub fn run(arguments: SqlArguments) -> Result<(), Failure> {
    let SqlArguments { query, file, format, timeout, server } = arguments;
    let asking = Asking { client: Client::new(&server.server)?, timeout };
    let text = match (query, file) {
        (Some(query), _) => query,
        (None, Some(file)) => read(&file)?,
        (None, None) if std::io::stdin().is_terminal() => return prompt::run(asking, format),
        (None, None) => piped()?,
    };
    let statements = statements::split(&text);
    if statements.is_empty() {
        return Err(Failure::new(Status::Usage, "there is no query")
            .help("for example `pyralog sql \"SELECT count(*) FROM flights\"`"));
    }
    statements.into_iter().try_for_each(|statement| ask(&asking, statement, format))
}

fn ask(asking: &Asking, statement: &str, format: SqlFormat) -> Result<(), Failure> {
    block_on(asking.ask(statement, format))
}

fn read(path: &Path) -> Result<String, Failure> {
    let unread = |error| Failure::new(Status::Usage, format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(unread)?;
    bounded(file).map_err(unread)
}

fn piped() -> Result<String, Failure> {
    bounded(std::io::stdin().lock())
        .map_err(|error| Failure::new(Status::Usage, format!("standard input: {error}")))
}

fn bounded(source: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    let bytes = source.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
    if bytes as u64 > TEXT_BYTES_MAX {
        return Err(std::io::Error::other("more than 16 MiB are no query"));
    }
    Ok(text)
}

/// A time as people read it.
fn shown(time: Duration) -> String {
    match time.as_millis() {
        millis @ ..1_000 => format!("{millis} ms"),
        millis @ ..60_000 => format!("{:.1} s", millis as f64 / 1_000.0),
        millis => format!("{} min {} s", millis / 60_000, millis / 1_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        for (millis, text) in [(7, "7 ms"), (1_250, "1.2 s"), (61_999, "1 min 1 s")] {
            assert_eq!(shown(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn no_more_is_read_than_anybody_writes() {
        let endless = std::io::repeat(b' ');
        assert!(bounded(endless).unwrap_err().to_string().contains("16 MiB"));
        assert_eq!(bounded(&b"SELECT 1"[..]).unwrap(), "SELECT 1");
    }
}
