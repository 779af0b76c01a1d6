//! The bound of a node's ids.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_counter::inspection::BoundView;
use pyralog_fuzz::{BytesFile, COUNTER_STORE, seal_bound};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    read(bytes.to_vec());
    let mut sealed = bytes.to_vec();
    seal_bound(&mut sealed, COUNTER_STORE);
    read(sealed);
});

fn read(bytes: Vec<u8>) {
    let view = BoundView::read(&BytesFile(bytes), Path::new("lane"), COUNTER_STORE);
    view.expect("memory does not fail");
}
