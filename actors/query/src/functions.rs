//! Functions that SQL has here and nowhere else.

mod ids;
mod text;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, ScalarUDF};
use ids::{SCARAB_ID, ScarabIdFunction, ScarabTime};
use pyralog_partition::IdSource;
use std::sync::Arc;
use text::{JsonText, Text};

/// Makes the functions known; ids come from `ids`.
pub(crate) fn register(state: &mut SessionState, ids: Option<Arc<dyn IdSource>>) {
    let functions = [
        ScalarUDF::from(ScarabIdFunction::new(ids)),
        ScalarUDF::from(ScarabTime::new()),
        ScalarUDF::from(Text::new()),
        ScalarUDF::from(JsonText::new()),
    ];
    for function in functions {
        // A session's registry takes every function.
        let _ = state.register_udf(Arc::new(function));
    }
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
