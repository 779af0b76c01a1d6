//! What is built is read back; what is hostile is an error, not a panic.

use super::*;
use crate::batch_crc;
use proptest::prelude::*;

type Plain = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

fn field() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(proptest::collection::vec(any::<u8>(), 0..90))
}

fn record() -> impl Strategy<Value = Plain> {
    (any::<i64>(), field(), field(), proptest::collection::vec(("[a-zä]{0,5}", field()), 0..3))
}

fn build(records: &[Plain], compression: Compression) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (timestamp, key, value, headers) in records {
        let headers: Vec<_> =
            headers.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        builder.push(*timestamp, key.as_deref(), value.as_deref(), &headers);
    }
    builder.finish_compressed(compression).unwrap()
}

fn read(batch: &Bytes) -> Result<Vec<Record>, RecordsError> {
    let header = BatchHeader::verify(batch).unwrap();
    decode_records(&header, batch, 1 << 20)?.collect()
}

/// `batch` with the bytes from the first record on replaced, and a checksum
/// that says they are meant.
fn forged(batch: &Bytes, records: &[u8]) -> Bytes {
    let mut bytes = batch[..BATCH_HEADER_BYTES].to_vec();
    bytes.extend_from_slice(records);
    let length = (bytes.len() - 12) as i32;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = batch_crc(&bytes);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    Bytes::from(bytes)
}

proptest! {
    #[test]
    fn built_batches_are_read_back(
        records in proptest::collection::vec(record(), 1..20),
        compression in prop_oneof![
            Just(Compression::None), Just(Compression::Gzip), Just(Compression::Snappy),
            Just(Compression::Lz4), Just(Compression::Zstd),
        ],
    ) {
        let batch = build(&records, compression);
        let header = BatchHeader::verify(&batch).unwrap();
        prop_assert_eq!(header.compression(), Ok(compression));
        prop_assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (-1, -1, -1));
        prop_assert_eq!(header.max_timestamp, records.iter().map(|record| record.0).max().unwrap());
        let back: Vec<Plain> = read(&batch).unwrap().into_iter().enumerate().map(|(at, record)| {
            assert_eq!(record.offset_delta, at as i32);
            let vec = |bytes: Option<Bytes>| bytes.map(|bytes| bytes.to_vec());
            let headers = record.headers.into_iter().map(|h| (h.key, vec(h.value))).collect();
            (record.timestamp, vec(record.key), vec(record.value), headers)
        }).collect();
        prop_assert_eq!(back, records);
    }

    #[test]
    fn what_is_kept_of_a_batch_stays_what_it_was(
        records in proptest::collection::vec(record(), 1..20),
        mask in any::<u32>(),
        horizon in proptest::option::of(any::<i64>()),
        compression in prop_oneof![
            Just(Compression::None), Just(Compression::Gzip), Just(Compression::Snappy),
            Just(Compression::Lz4), Just(Compression::Zstd),
        ],
    ) {
        let batch = build(&records, compression);
        let header = BatchHeader::verify(&batch).unwrap();
        let raw: Vec<RawRecord> =
            raw_records(&header, &batch, 1 << 20).unwrap().map(Result::unwrap).collect();
        let is_kept = |delta: i32| mask & (1 << delta) != 0;
        let kept: Vec<RawRecord> =
            raw.iter().filter(|record| is_kept(record.offset_delta)).cloned().collect();
        let rewritten = rewrite_batch(&header, &batch, &kept, horizon);
        let after = BatchHeader::verify(&rewritten).unwrap();
        prop_assert_eq!((after.records(), after.offsets()), (kept.len() as u64, header.offsets()));
        prop_assert_eq!(after.delete_horizon(), horizon);
        let mut expect = read(&batch).unwrap();
        expect.retain(|record| is_kept(record.offset_delta));
        for (raw, record) in kept.iter().zip(&expect) {
            prop_assert_eq!((&raw.key, raw.is_tombstone), (&record.key, record.value.is_none()));
        }
        let greatest = expect.iter().map(|record| record.timestamp).max().unwrap_or(-1);
        prop_assert_eq!(after.max_timestamp, greatest);
        prop_assert_eq!(read(&rewritten).unwrap(), expect);
        if !kept.is_empty() {
            prop_assert_eq!(after.compression(), Ok(compression));
        }
    }

    #[test]
    fn hostile_records_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        record in record(),
        cut in any::<proptest::sample::Index>(),
        bit in any::<proptest::sample::Index>(),
    ) {
        let batch = build(&[record], Compression::None);
        let hostile = forged(&batch, &bytes);
        let _ = read(&hostile);
        let header = BatchHeader::verify(&hostile).unwrap();
        let _ = raw_records(&header, &hostile, 1 << 20).unwrap().count();
        let mut changed = batch[BATCH_HEADER_BYTES..].to_vec();
        let at = bit.index(changed.len() * 8);
        changed[at / 8] ^= 1 << (at % 8);
        let _ = read(&forged(&batch, &changed));
        let cut = cut.index(changed.len());
        prop_assert!(read(&forged(&batch, &batch[BATCH_HEADER_BYTES..][..cut])).is_err());
    }
}

#[test]
fn absurd_counts_cost_nothing() {
    let batch = build(&[(5, None, None, vec![])], Compression::None);
    // A record of 10 bytes that claims 2^31-1 headers, one that claims to be
    // 2 GiB long, and one whose length is -2.
    let headers = [20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f];
    assert!(matches!(read(&forged(&batch, &headers)), Err(RecordsError::Malformed { .. })));
    let long = [0xfe, 0xff, 0xff, 0xff, 0x0f, 0];
    assert_eq!(read(&forged(&batch, &long)), Err(RecordsError::Short { index: 0 }));
    assert!(matches!(read(&forged(&batch, &[3])), Err(RecordsError::Malformed { .. })));
    // More records claimed than are there: those that are there, then an error.
    let mut more = batch.to_vec();
    more[23..27].copy_from_slice(&i32::to_be_bytes(i32::MAX - 1));
    more[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
    let more = forged(&Bytes::from(more), &batch[BATCH_HEADER_BYTES..]);
    let header = BatchHeader::verify(&more).unwrap();
    let all: Vec<_> = decode_records(&header, &more, 0).unwrap().collect();
    assert_eq!(all.len(), 2);
    assert_eq!(all[1], Err(RecordsError::Short { index: 1 }));
}

#[test]
fn log_append_time_is_every_records_time() {
    let batch = build(&[(5, None, None, vec![]), (9, None, None, vec![])], Compression::None);
    let mut bytes = batch.to_vec();
    bytes[22] |= LOG_APPEND_TIME as u8;
    let batch = forged(&Bytes::from(bytes), &batch[BATCH_HEADER_BYTES..]);
    assert_eq!(
        read(&batch).unwrap().iter().map(|record| record.timestamp).collect::<Vec<_>>(),
        [9, 9]
    );
}

#[test]
fn names_that_are_no_text_survive() {
    // One header whose name is the byte ff, and no value.
    let record = [22, 0, 0, 0, 2, b'k', 2, b'v', 2, 2, 0xff, 1];
    let plain = build(&[(5, None, None, vec![])], Compression::None);
    let batch = forged(&plain, &record);
    let header = BatchHeader::verify(&batch).unwrap();
    let raw: Vec<RawRecord> =
        raw_records(&header, &batch, 0).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(rewrite_batch(&header, &batch, &raw, None), batch);
    let stamped = rewrite_batch(&header, &batch, &raw, Some(1_000_000));
    assert!(stamped.ends_with(&record[4..]), "{stamped:?}");
    assert_eq!(read(&stamped).unwrap()[0].timestamp, 5);
}

#[test]
fn a_builder_is_empty_again() {
    let mut builder = BatchBuilder::new();
    assert_eq!(builder.finish(), None);
    builder.push(1, None, Some(b"x"), &[]);
    assert_eq!((builder.records(), builder.bytes()), (1, BATCH_HEADER_BYTES + 8));
    let batch = builder.finish().unwrap();
    assert_eq!(batch.len(), BATCH_HEADER_BYTES + 8);
    assert!(builder.is_empty() && builder.finish().is_none());
}
