//! Why bytes are not a frame, in words: what should be there and what is.

use crate::frame::{BATCH_BYTES_MAX, FRAME_HEADER_BYTES, FrameHeader};
use crate::keyed_crc::keyed_crc;
use pyralog_model::{BATCH_HEADER_BYTES, BatchHeader, BatchPrefix, StoreId, batch_crc};

/// Expected, and found.
pub(super) type Contrast = (String, String);

/// What is wrong with the frame that should begin `bytes`, of which `left` are up to
/// the end of whatever holds it. `bytes` begins with all that is there of its header
/// and of its batch's.
pub(super) fn frame(store: StoreId, bytes: &[u8], left: u64) -> Contrast {
    if bytes.len() < FRAME_HEADER_BYTES {
        return (format!("a frame of {FRAME_HEADER_BYTES} bytes or more"), count(bytes));
    }
    if bytes[0..4] != *b"PFRM" {
        return ("a frame, which begins with PFRM".to_owned(), hex(&bytes[..16]));
    }
    if bytes[8] != 1 {
        return ("a frame of version 1".to_owned(), format!("version {}", bytes[8]));
    }
    let prefix = match bytes[9] {
        1 => size_of::<BatchPrefix>(),
        2 => 0,
        kind => return ("a frame of kind 1 or 2".to_owned(), format!("kind {kind}")),
    };
    let Some(prefix) = bytes.get(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + prefix) else {
        return ("the beginning of the frame's batch".to_owned(), count(bytes));
    };
    let stored = u32::from_le_bytes(bytes[4..8].try_into().expect("4 bytes"));
    let computed = keyed_crc(store, &[&bytes[8..FRAME_HEADER_BYTES], prefix]);
    if stored != computed {
        let expected = format!("a frame with the CRC {stored:08x} that it carries");
        return (expected, format!("bytes with the CRC {computed:08x}"));
    }
    let batch = u32::from_le_bytes(bytes[12..16].try_into().expect("4 bytes"));
    let most = left.saturating_sub(FRAME_HEADER_BYTES as u64);
    match u64::from(batch) > most {
        true => (format!("a batch of {batch} bytes"), format!("{most} bytes up to the end")),
        false => {
            let expected = format!(
                "an append with a batch of {BATCH_HEADER_BYTES} to {BATCH_BYTES_MAX} bytes and \
                 records"
            );
            (expected, format!("kind {} with {batch} bytes", bytes[9]))
        }
    }
}

/// What is wrong with a batch that its frame does not know again.
pub(super) fn batch(header: &FrameHeader, batch: &[u8]) -> Contrast {
    match BatchHeader::parse(batch) {
        Err(error) => ("a record batch".to_owned(), error.to_string()),
        Ok(found) if found.batch_bytes != header.batch_bytes as usize => (
            format!("a batch of {} bytes, as the frame says", header.batch_bytes),
            format!("one of {}", found.batch_bytes),
        ),
        Ok(found) if !header.has_offsets_of(&found) => (
            format!(
                "{} offsets from {} on, as the frame says",
                header.record_count, header.base_offset
            ),
            format!("{} from {} on", found.offsets(), found.base_offset),
        ),
        Ok(found) => (
            format!("a batch with the CRC {:08x} that it carries", found.crc),
            format!("bytes with the CRC {:08x}", batch_crc(batch)),
        ),
    }
}

/// Bytes for people: `0` for nothing but zeros.
pub(super) fn hex(bytes: &[u8]) -> String {
    if bytes.iter().all(|&byte| byte == 0) {
        return format!("{} zeros", bytes.len());
    }
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

fn count(bytes: &[u8]) -> String {
    format!("{} bytes up to the end", bytes.len())
}
