//! An arena that is not there is made, but not where one was lost: a new one
//! would count from the beginning again.

use pyralog_directory::{Command, Directory};
use pyralog_env::Disk;
use pyralog_store::{HealthLatch, Keeper};
use ractor::ActorProcessingErr;
use std::path::Path;
use std::sync::Arc;

/// The arena is made before the first start is registered. A directory that has
/// registered one had an arena.
///
/// # Errors
/// When it had one, and when the directory cannot be read.
pub(super) fn refuse_a_lost_arena(
    disk: &Arc<dyn Disk>,
    folder: &Path,
) -> Result<(), ActorProcessingErr> {
    let path = folder.join("directory.redb");
    if !disk.exists(&path)? {
        return Ok(());
    }
    let (_keeper, (snapshot, commands)) =
        Keeper::start(Arc::clone(disk), &path, HealthLatch::default())?;
    let snapshot = snapshot.map(|(_, bytes)| Directory::restore(&bytes)).transpose()?;
    let started =
        snapshot.is_some_and(|directory| directory.nodes().any(|node| node.token.is_some()));
    let starts = |bytes: &Vec<u8>| matches!(Command::decode(bytes), Ok(Command::StartNode { .. }));
    if started || commands.iter().any(|(_, bytes)| starts(bytes)) {
        return Err(format!(
            "{} is missing: without it counters would begin again and repeat values; \
             bring it back from where the data directory was copied",
            folder.join("arena").display()
        )
        .into());
    }
    Ok(())
}
