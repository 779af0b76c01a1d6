//! What queries have cost so far: counted as they run, read by `/metrics`, by
//! `Observe` and by tests.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($name:ident: $meaning:literal,)*) => {
        /// Counts since the process started, but for what says "now".
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct QueryCounters {
            $(#[doc = $meaning] pub $name: u64,)*
        }

        /// The same, as they are counted.
        #[derive(Debug, Default)]
        pub(crate) struct Counting {
            $(pub(crate) $name: AtomicU64,)*
        }

        impl Counting {
            pub(crate) fn snapshot(&self) -> QueryCounters {
                QueryCounters { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    running: "Queries that run now.",
    waiting: "Queries that wait for their turn now.",
    served: "Queries that came to their end.",
    failed: "Queries that did not: refused, failed, out of memory or time.",
    cancelled: "Queries that nobody waited for any more.",
    memory_bytes: "Bytes that running queries hold now.",
    bytes_read: "Bytes of batches that were read from logs.",
    batches_read: "Batches that were read from logs.",
    records_read: "Records of the ranges that were read.",
    records_decoded: "Records whose value was looked into.",
    values_coerced_to_null: "Fields, and whole values, that were not what the schema says.",
}

/// One more as long as it is held.
pub(crate) struct Held<'a>(&'a AtomicU64);

impl<'a> Held<'a> {
    pub(crate) fn new(gauge: &'a AtomicU64) -> Held<'a> {
        gauge.fetch_add(1, Ordering::Relaxed);
        Held(gauge)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
