//! From a text to a plan that can run.

use super::Inner;
use crate::dropped;
use crate::failure::Failures;
use crate::functions;
use crate::naming;
use crate::parsing::parse;
use crate::read_only;
use crate::unknown_table;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use pyralog_model::ApiError;
use std::sync::Arc;

/// A plan with what it runs in.
pub(super) struct Planned {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) context: Arc<TaskContext>,
}

/// Plans one statement that only reads.
pub(super) async fn plan(inner: &Inner, sql: &str) -> Result<Planned, ApiError> {
    let failures = Failures::planning(&inner.settings);
    let mut statement = parse(sql, &failures)?;
    read_only::check_statement(&statement)?;
    dropped::check(&statement)?;
    naming::name_apart(&mut statement);
    let (mut session, ledger) = inner.session().map_err(|error| failures.explain(&error))?;
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
    ledger.planned();
    Ok(Planned { plan, context: session.task_ctx() })
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
