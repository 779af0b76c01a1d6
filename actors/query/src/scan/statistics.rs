//! What is known of a scan's rows before one is read: ranges of contiguous offsets, as
//! they are in a log that was never compacted, answer `count(*)`, and the least and
//! greatest offset and partition.

use crate::columns::SystemColumn;
use crate::ranges::{OffsetRange, records};
use datafusion::arrow::datatypes::{Field, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::scalar::ScalarValue;

/// For the rows of `ranges` if `exact`, else for at most those.
pub(super) fn of_ranges(ranges: &[OffsetRange], schema: &SchemaRef, exact: bool) -> Statistics {
    let rows = Precision::Exact(usize::try_from(records(ranges)).unwrap_or(usize::MAX));
    let columns = schema.fields().iter().map(|field| of_column(field, ranges));
    let statistics = Statistics {
        num_rows: rows,
        total_byte_size: Precision::Absent,
        column_statistics: columns.collect(),
    };
    if exact { statistics } else { statistics.to_inexact() }
}

fn of_column(field: &Field, ranges: &[OffsetRange]) -> ColumnStatistics {
    let system = SystemColumn::ALL.into_iter().find(|column| column.name() == field.name());
    let extremes = match system {
        Some(SystemColumn::Offset) => extremes(ranges, |range| {
            let offset = |offset: u64| ScalarValue::Int64(i64::try_from(offset).ok());
            (offset(range.from), offset(range.to - 1))
        }),
        Some(SystemColumn::Partition) => extremes(ranges, |range| {
            let partition = ScalarValue::Int32(i32::try_from(range.partition).ok());
            (partition.clone(), partition)
        }),
        _ => None,
    };
    let mut statistics = ColumnStatistics::new_unknown();
    if !field.is_nullable() {
        statistics.null_count = Precision::Exact(0);
    }
    if let Some((least, greatest)) = extremes {
        statistics.min_value = Precision::Exact(least);
        statistics.max_value = Precision::Exact(greatest);
    }
    statistics
}

fn extremes(
    ranges: &[OffsetRange],
    of_range: impl Fn(&OffsetRange) -> (ScalarValue, ScalarValue),
) -> Option<(ScalarValue, ScalarValue)> {
    ranges.iter().map(of_range).reduce(|(least, greatest), (from, to)| {
        let least = if from < least { from } else { least };
        (least, if to > greatest { to } else { greatest })
    })
}
