//! Undoing a producer's compression, under a bound.
//!
//! The hot path never comes here: batches are stored and served as they were
//! sent. Records are looked into for a time index, for the HTTP door and on the
//! command line, and there a few hostile bytes may claim gigabytes. So every
//! codec writes into a buffer that grows with what was really produced and
//! stops one byte past the caller's limit.
//!
//! Snappy has two forms among Kafka's clients: one raw block, and the frames of
//! the Java library (Xerial):
//!
//! ```text
//!   82 "SNAPPY" 00 │ version │ compatible │ length │ raw block │ length │ …
//!        8 bytes   │  i32    │    i32     │  i32   │           │        │
//! ```

use crate::Compression;
use std::io::{self, Read, Write};
use thiserror::Error;

/// What the Java library's frames begin with.
const XERIAL_MAGIC: &[u8; 8] = b"\x82SNAPPY\0";

/// The magic, a version and the least compatible version.
const XERIAL_HEADER_BYTES: usize = 16;

/// The largest window a Zstandard frame may ask for: 16 MiB. Clients that know
/// the size of their batch never ask for more than it needs.
const ZSTD_WINDOW_LOG_MAX: u32 = 24;

/// Why compressed bytes could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompressionError {
    /// More bytes came out than the caller wants to hold.
    #[error("the records take more than {bytes_max} bytes when decompressed")]
    TooLarge {
        /// The caller's limit.
        bytes_max: usize,
    },
    /// The codec refused the bytes.
    #[error("the {compression:?} bytes are damaged: {reason}")]
    Damaged {
        /// How they say they are compressed.
        compression: Compression,
        /// What the codec said.
        reason: String,
    },
}

/// Opens `bytes`; at most `bytes_max` bytes come out, else an error.
pub fn decompress(
    compression: Compression,
    bytes: &[u8],
    bytes_max: usize,
) -> Result<Vec<u8>, CompressionError> {
    let opened = match compression {
        Compression::None => read_bounded(bytes, bytes_max),
        Compression::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(bytes), bytes_max),
        Compression::Snappy => snappy(bytes, bytes_max),
        Compression::Lz4 => read_bounded(lz4_flex::frame::FrameDecoder::new(bytes), bytes_max),
        Compression::Zstd => zstd(bytes, bytes_max),
    };
    match opened {
        Ok(Some(out)) => Ok(out),
        Ok(None) => Err(CompressionError::TooLarge { bytes_max }),
        Err(error) => Err(CompressionError::Damaged { compression, reason: error.to_string() }),
    }
}

/// Compresses `bytes` the way Kafka's clients do, Snappy in Xerial frames.
pub fn compress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let into_memory = "writing into memory does not fail";
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(bytes).expect(into_memory);
            out.finish().expect(into_memory)
        }
        Compression::Snappy => xerial(bytes),
        Compression::Lz4 => {
            let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
            out.write_all(bytes).expect(into_memory);
            out.finish().expect(into_memory)
        }
        Compression::Zstd => zstd::bulk::compress(bytes, 3).expect(into_memory),
    }
}

/// Reads all there is, or `None` if it is more than `bytes_max`.
fn read_bounded(from: impl Read, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut out = Vec::new();
    from.take(bytes_max as u64 + 1).read_to_end(&mut out)?;
    Ok((out.len() <= bytes_max).then_some(out))
}

fn zstd(bytes: &[u8], bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    read_bounded(decoder, bytes_max)
}

fn snappy(bytes: &[u8], bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut out = Vec::new();
    if !bytes.starts_with(XERIAL_MAGIC) {
        return Ok(snappy_block(bytes, bytes_max, &mut out)?.then_some(out));
    }
    let mut rest = bytes.get(XERIAL_HEADER_BYTES..).ok_or_else(cut_short)?;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (block, after) = after.split_at_checked(length).ok_or_else(cut_short)?;
        if !snappy_block(block, bytes_max, &mut out)? {
            return Ok(None);
        }
        rest = after;
    }
    Ok(Some(out))
}

/// Appends one raw block; false if `out` would pass `bytes_max`. A block claims
/// its length, and the claim is allocated: so it is also held against the best
/// that Snappy can do, about 21 bytes out of one.
fn snappy_block(block: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> io::Result<bool> {
    let claimed = snap::raw::decompress_len(block)?;
    if claimed > bytes_max - out.len() {
        return Ok(false);
    }
    if claimed > block.len().saturating_mul(32) {
        return Err(io::Error::other("a block claims more than it can hold"));
    }
    let start = out.len();
    out.resize(start + claimed, 0);
    let written = snap::raw::Decoder::new().decompress(block, &mut out[start..])?;
    out.truncate(start + written);
    Ok(true)
}

fn xerial(bytes: &[u8]) -> Vec<u8> {
    let mut out = XERIAL_MAGIC.to_vec();
    out.extend_from_slice(&1_i32.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    for block in bytes.chunks(32 * 1024) {
        let packed = snap::raw::Encoder::new().compress_vec(block).expect("a block is below 4 GiB");
        out.extend_from_slice(&(packed.len() as u32).to_be_bytes());
        out.extend_from_slice(&packed);
    }
    out
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the frame is cut short")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0; 8 << 20];
        for compression in ALL {
            let bomb = compress(compression, &zeros);
            let opened = decompress(compression, &bomb, 100_000);
            assert_eq!(opened, Err(CompressionError::TooLarge { bytes_max: 100_000 }));
            assert_eq!(decompress(compression, &bomb, zeros.len()).unwrap().len(), zeros.len());
        }
        let raw = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
        assert!(decompress(Compression::Snappy, &raw, zeros.len() - 1).is_err());
        assert_eq!(decompress(Compression::Snappy, &raw, zeros.len()).unwrap(), zeros);
    }

    #[test]
    fn a_claim_without_bytes_is_refused() {
        // One raw Snappy block that claims 4 GiB - 1, and a Xerial block that
        // claims 2 GiB of input.
        let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert!(decompress(Compression::Snappy, &claim, usize::MAX).is_err());
        let mut framed = compress(Compression::Snappy, b"");
        framed.extend_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0]);
        assert!(decompress(Compression::Snappy, &framed, usize::MAX).is_err());
    }

    proptest! {
        #[test]
        fn what_went_in_comes_out(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            for compression in ALL {
                let packed = compress(compression, &bytes);
                prop_assert_eq!(&decompress(compression, &packed, bytes.len()).unwrap(), &bytes);
            }
        }

        #[test]
        fn hostile_bytes_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            bit in any::<proptest::sample::Index>(),
        ) {
            for compression in ALL {
                let _ = decompress(compression, &bytes, 10_000);
                let mut packed = compress(compression, &bytes);
                if !packed.is_empty() {
                    let bit = bit.index(packed.len() * 8);
                    packed[bit / 8] ^= 1 << (bit % 8);
                    let _ = decompress(compression, &packed, 10_000);
                }
            }
        }
    }
}
