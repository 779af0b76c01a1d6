//! A start over hostile files: the first byte says which file of a store the rest is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_fuzz::{Store, seal_index, seal_segment, seal_sessions, seal_wal};
use pyralog_log::RewrittenSegment;
use pyralog_model::Offset;

const SEGMENT: &[u8] = include_bytes!("../../../storage/log/fixtures/v1.segment");
const OFFSETS: &[u8] = include_bytes!("../../../storage/log/fixtures/v1.offsets");
const TIMES: &[u8] = include_bytes!("../../../storage/log/fixtures/v1.times");
const WAL: &[u8] = include_bytes!("../../../storage/log/fixtures/v1.wal");
const BASE: &str = "00000000000000000000";

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let mut bytes = bytes.to_vec();
    let mut store = Store::new();
    let [segment, offsets, times, sessions] =
        ["segment", "offsets", "times", "sessions"].map(|ending| format!("{BASE}.{ending}"));
    match choice % 6 {
        0 => {
            seal_wal(&mut bytes);
            store.put("00000000.wal", bytes);
        }
        1 => {
            seal_segment(&mut bytes);
            store.put(&segment, bytes);
            store.put("00000000.wal", WAL.to_vec());
        }
        2 => {
            seal_index(&mut bytes, b"PYRAOFFS", 56, 16);
            store.put(&segment, SEGMENT.to_vec());
            store.put(&offsets, bytes);
            store.put(&times, TIMES.to_vec());
            next_segment(&store);
        }
        3 => {
            seal_index(&mut bytes, b"PYRATIME", 32, 8);
            store.put(&segment, SEGMENT.to_vec());
            store.put(&offsets, OFFSETS.to_vec());
            store.put(&times, bytes);
            next_segment(&store);
        }
        4 => {
            // An index that says that there are sessions.
            let mut said = OFFSETS.to_vec();
            said[14] = 1;
            seal_index(&mut said, b"PYRAOFFS", 56, 16);
            seal_sessions(&mut bytes);
            store.put(&segment, SEGMENT.to_vec());
            store.put(&offsets, said);
            store.put(&times, TIMES.to_vec());
            store.put(&sessions, bytes);
            next_segment(&store);
        }
        _ => {
            seal_segment(&mut bytes);
            let end = bytes
                .get(64..72)
                .map_or(0, |end| u64::from_le_bytes(end.try_into().expect("8 bytes")));
            let (base, len) = (Offset(0), bytes.len() as u64);
            store.put(&format!("{BASE}.1.segment"), bytes);
            store.rewritten(RewrittenSegment { base, end: Offset(end), generation: 1, bytes: len });
        }
    }
    store.check();
});

/// An empty segment behind the first, which is sealed by it.
fn next_segment(store: &Store) {
    let mut header = SEGMENT[..128].to_vec();
    header[32] = 4;
    seal_segment(&mut header);
    store.put("00000000000000000004.segment", header);
}
