//! What a function is called with, row by row.

use super::sizes::{self, Leaf};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type, UInt64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use std::cell::OnceCell;

/// The arguments of a call.
pub(crate) struct Arguments(Vec<Argument>);

/// One argument; a constant has one row, which stands for all.
struct Argument {
    values: ArrayRef,
    is_constant: bool,
    bytes: OnceCell<Vec<u64>>,
    items: OnceCell<Vec<u64>>,
}

impl Arguments {
    /// The arguments of a call.
    pub(super) fn of(call: &[ColumnarValue]) -> Result<Arguments> {
        let argument = |value: &ColumnarValue| {
            let (values, is_constant) = match value {
                ColumnarValue::Array(values) => (values.clone(), false),
                ColumnarValue::Scalar(value) => (value.to_array()?, true),
            };
            let (bytes, items) = (OnceCell::new(), OnceCell::new());
            Ok(Argument { values, is_constant, bytes, items })
        };
        call.iter().map(argument).collect::<Result<_>>().map(Arguments)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Bytes that an argument has in a row; 0 for one that is not there.
    pub(super) fn bytes(&self, argument: usize, row: usize) -> u64 {
        let sized = |argument: &Argument| {
            let sizes = argument.bytes.get_or_init(|| sizes::of(&*argument.values, Leaf::Bytes));
            sizes.get(argument.row(row)).copied().unwrap_or(0)
        };
        self.0.get(argument).map_or(0, sized)
    }

    /// Values in a list, also those in lists in it; 1 for anything else.
    pub(super) fn items(&self, argument: usize, row: usize) -> u64 {
        let sized = |argument: &Argument| {
            let sizes = argument.items.get_or_init(|| sizes::of(&*argument.values, Leaf::One));
            sizes.get(argument.row(row)).copied().unwrap_or(0)
        };
        self.0.get(argument).map_or(0, sized)
    }

    /// A whole number; `None` for NULL and for anything else.
    pub(super) fn whole(&self, argument: usize, row: usize) -> Option<i64> {
        let (values, row) = self.cell(argument, row)?;
        match values.data_type() {
            DataType::Int64 => Some(values.as_primitive::<Int64Type>().value(row)),
            DataType::Int32 => Some(values.as_primitive::<Int32Type>().value(row).into()),
            DataType::UInt64 => {
                let whole = values.as_primitive::<UInt64Type>().value(row);
                Some(i64::try_from(whole).unwrap_or(i64::MAX))
            }
            _ => None,
        }
    }

    /// A text; `None` for NULL and for anything else.
    pub(super) fn text(&self, argument: usize, row: usize) -> Option<&str> {
        let (values, row) = self.cell(argument, row)?;
        match values.data_type() {
            DataType::Utf8 => Some(values.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => Some(values.as_string::<i64>().value(row)),
            DataType::Utf8View => Some(values.as_string_view().value(row)),
            _ => None,
        }
    }

    /// Where a value stands, unless it is NULL.
    pub(super) fn cell(&self, argument: usize, row: usize) -> Option<(&ArrayRef, usize)> {
        let argument = self.0.get(argument)?;
        let row = argument.row(row);
        argument.values.is_valid(row).then_some((&argument.values, row))
    }
}

impl Argument {
    fn row(&self, row: usize) -> usize {
        if self.is_constant { 0 } else { row }
    }
}

/// The same call for some of its rows.
pub(super) fn rows_of(call: &ScalarFunctionArgs, from: usize, rows: usize) -> ScalarFunctionArgs {
    let part = |value: &ColumnarValue| match value {
        ColumnarValue::Array(values) => ColumnarValue::Array(values.slice(from, rows)),
        constant => constant.clone(),
    };
    ScalarFunctionArgs {
        args: call.args.iter().map(part).collect(),
        arg_fields: call.arg_fields.clone(),
        number_rows: rows,
        return_field: call.return_field.clone(),
        config_options: call.config_options.clone(),
    }
}
