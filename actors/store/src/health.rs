//! Whether this process may still acknowledge. Kept outside the actor, because
//! a restart of the actor must not forget it.

use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The state of a data directory in this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Health {
    /// Appends are taken.
    #[default]
    Good,
    /// A write or a sync failed. Final until the process ends.
    Failed {
        /// The first error.
        cause: String,
    },
}

/// Moves from good to failed once and never back. Clones share it.
///
/// There is one per data directory, and it is obeyed by all of it: once it has
/// failed, nothing there is committed, leased, raised or issued any more, whichever
/// part it was that failed. What would have been allowed is not worth the thought.
#[derive(Debug, Clone)]
pub struct HealthLatch(Arc<watch::Sender<Health>>);

impl Default for HealthLatch {
    fn default() -> HealthLatch {
        HealthLatch(Arc::new(watch::Sender::new(Health::Good)))
    }
}

impl HealthLatch {
    /// The present state.
    pub fn get(&self) -> Health {
        self.0.borrow().clone()
    }

    /// The first error, if it has failed.
    pub fn failure(&self) -> Option<String> {
        match &*self.0.borrow() {
            Health::Good => None,
            Health::Failed { cause } => Some(cause.clone()),
        }
    }

    /// Tells once of the failure, also of one that has been, until the sentinel is
    /// dropped. For those who may issue without asking first.
    pub fn on_failure(&self, tell: impl FnOnce(String) + Send + 'static) -> Sentinel {
        let mut health = self.watch();
        Sentinel(tokio::spawn(async move {
            let failed = health.wait_for(|health| *health != Health::Good).await;
            let cause = failed.ok().and_then(|failed| match &*failed {
                Health::Good => None,
                Health::Failed { cause } => Some(cause.clone()),
            });
            if let Some(cause) = cause {
                tell(cause);
            }
        }))
    }

    /// Told of the change.
    pub fn watch(&self) -> watch::Receiver<Health> {
        self.0.subscribe()
    }

    /// Says that something that had to be durable is not. The first cause stays.
    pub fn fail(&self, cause: &str) {
        self.0.send_if_modified(|health| {
            let first = *health == Health::Good;
            if first {
                tracing::error!(cause, "the store stopped: nothing more is acknowledged");
                *health = Health::Failed { cause: cause.to_owned() };
            }
            first
        });
    }
}

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Sentinel(JoinHandle<()>);

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.0.abort();
    }
}
