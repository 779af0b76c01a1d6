//! The moment by which a query has ended.

use pyralog_model::{ApiError, ErrorCode};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

/// A query that pauses ends itself in time, and says so better than who waits for it.
const GRACE: Duration = Duration::from_millis(250);

/// A time limit that has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    limit: Duration,
    /// Whose limit it is: the caller's, or the node's.
    was_asked: bool,
}

impl Deadline {
    /// From now as long as the node allows, or less if less was `asked` for.
    pub(crate) fn after(allowed: Duration, asked: Option<Duration>) -> Deadline {
        let was_asked = asked.is_some_and(|asked| asked < allowed);
        let limit = asked.filter(|_| was_asked).unwrap_or(allowed);
        let now = Instant::now();
        // A limit past the end of the clock is none that anybody meets.
        let at = now.checked_add(limit).unwrap_or(now + Duration::from_secs(365 * 86_400));
        Deadline { at, limit, was_asked }
    }

    /// The same limit, for who only looks after the query.
    pub(crate) fn late(self) -> Deadline {
        Deadline { at: self.at + GRACE, ..self }
    }

    /// What `work` comes to, if it does in time.
    pub(crate) async fn guard<T>(self, work: impl Future<Output = T>) -> Result<T, ApiError> {
        timeout_at(self.at, work).await.map_err(|_| self.passed())
    }

    /// Until it has passed.
    pub(crate) fn sleep(self) -> Sleep {
        sleep_until(self.at)
    }

    /// What is said then.
    pub(crate) fn passed(self) -> ApiError {
        let limit = self.limit;
        let message = match self.was_asked {
            true => format!("the query ran longer than the {limit:?} that was asked for it"),
            false => format!(
                "the query ran longer than the {limit:?} it may (query_time_max); ask for less, or \
                 raise it"
            ),
        };
        ApiError::new(ErrorCode::QueryOutOfTime, message)
    }
}
