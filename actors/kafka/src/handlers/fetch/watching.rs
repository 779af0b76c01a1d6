//! The wait between two passes of a fetch: for any of its partitions to grow.

use super::question::Question;
use crate::handlers::partition_id;
use crate::service::Service;
use futures::future::{FutureExt, select_all};
use pyralog_model::{Offset, PartitionId};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

/// How long to wait before looking again at a partition that is restarting.
const RESTART_PAUSE: Duration = Duration::from_millis(50);

/// The partitions of a fetch that are waited for, each once, however often it
/// is asked for.
#[derive(Default)]
pub(super) struct Watching(BTreeMap<PartitionId, Receiver<Offset>>);

impl Watching {
    /// Marks every partition as seen at its present end.
    pub(super) fn mark(&mut self, service: &Service, question: &Question) {
        for topic in &question.topics {
            let log = service.shen.log(topic.name());
            for partition in &topic.partitions {
                if let Some(id) = partition_id(log.as_deref(), partition.index) {
                    self.mark_one(service, id);
                }
            }
        }
    }

    fn mark_one(&mut self, service: &Service, id: PartitionId) {
        if let Some(watcher) = self.0.get_mut(&id) {
            watcher.borrow_and_update();
        } else if let Ok(mut watcher) = service.shen.watch(id) {
            watcher.borrow_and_update();
            self.0.insert(id, watcher);
        }
    }

    /// Waits until one of the partitions has grown, or for the deadline.
    pub(super) async fn wait(&mut self, deadline: Instant) {
        if self.0.is_empty() {
            return tokio::time::sleep_until(deadline).await;
        }
        let grown = self.0.iter_mut().map(|(id, watcher)| {
            let id = *id;
            watcher.changed().map(move |alive| alive.err().map(|_| id)).boxed()
        });
        let gone = match tokio::time::timeout_at(deadline, select_all(grown)).await {
            Ok((gone, ..)) => gone,
            Err(_) => return,
        };
        if let Some(id) = gone {
            // The partition's actor is being restarted: the new one is watched
            // in the next pass, if it is there by then.
            self.0.remove(&id);
            tokio::time::sleep_until((Instant::now() + RESTART_PAUSE).min(deadline)).await;
        }
    }
}
