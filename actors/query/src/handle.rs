//! The handle that doors hold. It outlives the actor that fills it.

use crate::counters::{Counting, QueryCounters};
use crate::engine::Engine;
use crate::{Rows, RunOptions};
use pyralog_model::ApiError;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Asks questions. Clones are cheap and share everything.
#[derive(Clone, Default)]
pub struct Queries {
    engine: Arc<RwLock<Option<Arc<Engine>>>>,
    counting: Arc<Counting>,
}

impl Queries {
    /// Runs one statement that only reads. Returns when its first rows may come.
    ///
    /// # Errors
    /// What is wrong with the statement, or why it cannot run now.
    pub async fn run(&self, sql: &str, options: RunOptions) -> Result<Rows, ApiError> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner).clone();
        let engine = engine.ok_or_else(|| ApiError::unavailable("the query engine"))?;
        engine.run(sql.to_owned(), options).await
    }

    /// What queries have cost so far.
    pub fn counters(&self) -> QueryCounters {
        self.counting.snapshot()
    }

    pub(crate) fn counting(&self) -> Arc<Counting> {
        Arc::clone(&self.counting)
    }

    /// Queries go to `engine` from now on.
    pub(crate) fn fill(&self, engine: &Arc<Engine>) {
        let mut place = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Arc::clone(engine));
    }

    /// Takes `engine` out, unless a later one has its place.
    pub(crate) fn empty(&self, engine: &Arc<Engine>) {
        let mut place = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_some_and(|present| Arc::ptr_eq(present, engine)) {
            *place = None;
        }
    }
}

impl fmt::Debug for Queries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queries").field("counters", &self.counters()).finish()
    }
}
