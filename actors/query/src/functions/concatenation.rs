//! `||` as a function, so that it is guarded as functions are.

use datafusion::arrow::compute::kernels::concat_elements::concat_elements_dyn;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::DataFusionError;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// `left || right` of two texts, or of bytes, of one type; NULL if one of them is.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Concatenation {
    signature: Signature,
}

impl Concatenation {
    pub(super) fn new() -> Concatenation {
        Concatenation { signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Concatenation {
    fn name(&self) -> &str {
        "||"
    }

    /// As the operator's.
    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let names: Vec<String> =
            arguments.iter().map(|one| one.schema_name().to_string()).collect();
        Ok(names.join(" || "))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        arguments.first().cloned().ok_or_else(two_arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields = arguments.arg_fields;
        let data_type = fields.first().ok_or_else(two_arguments)?.data_type().clone();
        let nullable = fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), data_type, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = call.args.iter().all(|one| matches!(one, ColumnarValue::Scalar(_)));
        let [left, right] = &ColumnarValue::values_to_arrays(&call.args)?[..] else {
            return Err(two_arguments());
        };
        let joined = concat_elements_dyn(left, right)?;
        match constant {
            true => Ok(ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(
                &joined, 0,
            )?)),
            false => Ok(ColumnarValue::Array(joined)),
        }
    }
}

fn two_arguments() -> DataFusionError {
    DataFusionError::Plan("|| stands between two texts".to_owned())
}
