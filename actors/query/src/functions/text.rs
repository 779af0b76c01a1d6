//! `text(bytes)` shows bytes as text, `json_text(value, field)` a field of a document
//! of a log that has no schema.

use crate::decode::{json_field, text_of};
use datafusion::arrow::array::{ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use std::sync::Arc;

/// Types that bytes come in.
const BYTES: [DataType; 5] = [
    DataType::Binary,
    DataType::BinaryView,
    DataType::LargeBinary,
    DataType::Utf8,
    DataType::Utf8View,
];

/// `text(bytes)`: the text, or NULL where they are no UTF-8.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Text {
    signature: Signature,
}

impl Text {
    pub(super) fn new() -> Text {
        let signatures = BYTES.map(|bytes| TypeSignature::Exact(vec![bytes])).to_vec();
        Text { signature: Signature::one_of(signatures, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Text {
    fn name(&self) -> &str {
        "text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [bytes] = &ColumnarValue::values_to_arrays(&call.args)?[..] else {
            return Err(DataFusionError::Plan("text takes one argument".to_owned()));
        };
        let bytes = cast(bytes, &DataType::Binary)?;
        let texts = bytes.as_binary::<i32>().iter();
        let texts: StringArray =
            texts.map(|bytes| bytes.and_then(|bytes| std::str::from_utf8(bytes).ok())).collect();
        Ok(ColumnarValue::Array(Arc::new(texts)))
    }
}

/// `json_text(value, field)`: a field of a JSON object as text; NULL without it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct JsonText {
    signature: Signature,
}

impl JsonText {
    pub(super) fn new() -> JsonText {
        let pair = |value: DataType| {
            let name = [DataType::Utf8, DataType::Utf8View];
            name.map(|name| TypeSignature::Exact(vec![value.clone(), name]))
        };
        let signatures = BYTES.into_iter().flat_map(pair).collect();
        JsonText { signature: Signature::one_of(signatures, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonText {
    fn name(&self) -> &str {
        "json_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [values, names] = &ColumnarValue::values_to_arrays(&call.args)?[..] else {
            return Err(DataFusionError::Plan("json_text takes a value and a field".to_owned()));
        };
        Ok(ColumnarValue::Array(json_texts(values, names)?))
    }
}

fn json_texts(values: &ArrayRef, names: &ArrayRef) -> Result<ArrayRef> {
    let (values, names) = (cast(values, &DataType::Binary)?, cast(names, &DataType::Utf8)?);
    let mut texts = StringBuilder::new();
    for (value, name) in values.as_binary::<i32>().iter().zip(names.as_string::<i32>()) {
        let field = value.zip(name).and_then(|(value, name)| json_field(value, name));
        texts.append_option(field.and_then(text_of));
    }
    Ok(Arc::new(texts.finish()))
}
