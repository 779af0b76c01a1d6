//! One run from one seed: an error or a panic names the seed that repeats it.

use crate::judge::Verdict;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) fn run_seed<T>(seed: u64, run: impl FnOnce() -> Verdict<T>) -> Result<T, String> {
    let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("the store panicked: {}", text.unwrap_or("without words")))
    });
    result.map_err(|what| format!("seed {seed}: {what}"))
}
