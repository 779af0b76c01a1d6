//! What every `Disk` does, real or simulated: one list of sentences, run
//! against both.

use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, DiskEntry, RealDisk};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Runs `check` with each disk and an empty directory on it.
fn on_both(check: impl Fn(&dyn Disk, &Path)) {
    let real = tempfile::tempdir().unwrap();
    check(&RealDisk, real.path());
    let sim = SimDisk::new(1);
    let dir = PathBuf::from("/data");
    sim.create_dir_all(&dir).unwrap();
    check(&sim, &dir);
}

/// A buffer of `len` bytes of `fill` whose address is a multiple of 4,096.
fn with_aligned(len: usize, fill: u8, use_it: impl FnOnce(&mut [u8])) {
    let mut room = vec![fill; len + 4096];
    let start = room.as_ptr().align_offset(4096);
    use_it(&mut room[start..start + len]);
}

#[test]
fn what_is_written_is_read() {
    on_both(|disk, dir| {
        let file = disk.create(&dir.join("f")).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_all_at(b"hello", 10_000).unwrap();
        assert_eq!(file.len().unwrap(), 10_005);
        let mut bytes = [9; 12];
        assert_eq!(file.read_at(&mut bytes, 9_998).unwrap(), 7);
        assert_eq!(&bytes, b"\0\0hello\x09\x09\x09\x09\x09", "a hole reads as zeros");
        assert_eq!(file.read_at(&mut bytes, 10_005).unwrap(), 0);
        let short = file.read_exact_at(&mut bytes, 10_000).unwrap_err();
        assert_eq!(short.kind(), ErrorKind::UnexpectedEof);
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        let again = disk.open(&dir.join("f")).unwrap();
        again.write_all_at(b"J", 10_000).unwrap();
        file.read_exact_at(&mut bytes[..5], 10_000).unwrap();
        assert_eq!(&bytes[..5], b"Jello", "two handles see one file");
    });
}

#[test]
fn a_cut_end_is_zeros_when_it_comes_back() {
    on_both(|disk, dir| {
        let file = disk.create(&dir.join("f")).unwrap();
        file.write_all_at(&[7; 9_000], 0).unwrap();
        file.set_len(100).unwrap();
        file.set_len(9_000).unwrap();
        let mut bytes = vec![1; 9_000];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert!(bytes[..100].iter().all(|&byte| byte == 7));
        assert!(bytes[100..].iter().all(|&byte| byte == 0));
    });
}

#[test]
fn names_come_and_go() {
    on_both(|disk, dir| {
        let (a, b, sub) = (dir.join("a"), dir.join("b"), dir.join("sub/deep"));
        disk.create(&a).unwrap().write_all_at(b"a", 0).unwrap();
        disk.create(&b).unwrap();
        assert_eq!(disk.create(&a).unwrap_err().kind(), ErrorKind::AlreadyExists);
        disk.create_dir_all(&sub).unwrap();
        disk.create_dir_all(&sub).unwrap();
        disk.create(&sub.join("f")).unwrap();
        disk.rename(&a, &b).unwrap();
        assert!(!disk.exists(&a).unwrap());
        let entry = |name: &str, is_dir, len| DiskEntry { name: name.into(), is_dir, len };
        assert_eq!(disk.list(dir).unwrap(), [entry("b", false, 1), entry("sub", true, 0)]);
        disk.rename(&dir.join("sub"), &dir.join("moved")).unwrap();
        assert!(disk.exists(&dir.join("moved/deep/f")).unwrap());
        disk.sync_dir(dir).unwrap();
        disk.remove_dir_all(&dir.join("moved")).unwrap();
        disk.remove_file(&b).unwrap();
        assert_eq!(disk.list(dir).unwrap(), []);
    });
}

#[test]
fn what_is_missing_is_not_found() {
    on_both(|disk, dir| {
        let (missing, other) = (dir.join("no/such"), dir.join("other"));
        let kinds = [
            disk.open(&missing).map(drop),
            disk.open_durable(&missing).map(drop),
            disk.create(&missing).map(drop),
            disk.rename(&missing, &other),
            disk.remove_file(&missing),
            disk.remove_dir_all(&missing),
            disk.list(&missing).map(drop),
            disk.sync_dir(&missing),
        ]
        .map(|result| result.unwrap_err().kind());
        assert_eq!(kinds, [ErrorKind::NotFound; 8]);
        assert!(!disk.exists(&missing).unwrap());
    });
}

#[test]
fn a_directory_is_no_file() {
    on_both(|disk, dir| {
        let (sub, file) = (dir.join("sub"), dir.join("file"));
        disk.create_dir_all(&sub.join("inner")).unwrap();
        disk.create(&file).unwrap();
        assert_eq!(disk.open(&sub).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(disk.remove_file(&sub).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(disk.rename(&file, &sub).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(disk.rename(&sub, &file).unwrap_err().kind(), ErrorKind::NotADirectory);
        assert_eq!(disk.list(&file).unwrap_err().kind(), ErrorKind::NotADirectory);
        assert_eq!(disk.create(&file.join("x")).unwrap_err().kind(), ErrorKind::NotADirectory);
    });
}

#[test]
fn a_removed_file_lives_as_long_as_its_handle() {
    on_both(|disk, dir| {
        let path = dir.join("f");
        let file = disk.create(&path).unwrap();
        file.write_all_at(b"still here", 0).unwrap();
        disk.remove_file(&path).unwrap();
        disk.sync_dir(dir).unwrap();
        let mut bytes = [0; 10];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"still here");
    });
}

#[test]
fn durable_writes_are_aligned_ones() {
    on_both(|disk, dir| {
        let path = dir.join("f");
        disk.create(&path).unwrap().set_len(16_384).unwrap();
        // Not every file system that tests run on has direct I/O.
        let Some(file) = disk.open_durable(&path).unwrap() else { return };
        with_aligned(8_192, 5, |bytes| file.write_all_at(bytes, 4_096).unwrap());
        with_aligned(16_384, 0, |bytes| {
            file.read_exact_at(bytes, 0).unwrap();
            assert_eq!((bytes[4_095], bytes[4_096], bytes[12_287], bytes[12_288]), (0, 5, 5, 0));
        });
        with_aligned(4_096, 6, |bytes| {
            assert!(file.write_all_at(bytes, 100).is_err(), "unaligned position");
            assert!(file.write_all_at(&bytes[..100], 0).is_err(), "unaligned length");
        });
    });
}

#[test]
fn there_is_free_space() {
    on_both(|disk, dir| assert!(disk.free_bytes(dir).unwrap() > 0));
}
