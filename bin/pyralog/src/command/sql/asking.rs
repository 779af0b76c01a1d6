//! One statement on its way to a server, and its answer on its way to the reader.
//!
//! Every format is made here of the answer in JSON lines: only that says at its end
//! whether it is whole.

use super::mistake::pointed_out;
use super::printer::{Printer, printer};
use super::spinner::turning;
use crate::cli::SqlFormat;
use crate::client::{Client, ReplyLines};
use crate::failure::{Failure, Status};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Method;
use pyralog_console::api::{SqlFormat as Wire, SqlLine, SqlRequest};
use std::io::{BufWriter, Write};
use std::time::Duration;

/// Whom to ask, and for how long.
#[derive(Debug)]
pub struct Asking {
    /// The servers.
    pub client: Client,
    /// How long a query may run.
    pub timeout: Option<Duration>,
}

impl Asking {
    /// Prints the answer to one statement. Dropping this cancels the query.
    ///
    /// # Errors
    /// Why there is no answer, or why it is not whole.
    pub async fn ask(&self, statement: &str, format: SqlFormat) -> Result<(), Failure> {
        let explained = |failure| pointed_out(failure, statement);
        let lines = turning(self.lines(statement)).await.map_err(explained)?;
        let mut out = BufWriter::with_capacity(64 * 1024, std::io::stdout().lock());
        let printed = print(lines, format, &mut out).await;
        // What came before an error is shown before it.
        out.flush()?;
        printed
    }

    /// The answer to a statement that this program asks by itself: rows of texts.
    pub async fn rows(&self, statement: &str) -> Result<Vec<Vec<String>>, Failure> {
        let mut lines = self.lines(statement).await?;
        let mut found = Vec::new();
        while let Some(line) = lines.next().await? {
            match understood(&line)? {
                SqlLine::Rows(rows) => {
                    let text = |row: Vec<_>| row.into_iter().map(super::printer::text).collect();
                    found.extend(rows.into_iter().map(text));
                }
                SqlLine::Error(error) => {
                    return Err(Failure::from_server(&error.code, &error.message));
                }
                SqlLine::Columns(_) | SqlLine::Done(_) => {}
            }
        }
        Ok(found)
    }

    async fn lines(&self, statement: &str) -> Result<ReplyLines, Failure> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let request = SqlRequest {
            query: statement.to_owned(),
            format: Some(Wire::Json),
            time_max_ms: self.timeout.map(millis),
        };
        let body = serde_json::to_vec(&request).map_err(Failure::failed)?;
        let body = Full::new(Bytes::from(body)).boxed_unsync();
        self.client.stream(Method::POST, "/v1/sql", body).await
    }
}

async fn print(
    mut lines: ReplyLines,
    format: SqlFormat,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut printing: Option<Box<dyn Printer>> = None;
    loop {
        let line = match lines.ready() {
            Some(line) => line,
            None => {
                // Nothing more is here: what there is may be seen.
                out.flush()?;
                turning(lines.next()).await?.ok_or_else(broken_off)?
            }
        };
        match (understood(&line)?, &mut printing) {
            (SqlLine::Columns(columns), None) => printing = Some(printer(format, columns)),
            (SqlLine::Rows(rows), Some(printer)) => printer.rows(&rows, out)?,
            (SqlLine::Done(done), Some(printer)) => return printer.end(done, out),
            (SqlLine::Error(error), _) => {
                return Err(Failure::from_server(&error.code, &error.message));
            }
            _ => return Err(Failure::failed("the server's answer is out of order")),
        }
    }
}

fn understood(line: &Bytes) -> Result<SqlLine<'_>, Failure> {
    serde_json::from_slice(line).map_err(|error| {
        Failure::failed(format!("the server's answer cannot be understood: {error}"))
    })
}

fn broken_off() -> Failure {
    let message = "the server went away in the middle of the answer: it is not whole";
    Failure::new(Status::Retryable, message)
}
