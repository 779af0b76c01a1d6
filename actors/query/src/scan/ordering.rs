//! In which order a scan's rows come.

use crate::columns::SystemColumn;
use crate::ranges::OffsetRange;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalSortExpr};
use std::sync::Arc;

/// By partition and offset always; by offset alone where no group has two partitions.
pub(super) fn equivalences(
    schema: &SchemaRef,
    groups: &[Vec<OffsetRange>],
    backward: bool,
) -> EquivalenceProperties {
    let by = |column: SystemColumn| {
        let index = schema.index_of(column.name()).ok()?;
        let options = SortOptions { descending: backward, nulls_first: backward };
        Some(PhysicalSortExpr::new(Arc::new(Column::new(column.name(), index)), options))
    };
    let one_partition_each = groups
        .iter()
        .all(|group| group.windows(2).all(|pair| pair[0].partition == pair[1].partition));
    let mut orders = Vec::new();
    if one_partition_each {
        orders.extend(by(SystemColumn::Offset).map(|by_offset| vec![by_offset]));
    }
    if let Some(by_partition) = by(SystemColumn::Partition) {
        orders.push([Some(by_partition), by(SystemColumn::Offset)].into_iter().flatten().collect());
    }
    EquivalenceProperties::new_with_orderings(Arc::clone(schema), orders)
}
