//! `/v1/sql`: questions, and the lines of their answers.

use super::ErrorBody;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `POST /v1/sql`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// One statement that only reads.
    pub query: String,
    /// How the answer is written; by the header `Accept` if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<SqlFormat>,
    /// How long the query may run in milliseconds, if that is less than the node lets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_max_ms: Option<u64>,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SqlFormat {
    /// A JSON document a line: [`SqlLine`].
    Json,
    /// RFC 4180, with a head.
    Csv,
}

/// A line of an answer in JSON: the columns first, then rows, then an end or an error.
/// Cells are left as they were written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SqlLine<'a> {
    /// The columns; two may have one name.
    Columns(Vec<SqlColumn>),
    /// Some rows.
    #[serde(borrow)]
    Rows(Vec<Vec<&'a RawValue>>),
    /// Everything was sent.
    Done(SqlDone),
    /// The query failed after rows were sent.
    Error(ErrorBody),
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// Its type, by SQL's word for it.
    #[serde(rename = "type")]
    pub kind: String,
}

impl SqlColumn {
    /// Whether its cells are numbers.
    pub fn is_number(&self) -> bool {
        const WORDS: [&str; 7] =
            ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE", "DECIMAL"];
        !self.kind.ends_with("[]") && WORDS.iter().any(|word| self.kind.starts_with(word))
    }
}

/// What an answer has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlDone {
    /// Rows that were sent.
    pub rows: u64,
    /// From the question to here, in milliseconds.
    pub elapsed_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_and_cells_left_as_they_are() {
        let SqlLine::Columns(columns) =
            serde_json::from_str("{\"columns\":[{\"name\":\"n\",\"type\":\"BIGINT\"}]}").unwrap()
        else {
            panic!("columns")
        };
        assert!(columns[0].is_number());
        let SqlLine::Rows(rows) = serde_json::from_str("{\"rows\":[[1.50,\"a\",null]]}").unwrap()
        else {
            panic!("rows")
        };
        let cells: Vec<_> = rows[0].iter().map(|cell| cell.get()).collect();
        assert_eq!(cells, ["1.50", "\"a\"", "null"]);
        let done = "{\"done\":{\"rows\":2,\"elapsed_ms\":3}}";
        assert!(matches!(serde_json::from_str(done), Ok(SqlLine::Done(SqlDone { rows: 2, .. }))));
    }

    #[test]
    fn numbers_are_told_by_their_types() {
        let column = |kind: &str| SqlColumn { name: "c".into(), kind: kind.into() };
        for (kind, number) in [
            ("DECIMAL(10, 2)", true),
            ("BIGINT UNSIGNED", true),
            ("INTERVAL", false),
            ("TEXT", false),
            ("BIGINT[]", false),
        ] {
            assert_eq!(column(kind).is_number(), number, "{kind}");
        }
    }
}
