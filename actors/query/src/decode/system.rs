//! Builders of the system columns.

use super::Place;
use crate::columns::{SystemColumn, header_element, header_fields};
use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, Int32Builder, Int64Builder, ListBuilder, StringBuilder,
    StructBuilder, TimestampMillisecondBuilder, UInt64Builder,
};
use pyralog_model::{Record, RecordHeader};
use std::sync::Arc;

/// The values of one system column.
pub(super) enum SystemBuilder {
    Partition(Int32Builder),
    Offset(Int64Builder),
    Timestamp(TimestampMillisecondBuilder),
    Epoch(Int32Builder),
    ScarabId(UInt64Builder),
    Key(BinaryBuilder),
    Value(BinaryBuilder),
    Headers(ListBuilder<StructBuilder>),
}

impl SystemBuilder {
    pub(super) fn new(column: SystemColumn) -> SystemBuilder {
        match column {
            SystemColumn::Partition => SystemBuilder::Partition(Int32Builder::new()),
            SystemColumn::Offset => SystemBuilder::Offset(Int64Builder::new()),
            SystemColumn::Timestamp => SystemBuilder::Timestamp(TimestampMillisecondBuilder::new()),
            SystemColumn::Epoch => SystemBuilder::Epoch(Int32Builder::new()),
            SystemColumn::ScarabId => SystemBuilder::ScarabId(UInt64Builder::new()),
            SystemColumn::Key => SystemBuilder::Key(BinaryBuilder::new()),
            SystemColumn::Value => SystemBuilder::Value(BinaryBuilder::new()),
            SystemColumn::Headers => {
                let fields: [Box<dyn ArrayBuilder>; 2] =
                    [Box::new(StringBuilder::new()), Box::new(BinaryBuilder::new())];
                let header = StructBuilder::new(header_fields(), fields.into());
                SystemBuilder::Headers(ListBuilder::new(header).with_field(header_element()))
            }
        }
    }

    /// For columns that are of the batch.
    pub(super) fn push_place(&mut self, place: &Place) {
        match self {
            SystemBuilder::Partition(column) => column.append_value(place.partition),
            SystemBuilder::Offset(column) => column.append_value(place.offset),
            SystemBuilder::Epoch(column) => column.append_value(place.epoch),
            SystemBuilder::ScarabId(column) => column.append_option(place.scarab_id.map(|id| id.0)),
            _ => unreachable!("a column of the record is pushed with its record"),
        }
    }

    /// Says how many bytes of varying length it took.
    pub(super) fn push(&mut self, place: &Place, record: &Record) -> usize {
        match self {
            SystemBuilder::Timestamp(column) => {
                column.append_value(record.timestamp);
                0
            }
            SystemBuilder::Key(column) => push_bytes(column, record.key.as_deref()),
            SystemBuilder::Value(column) => push_bytes(column, record.value.as_deref()),
            SystemBuilder::Headers(column) => push_headers(column, &record.headers),
            _ => {
                self.push_place(place);
                0
            }
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            SystemBuilder::Partition(column) | SystemBuilder::Epoch(column) => {
                Arc::new(column.finish())
            }
            SystemBuilder::Offset(column) => Arc::new(column.finish()),
            SystemBuilder::Timestamp(column) => Arc::new(column.finish()),
            SystemBuilder::ScarabId(column) => Arc::new(column.finish()),
            SystemBuilder::Key(column) | SystemBuilder::Value(column) => Arc::new(column.finish()),
            SystemBuilder::Headers(column) => Arc::new(column.finish()),
        }
    }
}

fn push_bytes(column: &mut BinaryBuilder, bytes: Option<&[u8]>) -> usize {
    column.append_option(bytes);
    bytes.map_or(0, <[u8]>::len)
}

fn push_headers(column: &mut ListBuilder<StructBuilder>, headers: &[RecordHeader]) -> usize {
    let mut bytes = 0;
    for header in headers {
        let fields = column.values();
        let value = header.value.as_deref();
        bytes += header.key.len() + value.map_or(0, <[u8]>::len) + size_of::<u64>();
        fields
            .field_builder::<StringBuilder>(0)
            .expect("a header's first field is its key")
            .append_value(&header.key);
        fields
            .field_builder::<BinaryBuilder>(1)
            .expect("a header's second field is its value")
            .append_option(value);
        fields.append(true);
    }
    column.append(true);
    bytes
}
