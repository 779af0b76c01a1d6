//! Threads of their own, of lower priority: a query may compute for minutes, and must
//! not hold up those who serve records.

use rustix::process::setpriority_process;
use std::io;
use tokio::runtime::{Builder, Handle, Runtime};

/// How much less than others the threads ask of the processor.
const NICENESS: i32 = 10;
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
            .on_thread_start(|| {
                // Of this thread alone. Where it is not allowed, things are as usual.
                let _ = setpriority_process(None, NICENESS);
            })
            .enable_time()
            .build()?;
        Ok(Threads(Some(runtime)))
    }

    pub(super) fn handle(&self) -> Handle {
        self.0.as_ref().expect("it is there until it is dropped").handle().clone()
    }
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
