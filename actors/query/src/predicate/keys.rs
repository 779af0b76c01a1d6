//! Keys that a predicate asks for: `_key = …`, `text(_key) = …`, IN, and what OR and AND
//! make of them.

use super::system_column;
use crate::columns::SystemColumn;
use bytes::Bytes;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Operator};
use datafusion::scalar::ScalarValue;
use std::collections::BTreeSet;

/// A predicate of more keys than this is left to the engine.
const KEYS_MAX: usize = 100;

/// The keys of which a record must have one for all of `predicates` to hold; `None` if
/// they do not say.
pub(crate) fn keys(predicates: &[Expr]) -> Option<BTreeSet<Bytes>> {
    let all = predicates.iter().filter_map(keys_of);
    all.reduce(|all, some| &all & &some).filter(|keys| keys.len() <= KEYS_MAX)
}

fn keys_of(predicate: &Expr) -> Option<BTreeSet<Bytes>> {
    match predicate {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And => match (keys_of(left), keys_of(right)) {
                (Some(left), Some(right)) => Some(&left & &right),
                (left, right) => left.or(right),
            },
            Operator::Or => Some(&keys_of(left)? | &keys_of(right)?),
            Operator::Eq => equal(left, right).or_else(|| equal(right, left)),
            _ => None,
        },
        Expr::InList(list) if !list.negated => {
            let each = list.list.iter().map(|item| equal(&list.expr, item));
            Some(each.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

fn equal(column: &Expr, constant: &Expr) -> Option<BTreeSet<Bytes>> {
    let Expr::Literal(constant, _) = constant else { return None };
    is_key(column).then_some(BTreeSet::from([bytes_of(constant)?]))
}

/// True for the key and for what has the same bytes.
fn is_key(expression: &Expr) -> bool {
    match expression {
        Expr::ScalarFunction(call) if call.name() == "text" => call.args.iter().all(is_key),
        Expr::Cast(Cast { expr, .. }) => is_key(expr),
        other => system_column(other) == Some(SystemColumn::Key),
    }
}

fn bytes_of(constant: &ScalarValue) -> Option<Bytes> {
    let bytes = match constant {
        ScalarValue::Binary(bytes)
        | ScalarValue::BinaryView(bytes)
        | ScalarValue::LargeBinary(bytes) => bytes.clone()?,
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => {
            text.clone()?.into_bytes()
        }
        _ => return None,
    };
    Some(Bytes::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::{col, lit};

    fn asked(predicate: Expr) -> Option<Vec<Bytes>> {
        keys(&[predicate]).map(|keys| keys.into_iter().collect())
    }

    #[test]
    fn what_a_key_must_be_is_found() {
        let is = |key: &str| col("_key").eq(lit(key));
        let some = |keys: &[&'static str]| Some(keys.iter().map(|key| Bytes::from(*key)).collect());
        assert_eq!(asked(is("a")), some(&["a"]));
        assert_eq!(asked(lit("a").eq(col("_key"))), some(&["a"]));
        assert_eq!(asked(is("a").or(is("b"))), some(&["a", "b"]));
        assert_eq!(asked(is("a").and(is("b"))), some(&[]));
        assert_eq!(asked(is("a").and(col("n").gt(lit(1)))), some(&["a"]));
        assert_eq!(asked(col("_key").in_list(vec![lit("a"), lit("b")], false)), some(&["a", "b"]));
        let both = keys(&[is("a").or(is("b")), is("b").or(is("c"))]);
        assert_eq!(both, Some(BTreeSet::from([Bytes::from("b")])));
    }

    #[test]
    fn what_it_may_be_besides_is_not_narrowed() {
        let is = |key: &str| col("_key").eq(lit(key));
        assert_eq!(asked(is("a").or(col("n").gt(lit(1)))), None);
        assert_eq!(asked(col("_key").not_eq(lit("a"))), None);
        assert_eq!(asked(col("_value").eq(lit("a"))), None);
        assert_eq!(asked(col("_key").in_list(vec![lit("a")], true)), None);
        assert_eq!(asked(col("_key").eq(lit(ScalarValue::Binary(None)))), None);
        assert_eq!(keys(&[]), None);
        let many = (0..=KEYS_MAX).map(|n| lit(n.to_string())).collect();
        assert_eq!(asked(col("_key").in_list(many, false)), None);
    }
}
