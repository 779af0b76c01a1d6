//! Commands of the directory: what is understood has one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_directory::{Command, Directory};

fuzz_target!(|bytes: &[u8]| {
    let Ok(command) = Command::decode(bytes) else { return };
    if bytes[0] > 1 {
        assert_eq!(command.encode(), bytes);
    }
    // Whatever it says, a new directory takes or refuses it.
    let mut directory = Directory::default();
    let _ = directory.apply(1, &command);
    let restored = Directory::restore(&directory.snapshot()).expect("its own bytes are good");
    assert!(restored == directory);
});
