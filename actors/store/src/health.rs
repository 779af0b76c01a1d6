//! Whether this process may still acknowledge. Kept outside the actor, because
//! a restart of the actor must not forget it.

use std::sync::Arc;
use tokio::sync::watch;

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
