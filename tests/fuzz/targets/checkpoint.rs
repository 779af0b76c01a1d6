//! Rows of meta.redb.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_meta::{PartitionCheckpoint, RewrittenSegment, WalCheckpoint};

fuzz_target!(|bytes: &[u8]| {
    let _ = PartitionCheckpoint::decode(bytes);
    let _ = WalCheckpoint::decode(bytes);
    let _ = RewrittenSegment::decode(bytes);
});
