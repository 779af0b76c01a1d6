//! `pyralog inspect`: what is in a file, whatever became of it.
//!
//! ```text
//!  FILE ──▶ kind: what was said, or is it another? ──▶ a walk of `storage/`
//!                                                          │ rows, damage
//!                                 table, JSON, lines ◀── Sheet
//! ```
//!
//! Files are opened for reading only, no lock is taken, and nothing is written
//! beside them. Damage is shown where it is, and makes the command fail.

mod arena;
mod cell;
mod index;
mod keys;
mod manifest;
mod records;
mod segment;
mod sheet;
mod wal;

pub use cell::{Cell, Fields};
pub use sheet::{Output, Sheet};

use crate::cli::{InspectArguments, InspectKind};
use crate::failure::{Failure, Status};
use crate::offline::FileKind;
use std::io::Write;
use std::path::Path;

/// Shows every file; fails if one is damaged or cannot be read.
pub fn run(arguments: &InspectArguments) -> Result<(), Failure> {
    let kinds: Vec<FileKind> = arguments
        .files
        .iter()
        .map(|path| kind_of(path, arguments.kind))
        .collect::<Result<_, _>>()?;
    let mut output = Output::begin(arguments)?;
    let (mut damaged, mut failed) = (0, None);
    for (path, kind) in arguments.files.iter().zip(kinds) {
        match one(path, kind, arguments, &mut output) {
            Ok(damages) => damaged += u64::from(damages > 0),
            Err(failure) if failure.is_reader_left() => return Err(failure),
            Err(failure) => {
                output.failed(path, &failure)?;
                let _ = writeln!(std::io::stderr().lock(), "{}: {failure}", path.display());
                failed.get_or_insert(failure.status);
            }
        }
    }
    output.end()?;
    match (damaged, failed) {
        (0, None) => Ok(()),
        (0, Some(status)) => Err(Failure::new(status, "not every file could be read")),
        (1, _) => Err(Failure::failed("a file is damaged")),
        (more, _) => Err(Failure::failed(format!("{more} files are damaged"))),
    }
}

/// What the file is, if that is what it was said to be.
fn kind_of(path: &Path, said: InspectKind) -> Result<FileKind, Failure> {
    let found = FileKind::by_content(path).map_err(|error| {
        let status = match error.kind() {
            std::io::ErrorKind::NotFound => Status::NotFound,
            _ => Status::Failed,
        };
        Failure::new(status, format!("cannot read {}: {error}", path.display()))
    })?;
    if let Some(kind) = found.filter(|kind| kind.word() != said.word()) {
        let what = format!("{} is {}", path.display(), kind.describe());
        let help = format!("pyralog inspect {} {}", kind.word(), path.display());
        return Err(Failure::new(Status::Usage, what).help(help));
    }
    // Bytes that say nothing may be damaged: then the name counts, and then the word.
    let named = FileKind::by_name(path).filter(|kind| kind.word() == said.word());
    Ok(found.or(named).unwrap_or(match said {
        InspectKind::Segment => FileKind::Segment,
        InspectKind::Wal => FileKind::Wal,
        InspectKind::Index => FileKind::Offsets,
        InspectKind::Arena => FileKind::Arena,
        InspectKind::Manifest => FileKind::Database,
    }))
}

/// Shows one file; how many damaged places it has.
fn one(
    path: &Path,
    kind: FileKind,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    match kind {
        FileKind::Segment => segment::show(path, arguments, output),
        FileKind::Wal => wal::show(path, arguments, output),
        FileKind::Offsets => index::offsets(path, arguments, output),
        FileKind::Times => index::times(path, output),
        FileKind::Sessions => index::sessions(path, arguments, output),
        FileKind::Keys => keys::show(path, arguments, output),
        FileKind::Arena => arena::arena(path, arguments, output),
        FileKind::Lane => arena::lane(path, arguments, output),
        FileKind::Database => manifest::database(path, arguments, output),
        FileKind::KeyManifest => manifest::keys(path, arguments, output),
        FileKind::Node => manifest::node(path, output),
    }
}
