//! What real clients said, byte for byte, in `tests/recordings`.
//!
//! Each `.bin` file is what one program sent on all its connections, one after
//! another: requests as they were on the wire, each after its length (i32, big
//! endian). `cargo run -p pyralog-tests --bin record` makes them.

use crate::flights::repository;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// A recorded request.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The program that sent it.
    pub client: String,
    /// Without its length.
    pub frame: Vec<u8>,
}

impl Recording {
    /// Kafka's number of what is asked.
    pub fn api_key(&self) -> i16 {
        api_key(&self.frame)
    }
}

/// The API key of a request, or -1 of one too short to have one.
pub fn api_key(frame: &[u8]) -> i16 {
    frame.first_chunk().map_or(-1, |key| i16::from_be_bytes(*key))
}

/// Where they are.
pub fn folder() -> PathBuf {
    repository().join("tests/recordings")
}

/// Every recorded request, by the names of the files.
pub fn all() -> Result<Vec<Recording>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "bin"));
    paths.sort();
    ensure!(!paths.is_empty(), "no recordings in {}", folder().display());
    let each = paths.iter().map(|path| read(path));
    Ok(each.collect::<Result<Vec<_>>>()?.concat())
}

fn read(path: &Path) -> Result<Vec<Recording>> {
    let client = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = fs::read(path)?;
    let frames =
        frames(&bytes).with_context(|| format!("{} is not a recording", path.display()))?;
    Ok(frames
        .into_iter()
        .map(|frame| Recording { client: client.clone(), frame: frame.to_vec() })
        .collect())
}

/// Cuts a stream into requests.
pub fn frames(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (frame, rest) =
            rest.split_at_checked(usize::try_from(i32::from_be_bytes(*length)).ok()?)?;
        frames.push(frame);
        bytes = rest;
    }
    Some(frames)
}
