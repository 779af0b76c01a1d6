//! The checksum of what may lie beside a producer's bytes: CRC-32C over the store id
//! first, so that record bytes cannot pose as ours and another store's are refused.

use pyralog_model::StoreId;

/// CRC-32C over the store id and then every part.
pub(crate) fn keyed_crc(store: StoreId, parts: &[&[u8]]) -> u32 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(&store.0.to_le_bytes());
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize() as u32
}
