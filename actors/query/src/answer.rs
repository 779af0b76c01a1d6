//! An answer as bytes: what a door sends on, without a word of Arrow.
//!
//! [`Answer`] takes the batches of a query and gives out chunks, each when it is asked
//! for: a client that reads slowly slows the query down, and one that goes away ends
//! it, since the query runs no longer than its answer is held.
//!
//! Two forms. **NDJSON**, where every line is a document:
//!
//! ```text
//! {"columns":[{"name":"carrier","type":"TEXT"},{"name":"_offset","type":"BIGINT"}]}
//! {"rows":[["UA",0],["AA",1]]}
//! {"done":{"rows":2,"elapsed_ms":3}}
//! ```
//!
//! A line of rows has at most `LINE_ROWS` of them, and no further one after
//! `LINE_BYTES`. An answer without its `done` line is not whole. **CSV**, as RFC 4180
//! quotes it, with a head and lines that end in a newline; NULL is an empty field and
//! the empty text is `""`.
//!
//! - `cells`: one column of a batch, cell by cell, in either form.
//! - `kinds`: what the types of columns are called.

mod cells;
mod kinds;

#[cfg(test)]
mod tests;

pub(crate) use kinds::kind;

use crate::Rows;
use bytes::Bytes;
use cells::Cells;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use futures::StreamExt;
use futures::stream::BoxStream;
use pyralog_env::{Clock, Monotonic};
use pyralog_model::ApiError;
use serde_json::json;
use std::sync::Arc;

/// The most rows of one line or chunk.
const LINE_ROWS: usize = 1_000;
/// After so many bytes no row is added to a line or chunk.
const LINE_BYTES: usize = 64 * 1024;

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnswerForm {
    /// A JSON document a line: columns, rows, an end.
    #[default]
    Ndjson,
    /// A head and a line a row.
    Csv,
}

/// A query's answer on its way out. Dropping it cancels the query.
pub struct Answer {
    form: AnswerForm,
    schema: SchemaRef,
    rows: BoxStream<'static, Result<RecordBatch, ApiError>>,
    clock: Arc<dyn Clock>,
    started: Monotonic,
    stage: Stage,
    /// Rows that have come and are not written yet.
    waiting: Option<RecordBatch>,
    rows_written: u64,
}

/// How far the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Rows,
    Ended,
}

impl Answer {
    /// The answer `rows` in a form, to a query that was asked at `started`.
    pub fn new(rows: Rows, form: AnswerForm, clock: Arc<dyn Clock>, started: Monotonic) -> Answer {
        Answer::over(Arc::clone(rows.schema()), rows.boxed(), form, clock, started)
    }

    fn over(
        schema: SchemaRef,
        rows: BoxStream<'static, Result<RecordBatch, ApiError>>,
        form: AnswerForm,
        clock: Arc<dyn Clock>,
        started: Monotonic,
    ) -> Answer {
        Answer {
            form,
            schema,
            rows,
            clock,
            started,
            stage: Stage::Head,
            waiting: None,
            rows_written: 0,
        }
    }

    /// The next bytes; `None` at the end. The first chunk has rows in it if there are
    /// any, so that what fails before them can still be told by a status.
    ///
    /// # Errors
    /// Why the query failed; after that comes nothing more. NDJSON can say so in a
    /// line of its own, CSV only by breaking off.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        if self.stage == Stage::Ended {
            return Ok(None);
        }
        self.chunk().await.inspect_err(|_| self.stage = Stage::Ended)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        let batch = self.fetch().await?;
        let mut out = Vec::with_capacity(LINE_BYTES + LINE_BYTES / 4);
        if self.stage == Stage::Head {
            self.write_head(&mut out);
            self.stage = Stage::Rows;
        }
        match batch {
            Some(batch) => self.write_rows(&mut out, &batch)?,
            None => {
                self.write_end(&mut out);
                self.stage = Stage::Ended;
            }
        }
        Ok(Some(Bytes::from(out)).filter(|chunk| !chunk.is_empty()))
    }

    /// Rows that are not written yet, of which there are some; `None` at the end.
    async fn fetch(&mut self) -> Result<Option<RecordBatch>, ApiError> {
        loop {
            let batch = match self.waiting.take() {
                Some(batch) => Some(batch),
                None => self.rows.next().await.transpose()?,
            };
            if batch.as_ref().is_none_or(|batch| batch.num_rows() > 0) {
                return Ok(batch);
            }
        }
    }

    fn write_head(&self, out: &mut Vec<u8>) {
        let fields = self.schema.fields();
        match self.form {
            AnswerForm::Ndjson => {
                let column = |field: &Arc<_>| kinds::described(field);
                let columns: Vec<_> = fields.iter().map(column).collect();
                let head = json!({ "columns": columns }).to_string();
                out.extend_from_slice(head.as_bytes());
                out.push(b'\n');
            }
            AnswerForm::Csv => {
                for (place, field) in fields.iter().enumerate() {
                    out.extend_from_slice(if place == 0 { "" } else { "," }.as_bytes());
                    cells::write_csv_text(out, field.name());
                }
                out.push(b'\n');
            }
        }
    }

    /// Writes the first rows of a batch, and keeps the others.
    fn write_rows(&mut self, out: &mut Vec<u8>, batch: &RecordBatch) -> Result<(), ApiError> {
        let columns: Vec<Cells> =
            batch.columns().iter().map(|column| Cells::of(&**column)).collect::<Result<_, _>>()?;
        let (begin, mut row) = (out.len(), 0);
        if self.form == AnswerForm::Ndjson {
            out.extend_from_slice(b"{\"rows\":[");
        }
        while row < batch.num_rows().min(LINE_ROWS) && out.len() - begin < LINE_BYTES {
            match self.form {
                AnswerForm::Ndjson => {
                    out.extend_from_slice(if row == 0 { "[" } else { ",[" }.as_bytes());
                    each(&columns, out, |cells, out| cells.write_json(out, row))?;
                    out.push(b']');
                }
                AnswerForm::Csv => {
                    each(&columns, out, |cells, out| cells.write_csv(out, row))?;
                    out.push(b'\n');
                }
            }
            row += 1;
        }
        if self.form == AnswerForm::Ndjson {
            out.extend_from_slice(b"]}\n");
        }
        self.rows_written += row as u64;
        self.waiting = Some(batch.slice(row, batch.num_rows() - row));
        Ok(())
    }

    fn write_end(&self, out: &mut Vec<u8>) {
        let elapsed = self.clock.monotonic().since(self.started);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if self.form == AnswerForm::Ndjson {
            let rows = self.rows_written;
            let done = format!("{{\"done\":{{\"rows\":{rows},\"elapsed_ms\":{elapsed_ms}}}}}\n");
            out.extend_from_slice(done.as_bytes());
        }
    }
}

/// The cells of a row, with commas between them.
fn each(
    columns: &[Cells],
    out: &mut Vec<u8>,
    write: impl Fn(&Cells, &mut Vec<u8>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    for (place, column) in columns.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(column, out)?;
    }
    Ok(())
}
