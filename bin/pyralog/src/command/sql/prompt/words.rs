//! Words that can be completed: SQL's own, and the tables and columns of the server.

use crate::command::sql::asking::Asking;
use crate::failure::Failure;
use reedline::{Completer, CompletionResult, Span, Suggestion};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The most suggestions for one word.
const SUGGESTIONS_MAX: usize = 100;

const KEYWORDS: &str = "ALL AND ANALYZE AS ASC AVG BETWEEN BY CASE CAST COALESCE COUNT CROSS \
    DESC DESCRIBE DISTINCT ELSE END EXCEPT EXISTS EXPLAIN FALSE FILTER FROM FULL GROUP HAVING IN \
    INNER INTERSECT INTERVAL IS JOIN LEFT LIKE LIMIT MAX MIN NOT NULL NULLS OFFSET ON OR ORDER \
    OUTER OVER PARTITION RIGHT ROWS SELECT SHOW SUM TABLES THEN TRUE UNION USING VALUES WHEN WHERE \
    WITH";

/// Every column of every table.
const COLUMNS: &str = "SELECT table_schema, table_name, column_name \
                       FROM information_schema.columns \
                       WHERE table_schema <> 'information_schema'";

/// Words and what each of them is. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Words(Arc<Mutex<BTreeSet<(String, &'static str)>>>);

impl Words {
    /// Asks a server for its tables and columns.
    pub async fn learn(&self, asking: &Asking) -> Result<(), Failure> {
        let mut words: BTreeSet<_> =
            KEYWORDS.split_whitespace().map(|word| (word.to_owned(), "keyword")).collect();
        for row in asking.rows(COLUMNS).await? {
            let [schema, table, column] = row.as_slice() else { continue };
            let table = match schema.as_str() {
                "log" => quoted(table),
                schema => format!("{schema}.{}", quoted(table)),
            };
            words.insert((table, "table"));
            words.insert((quoted(column), "column"));
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = words;
        Ok(())
    }

    /// What the word that ends at `end` could become, and where that word begins.
    fn suggested(&self, line: &str, end: usize) -> (usize, Vec<(String, &'static str)>) {
        let belongs = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"');
        let before = &line[..end];
        let begin = end
            - before.chars().rev().take_while(|c| belongs(*c)).map(char::len_utf8).sum::<usize>();
        let typed = &before[begin..];
        if typed.is_empty() {
            return (begin, Vec::new());
        }
        let wants_table = is_before_table(&before[..begin]);
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |(word, kind): &&(String, &str)| {
            (!wants_table || *kind == "table")
                && word.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
        };
        let suggested = words.iter().filter(fits).take(SUGGESTIONS_MAX);
        // A keyword is written as the one who types writes.
        let lower = typed.chars().any(char::is_lowercase);
        let cased = |(word, kind): &(String, &'static str)| match *kind {
            "keyword" if lower => (word.to_lowercase(), *kind),
            _ => (word.clone(), *kind),
        };
        (begin, suggested.map(cased).collect())
    }
}

impl Completer for Words {
    fn complete(&mut self, line: &str, end: usize) -> CompletionResult {
        let (begin, words) = self.suggested(line, end);
        let suggestion = |(value, kind): (String, &str)| Suggestion {
            value,
            description: Some(kind.to_owned()),
            span: Span::new(begin, end),
            append_whitespace: true,
            ..Suggestion::default()
        };
        CompletionResult::fresh(words.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}

/// Whether a table comes next: behind these only tables do.
fn is_before_table(text: &str) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    let is_apart = text.ends_with(char::is_whitespace);
    is_apart && ["FROM", "JOIN", "DESCRIBE"].iter().any(|word| last.eq_ignore_ascii_case(word))
}

/// A name as SQL wants it: in quotes if it would be read otherwise without them.
fn quoted(name: &str) -> String {
    let first = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match first && name.chars().all(rest) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let words = [("FROM", "keyword"), ("flights", "table"), ("sys.logs", "table")];
        let words = words.into_iter().chain([("\"Fares\"", "table"), ("flight", "column")]);
        Words(Arc::new(Mutex::new(words.map(|(word, kind)| (word.to_owned(), kind)).collect())))
    }

    #[track_caller]
    fn check(line: &str, begin: usize, expect: &[&str]) {
        let (found, words) = words().suggested(line, line.len());
        let words: Vec<_> = words.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!((found, words.as_slice()), (begin, expect), "{line}");
    }

    #[test]
    fn words_are_completed_as_they_are_typed() {
        check("SELECT * F", 9, &["FROM", "flight", "flights"]);
        check("select * fr", 9, &["from"]);
        check("SELECT * FROM f", 14, &["flights"]);
        check("select * from x left join\tfl", 26, &["flights"]);
        check("SELECT f", 7, &["from", "flight", "flights"]);
        check("SELECT * FROM sys.", 14, &["sys.logs"]);
        check("SELECT * FROM \"Fa", 14, &["\"Fares\""]);
        check("SELECT max(fl", 11, &["flight", "flights"]);
        check("SELECT ", 7, &[]);
        check("SELECT ž", 7, &[]);
    }

    #[test]
    fn names_are_quoted_when_they_must_be() {
        for (name, expect) in [
            ("flights", "flights"),
            ("Flights", "\"Flights\""),
            ("a-b", "\"a-b\""),
            ("_key", "_key"),
        ] {
            assert_eq!(quoted(name), expect);
        }
    }
}
