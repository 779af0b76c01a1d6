//! The arena: headers, entries and slots. The bytes are pages, each after its number, as in the
//! fixture: an arena is mostly holes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_counter::inspection::{ArenaWalk, HeaderCopy};
use pyralog_fuzz::{BytesFile, COUNTER_STORE, seal_arena};
use std::path::Path;

const FILE_BYTES: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut file = vec![0; FILE_BYTES];
    for page in bytes.chunks(8 + 4096) {
        let Some((number, page)) = page.split_first_chunk::<8>() else { continue };
        let at = (u64::from_le_bytes(*number) as usize % (FILE_BYTES / 4096)) * 4096;
        file[at..at + page.len()].copy_from_slice(page);
    }
    walk(file.clone());
    seal_arena(&mut file, COUNTER_STORE);
    walk(file);
});

fn walk(bytes: Vec<u8>) {
    let file = BytesFile(bytes);
    let mut walk = ArenaWalk::new(&file, Path::new("arena")).expect("memory does not fail");
    let whole = walk.copies().iter().any(|copy| matches!(copy, HeaderCopy::Whole(_)));
    assert_eq!(walk.header().is_some(), whole);
    let mut last = None;
    while let Some(counter) = walk.step().expect("memory does not fail") {
        assert!(last < Some(counter.number), "counters come by number");
        assert!(counter.resumes_after <= counter.bound, "nothing above a bound is believed");
        last = Some(counter.number);
    }
}
