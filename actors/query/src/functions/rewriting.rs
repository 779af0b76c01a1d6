//! What the planner writes and must not stay so: each function with its guard, `||` as
//! a function, and bytes that are taken for text.
//!
//! The engine makes text of bytes wherever text is needed, and fails if one value of a
//! whole log is no UTF-8. Here that is the function `text`, and such a value NULL.

use super::concatenation::Concatenation;
use super::guarded::Guarded;
use super::ledger::{CONSTANT_BYTES_MAX, Ledger};
use super::text::Text;
use crate::type_names;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF, WindowFunctionDefinition,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;
use std::sync::{Arc, LazyLock};

/// The longest value of a type that says how long its values are.
const WIDTH_MAX: i32 = 64 << 10;

/// The rule, of one query. It comes after the types of all expressions are settled.
#[derive(Debug)]
pub(crate) struct Rewriting(pub(crate) Arc<Ledger>);

impl AnalyzerRule for Rewriting {
    fn name(&self) -> &str {
        "pyralog_rewriting"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(|plan| self.node(plan))?.data)
    }
}

impl Rewriting {
    fn node(&self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let plan = type_names::spelled(plan)?;
        if plan.transformed {
            return Ok(plan);
        }
        let plan = plan.data;
        let mut schema = merge_schema(&plan.inputs());
        if plan.inputs().is_empty() {
            schema = plan.schema().as_ref().clone();
        }
        let names = NamePreserver::new(&plan);
        let rewritten = plan.map_expressions(|expression| {
            let name = names.save(&expression);
            let rewritten = expression.transform_up(|part| self.part(part, &schema))?;
            Ok(rewritten.update_data(|expression| name.restore(expression)))
        })?;
        match rewritten.transformed {
            true => rewritten.map_data(LogicalPlan::recompute_schema),
            false => Ok(rewritten),
        }
    }

    fn part(&self, expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        match &expression {
            Expr::ScalarFunction(_) => guarded_part(expression, &self.0),
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
                let types = [left.get_type(schema), right.get_type(schema)].map(Result::ok);
                let [Some(left_type), Some(right_type)] = types else {
                    return Ok(Transformed::no(expression));
                };
                if left_type != right_type || matches!(left_type, DataType::FixedSizeBinary(_)) {
                    return Ok(Transformed::no(expression));
                }
                let arguments = vec![left.as_ref().clone(), right.as_ref().clone()];
                let function = Guarded::over(&CONCATENATION, &self.0);
                Ok(Transformed::yes(called(function, arguments)))
            }
            Expr::Cast(cast) => {
                check_width(cast.field.data_type())?;
                match bytes_as_text(cast, schema, &self.0) {
                    Some(text) => Ok(Transformed::yes(text)),
                    None => Ok(Transformed::no(expression)),
                }
            }
            Expr::Literal(value, _) => {
                check_literal(value)?;
                Ok(Transformed::no(expression))
            }
            Expr::TryCast(cast) => {
                check_width(cast.field.data_type())?;
                Ok(Transformed::no(expression))
            }
            Expr::WindowFunction(window) => {
                check_window(&window.fun)?;
                Ok(Transformed::no(expression))
            }
            _ => Ok(Transformed::no(expression)),
        }
    }
}

static CONCATENATION: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Concatenation::new())));
static TEXT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Text::new())));

/// The expression with guards before its functions.
pub(super) fn guarded(expression: Expr, ledger: &Arc<Ledger>) -> Result<Expr> {
    Ok(expression.transform_up(|part| guarded_part(part, ledger))?.data)
}

fn guarded_part(expression: Expr, ledger: &Arc<Ledger>) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = expression else {
        return Ok(Transformed::no(expression));
    };
    let guarded = Guarded::over(&func, ledger);
    let changed = !Arc::ptr_eq(&guarded, &func);
    let call = called(guarded, args);
    Ok(if changed { Transformed::yes(call) } else { Transformed::no(call) })
}

/// `text(bytes)`, of the type that the cast has.
fn bytes_as_text(cast: &Cast, schema: &DFSchema, ledger: &Arc<Ledger>) -> Option<Expr> {
    let wanted = cast.field.data_type();
    let given = cast.expr.get_type(schema).ok()?;
    let is_bytes = matches!(given, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    if !is_bytes || !wanted.is_string() {
        return None;
    }
    let text = called(Guarded::over(&TEXT, ledger), vec![cast.expr.as_ref().clone()]);
    Some(match wanted {
        DataType::Utf8 => text,
        _ => Expr::Cast(Cast { expr: Box::new(text), field: Arc::clone(&cast.field) }),
    })
}

fn called(function: Arc<ScalarUDF>, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
}

/// Refuses texts that no column should have thousands of copies of.
fn check_literal(value: &ScalarValue) -> Result<()> {
    let bytes = match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => text.len() as u64,
        ScalarValue::Binary(Some(bytes)) => bytes.len() as u64,
        _ => 0,
    };
    match bytes > CONSTANT_BYTES_MAX {
        false => Ok(()),
        true => {
            let message = format!(
                "a text of {bytes} bytes stands in the query; one may have {CONSTANT_BYTES_MAX}"
            );
            Err(DataFusionError::Plan(message))
        }
    }
}

/// Refuses types of which one value, even NULL, is large.
pub(super) fn check_width(data_type: &DataType) -> Result<()> {
    match data_type {
        DataType::FixedSizeBinary(width) | DataType::FixedSizeList(_, width)
            if *width > WIDTH_MAX =>
        {
            let message = format!("a type of {width} values is wider than {WIDTH_MAX}");
            Err(DataFusionError::Plan(message))
        }
        DataType::FixedSizeList(item, _) | DataType::List(item) | DataType::LargeList(item) => {
            check_width(item.data_type())
        }
        DataType::Struct(fields) => {
            fields.iter().try_for_each(|field| check_width(field.data_type()))
        }
        _ => Ok(()),
    }
}

/// Refuses aggregates that would give each row all rows before it.
fn check_window(function: &WindowFunctionDefinition) -> Result<()> {
    match function.name() {
        name @ ("array_agg" | "string_agg") => {
            let message = format!(
                "{name} is no window function here: with OVER each row would hold all rows of its \
                 window; use it with GROUP BY"
            );
            Err(DataFusionError::Plan(message))
        }
        _ => Ok(()),
    }
}
