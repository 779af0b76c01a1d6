//! A thread that does one blocking job after the other for the actor that owns
//! it: for small files whose writes have to be durable, one at a time.

use crate::health::HealthLatch;
use crate::thread::OwnedThread;
use std::io;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait.
const QUEUE_MAX: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// Owned by an actor; the thread ends with it, after the job in hand.
#[derive(Debug)]
pub struct Worker {
    jobs: Option<mpsc::Sender<Job>>,
    _thread: OwnedThread,
}

impl Worker {
    /// Starts the thread. A job that panics fails `health`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &'static str, health: HealthLatch) -> io::Result<Worker> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE_MAX);
        let thread = OwnedThread::start_vital(name, 0, health, move || {
            while let Some(job) = queue.blocking_recv() {
                job();
            }
        })?;
        Ok(Worker { jobs: Some(jobs), _thread: thread })
    }

    /// Queues `job`; what is returned resolves to what it returned, or to `None`
    /// if the thread is gone or `QUEUE_MAX` jobs wait already.
    pub fn run<T, J>(&self, job: J) -> impl Future<Output = Option<T>> + Send + use<T, J>
    where
        T: Send + 'static,
        J: FnOnce() -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            let _ = reply.send(job());
        });
        if let Some(jobs) = &self.jobs {
            // A job that does not fit is dropped here, and its answer with it.
            let _ = jobs.try_send(job);
        }
        async move { answer.await.ok() }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread ends when its queue has no sender, and is then joined.
        self.jobs = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn jobs_run_in_order_and_all_of_them_before_the_end() {
        let worker = Worker::start("pyralog-test", HealthLatch::default()).unwrap();
        let seen = Arc::new(AtomicU32::new(0));
        for expect in 0..100 {
            let seen = Arc::clone(&seen);
            // Not awaited: a dropped answer does not undo the job.
            drop(worker.run(move || assert_eq!(seen.fetch_add(1, Ordering::SeqCst), expect)));
        }
        assert_eq!(worker.run(|| 7).await, Some(7));
        drop(worker);
        assert_eq!(seen.load(Ordering::SeqCst), 100);
    }
}
