//! Version and body, both in postcard, read from bytes that may be hostile.

use crate::error::DecodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of every body there is today.
const VERSION: u16 = 1;

pub(crate) fn encode(body: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(&(VERSION, body)).expect("plain data always encodes")
}

/// The length is looked at first: no field in the bytes can then ask for more
/// memory than a small multiple of `bytes_max`.
pub(crate) fn decode<T: DeserializeOwned + Serialize>(
    bytes: &[u8],
    bytes_max: usize,
) -> Result<T, DecodeError> {
    if bytes.len() > bytes_max {
        return Err(DecodeError::TooLong { have: bytes.len(), most: bytes_max });
    }
    let (version, body) = postcard::take_from_bytes::<u16>(bytes)?;
    if version != VERSION {
        return Err(DecodeError::Version { found: version, known: VERSION });
    }
    let (value, _) = postcard::take_from_bytes::<T>(body)?;
    // One value, one encoding: replicas compare bytes. This also refuses bytes
    // after the end.
    if encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}
