//! A thread that an actor owns: it is told to end and awaited when its owner's
//! state goes, so that a restarted actor never meets its predecessor's threads.

use crate::health::HealthLatch;
use rustix::process::setpriority_process;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

/// Behind everybody.
const IDLE_NICE: i32 = 19;

/// Joined on drop. The owner must have told it to end by then.
#[derive(Debug)]
pub(crate) struct OwnedThread {
    name: &'static str,
    handle: Option<JoinHandle<()>>,
}

impl OwnedThread {
    /// Starts `body` on a thread of its own.
    #[expect(clippy::disallowed_methods, reason = "the one home of storage threads")]
    pub(crate) fn start(
        name: &'static str,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<OwnedThread> {
        let handle = std::thread::Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(OwnedThread { name, handle: Some(handle) })
    }

    /// As `start`, at another priority.
    pub(crate) fn start_nice(
        name: &'static str,
        nice: i32,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<OwnedThread> {
        OwnedThread::start(name, move || {
            // Of this thread alone. Where it is not allowed, things are as usual.
            let _ = setpriority_process(None, nice);
            body();
        })
    }

    /// As `start_nice`, for a thread without which nothing may be acknowledged: a panic
    /// of it fails the store, where it would otherwise only fall silent.
    pub(crate) fn start_vital(
        name: &'static str,
        nice: i32,
        health: HealthLatch,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<OwnedThread> {
        OwnedThread::start_nice(name, nice, move || {
            if catch_unwind(AssertUnwindSafe(body)).is_err() {
                health.fail(&format!("the thread {name} panicked; please report it with the log"));
            }
        })
    }

    /// As `start`, for a thread that runs when nobody else wants to.
    pub(crate) fn start_idle(
        name: &'static str,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<OwnedThread> {
        OwnedThread::start(name, move || {
            let _ = setpriority_process(None, IDLE_NICE);
            body();
        })
    }

    pub(crate) fn join(&mut self) {
        if let Some(handle) = self.handle.take()
            && handle.join().is_err()
        {
            tracing::error!(thread = self.name, "a storage thread panicked");
        }
    }
}

impl Drop for OwnedThread {
    fn drop(&mut self) {
        self.join();
    }
}
