//! Threads of their own, which take what others leave of the processor: a query may
//! compute for minutes, and must not hold up those who serve records.
//!
//! Niceness is not enough for that. A record passes four threads until it is
//! acknowledged, and each of them may wait for a nice one to end its slice: with queries
//! on all processors the 99th percentile grew sevenfold. An idle thread gives way at once.

use std::io;
use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};
use tokio::runtime::{Builder, Handle, Runtime};

/// Deep expressions are walked on the stack, in parts that the engine does not guard
/// too. Memory is taken only as it is touched.
const STACK_BYTES: usize = 64 << 20;

/// A runtime for queries.
#[derive(Debug)]
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn start(threads: usize) -> io::Result<Threads> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("pyralog-query")
            .thread_stack_size(STACK_BYTES)
            .on_thread_start(give_way)
            .enable_time()
            .build()?;
        Ok(Threads(Some(runtime)))
    }

    pub(super) fn handle(&self) -> Handle {
        self.0.as_ref().expect("it is there until it is dropped").handle().clone()
    }
}

/// This thread runs when no other wants to. Where that is not allowed, things are as usual.
fn give_way() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let this = thread_priority::thread_native_id();
    let _ = thread_priority::set_thread_priority_and_policy(this, ThreadPriority::Min, idle);
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Whoever drops it is a task itself and may not wait; queries end at their next
        // pause.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_give_way() {
        let threads = Threads::start(1).unwrap();
        let policy = threads.handle().spawn(async { thread_priority::thread_schedule_policy() });
        let policy = threads.handle().block_on(policy).unwrap().unwrap();
        assert_eq!(policy, ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle));
    }
}
