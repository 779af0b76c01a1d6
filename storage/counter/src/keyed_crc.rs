//! The checksum of what is kept here: CRC-32C over the store id first, so that a
//! file of another store is refused.

use pyralog_model::StoreId;

/// CRC-32C over the store id, a place (so that a block in the wrong place is
/// refused too) and the bytes, at most `BYTES_MAX` of them.
pub(crate) fn keyed_crc(store: StoreId, place: u64, bytes: &[u8]) -> u32 {
    // One buffer and one call: blocks have more than a hundred of these.
    let mut buffer = [0; 24 + BYTES_MAX];
    buffer[..16].copy_from_slice(&store.0.to_le_bytes());
    buffer[16..24].copy_from_slice(&place.to_le_bytes());
    buffer[24..24 + bytes.len()].copy_from_slice(bytes);
    let all = &buffer[..24 + bytes.len()];
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, all) as u32
}

/// The longest thing that is checked.
const BYTES_MAX: usize = 104;
