//! What a compacted log takes: records with keys, in batches that can be opened.
//!
//! A record without a key would be kept for ever, and one that cannot be looked at
//! could not be told from it.

use bytes::Bytes;
use pyralog_model::{
    ApiError, BatchHeader, COMPACTED_BATCH_BYTES_MAX, COMPACTED_BATCH_RECORDS_MAX, ErrorCode,
    raw_records,
};

/// Refuses batches with a record that has no key.
pub(super) fn check_keys(batches: &[(BatchHeader, Bytes)]) -> Result<(), ApiError> {
    batches.iter().try_for_each(|(header, batch)| {
        check_batch(header, batch).map_err(|what| {
            ApiError::new(ErrorCode::KeyMissing, format!("the log is compacted, and {what}"))
        })
    })
}

fn check_batch(header: &BatchHeader, batch: &Bytes) -> Result<(), String> {
    let (count, most) = (header.records(), COMPACTED_BATCH_RECORDS_MAX);
    if count > most {
        return Err(format!("a batch has {count} records where {most} may be"));
    }
    let unreadable = |error| format!("the keys of a batch cannot be read: {error}");
    let records = raw_records(header, batch, COMPACTED_BATCH_BYTES_MAX).map_err(unreadable)?;
    for (place, record) in records.enumerate() {
        if record.map_err(unreadable)?.key.is_none() {
            return Err(format!("record {place} of a batch has no key"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_model::{BatchBuilder, Compression, batch_crc, split_batches};

    fn refusal(batch: Bytes) -> Option<String> {
        check_keys(&split_batches(batch).unwrap()).err().map(|error| error.message)
    }

    #[test]
    fn every_record_has_a_key() {
        for compression in [Compression::None, Compression::Zstd] {
            let mut builder = BatchBuilder::new();
            builder.push(1, Some(b""), Some(b"v"), &[]);
            builder.push(1, Some(b"k"), None, &[]);
            assert_eq!(refusal(builder.finish_compressed(compression).unwrap()), None);
            builder.push(1, Some(b"k"), Some(b"v"), &[]);
            builder.push(1, None, Some(b"v"), &[]);
            let refused = refusal(builder.finish_compressed(compression).unwrap()).unwrap();
            assert!(refused.contains("record 1 of a batch has no key"), "{refused}");
        }
    }

    #[test]
    fn what_cannot_be_looked_at_is_refused() {
        let mut builder = BatchBuilder::new();
        builder.push(1, Some(b"k"), Some(b"v"), &[]);
        let batch = builder.finish().unwrap();
        let forged = |change: &dyn Fn(&mut [u8])| {
            let mut bytes = batch.to_vec();
            change(&mut bytes);
            let crc = batch_crc(&bytes);
            bytes[17..21].copy_from_slice(&crc.to_be_bytes());
            refusal(bytes.into()).unwrap()
        };
        let packed = forged(&|bytes| bytes[22] |= 4);
        assert!(packed.contains("cannot be read"), "{packed}");
        let many = forged(&|bytes| {
            bytes[23..27].copy_from_slice(&i32::to_be_bytes(1 << 20));
            bytes[57..61].copy_from_slice(&i32::to_be_bytes((1 << 20) + 1));
        });
        assert!(many.contains("1048577 records"), "{many}");
    }
}
