//! Predicates, judged by evaluating them offset by offset.

use super::*;
use datafusion::prelude::{col, in_list, lit};
use proptest::prelude::*;

const OFFSETS: i64 = 24;
const PARTITIONS: u32 = 3;

/// What SQL says of `predicate` at a place, evaluated by hand.
fn holds(predicate: &Expr, partition: u32, offset: i64) -> bool {
    let value = |expression: &Expr| match expression {
        Expr::Column(column) if column.name == "_offset" => i128::from(offset),
        Expr::Column(_) => i128::from(partition),
        constant => whole_number(constant).unwrap(),
    };
    match predicate {
        Expr::Not(inner) => !holds(inner, partition, offset),
        Expr::InList(list) => {
            let found = list.list.iter().any(|item| value(item) == value(&list.expr));
            found != list.negated
        }
        Expr::Between(between) => {
            let range = value(&between.low)..=value(&between.high);
            range.contains(&value(&between.expr)) != between.negated
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And => holds(left, partition, offset) && holds(right, partition, offset),
            Operator::Or => holds(left, partition, offset) || holds(right, partition, offset),
            Operator::Eq => value(left) == value(right),
            Operator::NotEq => value(left) != value(right),
            Operator::Lt => value(left) < value(right),
            Operator::LtEq => value(left) <= value(right),
            Operator::Gt => value(left) > value(right),
            Operator::GtEq => value(left) >= value(right),
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

fn predicates() -> impl Strategy<Value = Expr> {
    let column = prop_oneof![Just(col("_offset")), Just(col("_partition"))];
    let constant = (-2..OFFSETS + 2).prop_map(lit);
    let leaf = (column, constant.clone(), constant, 0..10_u8, any::<bool>()).prop_map(
        |(column, low, high, kind, negated)| match kind {
            0 => column.eq(low),
            1 => low.not_eq(column),
            2 => column.lt(low),
            3 => low.lt_eq(column),
            4 => column.gt(low),
            5 => low.gt_eq(column),
            6 | 7 => in_list(column, vec![low, high], negated),
            _ if negated => column.not_between(low, high),
            _ => column.between(low, high),
        },
    );
    leaf.prop_recursive(4, 24, 2, |inner| {
        (inner.clone(), inner, 0..3_u8).prop_map(|(left, right, kind)| match kind {
            0 => left.and(right),
            1 => left.or(right),
            _ => Expr::Not(Box::new(left)),
        })
    })
}

proptest! {
    #[test]
    fn sets_are_exactly_where_a_predicate_holds(predicate in predicates()) {
        for partition in 0..PARTITIONS {
            let set = offsets(&predicate, partition).unwrap();
            for offset in 0..OFFSETS {
                let within = set.ranges().iter().any(|range| range.contains(&(offset as u64)));
                prop_assert_eq!(within, holds(&predicate, partition, offset));
            }
        }
    }
}

#[test]
fn what_speaks_of_something_else_is_left_alone() {
    let others = [
        col("carrier").eq(lit(1)),
        col("_offset").eq(lit(ScalarValue::Int64(None))),
        Expr::Not(Box::new(col("_offset").eq(lit(ScalarValue::Int64(None))))),
        col("_offset").eq(lit(1)).or(col("carrier").eq(lit(1))),
        col("_offset").eq(col("_partition")),
        (col("_offset") % lit(2)).eq(lit(0)),
        col("_offset").eq(lit(1.5)),
        in_list(col("_offset"), vec![lit(1), col("carrier")], false),
    ];
    for other in others {
        assert_eq!(offsets(&other, 0), None, "{other}");
    }
    let every_second: Vec<Expr> = (0..RANGES_MAX as i64 + 1).map(|n| lit(n * 2)).collect();
    assert_eq!(offsets(&in_list(col("_offset"), every_second, false), 0), None);
}

#[test]
fn bounds_of_time_are_found_and_never_too_narrow() {
    let at = |ms: i64| lit(ScalarValue::TimestampMillisecond(Some(ms), None));
    let nanos = |ns: i64| lit(ScalarValue::TimestampNanosecond(Some(ns), None));
    let utc = Some("+00:00".into());
    let time = || col("_timestamp");
    let bounds = |from_ms, to_ms| TimeBounds { from_ms, to_ms };
    let cases = [
        (time().gt_eq(at(5)), bounds(5, i64::MAX)),
        (at(5).gt(time()), bounds(i64::MIN, 5)),
        (time().between(at(3), at(9)), bounds(3, 9)),
        (time().eq(at(4)).and(col("x").eq(lit(1))), bounds(4, 4)),
        (time().gt(nanos(1_500_000)), bounds(1, i64::MAX)),
        (time().lt(nanos(-1_500_000)), bounds(i64::MIN, -1)),
        (time().lt(lit(ScalarValue::TimestampNanosecond(Some(1), utc))), bounds(i64::MIN, 1)),
        (time().gt_eq(at(5)).or(time().lt(at(2))), TimeBounds::NONE),
        (time().not_between(at(3), at(9)), TimeBounds::NONE),
        (time().not_eq(at(3)), TimeBounds::NONE),
        (col("x").gt(at(3)), TimeBounds::NONE),
    ];
    for (predicate, expect) in cases {
        assert_eq!(TimeBounds::of(std::slice::from_ref(&predicate)), expect, "{predicate}");
        assert_eq!(TimeBounds::is_in(&predicate), expect != TimeBounds::NONE, "{predicate}");
    }
    let elsewhere = lit(ScalarValue::TimestampNanosecond(Some(1), Some("+02:00".into())));
    assert!(!TimeBounds::is_in(&time().lt(elsewhere)));
}
