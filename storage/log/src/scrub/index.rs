//! What is derived from a segment, held to what reading it gave.

use super::Work;
use crate::sessions::SNAPSHOT_EXTENSION;
use crate::sparse_index::{SealedFacts, SparseIndex};
use pyralog_env::Disk;
use pyralog_model::{Finding, Severity};

const REMADE: &str = "nothing is lost; remove the .offsets and .times of this segment while the node \
                      is stopped, and it is walked instead at each start";

/// What is wrong with the files beside a segment that is whole.
pub(super) fn findings(disk: &dyn Disk, work: &Work) -> Vec<Finding> {
    let (log, name) = (&work.log, work.segment.name);
    let path = name.file(&log.dir, "offsets");
    let finding =
        |what: String| vec![Finding::new(Severity::Repairable, path.clone(), what).advice(REMADE)];
    match SparseIndex::read_files(disk, &log.dir, name) {
        Err(error) => finding(format!("cannot be read: {error}")),
        Ok(None) => finding("or its .times is damaged or missing".to_owned()),
        Ok(Some((index, facts))) if index != work.index || facts != work.facts(&facts) => {
            finding("or its .times is not what the segment says".to_owned())
        }
        Ok(Some((_, facts))) if facts.has_sessions => sessions(work),
        Ok(Some(_)) => Vec::new(),
    }
}

fn sessions(work: &Work) -> Vec<Finding> {
    let path = work.segment.name.file(&work.log.dir, SNAPSHOT_EXTENSION);
    let finding = |what: String| {
        let finding = Finding::new(Severity::Repairable, path.clone(), what);
        vec![finding.advice(
            "nothing is lost; remove it while the node is stopped, and what producers have \
             written is read from the segments at each start",
        )]
    };
    match work.log.place().kept(&work.segment) {
        Ok(Some(_)) => Vec::new(),
        Ok(None) => finding("is damaged or missing".to_owned()),
        Err(error) => finding(format!("cannot be read: {error}")),
    }
}

impl Work {
    /// What the index should say of the segment; whether there are sessions it alone
    /// knows.
    fn facts(&self, said: &SealedFacts) -> SealedFacts {
        SealedFacts {
            segment_bytes: self.place.position,
            next_offset: self.place.end,
            // A cut-back counts too, of which the segment does not tell.
            last_lsn: self.place.lsn.max(said.last_lsn),
            last_epoch: self.place.epoch,
            has_sessions: said.has_sessions,
        }
    }
}
