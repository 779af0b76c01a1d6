//! `pyralog inspect manifest`: what a node knows of itself.

mod checkpoints;
mod commands;
mod keys;
mod node;

pub(super) use keys::keys;
pub(super) use node::node;

use super::sheet::Output;
use crate::cli::InspectArguments;
use crate::failure::Failure;
use pyralog_env::ReadOnlyDisk;
use pyralog_meta::MetaStore;
use std::path::Path;

/// Shows a database: of checkpoints or of commands, as it says itself.
pub(super) fn database(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    match MetaStore::look(&ReadOnlyDisk, path) {
        Ok(meta) => checkpoints::show(path, &meta, output),
        Err(error) => match commands::show(path, arguments, output) {
            Ok(shown) => shown,
            // Neither: what the name says is worth more words.
            Err(other) => {
                let is_meta = path.file_name().is_some_and(|name| name == "meta.redb");
                Err(Failure::failed(if is_meta { error } else { other }))
            }
        },
    }
}
