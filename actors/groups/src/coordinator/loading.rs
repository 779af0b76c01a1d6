//! Reading a coordinator's log, beside the actor.

use super::CoordinatorMessage;
use crate::kept::{Fold, FoldError, Folded};
use crate::log::GroupLog;
use pyralog_behaviour::Vitals;
use pyralog_model::ApiError;
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// The waits between attempts to read a partition that went away.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Why the log was not read.
enum Trouble {
    /// It went away, and will be back.
    Away(ApiError),
    /// It is not what a coordinator wrote.
    Wrong(FoldError),
}

/// Waits until the partition serves, reads it, and reports.
pub(super) async fn load(
    log: Arc<dyn GroupLog>,
    pen: Arc<Mutex<()>>,
    vitals: Vitals,
    myself: ActorRef<CoordinatorMessage>,
) {
    let mut pause = PAUSE_MIN;
    let loaded = loop {
        log.serving().await;
        // What the one before was appending is decided before this one reads.
        let pen = pen.lock().await;
        match read(&*log).await {
            Ok(folded) => break Ok(folded),
            Err(Trouble::Wrong(error)) => break Err(error),
            Err(Trouble::Away(error)) => vitals.failed(&error.to_string()),
        }
        drop(pen);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    };
    // An actor that is gone needs no news.
    let _ = myself.cast(CoordinatorMessage::Loaded(loaded));
}

async fn read(log: &dyn GroupLog) -> Result<Folded, Trouble> {
    let (start, end) = log.bounds().map_err(Trouble::Away)?;
    let mut fold = Fold::new(start);
    while fold.next() < end {
        let records = log.read(fold.next()).await.map_err(Trouble::Away)?;
        if records.is_empty() {
            let what = format!("the log of the groups ends at {}, before {end}", fold.next());
            return Err(Trouble::Away(ApiError::unavailable(&what)));
        }
        for record in records {
            fold.push(&record.key, record.value.as_deref()).map_err(Trouble::Wrong)?;
        }
        tokio::task::yield_now().await;
    }
    fold.finish().map_err(Trouble::Wrong)
}
