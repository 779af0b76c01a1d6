//! Requests and answers as bytes: a version and a body, both in postcard. The
//! other side of a link is not trusted with lengths: they are looked at first,
//! and postcard allocates no more than a small multiple of what it is given.

use crate::protocol::{ANSWER_BYTES_MAX, AskOutcome, REQUEST_BYTES_MAX, Request};
use pyralog_directory::Known;
use pyralog_model::{ApiError, ErrorCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version this program speaks.
const VERSION: u16 = 1;
/// The number of `Request::Knowing`.
const KNOWING: u32 = 15;

/// The bytes of a request.
pub fn encode_request(request: &Request) -> Vec<u8> {
    encode(request)
}

/// Reads a request. Any bytes may be given.
///
/// # Errors
/// `request-invalid`, with what is wrong.
pub fn decode_request(bytes: &[u8]) -> Result<Request, ApiError> {
    if is_nested(bytes) {
        let message = "a question says once how far the asker has come";
        return Err(ApiError::new(ErrorCode::RequestInvalid, message));
    }
    decode(bytes, REQUEST_BYTES_MAX)
}

/// Whether a `Knowing` holds another: thousands of them, one in the other, would be
/// read by as many calls of one function in itself.
fn is_nested(bytes: &[u8]) -> bool {
    match postcard::take_from_bytes::<(u16, u32, Known, u32)>(bytes) {
        Ok(((_, outer, _, inner), _)) => outer == KNOWING && inner == KNOWING,
        // Too short for one in another.
        Err(_) => false,
    }
}

/// The bytes of what came of a request.
pub fn encode_outcome(outcome: &AskOutcome) -> Vec<u8> {
    encode(outcome)
}

/// Reads what came of a request.
///
/// # Errors
/// The error that was answered, or `request-invalid` for bytes that are no answer.
pub fn decode_outcome(bytes: &[u8]) -> AskOutcome {
    decode::<AskOutcome>(bytes, ANSWER_BYTES_MAX)?
}

fn encode(body: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(&(VERSION, body)).expect("plain data always encodes")
}

fn decode<T: DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, ApiError> {
    let refuse = |why: String| ApiError::new(ErrorCode::RequestInvalid, why);
    if bytes.len() > bytes_max {
        return Err(refuse(format!(
            "{} bytes are too long, {bytes_max} are the most",
            bytes.len()
        )));
    }
    let damaged = |error: postcard::Error| refuse(format!("the bytes are damaged: {error}"));
    let (version, body) = postcard::take_from_bytes::<u16>(bytes).map_err(damaged)?;
    if version != VERSION {
        return Err(refuse(format!(
            "version {version} of the Obelisks' protocol is unknown, this node speaks {VERSION}"
        )));
    }
    let (value, rest) = postcard::take_from_bytes::<T>(body).map_err(damaged)?;
    match rest.len() {
        0 => Ok(value),
        more => Err(refuse(format!("{more} bytes follow the end"))),
    }
}

#[cfg(test)]
mod tests;
