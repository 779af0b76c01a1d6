//! Snapshots of the directory: what is understood has one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_directory::Directory;

fuzz_target!(|bytes: &[u8]| {
    let Ok(directory) = Directory::restore(bytes) else { return };
    let again = directory.snapshot();
    if bytes[0] == again[0] {
        assert_eq!(again, bytes);
    }
    assert!(Directory::restore(&again).expect("its own bytes are good") == directory);
});
