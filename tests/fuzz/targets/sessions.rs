//! Producers' sessions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_fuzz::{STORE, seal_sessions};
use pyralog_log::inspection::SessionsFile;

fuzz_target!(|bytes: &[u8]| {
    SessionsFile::read(bytes, None);
    SessionsFile::read(bytes, Some(STORE));
    let mut sealed = bytes.to_vec();
    seal_sessions(&mut sealed);
    let file = SessionsFile::read(&sealed, Some(STORE));
    if file.damage.is_none() {
        let order = file.sessions.windows(2).all(|two| two[0].session < two[1].session);
        assert!(order && file.sessions.iter().all(|s| (1..=5).contains(&s.batches.len())));
    }
});
