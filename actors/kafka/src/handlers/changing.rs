//! What requests that change something have in common: how long their client is
//! willing to wait, how they are refused, and that one thing is changed once.

use crate::kafka_errors::{REQUEST_TIMED_OUT, kafka_error};
use pyralog_model::ApiError;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// The longest a client may ask to wait.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// Kafka's number and a sentence.
pub(super) type Refusal = (i16, String);

/// When the client gives up.
pub(super) fn deadline(timeout_ms: i32) -> Instant {
    Instant::now() + Duration::from_millis(timeout_ms.max(0) as u64).min(TIMEOUT_MAX)
}

/// Waits for a change until the client gives up. It may be made later all the same.
pub(super) async fn within<T>(
    deadline: Instant,
    change: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, Refusal> {
    match tokio::time::timeout_at(deadline, change).await {
        Ok(changed) => changed.map_err(refusal),
        Err(_) => Err((REQUEST_TIMED_OUT, "not done in time; it may still be".to_owned())),
    }
}

pub(super) fn refusal(error: ApiError) -> Refusal {
    (kafka_error(error.code), error.message)
}

/// What comes more than once.
pub(super) fn repeated<K: Ord + Clone>(keys: impl Iterator<Item = K>) -> BTreeSet<K> {
    let mut keys: Vec<K> = keys.collect();
    keys.sort_unstable();
    keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect()
}
