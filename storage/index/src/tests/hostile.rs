//! Bytes that somebody made on purpose: checksums are right, everything else may not be.
//! Nothing panics, and no more is allocated than a small multiple of the file.

use super::{Chance, DIR, PLENTY, build, cache, disk, entries};
use crate::KeyManifest;
use crate::pphm::{HEADER_BYTES, Pphm};
use crate::{IndexError, Reducer};
use pyralog_env::Disk;
use std::path::Path;
use std::sync::Arc;

/// Puts right every checksum that the file's own words lead to.
fn mend(bytes: &mut [u8]) {
    let prefix_bits = bytes[46].min(20);
    let directory = HEADER_BYTES..(HEADER_BYTES + (16 << prefix_bits)).min(bytes.len());
    for entry in directory.clone().step_by(16).filter(|at| at + 16 <= directory.end) {
        let eight = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let four = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let begin = eight(entry) as usize;
        let end = begin.saturating_add(four(entry + 8) as usize);
        if let Some(block) = bytes.get(begin..end) {
            let crc = crc_fast::crc32_iscsi(block);
            bytes[entry + 12..entry + 16].copy_from_slice(&crc.to_le_bytes());
        }
    }
    let crc = crc_fast::crc32_iscsi(&bytes[directory]);
    bytes[96..100].copy_from_slice(&crc.to_le_bytes());
    let crc = crc_fast::crc32_iscsi(&bytes[12..HEADER_BYTES]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
}

fn spoil(bytes: &mut [u8], chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        // Mostly where there is structure.
        let within = match chance.below(4) {
            0 => HEADER_BYTES as u64,
            1 => HEADER_BYTES as u64 + 64,
            _ => bytes.len() as u64,
        };
        let at = chance.below(within.min(bytes.len() as u64)) as usize;
        bytes[at] = match chance.below(4) {
            0 => 0,
            1 => 0xff,
            2 => bytes[at] ^ (1 << chance.below(8)),
            _ => chance.next() as u8,
        };
    }
}

fn replace(disk: &Arc<dyn Disk>, path: &Path, bytes: &[u8]) {
    let file = disk.open(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

/// Reads all that can be read. Errors are fine, panics are not.
fn read(pphm: Pphm, hashes: &[u64]) -> Result<(), IndexError> {
    let pphm = Arc::new(pphm);
    for hash in hashes {
        pphm.newest(*hash).ok();
        pphm.versions(*hash).take(10_000).for_each(drop);
    }
    pphm.verify()
}

#[test]
fn files_made_on_purpose_neither_panic_nor_hang() {
    let full = std::env::var("PYRALOG_FULL").is_ok_and(|full| full == "1");
    let rounds = if full { 1_000_000 } else { 20_000 };
    let path = Path::new(DIR).join("a.pphm");
    let (mut opened, mut whole) = (0, 0);
    for (seed, reducer) in [(1, Reducer::All), (2, Reducer::Max)] {
        let (sim, disk) = disk();
        let entries = entries(seed, 0..3_000, 2_500);
        let hashes: Vec<u64> = entries.iter().map(|entry| entry.hash).take(50).collect();
        build(&disk, &path, 0..3_000, reducer, &entries, PLENTY);
        let sound = sim.read_file(&path).unwrap();
        let mut chance = Chance::new(seed);
        for _ in 0..rounds / 2 {
            let mut bytes = sound.clone();
            spoil(&mut bytes, &mut chance);
            mend(&mut bytes);
            replace(&disk, &path, &bytes);
            if let Ok(pphm) = Pphm::open(&disk, &path, &cache()) {
                opened += 1;
                whole += u64::from(read(pphm, &hashes).is_ok());
            }
        }
    }
    // Or nothing behind the header was ever reached.
    assert!(opened > rounds / 4, "{opened} of {rounds} were opened");
    assert!(whole < opened, "{whole} of {opened} were whole");
}

#[test]
fn manifests_made_on_purpose_do_not_panic() {
    let mut chance = Chance::new(5);
    let path = Path::new("/keys.manifest");
    let mut read = 0;
    for _ in 0..100_000 {
        let files = chance.below(4) as usize;
        let mut bytes = vec![0; 64 + 40 * files + chance.below(2) as usize * 7];
        bytes[..8].copy_from_slice(b"PYRAKEYS");
        bytes[12] = 1;
        bytes[44] = if chance.percent(80) { files as u8 } else { chance.next() as u8 };
        for byte in &mut bytes[48..] {
            *byte = if chance.percent(85) { 0 } else { chance.below(3) as u8 };
        }
        let crc = crc_fast::crc32_iscsi(&bytes[12..]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        if let Ok(manifest) = KeyManifest::decode(&bytes, path) {
            read += 1;
            assert!(manifest.files.len() == files && manifest.encode().len() == bytes.len());
        }
    }
    assert!(read > 1_000, "{read} were read");
}
