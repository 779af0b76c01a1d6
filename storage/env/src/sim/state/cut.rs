//! What is left after the power has gone.

use super::{Node, ROOT, State};
use crate::sim::cut::{CutKind, CutReport};
use crate::sim::names::Inode;
use crate::sim::random::Random;

impl State {
    /// Decides from `seed` what has survived, and boots the disk with it.
    pub(in crate::sim) fn cut(&mut self, seed: u64) -> CutReport {
        let mut random = Random::new(seed);
        let mut report = CutReport::of_one();
        let survivors = self.names.cut(&mut random, &mut report);
        self.cut_directory_sync(&mut report);
        self.cut_files(&mut random, &mut report);
        for change in survivors.into_iter().flat_map(|operation| operation.changes) {
            self.apply_durable(change);
        }
        self.keep_what_has_a_name();
        self.power.boot();
        report
    }

    fn cut_directory_sync(&mut self, report: &mut CutReport) {
        if let Some((CutKind::DirectorySync, _)) = self.interrupted {
            let names = [CutKind::Create, CutKind::Rename, CutKind::Remove];
            let lost = names.iter().any(|&kind| report.count(kind).lost > 0);
            report.note(CutKind::DirectorySync, 1, u64::from(lost));
            self.interrupted = None;
        }
    }

    fn cut_files(&mut self, random: &mut Random, report: &mut CutReport) {
        let interrupted = self.interrupted.take();
        for (inode, node) in self.nodes.iter_mut().enumerate() {
            let Some(Node::File(file)) = node else { continue };
            let met = file.content.cut(random);
            report.note(CutKind::DataWrite, met.sectors.0, met.sectors.1);
            report.note(CutKind::Extension, met.extensions.0, met.extensions.1);
            report.note(CutKind::Truncation, met.truncations.0, met.truncations.1);
            if interrupted == Some((CutKind::Sync, inode)) {
                let lost = met.sectors.1 + met.extensions.1 + met.truncations.1 > 0;
                report.note(CutKind::Sync, 1, u64::from(lost));
            }
        }
    }

    /// The live image becomes the durable one; a file that no surviving name
    /// leads to is gone, however well it was synced.
    fn keep_what_has_a_name(&mut self) {
        let mut named = vec![false; self.nodes.len()];
        let mut found: Vec<Inode> = vec![ROOT];
        while let Some(inode) = found.pop() {
            named[inode] = true;
            if let Some(Node::Directory(directory)) = &mut self.nodes[inode] {
                directory.live = directory.durable.clone();
                found.extend(directory.live.values());
            }
        }
        self.used_pages = 0;
        for (node, named) in self.nodes.iter_mut().zip(named) {
            match node {
                Some(Node::File(file)) if named => {
                    file.linked = true;
                    self.used_pages += file.content.allocated_pages();
                }
                _ if named => {}
                _ => *node = None,
            }
        }
    }
}
