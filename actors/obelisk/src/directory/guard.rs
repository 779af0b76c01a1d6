//! A directory that is not there is made, but not where one was lost: a new one
//! would lease the same lanes and number logs from 1 again.
//!
//! Everything that shows an earlier life here is written after the directory has
//! registered its first start: nothing is issued before, and the keeper of the
//! Obelisk's ids raises their bound as soon as it runs. That the arena was started
//! before shows nothing, since the process may have been killed right after.

use super::DirectoryArguments;
use crate::arena::ArenaMessage;
use pyralog_counter::BoundFile;
use pyralog_model::CounterNumber;
use ractor::ActorProcessingErr;

const OWN: [CounterNumber; 3] =
    [CounterNumber::EPOCHS, CounterNumber::SCARABS, CounterNumber::SESSIONS];

/// For a directory without any command.
///
/// # Errors
/// When it must have had some, and when the other files cannot be read.
pub(super) async fn refuse_a_lost_directory(
    arguments: &DirectoryArguments,
) -> Result<(), ActorProcessingErr> {
    let evidence = match bound_of_ids(arguments)? {
        0 => issued(arguments).await?,
        _ => Some("ids were issued here".to_owned()),
    };
    match evidence {
        None => Ok(()),
        Some(evidence) => Err(format!(
            "{} is missing or empty, but {evidence}: a new directory would lease the lanes of ids \
             and number logs a second time; put back the newest copy of it that there is",
            arguments.path.display()
        )
        .into()),
    }
}

fn bound_of_ids(arguments: &DirectoryArguments) -> Result<u64, ActorProcessingErr> {
    let path = arguments.path.with_file_name("lane");
    tokio::task::block_in_place(|| match arguments.disk.exists(&path)? {
        true => Ok(BoundFile::open(&arguments.disk, &path, arguments.start.store)?.bound()),
        false => Ok(0),
    })
}

async fn issued(arguments: &DirectoryArguments) -> Result<Option<String>, ActorProcessingErr> {
    for counter in OWN {
        let view = |reply| ArenaMessage::View { counter, reply };
        let bound = arguments.arena.call(view).await?.durable_bound;
        if bound > 0 {
            return Ok(Some(format!("counter #{} stands at up to {bound}", counter.0)));
        }
    }
    Ok(None)
}
