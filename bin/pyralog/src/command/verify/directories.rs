//! Both copies of the directory: whole, and of one history.

use super::report::Report;
use crate::data_directory::NodeFile;
use crate::offline::{Replayed, replay};
use pyralog_directory::{Directory, Holding};
use pyralog_model::{Finding, PartitionId, Severity};
use std::collections::BTreeSet;
use std::path::Path;

const OBELISK: &str = "the Obelisk does not start like this; put it back from a backup of the same \
                       moment as the arena beside it";
const PYRAMID: &str = "stop the node, remove the file, and start it with its Obelisk: the copy is \
                       fetched anew";

/// What the directories say of this node.
#[derive(Debug, Default)]
pub(super) struct Directories {
    /// The partitions that are placed here, if that is known.
    pub(super) placed: Option<BTreeSet<PartitionId>>,
}

/// Reads both directories, as far as there are any.
pub(super) fn verify(dir: &Path, node: Option<&NodeFile>, report: &mut Report) -> Directories {
    let own = one(&dir.join("obelisk").join("directory.redb"), OBELISK, report);
    let copy_path = dir.join("pyramid").join("directory.redb");
    let copy = one(&copy_path, PYRAMID, report);
    if let (Some(own), Some(copy)) = (&own, &copy)
        && own.holds(&copy.known()) == Holding::No
    {
        let (ahead, reaches) = (copy.last_index(), own.last_index());
        let what = format!(
            "has come to index {ahead} by a way that the Obelisk's directory, which reaches to \
             {reaches}, has not come"
        );
        let finding = Finding::new(Severity::Damage, copy_path, what);
        report.add(finding.advice(
            "one of the two is of another time: put the whole data directory back from one backup",
        ));
    }
    let number = node.and_then(|node| node.number);
    let placed = copy
        .zip(number)
        .map(|(copy, number)| copy.partitions_of(number).map(|(partition, _)| partition).collect());
    Directories { placed }
}

fn one(path: &Path, advice: &str, report: &mut Report) -> Option<Directory> {
    if !path.exists() {
        return None;
    }
    report.files += 1;
    let damage = |what: String| Finding::new(Severity::Damage, path, what).advice(advice);
    let Replayed { snapshot_damage, steps, directory, .. } = match replay(path) {
        Ok(replayed) => replayed,
        Err(error) => {
            report.add(damage(error.to_string()));
            return None;
        }
    };
    let mut sound = true;
    if let Some(what) = snapshot_damage {
        report.add(damage(what));
        sound = false;
    }
    for step in &steps {
        if let Err(what) = &step.command {
            report.add(damage(format!("command {} cannot be read: {what}", step.index)));
            sound = false;
        }
    }
    report.commands += steps.len() as u64;
    sound.then_some(directory)
}
