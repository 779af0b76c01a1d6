//! The engine's errors, as users meet them: its own words where they help, without
//! its prefixes, and ours where they do not.

use crate::QuerySettings;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use pyralog_model::{ApiError, ErrorCode};
use std::error::Error;
use std::sync::Arc;
use tokio::task::JoinError;

/// Carries an error of ours through the engine.
pub(crate) fn external(error: ApiError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Explains errors of one step of a query.
#[derive(Debug)]
pub(crate) struct Failures<'a> {
    settings: &'a QuerySettings,
    /// What an error is that says nothing of its kind.
    code: ErrorCode,
}

impl<'a> Failures<'a> {
    /// While the query is read and planned.
    pub(crate) fn planning(settings: &'a QuerySettings) -> Failures<'a> {
        Failures { settings, code: ErrorCode::QueryInvalid }
    }

    /// While it runs.
    pub(crate) fn running(settings: &'a QuerySettings) -> Failures<'a> {
        Failures { settings, code: ErrorCode::QueryFailed }
    }

    /// What happened, why, and what to do.
    pub(crate) fn explain(&self, error: &DataFusionError) -> ApiError {
        let root = error.find_root();
        match root {
            DataFusionError::External(inner) => self.carried(inner.as_ref()),
            DataFusionError::ResourcesExhausted(_) => self.out_of_memory(),
            DataFusionError::SQL(error, _) => ApiError::new(ErrorCode::QueryInvalid, syntax(error)),
            DataFusionError::NotImplemented(what) => {
                let message = format!("that is not supported: {}", tidied(what));
                ApiError::new(ErrorCode::QueryInvalid, message)
            }
            DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::Configuration(_)
            | DataFusionError::Diagnostic(..) => {
                ApiError::new(ErrorCode::QueryInvalid, hinted(tidied(&root.message())))
            }
            // The engine calls some of what it cannot plan a bug of its own, such as
            // numbers BETWEEN which bytes should lie.
            DataFusionError::Internal(what) if self.code == ErrorCode::QueryInvalid => {
                ApiError::new(self.code, format!("this cannot be planned: {}", tidied(what)))
            }
            DataFusionError::Internal(what) => bug(&tidied(what)),
            DataFusionError::ExecutionJoin(join) => ended(join),
            _ => ApiError::new(self.code, tidied(&root.message())),
        }
    }

    /// What was put into an error of the engine: by us, or by one of its own tasks.
    fn carried(&self, inner: &(dyn Error + Send + Sync + 'static)) -> ApiError {
        let join = inner.downcast_ref::<JoinError>();
        let join = join.or_else(|| inner.downcast_ref::<Arc<JoinError>>().map(Arc::as_ref));
        match (inner.downcast_ref::<ApiError>(), join) {
            (Some(ours), _) => ours.clone(),
            (None, Some(join)) => ended(join),
            (None, None) => ApiError::new(self.code, tidied(&inner.to_string())),
        }
    }

    fn out_of_memory(&self) -> ApiError {
        let mebibytes = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        let message = format!(
            "the query needs more memory than there is for queries: {} MiB for one, and {} MiB \
             for all together (query_memory, of which one may use half); ask for fewer rows, \
             groups or columns, or raise query_memory",
            mebibytes(self.settings.memory_bytes_per_query_max),
            mebibytes(self.settings.memory_bytes_max),
        );
        ApiError::new(ErrorCode::QueryOutOfMemory, message)
    }
}

/// A panic, of this query alone: the engine goes on.
pub(crate) fn bug(what: &str) -> ApiError {
    let message = format!("the query ran into a bug ({what}); please report it with the query");
    ApiError::new(ErrorCode::Internal, message)
}

/// A part of a query that did not come to its end.
fn ended(join: &JoinError) -> ApiError {
    match join.is_cancelled() {
        true => ApiError::unavailable("the query engine"),
        false => bug(&join.to_string()),
    }
}

fn syntax(error: &ParserError) -> String {
    match error {
        ParserError::TokenizerError(what) | ParserError::ParserError(what) => {
            format!("the query cannot be read: {}", tidied(what))
        }
        ParserError::RecursionLimitExceeded => {
            "the query's parentheses or subqueries stand too deep in one another".to_owned()
        }
    }
}

/// With what to do, where it is always the same.
fn hinted(message: String) -> String {
    const ABOUT_TYPES: [&str; 3] = ["coercion", "No function matches", "Cannot infer common"];
    let is_about_types = ABOUT_TYPES.iter().any(|words| message.contains(words));
    if is_about_types && message.contains("Binary") {
        return format!("{message}; text(…) makes text of bytes");
    }
    message
}

/// Without backtrace, hints at the engine's own settings and its other chatter.
fn tidied(text: &str) -> String {
    let text = text.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or(text);
    let text = text.split("\nThis issue was likely caused by a bug").next().unwrap_or(text);
    let lines = text.lines().map(|line| {
        line.split(" or disable the datafusion.")
            .next()
            .unwrap_or(line)
            .trim()
            .trim_end_matches('.')
    });
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join(". ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: DataFusionError, code: ErrorCode, message: &str) {
        let settings = QuerySettings::default();
        let explained = Failures::running(&settings).explain(&error);
        assert_eq!((explained.code, explained.message.as_str()), (code, message));
    }

    #[test]
    fn an_error_of_ours_comes_out_as_it_went_in() {
        let ours = ApiError::new(ErrorCode::StorageCorrupt, "bytes");
        let wrapped = DataFusionError::Shared(Arc::new(external(ours)));
        check(wrapped.context("while reading"), ErrorCode::StorageCorrupt, "bytes");
    }

    #[test]
    fn chatter_is_left_out() {
        check(
            DataFusionError::Execution("odd.\n\nmore".into()),
            ErrorCode::QueryFailed,
            "odd. more",
        );
        let settings = QuerySettings::default();
        let internal = DataFusionError::Internal("x".into());
        let explained = Failures::running(&settings).explain(&internal);
        assert_eq!(explained.code, ErrorCode::Internal);
        assert!(!explained.message.contains("github"), "{}", explained.message);
        let explained = Failures::planning(&settings).explain(&internal);
        assert_eq!(explained.code, ErrorCode::QueryInvalid);
    }

    #[test]
    fn memory_is_told_with_its_bounds() {
        let exhausted = DataFusionError::ResourcesExhausted("greedy".into());
        let settings = QuerySettings::default();
        let explained = Failures::planning(&settings).explain(&exhausted.context("sorting"));
        assert_eq!(explained.code, ErrorCode::QueryOutOfMemory);
        assert!(
            explained
                .message
                .contains("256 MiB for one, and 512 MiB for all together (query_memory")
        );
    }
}
