//! A `node.toml`: whose directory it is. Tokens are secrets and only counted.

use crate::command::inspect::{Cell, Fields, Output};
use crate::data_directory::{DataDirectoryError, NodeFile};
use crate::failure::{Failure, Status};
use pyralog_env::ReadOnlyDisk;
use pyralog_model::Damage;
use std::path::Path;

/// Shows it.
pub(crate) fn node(path: &Path, output: &mut Output) -> Result<u64, Failure> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.file_name().is_none_or(|name| name != "node.toml") {
        let what = format!("{} is not called node.toml", path.display());
        return Err(Failure::new(Status::Usage, what).help("name a file as a node keeps it"));
    }
    match NodeFile::read(&ReadOnlyDisk, dir) {
        Ok(Some(node)) => {
            output.file(path, "a node's identity", cells(&node))?.end(Fields::default())
        }
        Ok(None) => Err(Failure::new(Status::NotFound, "it is not there any more")),
        Err(DataDirectoryError::Damaged { why, .. }) => {
            let len = path.metadata().map_or(0, |metadata| metadata.len());
            let mut sheet = output.file(path, "a node's identity", Fields::default())?;
            sheet.damage(&Damage::new(0..len, "an identity in TOML", why))?;
            sheet.end(Fields::default())
        }
        Err(error) => Err(error.into()),
    }
}

fn cells(node: &NodeFile) -> Fields {
    Fields(vec![
        ("name", Cell::new(node.name.as_str())),
        ("number", Cell::new(node.number.map(|number| number.0))),
        ("cluster", Cell::new(node.cluster.map(|cluster| cluster.to_string()))),
        ("store", Cell::new(node.store.to_string())),
        ("boot", Cell::new(node.boot.0)),
        ("ended_cleanly", Cell::new(node.clean)),
        ("start_tokens", Cell::new(node.start_tokens.len())),
    ])
}
