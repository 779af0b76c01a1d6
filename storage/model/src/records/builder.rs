//! Building a batch out of records: for the HTTP door, the command line and the
//! bench, which have records and no Kafka client.

use crate::compression::compress;
use crate::{BATCH_HEADER_BYTES, Compression, batch_crc};
use bytes::Bytes;

/// Builds one batch with base offset 0, as a producer without a session does.
#[derive(Debug)]
pub struct BatchBuilder {
    /// Room for the header, then the encoded records.
    bytes: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl Default for BatchBuilder {
    fn default() -> BatchBuilder {
        BatchBuilder::new()
    }
}

impl BatchBuilder {
    /// An empty batch.
    pub fn new() -> BatchBuilder {
        let bytes = vec![0; BATCH_HEADER_BYTES];
        BatchBuilder { bytes, count: 0, base_timestamp: 0, max_timestamp: 0 }
    }

    /// Adds a record; `timestamp` is in milliseconds since 1970.
    pub fn push(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let time_delta = timestamp.wrapping_sub(self.base_timestamp);
        let fields = |out: &mut dyn FnMut(Piece<'_>)| {
            out(Piece::Raw(&[0]));
            out(Piece::Number(time_delta));
            out(Piece::Number(i64::from(self.count)));
            out(Piece::Field(key));
            out(Piece::Field(value));
            out(Piece::Number(headers.len() as i64));
            for (name, value) in headers {
                out(Piece::Field(Some(name.as_bytes())));
                out(Piece::Field(*value));
            }
        };
        // The length comes first and is itself of variable length: so the
        // fields are measured, then written.
        let mut length = 0;
        fields(&mut |piece| length += piece.len());
        let mut bytes = std::mem::take(&mut self.bytes);
        put_varlong(&mut bytes, length as i64);
        fields(&mut |piece| piece.put(&mut bytes));
        self.bytes = bytes;
        self.count += 1;
    }

    /// Number of records.
    pub fn records(&self) -> usize {
        self.count as usize
    }

    /// Length of the batch as it stands in bytes, uncompressed.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// True without a record.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The batch, uncompressed, and the builder empty again; `None` without a
    /// record, as there is no batch of none.
    pub fn finish(&mut self) -> Option<Bytes> {
        self.finish_compressed(Compression::None)
    }

    /// As `finish`, with the records compressed.
    pub fn finish_compressed(&mut self, compression: Compression) -> Option<Bytes> {
        let built = std::mem::take(self);
        if built.is_empty() {
            return None;
        }
        let mut bytes = built.bytes;
        if compression != Compression::None {
            let packed = compress(compression, &bytes[BATCH_HEADER_BYTES..]);
            bytes.truncate(BATCH_HEADER_BYTES);
            bytes.extend_from_slice(&packed);
        }
        let length = i32::try_from(bytes.len() - 12).expect("a batch is below 2 GiB");
        let attributes: i16 = match compression {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        };
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[12..16].copy_from_slice(&(-1_i32).to_be_bytes());
        bytes[16] = 2;
        bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
        bytes[23..27].copy_from_slice(&(built.count - 1).to_be_bytes());
        bytes[27..35].copy_from_slice(&built.base_timestamp.to_be_bytes());
        bytes[35..43].copy_from_slice(&built.max_timestamp.to_be_bytes());
        // No session: producer id, its epoch and the first sequence are -1.
        bytes[43..57].fill(0xff);
        bytes[57..61].copy_from_slice(&built.count.to_be_bytes());
        let crc = batch_crc(&bytes);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        Some(Bytes::from(bytes))
    }
}

/// One field of a record on its way out.
enum Piece<'a> {
    Raw(&'a [u8]),
    Number(i64),
    Field(Option<&'a [u8]>),
}

impl Piece<'_> {
    fn len(&self) -> usize {
        match self {
            Piece::Raw(bytes) => bytes.len(),
            Piece::Number(number) => varlong_bytes(*number),
            Piece::Field(None) => 1,
            Piece::Field(Some(bytes)) => varlong_bytes(bytes.len() as i64) + bytes.len(),
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        match self {
            Piece::Raw(bytes) => out.extend_from_slice(bytes),
            Piece::Number(number) => put_varlong(out, number),
            Piece::Field(None) => put_varlong(out, -1),
            Piece::Field(Some(bytes)) => {
                put_varlong(out, bytes.len() as i64);
                out.extend_from_slice(bytes);
            }
        }
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

pub(super) fn varlong_bytes(number: i64) -> usize {
    (64 - (zigzag(number) | 1).leading_zeros() as usize).div_ceil(7)
}

pub(super) fn put_varlong(out: &mut Vec<u8>, number: i64) {
    let mut raw = zigzag(number);
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}
