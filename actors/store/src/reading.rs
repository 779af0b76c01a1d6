//! A few threads for reads that may touch the disk, so that a cold segment never
//! holds up the tasks that serve everybody else.

use crate::thread::OwnedThread;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// A read: runs, and sends its own answer.
pub(crate) type ReadJob = Box<dyn FnOnce() + Send>;

/// Reads that may wait at once; past it, readers wait to ask.
const QUEUE_MAX: usize = 256;

/// Starts `threads` readers. They end when every sender is gone or the queue is
/// closed by an empty slot.
pub(crate) fn start(
    threads: usize,
) -> io::Result<(mpsc::Sender<Option<ReadJob>>, Vec<OwnedThread>)> {
    let (jobs, queue) = mpsc::channel::<Option<ReadJob>>(QUEUE_MAX);
    let queue = Arc::new(Mutex::new(queue));
    let start = |_| {
        let queue = Arc::clone(&queue);
        OwnedThread::start("pyralog-reader", move || run(&queue))
    };
    let threads = (0..threads).map(start).collect::<io::Result<_>>()?;
    Ok((jobs, threads))
}

fn run(queue: &Mutex<mpsc::Receiver<Option<ReadJob>>>) {
    loop {
        let job = {
            let Ok(mut queue) = queue.lock() else { return };
            match queue.blocking_recv() {
                Some(Some(job)) => job,
                Some(None) => {
                    queue.close();
                    return;
                }
                None => return,
            }
        };
        // A read that panics answers nothing, which its caller notices; the next
        // one must still find a reader.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a read panicked; please report it with the log");
        }
    }
}
