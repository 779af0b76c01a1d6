//! The columns of a log as a table: the system's eight, then those of its schema.

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use pyralog_model::ColumnKind;
use std::sync::{Arc, LazyLock};

/// A column that every log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SystemColumn {
    /// The number of the partition.
    Partition,
    /// The place in the partition.
    Offset,
    /// The record's time, milliseconds in UTC.
    Timestamp,
    /// The leadership under which it was stored.
    Epoch,
    /// The record's id, if it has one.
    ScarabId,
    /// The key's bytes.
    Key,
    /// The value's bytes.
    Value,
    /// The headers.
    Headers,
}

impl SystemColumn {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [SystemColumn; 8] = [
        SystemColumn::Partition,
        SystemColumn::Offset,
        SystemColumn::Timestamp,
        SystemColumn::Epoch,
        SystemColumn::ScarabId,
        SystemColumn::Key,
        SystemColumn::Value,
        SystemColumn::Headers,
    ];

    /// What SQL calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SystemColumn::Partition => "_partition",
            SystemColumn::Offset => "_offset",
            SystemColumn::Timestamp => "_timestamp",
            SystemColumn::Epoch => "_epoch",
            SystemColumn::ScarabId => "_scarab_id",
            SystemColumn::Key => "_key",
            SystemColumn::Value => "_value",
            SystemColumn::Headers => "_headers",
        }
    }

    fn field(self) -> Field {
        let (data_type, nullable) = match self {
            SystemColumn::Partition | SystemColumn::Epoch => (DataType::Int32, false),
            SystemColumn::Offset => (DataType::Int64, false),
            SystemColumn::Timestamp => (DataType::Timestamp(TimeUnit::Millisecond, None), false),
            SystemColumn::ScarabId => (DataType::UInt64, true),
            SystemColumn::Key | SystemColumn::Value => (DataType::Binary, true),
            SystemColumn::Headers => (DataType::List(HEADER.clone()), false),
        };
        Field::new(self.name(), data_type, nullable)
    }

    /// True if it is known without the records of a batch being opened.
    pub(crate) fn is_of_the_batch(self) -> bool {
        use SystemColumn::{Epoch, Offset, Partition, ScarabId};
        matches!(self, Partition | Offset | Epoch | ScarabId)
    }
}

/// The fields of a header.
pub(crate) fn header_fields() -> Fields {
    let key = Field::new("key", DataType::Utf8, false);
    Fields::from(vec![key, Field::new("value", DataType::Binary, true)])
}

/// An element of `_headers`.
static HEADER: LazyLock<Arc<Field>> =
    LazyLock::new(|| Arc::new(Field::new("item", DataType::Struct(header_fields()), false)));

/// The element of the list `_headers`.
pub(crate) fn header_element() -> Arc<Field> {
    HEADER.clone()
}

/// The table of a log.
pub(crate) fn table_schema(schema: Option<&pyralog_model::Schema>) -> SchemaRef {
    let system = SystemColumn::ALL.into_iter().map(SystemColumn::field);
    let columns = schema.map(|schema| schema.columns.as_slice()).unwrap_or_default();
    let own = columns.iter().map(|column| Field::new(&column.name, data_type(column.kind), true));
    Arc::new(Schema::new(system.chain(own).collect::<Vec<_>>()))
}

fn data_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Boolean => DataType::Boolean,
        ColumnKind::SmallInt => DataType::Int16,
        ColumnKind::Integer => DataType::Int32,
        ColumnKind::BigInt => DataType::Int64,
        ColumnKind::Real => DataType::Float32,
        ColumnKind::Double => DataType::Float64,
        ColumnKind::Text => DataType::Utf8,
        ColumnKind::Date => DataType::Date32,
        ColumnKind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnKind::Decimal { precision, scale } => {
            // A scale is at most the precision, and that at most 38.
            DataType::Decimal128(precision, scale as i8)
        }
    }
}
