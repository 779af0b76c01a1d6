//! Checksums put right.
//!
//! A fuzzer does not guess a CRC, and would only ever see the line that refuses it.
//! So the targets run twice: with the bytes as they are, and with every checksum
//! made to fit. The layouts are written down here once more, from
//! `docs/formats.md`, and not taken from the code under test.

use crate::STORE;
use pyralog_model::StoreId;

const PAGE: usize = 4096;

fn crc(parts: &[&[u8]]) -> [u8; 4] {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    parts.iter().for_each(|part| digest.update(part));
    (digest.finalize() as u32).to_le_bytes()
}

fn keyed(store: StoreId, parts: &[&[u8]]) -> [u8; 4] {
    let key = store.0.to_le_bytes();
    crc(&[&[&key[..]], parts].concat())
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn length(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes")) as usize
}

/// A batch that says its own length and checksum.
pub fn seal_batch(batch: &mut [u8]) {
    if batch.len() < 61 {
        return;
    }
    let after = (batch.len() - 12) as u32;
    put(batch, 8, &after.to_be_bytes());
    batch[16] = 2;
    let checksum = u32::from_le_bytes(crc(&[&batch[21..]]));
    put(batch, 17, &checksum.to_be_bytes());
}

/// The frames in `bytes`, for as long as one follows the other.
fn seal_frames(bytes: &mut [u8]) {
    let mut at = 0;
    while bytes.len() - at >= 80 {
        let batch_bytes = length(bytes, at + 12);
        let Some(end) = (at + 80).checked_add(batch_bytes).filter(|end| *end <= bytes.len()) else {
            return;
        };
        put(bytes, at, b"PFRM");
        bytes[at + 8] = 1;
        seal_batch(&mut bytes[at + 80..end]);
        let prefix = match bytes[at + 9] {
            1 => 21.min(end - at - 80),
            _ => 0,
        };
        let (header, batch) = bytes[at..].split_at(80);
        let checksum = keyed(STORE, &[&header[8..80], &batch[..prefix]]);
        put(bytes, at + 4, &checksum);
        at = end;
    }
}

/// A segment, of version 2 if it says so.
pub fn seal_segment(bytes: &mut [u8]) {
    if bytes.len() < 128 {
        return;
    }
    put(bytes, 0, b"PYRASEG1");
    let (version, used) = if bytes[12] == 2 { (2, 72) } else { (1, 56) };
    put(bytes, 12, &[version, 0, 0, 0]);
    bytes[28..32].fill(0);
    bytes[used..128].fill(0);
    let checksum = crc(&[&bytes[12..128]]);
    put(bytes, 8, &checksum);
    seal_frames(&mut bytes[128..]);
}

/// A file of the WAL: its header, and a round at every page that begins like one.
pub fn seal_wal(bytes: &mut [u8]) {
    if bytes.len() < PAGE {
        return;
    }
    put(bytes, 0, b"PYRAWAL1\x01\x00");
    let len = bytes.len() as u64;
    put(bytes, 16, &len.to_le_bytes());
    put(bytes, 24, &STORE.0.to_le_bytes());
    let checksum = keyed(STORE, &[&bytes[16..40]]);
    put(bytes, 12, &checksum);
    let mut at = PAGE;
    while bytes.len() - at >= 64 {
        if bytes[at..at + 4] == *b"PYRA" {
            put(bytes, at, b"PYRAROND");
            put(bytes, at + 12, &[1, 0]);
            let body = length(bytes, at + 16).min(bytes.len() - at - 64);
            seal_frames(&mut bytes[at + 64..at + 64 + body]);
            let checksum = keyed(STORE, &[&bytes[at + 12..at + 64]]);
            put(bytes, at + 8, &checksum);
        }
        at = (at + PAGE).min(bytes.len());
    }
}

/// An index of either kind: magic, checksum, version, and as many entries as fit.
pub fn seal_index(bytes: &mut [u8], magic: &[u8; 8], header: usize, entry: usize) {
    if bytes.len() < header {
        return;
    }
    let entries = ((bytes.len() - header) / entry) as u64;
    put(bytes, 0, magic);
    put(bytes, 12, &[1, 0]);
    put(bytes, 16, &entries.to_le_bytes());
    let checksum = crc(&[&bytes[12..]]);
    put(bytes, 8, &checksum);
}

/// A file of keys: every page and block that its own words lead to, their directory,
/// and the header.
pub fn seal_pphm(bytes: &mut [u8]) {
    const HEADER: usize = 128;
    if bytes.len() < HEADER {
        return;
    }
    put(bytes, 0, b"PYRAPPHM");
    put(bytes, 12, &[1, 0, 1, 0]);
    // More partitions than there are bytes for are refused at once.
    bytes[46] %= 5;
    bytes[47] &= 1;
    let len = bytes.len() as u64;
    put(bytes, 88, &len.to_le_bytes());
    bytes[100..HEADER].fill(0);
    let partitions = 1 << bytes[46];
    let body = HEADER + partitions * 16;
    if bytes.len() >= body {
        let mut end = body;
        for partition in 0..partitions {
            end = seal_partition(bytes, partition, end);
        }
        let checksum = crc(&[&bytes[HEADER..body]]);
        put(bytes, 96, &checksum);
    }
    let checksum = crc(&[&bytes[12..HEADER]]);
    put(bytes, 8, &checksum);
}

/// The block of a partition and the pages between `begin` and it; where it ends.
fn seal_partition(bytes: &mut [u8], partition: usize, begin: usize) -> usize {
    let entry = 128 + partition * 16;
    let position = u64::from_le_bytes(bytes[entry..entry + 8].try_into().expect("8 bytes"));
    let position = usize::try_from(position).unwrap_or(usize::MAX);
    let end = position.saturating_add(length(bytes, entry + 8));
    if position < begin || end > bytes.len() {
        return begin;
    }
    let checksum = crc(&[&bytes[position..end]]);
    put(bytes, entry + 12, &checksum);
    let mut key = [0; 36];
    key[..16].copy_from_slice(&bytes[16..32]);
    key[16..32].copy_from_slice(&bytes[48..64]);
    key[32..].copy_from_slice(&(partition as u32).to_le_bytes());
    for (number, page) in (0u64..).zip(bytes[begin..position].chunks_mut(PAGE)) {
        if page.len() > 4 {
            let checksum = crc(&[&key, &number.to_le_bytes(), &page[4..]]);
            put(page, 0, &checksum);
        }
    }
    end
}

/// A manifest of keys, of as many files as fit.
pub fn seal_keys_manifest(bytes: &mut [u8]) {
    if bytes.len() < 64 {
        return;
    }
    put(bytes, 0, b"PYRAKEYS");
    put(bytes, 12, &[1, 0, 0, 0]);
    let files = ((bytes.len() - 64) / 40) as u32;
    put(bytes, 44, &files.to_le_bytes());
    let checksum = crc(&[&bytes[12..]]);
    put(bytes, 8, &checksum);
}

/// Producers' sessions.
pub fn seal_sessions(bytes: &mut [u8]) {
    if bytes.len() < 64 {
        return;
    }
    put(bytes, 0, b"PYRASESS");
    put(bytes, 12, &[1, 0]);
    let checksum = keyed(STORE, &[&bytes[12..]]);
    put(bytes, 8, &checksum);
}

/// An entry of a counter, unless it was never written.
fn seal_entry(entry: &mut [u8], store: StoreId, number: u64) {
    if entry.iter().any(|byte| *byte != 0) {
        let checksum = keyed(store, &[&number.to_le_bytes(), &entry[..28]]);
        put(entry, 28, &checksum);
    }
}

/// An arena of whatever length: both headers, and the entries of its first groups.
pub fn seal_arena(bytes: &mut [u8], store: StoreId) {
    const SLOTS_AT: usize = 64 << 10;
    if bytes.len() < SLOTS_AT + 4 * PAGE {
        return;
    }
    let groups = (bytes.len() - SLOTS_AT) / (4 * PAGE);
    let durable_at = SLOTS_AT + groups * 2 * PAGE;
    let lengths = [bytes.len(), SLOTS_AT, durable_at, groups * 128];
    for copy in [0, PAGE] {
        put(bytes, copy, b"PYRAARE1\x01\x00");
        put(bytes, copy + 16, &store.0.to_le_bytes());
        for (place, length) in lengths.iter().enumerate() {
            put(bytes, copy + 32 + place * 8, &(*length as u64).to_le_bytes());
        }
        let checksum = keyed(store, &[&0u64.to_le_bytes(), &bytes[copy + 16..copy + 96]]);
        put(bytes, copy + 12, &checksum);
    }
    for (place, block) in bytes[durable_at..].chunks_exact_mut(PAGE).enumerate() {
        let first = (place / 2 * 128) as u64;
        for (number, entry) in (first..).zip(block.chunks_exact_mut(32)) {
            seal_entry(entry, store, number);
        }
    }
}

/// Both copies of a bound.
pub fn seal_bound(bytes: &mut [u8], store: StoreId) {
    for block in bytes.chunks_exact_mut(PAGE).take(2) {
        put(block, 0, b"PYRABND1\x01\x00");
        seal_entry(&mut block[16..48], store, 0);
    }
}
