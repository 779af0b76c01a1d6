//! A whole answer, or why there is none.

use super::wire::{Lines, Question};
use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in SQL's words.
    pub kind: String,
}

/// What the last line says, and when the first row came.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// Rows that came.
    pub rows: u64,
    /// Bytes of batches that the query read, if the end says so.
    pub bytes_read: Option<u64>,
    /// From the question to the first row; to the end without one.
    pub first_row_after: Duration,
    /// From the question to the end.
    pub elapsed: Duration,
}

/// Rows in memory.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, cell by cell.
    pub rows: Vec<Vec<Value>>,
    /// How it ended.
    pub done: Done,
}

/// A typed error, before the first row or after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP's status; 200 when rows had come.
    pub status: u16,
    /// Such as `query-invalid`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{} ({}): {}", self.code, self.status, self.message)
    }
}

/// Asks, and gives each row to `each`. A refusal is an answer too.
///
/// # Errors
/// When what comes is neither: no JSON, an untyped error, an answer without an end.
pub fn stream<'a>(
    address: SocketAddr,
    question: impl Into<Question<'a>>,
    mut each: impl FnMut(&[Column], Vec<Value>) -> Result<()>,
) -> Result<Result<Done, Refusal>> {
    let (asked, mut rows, mut first_row_after) = (Instant::now(), 0, None);
    let mut lines = Lines::ask(address, question.into())?;
    let mut columns = Vec::new();
    while let Some(mut document) = lines.next_document()? {
        if let Some(error) = document.get("error") {
            return Ok(Err(refusal(lines.status, error)?));
        }
        ensure!(lines.status == 200, "status {} without an error: {document}", lines.status);
        if let Some(head) = document.get("columns") {
            columns = read_columns(head)?;
        } else if let Some(done) = document.get("done") {
            let elapsed = asked.elapsed();
            ensure!(done["rows"].as_u64() == Some(rows), "{rows} rows came, the end is {done}");
            ensure!(lines.next_line()?.is_none(), "something comes after the end");
            let bytes_read = done["bytes_read"].as_u64();
            let first_row_after = first_row_after.unwrap_or(elapsed);
            return Ok(Ok(Done { rows, bytes_read, first_row_after, elapsed }));
        } else {
            let Some(Value::Array(some)) = document.get_mut("rows").map(Value::take) else {
                bail!("a line of nothing known: {document}");
            };
            first_row_after.get_or_insert_with(|| asked.elapsed());
            for row in some {
                let Value::Array(cells) = row else { bail!("a row is no list: {row}") };
                ensure!(cells.len() == columns.len(), "{} cells in a row", cells.len());
                rows += 1;
                each(&columns, cells)?;
            }
        }
    }
    Err(anyhow!("the answer has no end after {rows} rows (status {})", lines.status))
}

/// Asks, and gathers the rows.
pub fn ask<'a>(
    address: SocketAddr,
    question: impl Into<Question<'a>>,
) -> Result<Result<Answer, Refusal>> {
    let (mut columns, mut rows) = (Vec::new(), Vec::new());
    let outcome = stream(address, question, |head, row| {
        if columns.is_empty() {
            columns = head.to_vec();
        }
        rows.push(row);
        Ok(())
    })?;
    Ok(outcome.map(|done| Answer { columns, rows, done }))
}

/// Asks what must have an answer.
pub fn must<'a>(address: SocketAddr, question: impl Into<Question<'a>>) -> Result<Answer> {
    let question = question.into();
    ask(address, question)?.map_err(|refusal| anyhow!("{}\n  {refusal}", question.query))
}

/// Asks what must have one row of one whole number.
pub fn number(address: SocketAddr, query: &str) -> Result<i64> {
    let answer = must(address, query)?;
    let [row] = &answer.rows[..] else { bail!("{query}: {} rows", answer.rows.len()) };
    row[0].as_i64().with_context(|| format!("{query}: {row:?}"))
}

fn read_columns(head: &Value) -> Result<Vec<Column>> {
    let text = |column: &Value, key: &str| {
        column[key].as_str().map(str::to_owned).with_context(|| format!("no {key}: {column}"))
    };
    let columns = head.as_array().context("columns are a list")?;
    columns
        .iter()
        .map(|column| Ok(Column { name: text(column, "name")?, kind: text(column, "type")? }))
        .collect()
}

fn refusal(status: u16, error: &Value) -> Result<Refusal> {
    let text = |key: &str| {
        let text = error[key].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).with_context(|| format!("an error without its {key}: {error}"))
    };
    Ok(Refusal { status, code: text("code")?, message: text("message")? })
}
