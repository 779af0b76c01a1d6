//! `DESCRIBE`, `SHOW COLUMNS` and `information_schema.columns` call types what the head
//! of an answer calls them: by SQL's words, not Arrow's.

use crate::answer::kind;
use datafusion::arrow::array::{AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::TableReference;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

/// The column of the engine's tables that says a type.
const TYPES: &str = "data_type";

/// The plan, with types by SQL's words if it is one that lists columns.
pub(crate) fn spelled(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if !lists_columns(&plan) {
        return Ok(Transformed::no(plan));
    }
    let schema = Arc::clone(plan.schema());
    let columns = schema.iter().map(|(table, field)| {
        let column = Expr::from((table, field));
        match field.name() == TYPES {
            true => SPELLED.call(vec![column]).alias_qualified(table.cloned(), TYPES),
            false => column,
        }
    });
    LogicalPlanBuilder::from(plan).project(columns)?.build().map(Transformed::yes)
}

fn lists_columns(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::DescribeTable(_) => true,
        LogicalPlan::TableScan(scan) => {
            let (schema, table) = (scan.table_name.schema(), scan.table_name.table());
            (schema, table) == (Some("information_schema"), "columns")
                && !matches!(scan.table_name, TableReference::Bare { .. })
        }
        _ => false,
    }
}

static SPELLED: LazyLock<ScalarUDF> = LazyLock::new(|| {
    let signature = Signature::string(1, Volatility::Immutable);
    ScalarUDF::from(Spelled { signature })
});

/// SQL's word for a type that is called as Arrow calls it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Spelled {
    signature: Signature,
}

impl ScalarUDFImpl for Spelled {
    fn name(&self) -> &str {
        "sql_type"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let names = call.args[0].to_array(call.number_rows)?;
        let names = cast(&names, &DataType::Utf8)?;
        // What Arrow itself does not understand stays as it is.
        let spelled = |name: &str| match name.parse::<DataType>() {
            Ok(data_type) => kind(&data_type),
            Err(_) => name.to_owned(),
        };
        let names = names.as_string::<i32>().iter();
        let spelled: StringArray = names.map(|name| name.map(spelled)).collect();
        Ok(ColumnarValue::Array(Arc::new(spelled)))
    }
}
