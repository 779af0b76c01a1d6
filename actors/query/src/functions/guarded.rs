//! Functions whose answer may be larger than what they are given: paid for before
//! they run.
//!
//! `repeat('x', 1500000000)` is a short query. So each function that makes texts or
//! lists is asked first how much it will make at most, row by row ([`growth`]). What is
//! much is made in pieces; what is too much for one call or for the query's memory is
//! refused before it is begun. The planner computes constants with the same functions.

pub(super) mod arguments;
pub(super) mod growth;
mod sizes;

use super::ledger::{CALL_BYTES_MAX, CONSTANT_BYTES_MAX, Ledger, bytes_of, too_long};
use super::rewriting;
use crate::failure::external;
use arguments::Arguments;
use datafusion::arrow::array::{ArrayRef, UInt32Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature,
};
use datafusion::scalar::ScalarValue;
use growth::Growth;
use pyralog_model::{ApiError, ErrorCode};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Rows that may come to more than this are not made at once.
const PIECE_BYTES: u64 = 8 << 20;

/// Pairs that one call compares: a few seconds.
const STEPS_MAX: u64 = 1 << 30;

/// A function with a guard before it.
#[derive(Debug)]
pub(crate) struct Guarded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
    ledger: Arc<Ledger>,
}

impl Guarded {
    /// The function with a guard before it; itself if it needs none, or has one.
    pub(super) fn over(inner: &Arc<ScalarUDF>, ledger: &Arc<Ledger>) -> Arc<ScalarUDF> {
        let growth = growth::of(inner.name());
        match growth.filter(|_| !inner.inner().is::<Guarded>()) {
            None => Arc::clone(inner),
            Some(growth) => {
                let (inner, ledger) = (Arc::clone(inner), Arc::clone(ledger));
                Arc::new(ScalarUDF::from(Guarded { inner, growth, ledger }))
            }
        }
    }

    fn function(&self) -> &dyn ScalarUDFImpl {
        self.inner.inner().as_ref()
    }

    /// Runs a call that may make `bytes`.
    fn run(&self, call: ScalarFunctionArgs, bytes: u64) -> Result<ArrayRef> {
        let paid = self.ledger.pay(self.inner.name(), bytes)?;
        let rows = call.number_rows;
        let made = self.inner.invoke_with_args(call)?.into_array(rows)?;
        self.ledger.keep(&made, paid);
        Ok(made)
    }

    /// Runs a call that gives all rows the same, of at most `bytes`.
    fn run_once(&self, call: ScalarFunctionArgs, bytes: u64) -> Result<ColumnarValue> {
        let (name, rows) = (self.inner.name(), call.number_rows);
        // The most may be far from what it is.
        if self.ledger.is_planning() && bytes > 4 * CONSTANT_BYTES_MAX {
            return Err(too_long(name, bytes));
        }
        let paid = self.ledger.pay(name, bytes)?;
        let one = self.inner.invoke_with_args(ScalarFunctionArgs { number_rows: 1, ..call })?;
        let one = one.into_array(1)?;
        let bytes = bytes_of(&one);
        if bytes <= CONSTANT_BYTES_MAX {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&one, 0)?));
        }
        if self.ledger.is_planning() {
            return Err(too_long(name, bytes));
        }
        if rows == 1 {
            self.ledger.keep(&one, paid);
            return Ok(ColumnarValue::Array(one));
        }
        let paid = self.ledger.pay(name, bytes.saturating_mul(rows as u64))?;
        let column = take(&one, &UInt32Array::from(vec![0; rows]), None)?;
        self.ledger.keep(&column, paid);
        Ok(ColumnarValue::Array(column))
    }

    /// Refuses a call that would hold its thread for long.
    fn check_steps(&self, arguments: &Arguments, rows: usize) -> Result<()> {
        let Some(steps) = growth::steps_of(self.inner.name()) else { return Ok(()) };
        let steps = sum((0..rows).map(|row| steps(arguments, row)));
        if steps <= STEPS_MAX {
            return Ok(());
        }
        let message = format!(
            "{} would compare {steps} pairs for the rows of one step, and may {STEPS_MAX}; ask for \
             shorter texts and lists",
            self.inner.name()
        );
        Err(external(ApiError::new(ErrorCode::QueryFailed, message)))
    }

    /// Runs a call in pieces of a few rows, each of which may make little.
    fn run_in_pieces(&self, call: &ScalarFunctionArgs, rows: &[u64]) -> Result<ColumnarValue> {
        let (mut made, mut made_bytes, mut from) = (Vec::<ArrayRef>::new(), 0, 0);
        while from < rows.len() {
            let (until, bytes) = piece(rows, from);
            let part = self.run(arguments::rows_of(call, from, until - from), bytes)?;
            // Parts may lie in the memory of the same column.
            made_bytes += bytes_of(&part).min(bytes);
            if made_bytes > CALL_BYTES_MAX {
                self.ledger.pay(self.inner.name(), made_bytes)?;
            }
            made.push(part);
            from = until;
        }
        let paid = self.ledger.pay(self.inner.name(), made_bytes)?;
        let parts: Vec<_> = made.iter().map(AsRef::as_ref).collect();
        let whole = concat(&parts)?;
        self.ledger.keep(&whole, paid);
        Ok(ColumnarValue::Array(whole))
    }
}

fn sum(rows: impl Iterator<Item = u64>) -> u64 {
    rows.fold(0, u64::saturating_add)
}

/// Where the piece ends that begins at `from`, and what it may come to.
fn piece(rows: &[u64], from: usize) -> (usize, u64) {
    let (mut until, mut bytes) = (from + 1, rows[from]);
    while let Some(row) = rows.get(until)
        && bytes.saturating_add(*row) <= PIECE_BYTES
    {
        (until, bytes) = (until + 1, bytes + row);
    }
    (until, bytes)
}

impl ScalarUDFImpl for Guarded {
    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = Arguments::of(&call.args)?;
        let is_constant = call.args.iter().all(|one| matches!(one, ColumnarValue::Scalar(_)));
        self.check_steps(&arguments, if is_constant { 1 } else { call.number_rows })?;
        if is_constant {
            let bytes = (self.growth)(&arguments, 0);
            return self.run_once(call, bytes);
        }
        let rows: Vec<u64> =
            (0..call.number_rows).map(|row| (self.growth)(&arguments, row)).collect();
        drop(arguments);
        let bytes = sum(rows.iter().copied());
        if bytes <= PIECE_BYTES || rows.len() == 1 {
            return self.run(call, bytes).map(ColumnarValue::Array);
        }
        self.run_in_pieces(&call, &rows)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let field = self.function().return_field_from_args(args)?;
        rewriting::check_width(field.data_type())?;
        Ok(field)
    }

    /// What it becomes may have functions in it too.
    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(match self.function().simplify(args, info)? {
            ExprSimplifyResult::Simplified(expression) => {
                ExprSimplifyResult::Simplified(rewriting::guarded(expression, &self.ledger)?)
            }
            original => original,
        })
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.function().schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn is_strict(&self) -> bool {
        self.function().is_strict()
    }

    fn preimage(
        &self,
        args: &[Expr],
        literal: &Expr,
        info: &SimplifyContext,
    ) -> Result<PreimageResult> {
        self.function().preimage(args, literal, info)
    }

    fn short_circuits(&self) -> bool {
        self.function().short_circuits()
    }

    fn conditional_arguments<'a>(
        &self,
        args: &'a [Expr],
    ) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.function().conditional_arguments(args)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.function().coerce_types(arguments)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function().documentation()
    }

    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.function().placement(args)
    }
}

/// The same function in the same query.
impl PartialEq for Guarded {
    fn eq(&self, other: &Guarded) -> bool {
        self.inner == other.inner && Arc::ptr_eq(&self.ledger, &other.ledger)
    }
}

impl Eq for Guarded {}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}
