//! Asking by hand: a line editor with history and completion, statements of several
//! lines that end with `;`, and a few commands that begin with `\`.

mod backslash;
mod editor;
mod words;

use super::asking::Asking;
use super::statements;
use crate::cli::SqlFormat;
use crate::client::block_on;
use crate::failure::Failure;
use crate::output;
use backslash::{Backslash, HELP};
use editor::{Editor, Typed};
use std::io::Write;
use words::Words;

/// Asks until the end is typed.
pub fn run(asking: Asking, mut format: SqlFormat) -> Result<(), Failure> {
    let words = Words::default();
    // A server that cannot be reached is told of at once, not at the first question.
    block_on(words.learn(&asking))?;
    let mut editor = Editor::new(words.clone());
    output::line("\\? for help, \\q to leave; statements end with ';'")?;
    loop {
        let text = match editor.read()? {
            Typed::Text(text) => text,
            Typed::Nothing => continue,
            Typed::End => return Ok(()),
        };
        if text.trim_start().starts_with('\\') {
            match text.parse() {
                Ok(Backslash::Quit) => return Ok(()),
                Ok(Backslash::Help) => output::line(HELP)?,
                Ok(Backslash::Format(chosen)) => format = chosen,
                Ok(Backslash::Ask(statement)) => tell(ask(&asking, &statement, format))?,
                Err(unknown) => tell(Err(Failure::failed(unknown)))?,
            }
            // Logs come and go: those that are there now can be completed.
            let _ = block_on(words.learn(&asking));
            continue;
        }
        for statement in statements::split(&text) {
            tell(ask(&asking, statement, format))?;
        }
    }
}

/// Prints an answer, unless Ctrl-C comes first: that cancels the query alone.
fn ask(asking: &Asking, statement: &str, format: SqlFormat) -> Result<(), Failure> {
    block_on(async {
        tokio::select! {
            outcome = asking.ask(statement, format) => outcome,
            _ = tokio::signal::ctrl_c() => Err(Failure::failed("cancelled")),
        }
    })
}

/// Shows a failure; only one that leaves nobody to talk to ends the conversation.
fn tell(outcome: Result<(), Failure>) -> Result<(), Failure> {
    match outcome {
        Err(failure) if failure.is_reader_left() => Err(failure),
        Err(failure) => Ok(writeln!(std::io::stderr().lock(), "{failure}")?),
        Ok(()) => Ok(()),
    }
}
