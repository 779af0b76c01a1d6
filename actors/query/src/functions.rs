//! Functions that SQL has here and nowhere else, and guards before all others that may
//! make much of little.
//!
//! - `ids`, `text`, `length`: ours.
//! - `guarded`, `ledger`: what a function may make, and who pays for it.
//! - `rewriting`: the rule that puts guards, `||` and `text` where the planner does not.

mod concatenation;
mod guarded;
mod ids;
mod ledger;
mod length;
mod rewriting;
mod text;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, ScalarUDF};
use guarded::Guarded;
use ids::{SCARAB_ID, ScarabIdFunction, ScarabTime};
pub(crate) use ledger::Ledger;
use length::Length;
use pyralog_partition::IdSource;
use rewriting::Rewriting;
use std::sync::Arc;
use text::{JsonText, Text};

/// Makes the functions known; ids come from `ids`.
pub(crate) fn register(state: &mut SessionState, ids: Option<Arc<dyn IdSource>>) {
    let functions = [
        ScalarUDF::from(ScarabIdFunction::new(ids)),
        ScalarUDF::from(ScarabTime::new()),
        ScalarUDF::from(Text::new()),
        ScalarUDF::from(JsonText::new()),
        ScalarUDF::from(Length::new()),
        ScalarUDF::from(Length::octets()),
    ];
    for function in functions {
        // A session's registry takes every function.
        let _ = state.register_udf(Arc::new(function));
    }
}

/// Puts guards before the functions of one query, whose memory this is.
pub(crate) fn guard(state: &mut SessionState, memory: &Arc<dyn MemoryPool>) -> Arc<Ledger> {
    let ledger = Arc::new(Ledger::new(memory));
    let all: Vec<_> = state.scalar_functions().values().map(Arc::clone).collect();
    for function in all {
        let guarded = Guarded::over(&function, &ledger);
        if !Arc::ptr_eq(&guarded, &function) {
            let _ = state.register_udf(guarded);
        }
    }
    state.add_analyzer_rule(Arc::new(Rewriting(Arc::clone(&ledger))));
    ledger
}

/// True if the plan calls `scarab_id()` anywhere.
pub(crate) fn makes_ids(plan: &LogicalPlan) -> bool {
    let mut found = false;
    let visited = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                found |= matches!(part, Expr::ScalarFunction(call) if call.name() == SCARAB_ID);
                Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })
    });
    visited.is_ok() && found
}
