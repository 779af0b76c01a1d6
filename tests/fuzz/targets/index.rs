//! Sparse indexes: offsets and times.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_fuzz::seal_index;
use pyralog_log::inspection::{OffsetsFile, TimesFile};

fuzz_target!(|bytes: &[u8]| {
    OffsetsFile::read(bytes);
    TimesFile::read(bytes);
    let mut sealed = bytes.to_vec();
    seal_index(&mut sealed, b"PYRAOFFS", 56, 16);
    let whole = bytes.len() >= 56 && (bytes.len() - 56).is_multiple_of(16);
    assert_eq!(OffsetsFile::read(&sealed).damage.is_none(), whole);
    let mut sealed = bytes.to_vec();
    seal_index(&mut sealed, b"PYRATIME", 32, 8);
    let whole = bytes.len() >= 32 && (bytes.len() - 32).is_multiple_of(8);
    assert_eq!(TimesFile::read(&sealed).damage.is_none(), whole);
});
