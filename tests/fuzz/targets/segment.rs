//! Segments: a walk over hostile bytes ends, and tells of each byte at most once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_fuzz::{BytesFile, seal_segment};
use pyralog_log::inspection::{SegmentHeader, SegmentItem, SegmentPlace, SegmentWalk};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    walk(bytes.to_vec());
    let mut sealed = bytes.to_vec();
    seal_segment(&mut sealed);
    walk(sealed);
});

fn walk(bytes: Vec<u8>) {
    let (len, path) = (bytes.len() as u64, Path::new("segment"));
    let file = BytesFile(bytes);
    let (header, _) = SegmentHeader::read(&file, path).expect("memory does not fail");
    let place = SegmentPlace::begin(header.base);
    let mut walk = SegmentWalk::new(&file, path, &header, place).expect("memory does not fail");
    let mut position = 128;
    while let Some(item) = walk.step().expect("memory does not fail") {
        match item {
            SegmentItem::Frame(frame) => {
                assert_eq!(frame.position, position, "frames and damage leave no gap");
                assert_eq!(frame.batch.len(), frame.header.batch_bytes as usize);
            }
            SegmentItem::LostBatch(_, damage) | SegmentItem::Damage(damage) => {
                assert_eq!(damage.position, position);
                assert!(damage.end > position && damage.end <= len);
            }
        }
        position = walk.place().position;
    }
}
