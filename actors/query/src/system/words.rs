//! What a table and its columns are called, of which types they are, and what they
//! mean.

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// A column: its name, its type, what it means.
pub type Column = (&'static str, Kind, &'static str);

/// The types that these tables have. Any cell may be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `BOOLEAN`.
    Boolean,
    /// `BIGINT`, as `_offset` is.
    Number,
    /// `BIGINT UNSIGNED`, for what uses all 64 bits.
    Unsigned,
    /// `TEXT`.
    Text,
}

impl Kind {
    /// What Arrow calls it.
    pub fn data_type(self) -> DataType {
        match self {
            Kind::Boolean => DataType::Boolean,
            Kind::Number => DataType::Int64,
            Kind::Unsigned => DataType::UInt64,
            Kind::Text => DataType::Utf8,
        }
    }

    /// What SQL calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Boolean => "BOOLEAN",
            Kind::Number => "BIGINT",
            Kind::Unsigned => "BIGINT UNSIGNED",
            Kind::Text => "TEXT",
        }
    }
}

/// The columns as the engine wants them.
pub fn schema(columns: &[Column]) -> SchemaRef {
    let field = |(name, kind, _): &Column| Field::new(*name, kind.data_type(), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}
