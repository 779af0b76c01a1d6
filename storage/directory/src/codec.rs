//! Version and body, both in postcard, read from bytes that may be hostile.

use crate::error::DecodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The newest version of a body. Older ones are in `version1` and `version2`, and
/// are read for ever.
pub(crate) const VERSION: u16 = 3;

pub(crate) fn encode(version: u16, body: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(&(version, body)).expect("plain data always encodes")
}

/// The version in front. The length is looked at first: no field in the bytes
/// can then ask for more memory than a small multiple of `bytes_max`.
pub(crate) fn version(bytes: &[u8], bytes_max: usize) -> Result<u16, DecodeError> {
    if bytes.len() > bytes_max {
        return Err(DecodeError::TooLong { have: bytes.len(), most: bytes_max });
    }
    let (version, _) = postcard::take_from_bytes::<u16>(bytes)?;
    match version {
        1..=VERSION => Ok(version),
        found => Err(DecodeError::Version { found, known: VERSION }),
    }
}

/// Reads the body behind the version, once `version` has looked at the bytes.
pub(crate) fn decode<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (version, body) = postcard::take_from_bytes::<u16>(bytes)?;
    let (value, _) = postcard::take_from_bytes::<T>(body)?;
    // One value, one encoding: replicas compare bytes. This also refuses bytes
    // after the end.
    if encode(version, &value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}
