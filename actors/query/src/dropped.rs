//! Clauses that the planner reads over: refused, since an answer without them would be
//! another one than was asked for.

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Query, Select, TableFactor, Visit, Visitor};
use pyralog_model::{ApiError, ErrorCode};
use std::ops::ControlFlow;

/// Refuses a statement with a clause that would have no effect.
pub(crate) fn check(statement: &Statement) -> Result<(), ApiError> {
    let clause = match statement {
        Statement::Statement(sql) => sql.visit(&mut Clauses).break_value(),
        Statement::Explain(explain) => return check(&explain.statement),
        _ => None,
    };
    match clause {
        None => Ok(()),
        Some(clause) => {
            let message = format!("{clause} is not supported, and would have no effect");
            Err(ApiError::new(ErrorCode::QueryInvalid, message))
        }
    }
}

/// Looks for the first of them.
struct Clauses;

impl Visitor for Clauses {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        first(&[
            (!query.locks.is_empty(), "FOR UPDATE or FOR SHARE"),
            (query.for_clause.is_some(), "FOR XML, JSON or BROWSE"),
            (query.settings.is_some(), "SETTINGS"),
            (query.format_clause.is_some(), "FORMAT"),
        ])
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<&'static str> {
        first(&[
            (!select.connect_by.is_empty(), "CONNECT BY"),
            (select.prewhere.is_some(), "PREWHERE"),
            (select.exclude.is_some(), "EXCLUDE behind columns"),
            (select.value_table_mode.is_some(), "SELECT AS VALUE or AS STRUCT"),
            (select.select_modifiers.is_some(), "a modifier of SELECT"),
        ])
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<&'static str> {
        match factor {
            TableFactor::Table {
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
                ..
            } => first(&[
                (sample.is_some(), "TABLESAMPLE"),
                (version.is_some(), "a version of a table"),
                (*with_ordinality, "WITH ORDINALITY"),
                (!partitions.is_empty(), "PARTITION behind a table"),
                (json_path.is_some(), "a path in a table"),
                (!with_hints.is_empty() || !index_hints.is_empty(), "a hint behind a table"),
            ]),
            TableFactor::Derived { sample: Some(_), .. } => ControlFlow::Break("TABLESAMPLE"),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn first(clauses: &[(bool, &'static str)]) -> ControlFlow<&'static str> {
    match clauses.iter().find(|(is_there, _)| *is_there) {
        Some((_, clause)) => ControlFlow::Break(clause),
        None => ControlFlow::Continue(()),
    }
}
