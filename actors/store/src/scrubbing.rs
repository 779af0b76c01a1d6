//! The scrub's thread: slowly, at the lowest priority, and for ever.
//!
//! A pass reads every sealed segment once at `scrub_bytes_per_second`; passes begin
//! `scrub_interval` apart. Damage is counted and told with its place and changes
//! nothing else: the node serves what is whole, and refuses what is not when it is
//! read.

use crate::metrics::StoreGauges;
use pyralog_env::{Clock, Monotonic};
use pyralog_log::{PartitionLog, ScrubReport, Scrubber};
use pyralog_model::{Finding, PartitionId};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::oneshot;

/// The longest that a start waits before its first pass: a node that is started every
/// day is scrubbed all the same, and one that has just started has other things to do.
const FIRST_PASS_AFTER: Duration = Duration::from_secs(600);
/// What a step reads in this time is what it may read.
const STEP: Duration = Duration::from_millis(200);
/// Findings of a pass beyond which only their number is told.
const TOLD_MAX: usize = 100;

/// What the thread is asked.
pub(crate) enum ScrubJob {
    /// Make a pass now, and tell what it found.
    Pass(oneshot::Sender<ScrubReport>),
    /// End.
    Stop,
}

pub(crate) struct Scrubbing {
    pub(crate) scrubber: Scrubber,
    pub(crate) partitions: Arc<RwLock<BTreeMap<PartitionId, Arc<PartitionLog>>>>,
    pub(crate) jobs: Receiver<ScrubJob>,
    pub(crate) gauges: Arc<StoreGauges>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Between the beginnings of two passes; zero for none but those asked for.
    pub(crate) interval: Duration,
    pub(crate) bytes_per_second: u64,
}

/// The thread was told to end.
struct Ended;

impl Scrubbing {
    /// Ends when told to.
    pub(crate) fn run(mut self) {
        let mut due = self.clock.monotonic() + self.interval.min(FIRST_PASS_AFTER);
        let mut asking = Vec::new();
        loop {
            if asking.is_empty() && self.wait(due, &mut asking).is_err() {
                return;
            }
            due = self.clock.monotonic() + self.interval;
            let answered = std::mem::take(&mut asking);
            let Ok(report) = self.pass(&mut asking) else { return };
            for reply in answered {
                let _ = reply.send(report.clone());
            }
        }
    }

    /// Until a pass is due or asked for.
    fn wait(
        &self,
        due: Monotonic,
        asking: &mut Vec<oneshot::Sender<ScrubReport>>,
    ) -> Result<(), Ended> {
        if self.interval.is_zero() {
            return match self.jobs.recv() {
                Ok(ScrubJob::Pass(reply)) => {
                    asking.push(reply);
                    Ok(())
                }
                Ok(ScrubJob::Stop) | Err(_) => Err(Ended),
            };
        }
        let left = due.since(self.clock.monotonic());
        self.heed(left, asking)
    }

    /// Listens for as long as that, or until somebody asks.
    fn heed(
        &self,
        time: Duration,
        asking: &mut Vec<oneshot::Sender<ScrubReport>>,
    ) -> Result<(), Ended> {
        match self.jobs.recv_timeout(time) {
            Ok(ScrubJob::Pass(reply)) => {
                asking.push(reply);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(ScrubJob::Stop) | Err(RecvTimeoutError::Disconnected) => Err(Ended),
        }
    }

    /// Reads every sealed segment once. Who asks meanwhile gets the pass after.
    fn pass(
        &mut self,
        asking: &mut Vec<oneshot::Sender<ScrubReport>>,
    ) -> Result<ScrubReport, Ended> {
        let rate = self.bytes_per_second.max(1);
        let step_bytes = (rate as f64 * STEP.as_secs_f64()) as u64;
        let mut all = ScrubReport::default();
        while !all.is_over {
            let partitions = self.partitions.read().expect("no one panics holding this").clone();
            let step = self.scrubber.step(&partitions, step_bytes.max(1));
            self.gauges.scrubbed(&step);
            for finding in &step.findings {
                if all.findings.len() < TOLD_MAX {
                    tell(finding);
                    all.findings.push(finding.clone());
                }
            }
            all.bytes += step.bytes;
            all.segments += step.segments;
            all.is_over = step.is_over;
            if !step.is_over {
                let time = Duration::from_secs_f64(step.bytes as f64 / rate as f64);
                self.heed(time, asking)?;
            }
        }
        let ScrubReport { bytes, segments, .. } = all;
        tracing::info!(bytes, segments, findings = all.findings.len(), "sealed segments were read");
        Ok(all)
    }
}

fn tell(finding: &Finding) {
    let Finding { severity, path, position, what, advice } = finding;
    let (path, position) = (path.display(), position.unwrap_or_default());
    tracing::warn!(%severity, %path, position, what, advice, "the scrub found something");
}
