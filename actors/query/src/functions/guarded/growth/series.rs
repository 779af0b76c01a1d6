//! How many values stand between two numbers, days or times.

use super::super::arguments::Arguments;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};

/// A value of a list of numbers or times.
const VALUE_BYTES: u64 = 8;
/// The shortest month.
const DAYS_PER_MONTH: i128 = 28;
const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// `range(stop)`, `range(start, stop)`, `range(start, stop, step)`
pub(super) fn listed(call: &Arguments, row: usize) -> u64 {
    let (start, stop) = if call.count() == 1 { (None, 0) } else { (Some(0), 1) };
    let start = match start {
        None => Some(0),
        Some(argument) => point(call, argument, row),
    };
    let (Some(start), Some(stop)) = (start, point(call, stop, row)) else { return 0 };
    let step = match call.count() {
        3 => step(call, row),
        _ => Some(1),
    };
    let Some(step) = step else { return 0 };
    // A step of nothing is refused by the function itself.
    let values = (stop - start).unsigned_abs() / step.unsigned_abs().max(1) + 1;
    u64::try_from(values).unwrap_or(u64::MAX).saturating_mul(VALUE_BYTES)
}

/// A number, or nanoseconds since 1970.
fn point(call: &Arguments, argument: usize, row: usize) -> Option<i128> {
    if let Some(whole) = call.whole(argument, row) {
        return Some(whole.into());
    }
    let (values, row) = call.cell(argument, row)?;
    // Days are whole seconds; nanoseconds would not have room for all of them.
    let (as_type, nanos) = match values.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => (TimeUnit::Nanosecond, 1),
        _ => (TimeUnit::Second, 1_000_000_000),
    };
    let one = cast(&values.slice(row, 1), &DataType::Timestamp(as_type, None)).ok()?;
    let one = cast(&one, &DataType::Int64).ok()?;
    let whole = one.as_primitive::<Int64Type>();
    Some(i128::from(whole.iter().next()??) * nanos)
}

/// A number, or nanoseconds; the least it can be. 0 if its parts point both ways.
fn step(call: &Arguments, row: usize) -> Option<i128> {
    if let Some(whole) = call.whole(2, row) {
        return Some(whole.into());
    }
    let (values, row) = call.cell(2, row)?;
    if *values.data_type() != DataType::Interval(IntervalUnit::MonthDayNano) {
        return Some(1);
    }
    let step = values.as_primitive::<IntervalMonthDayNanoType>().value(row);
    let parts = [i128::from(step.months), i128::from(step.days), i128::from(step.nanoseconds)];
    if parts.iter().any(|part| *part < 0) && parts.iter().any(|part| *part > 0) {
        return Some(0);
    }
    let [months, days, nanos] = parts;
    Some((months * DAYS_PER_MONTH + days) * NANOS_PER_DAY + nanos)
}
