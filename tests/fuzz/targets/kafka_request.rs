//! Requests of Kafka clients, without their length.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pyralog_kafka::decode_request;

fuzz_target!(|bytes: &[u8]| {
    let _ = decode_request(Bytes::copy_from_slice(bytes));
});
