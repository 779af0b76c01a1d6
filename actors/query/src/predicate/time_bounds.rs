//! Bounds on `_timestamp`.

use super::system_column;
use crate::columns::SystemColumn;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Operator};
use datafusion::scalar::ScalarValue;

/// Milliseconds that a record's time may have; both ends belong to it. It may be wider
/// than what was asked for, by less than a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeBounds {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

impl TimeBounds {
    /// No bound.
    pub(crate) const NONE: TimeBounds = TimeBounds { from_ms: i64::MIN, to_ms: i64::MAX };

    /// What predicates that must all hold say about time.
    pub(crate) fn of(predicates: &[Expr]) -> TimeBounds {
        predicates.iter().fold(TimeBounds::NONE, TimeBounds::narrowed)
    }

    /// True if `predicate` says something about time.
    pub(crate) fn is_in(predicate: &Expr) -> bool {
        TimeBounds::NONE.narrowed(predicate) != TimeBounds::NONE
    }

    /// True if it bounds nothing.
    pub(crate) fn is_none(&self) -> bool {
        *self == TimeBounds::NONE
    }

    /// True for a time between the bounds.
    pub(crate) fn contains(&self, time_ms: i64) -> bool {
        (self.from_ms..=self.to_ms).contains(&time_ms)
    }

    fn narrowed(self, predicate: &Expr) -> TimeBounds {
        match predicate {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                self.narrowed(left).narrowed(right)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let swapped = || self.compared(right, op.swap()?, left);
                self.compared(left, *op, right).or_else(swapped).unwrap_or(self)
            }
            Expr::Between(between) if !between.negated => {
                let from = self.compared(&between.expr, Operator::GtEq, &between.low);
                let from = from.unwrap_or(self);
                from.compared(&between.expr, Operator::LtEq, &between.high).unwrap_or(from)
            }
            _ => self,
        }
    }

    fn compared(mut self, column: &Expr, op: Operator, constant: &Expr) -> Option<TimeBounds> {
        if !is_timestamp(column) {
            return None;
        }
        let (floor, ceiling) = milliseconds(constant)?;
        if matches!(op, Operator::Gt | Operator::GtEq | Operator::Eq) {
            self.from_ms = self.from_ms.max(floor);
        }
        if matches!(op, Operator::Lt | Operator::LtEq | Operator::Eq) {
            self.to_ms = self.to_ms.min(ceiling);
        }
        Some(self)
    }
}

/// The column, or the column in another unit, as comparisons with finer constants
/// have it.
fn is_timestamp(expression: &Expr) -> bool {
    match expression {
        Expr::Cast(Cast { expr, field }) => is_time_in_utc(field.data_type()) && is_timestamp(expr),
        _ => system_column(expression) == Some(SystemColumn::Timestamp),
    }
}

/// Seconds are coarser than the column: a cast to them is not undone by a bound.
fn is_time_in_utc(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(TimeUnit::Second, _) => false,
        DataType::Timestamp(_, zone) => zone.as_deref().is_none_or(is_utc),
        _ => false,
    }
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "Z" | "+00:00" | "+00")
}

/// A constant in milliseconds, rounded down and up.
fn milliseconds(constant: &Expr) -> Option<(i64, i64)> {
    let Expr::Literal(value, _) = constant else { return None };
    let (ticks, zone, ticks_per_ms) = match value {
        ScalarValue::TimestampSecond(Some(seconds), zone) => (seconds.checked_mul(1_000)?, zone, 1),
        ScalarValue::TimestampMillisecond(Some(ticks), zone) => (*ticks, zone, 1),
        ScalarValue::TimestampMicrosecond(Some(ticks), zone) => (*ticks, zone, 1_000),
        ScalarValue::TimestampNanosecond(Some(ticks), zone) => (*ticks, zone, 1_000_000),
        _ => return None,
    };
    let floor = ticks.div_euclid(ticks_per_ms);
    let ceiling = floor + i64::from(ticks.rem_euclid(ticks_per_ms) != 0);
    zone.as_deref().is_none_or(is_utc).then_some((floor, ceiling))
}
