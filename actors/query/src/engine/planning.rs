//! From a text to a plan that can run.

use super::Inner;
use crate::failure::Failures;
use crate::functions;
use crate::read_only;
use crate::unknown_table;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use pyralog_model::{ApiError, ErrorCode};
use std::sync::Arc;

/// The longest text of a query.
const SQL_BYTES_MAX: usize = 256 << 10;
/// How deep parentheses and subqueries may stand in one another.
const DEPTH_MAX: usize = 50;

/// A plan with what it runs in.
pub(super) struct Planned {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) context: Arc<TaskContext>,
}

/// Plans one statement that only reads.
pub(super) async fn plan(inner: &Inner, sql: &str) -> Result<Planned, ApiError> {
    let failures = Failures::planning(&inner.settings);
    let statement = parse(sql, &failures)?;
    read_only::check_statement(&statement)?;
    let mut session = inner.session().map_err(|error| failures.explain(&error))?;
    session.mark_start_execution();
    let logical = match session.statement_to_plan(statement).await {
        Ok(logical) => logical,
        Err(error) => {
            let failure = failures.explain(&error);
            return Err(unknown_table::explain(failure, session.catalog_list().as_ref()));
        }
    };
    read_only::check_plan(&logical)?;
    await_ids(inner, &logical).await;
    let plan = session.create_physical_plan(&logical).await;
    let plan = plan.map_err(|error| failures.explain(&error))?;
    Ok(Planned { plan, context: session.task_ctx() })
}

fn parse(sql: &str, failures: &Failures) -> Result<Statement, ApiError> {
    let refuse = |message: String| Err(ApiError::new(ErrorCode::QueryInvalid, message));
    if sql.len() > SQL_BYTES_MAX {
        let bytes = sql.len();
        return refuse(format!("the query has {bytes} bytes, more than {SQL_BYTES_MAX}"));
    }
    let parser = DFParserBuilder::new(sql)
        .with_dialect(&GenericDialect {})
        .with_recursion_limit(DEPTH_MAX)
        .build();
    let statements = parser.and_then(|mut parser| parser.parse_statements());
    let mut statements = statements.map_err(|error| failures.explain(&error))?;
    match (statements.pop_front(), statements.len()) {
        (None, _) => refuse("there is no statement to run".to_owned()),
        (Some(statement), 0) => Ok(statement),
        (Some(_), more) => refuse(format!("these are {} statements; send one at a time", more + 1)),
    }
}

/// A query that makes ids does not fail for a lease that is just being renewed.
async fn await_ids(inner: &Inner, logical: &LogicalPlan) {
    let ids = inner.sources.ids.as_ref();
    if let Some(ids) = ids.filter(|_| functions::makes_ids(logical))
        && let Some(prepared) = ids.prepare()
    {
        prepared.await;
    }
}
