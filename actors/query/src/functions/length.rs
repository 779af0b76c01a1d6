//! `length(value)` counts the characters of a text and the bytes of bytes,
//! `octet_length(value)` the bytes of both.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::length::length;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::DataFusionError;
use datafusion::error::Result;
use datafusion::functions::unicode::character_length;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// What the engine calls `length`.
const CHARACTERS: &str = "character_length";

/// How long a value is.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Length {
    name: &'static str,
    aliases: Vec<String>,
    signature: Signature,
}

impl Length {
    /// Characters of a text, bytes of bytes.
    pub(super) fn new() -> Length {
        let aliases = ["length", "char_length"].map(str::to_owned).to_vec();
        let signature = Signature::user_defined(Volatility::Immutable);
        Length { name: CHARACTERS, aliases, signature }
    }

    /// Bytes.
    pub(super) fn octets() -> Length {
        Length { name: "octet_length", aliases: Vec::new(), ..Length::new() }
    }
}

impl ScalarUDFImpl for Length {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [argument] = arguments else { return Err(self.misused()) };
        match argument {
            kind if kind.is_string() || kind.is_binary() => Ok(vec![kind.clone()]),
            kind if kind.is_nested() => Err(self.misused()),
            _ => Ok(vec![DataType::Utf8]),
        }
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_text = call.args.first().is_some_and(|value| value.data_type().is_string());
        let lengths = match is_text && self.name == CHARACTERS {
            true => {
                let rows = call.number_rows;
                let is_large = call.args[0].data_type() == DataType::LargeUtf8;
                let counted = if is_large { DataType::Int64 } else { DataType::Int32 };
                let return_field = Arc::new(Field::new(self.name, counted, true));
                let call = ScalarFunctionArgs { return_field, ..call };
                character_length().invoke_with_args(call)?.into_array(rows)?
            }
            false => {
                let [values] = &ColumnarValue::values_to_arrays(&call.args)?[..] else {
                    return Err(self.misused());
                };
                length(values)?
            }
        };
        let lengths: ArrayRef = cast(&lengths, &DataType::Int64)?;
        Ok(ColumnarValue::Array(lengths))
    }
}

impl Length {
    fn misused(&self) -> DataFusionError {
        DataFusionError::Plan(format!("{} takes one text, or bytes", self.name))
    }
}
