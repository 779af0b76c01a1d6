//! Files of the write-ahead log: a walk over hostile bytes ends, and rounds do not overlap.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_fuzz::{BytesFile, STORE, seal_wal};
use pyralog_log::inspection::{WalHeader, WalItem, WalWalk};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    walk(bytes.to_vec());
    let mut sealed = bytes.to_vec();
    seal_wal(&mut sealed);
    walk(sealed);
});

fn walk(bytes: Vec<u8>) {
    let (len, path) = (bytes.len() as u64, Path::new("wal"));
    let file = BytesFile(bytes);
    WalHeader::read(&file, path).expect("memory does not fail");
    let mut walk = WalWalk::new(&file, path, STORE).expect("memory does not fail");
    let mut end = 4096;
    while let Some(item) = walk.step().expect("memory does not fail") {
        if let WalItem::Round(round) = item {
            assert!(round.position >= end && round.end <= len);
            assert!(round.damage.is_some() || round.frames.len() as u64 == round.frame_count);
            end = round.end;
        }
    }
}
