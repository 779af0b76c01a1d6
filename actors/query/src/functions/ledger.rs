//! What functions have made and somebody still holds, on the account of its query.
//!
//! The engine accounts for what it sorts, groups and joins, but not for the columns on
//! their way there. A text that a function makes can be as large as anybody likes, so
//! each is paid for here before it is made, and for as long as it lives.

use crate::failure::external;
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::DataFusionError;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use pyralog_model::{ApiError, ErrorCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The most that one call makes: of a constant, or for the rows of one batch.
pub(super) const CALL_BYTES_MAX: u64 = 64 << 20;

/// The longest constant, once it is computed. A column of it has thousands of copies.
pub(super) const CONSTANT_BYTES_MAX: u64 = 16 << 10;

/// What is smaller is not kept account of: it would cost more than it is worth.
const SMALL_BYTES: usize = 1 << 20;

/// The account of one query.
#[derive(Debug)]
pub(crate) struct Ledger {
    account: MemoryReservation,
    /// Constants are still being computed, of which the plan then has copies.
    is_planning: AtomicBool,
    /// Columns that were made, each with what it takes.
    columns: Mutex<Vec<(Weak<dyn Array>, MemoryReservation)>>,
}

impl Ledger {
    /// An account with the query's memory.
    pub(crate) fn new(memory: &Arc<dyn MemoryPool>) -> Ledger {
        let account = MemoryConsumer::new("functions").register(memory);
        Ledger { account, is_planning: AtomicBool::new(true), columns: Mutex::default() }
    }

    /// The plan is made: from now on functions make columns.
    pub(crate) fn planned(&self) {
        self.is_planning.store(false, Ordering::Relaxed);
    }

    /// True until then.
    pub(super) fn is_planning(&self) -> bool {
        self.is_planning.load(Ordering::Relaxed)
    }

    /// Pays for what `name` may make in one call. Given back when it is dropped.
    ///
    /// # Errors
    /// If one call may not make as much, or the query has not as much left.
    pub(super) fn pay(&self, name: &str, bytes: u64) -> Result<MemoryReservation> {
        if bytes > CALL_BYTES_MAX {
            return Err(external(too_much(name, bytes)));
        }
        let paid = self.account.new_empty();
        if bytes as usize > SMALL_BYTES {
            self.columns.lock().unwrap_or_else(PoisonError::into_inner).retain(is_held);
            paid.try_grow(bytes as usize)?;
        }
        Ok(paid)
    }

    /// Keeps account of a column that was made.
    pub(super) fn keep(&self, column: &ArrayRef, paid: MemoryReservation) {
        let bytes = column.get_array_memory_size();
        if bytes <= SMALL_BYTES || paid.size() <= SMALL_BYTES {
            return;
        }
        // A column may lie in the memory of another one; it was paid for as if it did not.
        paid.shrink(paid.size().saturating_sub(bytes));
        let mut columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        columns.push((Arc::downgrade(column), paid));
    }
}

fn is_held((column, _): &(Weak<dyn Array>, MemoryReservation)) -> bool {
    column.strong_count() > 0
}

/// Bytes of a column that was made, for a sum.
pub(super) fn bytes_of(column: &ArrayRef) -> u64 {
    column.get_array_memory_size() as u64
}

/// Why a constant is not computed while the query is planned. The planner leaves it to
/// be computed later, where it can.
pub(super) fn too_long(name: &str, bytes: u64) -> DataFusionError {
    let message = format!(
        "{name} would make a constant of {bytes} bytes, and one may have {CONSTANT_BYTES_MAX}"
    );
    external(ApiError::new(ErrorCode::QueryOutOfMemory, message))
}

fn too_much(name: &str, bytes: u64) -> ApiError {
    let message = format!(
        "{name} may make {} MiB at once here, and no function may make more than {} MiB for the \
         rows of one step; ask for shorter texts and lists",
        bytes >> 20,
        CALL_BYTES_MAX >> 20,
    );
    ApiError::new(ErrorCode::QueryOutOfMemory, message)
}
