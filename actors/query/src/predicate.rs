//! What a predicate says about offsets, partitions and time, so that what it leaves
//! out is not read.
//!
//! Comparisons of `_offset` and `_partition` with constants, and whatever AND, OR,
//! NOT, IN and BETWEEN make of them, are a set of offsets for each partition and
//! nothing else: they are used up. A bound on `_timestamp` is used to skip, record by
//! record, and keys to find their records; whoever set them filters again.

mod keys;
mod time_bounds;

pub(crate) use keys::keys;
pub(crate) use time_bounds::TimeBounds;

use crate::columns::SystemColumn;
use crate::offset_set::OffsetSet;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

/// A predicate of more ranges than this is left to the engine.
const RANGES_MAX: usize = 10_000;

/// The offsets of `partition` for which `predicate` holds; `None` if it speaks of
/// anything else than offsets and partitions. That does not depend on the partition.
pub(crate) fn offsets(predicate: &Expr, partition: u32) -> Option<OffsetSet> {
    let set = match predicate {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And => offsets(left, partition)?.intersection(&offsets(right, partition)?),
            Operator::Or => offsets(left, partition)?.union(offsets(right, partition)?),
            _ => either_way(left, *op, right, partition)?,
        },
        Expr::Not(inner) => offsets(inner, partition)?.complement(),
        Expr::Between(between) => {
            let from = compared(&between.expr, Operator::GtEq, &between.low, partition)?;
            let to = compared(&between.expr, Operator::LtEq, &between.high, partition)?;
            negated_if(between.negated, from.intersection(&to))
        }
        Expr::InList(list) => {
            let one = |item| compared(&list.expr, Operator::Eq, item, partition);
            let all = list.list.iter().map(one).collect::<Option<Vec<OffsetSet>>>()?;
            negated_if(list.negated, united(all))
        }
        Expr::Literal(ScalarValue::Boolean(Some(truth)), _) => {
            if *truth {
                OffsetSet::all()
            } else {
                OffsetSet::none()
            }
        }
        _ => return None,
    };
    (set.len() <= RANGES_MAX).then_some(set)
}

/// `left op right`, one of which is a column.
fn either_way(left: &Expr, op: Operator, right: &Expr, partition: u32) -> Option<OffsetSet> {
    compared(left, op, right, partition).or_else(|| compared(right, op.swap()?, left, partition))
}

fn compared(column: &Expr, op: Operator, constant: &Expr, partition: u32) -> Option<OffsetSet> {
    let constant = whole_number(constant)?;
    match system_column(column)? {
        SystemColumn::Offset => Some(match op {
            Operator::Eq => OffsetSet::range(constant..constant + 1),
            Operator::NotEq => OffsetSet::range(constant..constant + 1).complement(),
            Operator::Lt => OffsetSet::range(0..constant),
            Operator::LtEq => OffsetSet::range(0..constant + 1),
            Operator::Gt => OffsetSet::range(constant + 1..i128::MAX),
            Operator::GtEq => OffsetSet::range(constant..i128::MAX),
            _ => return None,
        }),
        SystemColumn::Partition => {
            let partition = i128::from(partition);
            let holds = match op {
                Operator::Eq => partition == constant,
                Operator::NotEq => partition != constant,
                Operator::Lt => partition < constant,
                Operator::LtEq => partition <= constant,
                Operator::Gt => partition > constant,
                Operator::GtEq => partition >= constant,
                _ => return None,
            };
            Some(if holds { OffsetSet::all() } else { OffsetSet::none() })
        }
        _ => None,
    }
}

/// One union of all of them, in one sort.
fn united(sets: Vec<OffsetSet>) -> OffsetSet {
    let mut sets = sets;
    while sets.len() > 1 {
        let half = sets.split_off(sets.len() / 2);
        let (left, right) = (united(sets), united(half));
        sets = vec![left.union(right)];
    }
    sets.pop().unwrap_or_else(OffsetSet::none)
}

fn negated_if(negated: bool, set: OffsetSet) -> OffsetSet {
    if negated { set.complement() } else { set }
}

/// The system column that an expression is.
fn system_column(expression: &Expr) -> Option<SystemColumn> {
    let Expr::Column(column) = expression else { return None };
    SystemColumn::ALL.into_iter().find(|system| system.name() == column.name)
}

/// A constant that fits 64 bits; NULL is none, since a comparison with it holds nowhere,
/// and its opposite neither.
fn whole_number(constant: &Expr) -> Option<i128> {
    let Expr::Literal(value, _) = constant else { return None };
    match value {
        ScalarValue::Int8(value) => value.map(i128::from),
        ScalarValue::Int16(value) => value.map(i128::from),
        ScalarValue::Int32(value) => value.map(i128::from),
        ScalarValue::Int64(value) => value.map(i128::from),
        ScalarValue::UInt8(value) => value.map(i128::from),
        ScalarValue::UInt16(value) => value.map(i128::from),
        ScalarValue::UInt32(value) => value.map(i128::from),
        ScalarValue::UInt64(value) => value.map(i128::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
