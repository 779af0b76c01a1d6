//! Reading again what was sealed long ago, so that a disk which forgets is found out
//! while there is still a backup, and not by the reader who needed the record.
//!
//! ```text
//!  pass ─▶ partition ─▶ sealed segment ─▶ frame by frame, past the page cache
//!                             └─▶ .offsets .times .sessions: what the walk gave?
//! ```
//!
//! A step reads about as much as it is allowed to and remembers where it was;
//! whoever calls it decides how often, and so how fast. Nothing is written and
//! nothing is locked: a segment that is cut back, removed or rewritten meanwhile is left
//! alone.
//! A segment in which something is found stays as it is. Reads verify what they
//! serve and refuse the damaged place by themselves.

mod index;
mod uncached;

use crate::inspection::{SegmentHeader, SegmentItem, SegmentPlace, SegmentWalk};
use crate::mutation::{Mutation, Planted};
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::sparse_index::SparseIndex;
use crate::{LogError, LogOptions, RewrittenSegment};
use pyralog_env::{Disk, DiskFile};
use pyralog_model::{Damage, Finding, Offset, PartitionId, Severity};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far one read reaches, in bytes: what a step reads too much is less.
const WINDOW_BYTES: usize = 256 << 10;

/// What one step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Bytes of segments that were read.
    pub bytes: u64,
    /// Segments that were finished.
    pub segments: u64,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The pass is over: the next step begins another one.
    pub is_over: bool,
}

/// Goes through all sealed segments, a little at a time.
#[derive(Debug)]
pub struct Scrubber {
    disk: Arc<dyn Disk>,
    planted: Planted,
    /// The last segment that was looked at.
    last: Option<(PartitionId, Offset)>,
    work: Option<Work>,
}

/// A segment that is being read.
#[derive(Debug)]
struct Work {
    log: Arc<PartitionLog>,
    segment: Arc<Segment>,
    file: Arc<dyn DiskFile>,
    place: SegmentPlace,
    index: SparseIndex,
    damaged: bool,
}

impl Scrubber {
    /// One that begins with the first segment.
    pub fn new(disk: Arc<dyn Disk>, options: &LogOptions) -> Scrubber {
        Scrubber { disk, planted: options.planted(), last: None, work: None }
    }

    /// Reads about `bytes_max` bytes of the sealed segments of `partitions`, at least
    /// one frame if there is one.
    pub fn step(
        &mut self,
        partitions: &BTreeMap<PartitionId, Arc<PartitionLog>>,
        bytes_max: u64,
    ) -> ScrubReport {
        let mut report = ScrubReport::default();
        while report.bytes < bytes_max {
            // A file that is out of use must not wait for its scrub to be removed.
            let work = self.work.take().filter(|work| is_sealed(&work.log, &work.segment));
            let Some(mut work) = work.or_else(|| self.begin(partitions, &mut report)) else {
                self.last = None;
                report.is_over = true;
                return report;
            };
            match self.go_on(&mut work, bytes_max, &mut report) {
                Ok(true) => self.work = Some(work),
                Ok(false) => report.segments += 1,
                Err(error) => {
                    let what = format!("cannot be read: {error}");
                    report.tell(&work, Finding::new(Severity::Damage, &work.segment.path, what));
                    report.segments += 1;
                }
            }
        }
        report
    }

    /// The next sealed segment; none after the last one.
    fn begin(
        &mut self,
        partitions: &BTreeMap<PartitionId, Arc<PartitionLog>>,
        report: &mut ScrubReport,
    ) -> Option<Work> {
        loop {
            let (log, segment) = next_sealed(partitions, self.last)?;
            self.last = Some((log.id(), segment.base()));
            match uncached::open(&*self.disk, &segment) {
                Ok(file) => {
                    let place = SegmentPlace::begin(segment.base());
                    let index = SparseIndex::new();
                    return Some(Work { log, segment, file, place, index, damaged: false });
                }
                Err(error) => {
                    let path = &segment.path;
                    let finding =
                        Finding::new(Severity::Damage, path, format!("cannot be opened: {error}"));
                    if is_sealed(&log, &segment) {
                        report.findings.push(finding);
                    }
                }
            }
        }
    }

    /// Reads on; true if there is more.
    fn go_on(
        &self,
        work: &mut Work,
        bytes_max: u64,
        report: &mut ScrubReport,
    ) -> Result<bool, LogError> {
        let segment = Arc::clone(&work.segment);
        if work.place == SegmentPlace::begin(segment.base()) {
            let (_, damage) = SegmentHeader::read(&*work.file, &segment.path)?;
            damage.into_iter().for_each(|damage| report.lost(work, &damage));
        }
        let header = header_of(work);
        let file = Arc::clone(&work.file);
        let mut walk =
            SegmentWalk::with_window(&*file, &segment.path, &header, work.place, WINDOW_BYTES)?;
        while report.bytes < bytes_max {
            let before = walk.place().position;
            match walk.look()? {
                None => {
                    if let Some(damage) = walk.missing_end().filter(|_| !work.damaged) {
                        report.lost(work, &damage);
                        work.damaged = true;
                    }
                    self.check_derived(work, report);
                    return Ok(false);
                }
                Some(SegmentItem::Frame(frame)) => {
                    let time = frame.batch_header.max_timestamp;
                    work.index.note(frame.header.base_offset, frame.position, time);
                }
                Some(SegmentItem::LostBatch(..))
                    if self.planted.is(Mutation::ScrubSkipsBatches) =>
                {
                    work.damaged = true;
                }
                Some(SegmentItem::LostBatch(_, damage) | SegmentItem::Damage(damage)) => {
                    if walk.place().position == before {
                        walk.go_on_at(after(&segment, before));
                    }
                    let damage = Damage { end: walk.place().position, ..damage };
                    report.lost(work, &damage);
                    work.damaged = true;
                }
            }
            report.bytes += walk.place().position - before;
            work.place = walk.place();
        }
        Ok(true)
    }

    fn check_derived(&self, work: &Work, report: &mut ScrubReport) {
        if work.damaged {
            return;
        }
        for finding in index::findings(&*self.disk, work) {
            report.tell(work, finding);
        }
    }
}

impl ScrubReport {
    /// Notes a finding, unless the segment was changed meanwhile and it means nothing.
    fn tell(&mut self, work: &Work, finding: Finding) {
        if is_sealed(&work.log, &work.segment) {
            self.findings.push(finding);
        }
    }

    fn lost(&mut self, work: &Work, damage: &Damage) {
        let finding = Finding::of(Severity::Damage, &work.segment.path, damage);
        self.tell(work, finding.advice(
            "records in these bytes are refused to readers; put the file back from a backup while \
             the node is stopped",
        ));
    }
}

/// The first sealed segment after `last`.
fn next_sealed(
    partitions: &BTreeMap<PartitionId, Arc<PartitionLog>>,
    last: Option<(PartitionId, Offset)>,
) -> Option<(Arc<PartitionLog>, Arc<Segment>)> {
    let from = last.map_or(PartitionId::default(), |(id, _)| id);
    partitions.range(from..).find_map(|(id, log)| {
        let due = |segment: &&Arc<Segment>| last.is_none_or(|last| (*id, segment.base()) > last);
        let segment = log.view(|view| sealed(&view.segments).iter().find(due).cloned())?;
        Some((Arc::clone(log), segment))
    })
}

/// True if the segment is still there and still sealed.
fn is_sealed(log: &PartitionLog, segment: &Arc<Segment>) -> bool {
    log.view(|view| sealed(&view.segments).iter().any(|there| Arc::ptr_eq(there, segment)))
}

/// All but the last one, which grows unless compaction wrote it.
fn sealed(segments: &[Arc<Segment>]) -> &[Arc<Segment>] {
    match segments.split_last() {
        Some((last, before)) if !last.is_rewritten() => before,
        _ => segments,
    }
}

/// What its header says.
fn header_of(Work { log, segment, .. }: &Work) -> SegmentHeader {
    let (store, partition, base) = (segment.store(), log.id(), segment.base());
    if !segment.is_rewritten() {
        return SegmentHeader::appended(store, partition, base);
    }
    let (end, bytes) = segment.extent(|extent| (extent.end, extent.bytes));
    let generation = segment.name.generation;
    SegmentHeader::rewritten(store, partition, &RewrittenSegment { base, end, generation, bytes })
}

/// Where a frame begins after a damaged place: the index in memory knows.
fn after(segment: &Segment, damage: u64) -> u64 {
    segment.extent(|extent| {
        let positions = extent.index.positions();
        let next = positions.partition_point(|position| *position <= damage);
        positions.get(next).copied().unwrap_or(extent.bytes)
    })
}
