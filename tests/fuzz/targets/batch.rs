//! Record batches as producers send them, and the records in them, compressed or not.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pyralog_fuzz::seal_batch;
use pyralog_model::{decode_records, split_batches};

const RECORDS_BYTES_MAX: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    read(bytes.to_vec());
    let mut sealed = bytes.to_vec();
    seal_batch(&mut sealed);
    read(sealed);
});

fn read(bytes: Vec<u8>) {
    let Ok(batches) = split_batches(Bytes::from(bytes)) else { return };
    for (header, batch) in batches {
        let Ok(records) = decode_records(&header, &batch, RECORDS_BYTES_MAX) else { continue };
        let whole = records.take_while(Result::is_ok).count() as u64;
        assert!(whole <= header.records());
    }
}
