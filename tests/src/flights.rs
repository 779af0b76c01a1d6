//! The flights that left New York in 2013, as shipped in `examples/data`.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Lines without the header.
pub const FLIGHTS: usize = 336_776;

/// One flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// The aircraft; `NA` where nobody wrote it down.
    pub tailnum: String,
    /// The whole line.
    pub line: String,
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository").to_owned()
}

/// The whole year, in the order of the file.
pub fn year() -> Result<Vec<Flight>> {
    let path = repository().join("examples/data/flights-2013.csv.zst");
    let mut text = String::new();
    zstd::Decoder::new(File::open(path)?)?.read_to_string(&mut text)?;
    text.lines().skip(1).map(flight).collect()
}

fn flight(line: &str) -> Result<Flight> {
    let tailnum = line.split(',').nth(11).context("a flight has 19 columns")?;
    Ok(Flight { tailnum: tailnum.to_owned(), line: line.to_owned() })
}
