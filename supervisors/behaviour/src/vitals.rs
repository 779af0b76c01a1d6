//! Counters that an actor shares with its supervisor.
//!
//! A busy actor cannot answer. Its vitals can still be read, so that a listing
//! of the tree never waits for the one actor that one wants to know about.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Snapshot;

/// A cheap handle; clones share the counters. One incarnation has one set.
#[derive(Debug, Clone, Default)]
pub struct Vitals(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    handled: AtomicU64,
    mailbox_depth: AtomicU64,
    words: Mutex<Words>,
}

#[derive(Debug, Default)]
struct Words {
    state: Option<String>,
    last_error: Option<String>,
    details: BTreeMap<String, String>,
}

impl Vitals {
    /// Counts one handled message.
    pub fn handled(&self) {
        self.0.handled.fetch_add(1, Ordering::Relaxed);
    }

    /// Says how many messages wait, for an actor that counts them.
    pub fn set_mailbox_depth(&self, messages: u64) {
        self.0.mailbox_depth.store(messages, Ordering::Relaxed);
    }

    /// Says in one word what the actor is doing; `running` until it speaks.
    pub fn set_state(&self, state: &str) {
        self.words().state = Some(state.to_owned());
    }

    /// Remembers what went wrong last. It is shown, not acted upon.
    pub fn failed(&self, reason: &str) {
        self.words().last_error = Some(reason.to_owned());
    }

    /// Sets one named detail of the snapshot.
    pub fn set_detail(&self, name: &str, value: impl Into<String>) {
        self.words().details.insert(name.to_owned(), value.into());
    }

    /// All of it: also the simplest answer an actor can give to `Observe`.
    pub fn snapshot(&self) -> Snapshot {
        let words = self.words();
        Snapshot {
            state: words.state.clone().unwrap_or_else(|| "running".to_owned()),
            mailbox_depth: self.0.mailbox_depth.load(Ordering::Relaxed),
            handled: self.0.handled.load(Ordering::Relaxed),
            last_error: words.last_error.clone(),
            details: words.details.clone(),
        }
    }

    fn words(&self) -> MutexGuard<'_, Words> {
        self.0.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
