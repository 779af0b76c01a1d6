//! What the bench sends: one batch, made once and sent again and again.

use bytes::Bytes;
use pyralog_env::Entropy;
use pyralog_model::BatchBuilder;

/// A batch of about `batch_bytes` with values of `record_bytes`, and how many
/// records it has; at least one. The values are random, so that no compression
/// on the way flatters the figures.
pub fn batch(
    entropy: &dyn Entropy,
    now_ms: i64,
    record_bytes: usize,
    batch_bytes: usize,
) -> (Bytes, u64) {
    let mut builder = BatchBuilder::new();
    let mut value = vec![0; record_bytes];
    loop {
        entropy.fill(&mut value);
        builder.push(now_ms, None, Some(&value), &[]);
        // Room for one more record and the numbers in front of it.
        if builder.bytes() + record_bytes + 16 > batch_bytes {
            break;
        }
    }
    let records = builder.records() as u64;
    (builder.finish().expect("a batch with a record is a batch"), records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::RealEntropy;
    use pyralog_model::BatchHeader;

    #[test]
    fn a_batch_fits_its_size_and_verifies() {
        let (bytes, records) = batch(&RealEntropy, 1, 1024, 1 << 20);
        assert!(bytes.len() <= 1 << 20 && bytes.len() > (1 << 20) - 3_000, "{}", bytes.len());
        assert_eq!(BatchHeader::verify(&bytes).unwrap().records(), records);
        assert_eq!(batch(&RealEntropy, 1, 5_000, 100).1, 1);
    }
}
