//! What supervisors did, as it happens.
//!
//! This is also the place where a failure is logged, once: the supervisor is
//! where it is consumed. Listeners that lag lose the oldest reports, never the
//! supervisor's time.

use std::fmt;

use pyralog_env::Monotonic;
use tokio::sync::broadcast;

/// One thing that happened to one child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The child's place, such as `pyralog/store/committer`.
    pub path: String,
    /// What happened.
    pub kind: ReportKind,
    /// The incarnation it happened to.
    pub generation: u64,
    /// Why, where there is a why.
    pub reason: Option<String>,
    /// When.
    pub at: Monotonic,
}

/// What happened to a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// It is up.
    Started,
    /// It ended or did not start, and should have.
    Failed,
    /// It will be started again after the wait given as the reason.
    Restarting,
    /// It ended as it should or because it was told to.
    Stopped,
    /// The supervisor named by the path has had too many restarts and fails.
    Escalated,
    /// It keeps failing and is left alone until somebody stops it by id.
    Quarantined,
}

impl fmt::Display for ReportKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ReportKind::Started => "started",
            ReportKind::Failed => "failed",
            ReportKind::Restarting => "restarting",
            ReportKind::Stopped => "stopped",
            ReportKind::Escalated => "escalated",
            ReportKind::Quarantined => "quarantined",
        })
    }
}

/// A bounded stream of reports; clones are the same stream.
#[derive(Debug, Clone)]
pub struct Reports(broadcast::Sender<Report>);

impl Default for Reports {
    fn default() -> Reports {
        Reports::new(1024)
    }
}

impl Reports {
    /// A stream that remembers `capacity` reports for a listener that lags.
    pub fn new(capacity: usize) -> Reports {
        Reports(broadcast::Sender::new(capacity.max(1)))
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Report> {
        self.0.subscribe()
    }

    pub(crate) fn publish(&self, report: Report) {
        log(&report);
        // Nobody listening is the usual case and no failure.
        let _ = self.0.send(report);
    }
}

fn log(report: &Report) {
    let Report { path, kind, generation, reason, .. } = report;
    let reason = reason.as_deref().unwrap_or("");
    match kind {
        ReportKind::Escalated | ReportKind::Quarantined => {
            tracing::error!(%path, generation, reason, "actor {kind}");
        }
        ReportKind::Failed => tracing::warn!(%path, generation, reason, "actor {kind}"),
        ReportKind::Started | ReportKind::Restarting | ReportKind::Stopped => {
            tracing::debug!(%path, generation, reason, "actor {kind}");
        }
    }
}
