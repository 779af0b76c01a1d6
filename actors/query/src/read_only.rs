//! SQL only reads here. Statements are let through by name, and their plans are
//! looked at once more: what is not known to read is refused.

use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as Sql;
use pyralog_model::{ApiError, ErrorCode};

/// What is said of the engine's own settings, which nobody can set.
const SETTINGS: &str = "SHOW shows TABLES and COLUMNS; settings are in sys.config";

/// Refuses a statement that may do anything else than read.
pub(crate) fn check_statement(statement: &Statement) -> Result<(), ApiError> {
    match statement {
        Statement::Statement(sql) => match sql.as_ref() {
            Sql::Query(_)
            | Sql::ExplainTable { .. }
            | Sql::ShowTables { .. }
            | Sql::ShowColumns { .. }
            | Sql::ShowCreate { .. }
            | Sql::ShowDatabases { .. }
            | Sql::ShowFunctions { .. }
            | Sql::ShowSchemas { .. }
            | Sql::ShowViews { .. } => Ok(()),
            Sql::Explain { statement, .. } => {
                check_statement(&Statement::Statement(statement.clone()))
            }
            Sql::ShowVariable { .. } => Err(ApiError::new(ErrorCode::QueryInvalid, SETTINGS)),
            other => Err(refusal(&first_word(&other.to_string()))),
        },
        Statement::Explain(explain) => check_statement(&explain.statement),
        Statement::CopyTo(_) => Err(refusal("COPY")),
        Statement::CreateExternalTable(_) => Err(refusal("CREATE")),
        Statement::Reset(_) => Err(refusal("RESET")),
    }
}

/// Refuses a plan that would change something, wherever it is in it.
pub(crate) fn check_plan(plan: &LogicalPlan) -> Result<(), ApiError> {
    let reading =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    reading.verify_plan(plan).map_err(|_| refusal("this"))
}

fn refusal(what: &str) -> ApiError {
    let message = format!(
        "SQL only reads here, and {what} does not: SELECT, VALUES, EXPLAIN, SHOW and DESCRIBE do; \
         records are written with any Kafka client or `pyralog produce`"
    );
    ApiError::new(ErrorCode::QueryReadOnly, message)
}

fn first_word(statement: &str) -> String {
    statement.split_whitespace().next().unwrap_or("it").to_uppercase()
}
