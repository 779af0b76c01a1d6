//! Answers as text, to be compared.

use crate::node::Node;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use pyralog_model::ApiError;
use pyralog_query::{Rows, RunOptions};

/// Each row, its cells with blanks between them.
pub fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut lines = Vec::new();
    for batch in batches {
        let cells: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let row: Vec<String> = cells.iter().map(|cell| cell.value(row).to_string()).collect();
            lines.push(row.join(" "));
        }
    }
    lines
}

/// All that comes.
pub async fn collect(mut rows: Rows) -> Result<Vec<RecordBatch>, ApiError> {
    let mut batches = Vec::new();
    while let Some(batch) = rows.next().await {
        batches.push(batch?);
    }
    Ok(batches)
}

impl Node {
    /// The rows of a query that must succeed.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        let batches = collect(self.run(sql).await).await;
        lines(&batches.unwrap_or_else(|error| panic!("{sql}: {error}")))
    }

    /// The error of a query that must fail, at its beginning or later.
    pub async fn error(&self, sql: &str) -> ApiError {
        let ended = match self.queries.run(sql, RunOptions::default()).await {
            Ok(rows) => collect(rows).await.map(|batches| lines(&batches)),
            Err(error) => Err(error),
        };
        let shortened: String = sql.chars().take(80).collect();
        ended.expect_err(&shortened)
    }
}
