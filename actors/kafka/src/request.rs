//! One request, from frame to guarded body.
//!
//! ```text
//!   key i16 │ version i16 │ correlation i32 │ client id │ (tags) │ body …
//! ```
//!
//! A request that this door does not serve ends the connection, as it does at
//! Kafka: there is no answer that its client could read. The one exception is
//! ApiVersions, by which a client finds out what it may send.

use crate::guard;
use crate::versions::{Served, served_api};
use crate::wire::{Malformed, Reader};
use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::Decodable;
use thiserror::Error;

/// Why a connection is closed by this side; the text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum CloseReason {
    /// The bytes are no request.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The codec refused what the guard let pass.
    #[error("malformed request: {0}")]
    Undecodable(String),
    /// An API or a version of one that this door does not serve.
    #[error("API {key} in version {version} is not served here; ask ApiVersions for what is")]
    NotServed { key: i16, version: i16 },
    /// A frame length that is negative or over the limit.
    #[error("a request of {claimed} bytes; requests have 8 to {bytes_max} bytes here")]
    FrameLength { claimed: i32, bytes_max: usize },
    /// A produce request that wants no answer failed: this is the only way to
    /// tell its client.
    #[error("a produce request with acks=0 failed: {0}")]
    Unanswerable(String),
    /// Something that should not happen.
    #[error("a response could not be encoded: {0}")]
    Encoding(String),
}

/// A request whose body the guard let pass.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub served: &'static Served,
    pub version: i16,
    pub correlation: i32,
    /// UTF-8, as the reader has checked; a part of the request's memory.
    client_id: Bytes,
    pub body: Bytes,
}

/// What a frame holds.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// A request to be handled.
    Request(Request),
    /// ApiVersions in a version that this door does not know.
    ApiVersionsTooNew { correlation: i32 },
}

/// Reads a frame without its length.
pub(crate) fn parse(frame: Bytes) -> Result<Parsed, CloseReason> {
    let mut reader = Reader::new(&frame, false);
    let (key, version, correlation) = (reader.i16()?, reader.i16()?, reader.i32()?);
    let served = served_api(key).ok_or(CloseReason::NotServed { key, version })?;
    if !served.covers(version) {
        return match served.key {
            ApiKey::ApiVersions => Ok(Parsed::ApiVersionsTooNew { correlation }),
            _ => Err(CloseReason::NotServed { key, version }),
        };
    }
    let flexible = served.is_flexible(version);
    let client_id = reader.nullable_text()?.unwrap_or_default();
    let client_id = Bytes::slice_ref(&frame, client_id.as_bytes());
    let mut reader = Reader::new(&frame[frame.len() - reader.remaining()..], flexible);
    // No header field is tagged in any version: a few unknown ones are passed over.
    reader.skip_tags()?;
    let body = frame.slice(frame.len() - reader.remaining()..);
    guard::inspect(served.key, version, &body, flexible)?;
    Ok(Parsed::Request(Request { served, version, correlation, client_id, body }))
}

impl Request {
    /// True if strings and arrays are compact.
    pub(crate) fn is_flexible(&self) -> bool {
        self.served.is_flexible(self.version)
    }

    /// What the client calls itself; often nothing.
    pub(crate) fn client_id(&self) -> &str {
        std::str::from_utf8(&self.client_id).expect("the reader checked that it is UTF-8")
    }

    /// The body by the codec.
    pub(crate) fn decode<T: Decodable>(&self) -> Result<T, CloseReason> {
        let mut body = self.body.clone();
        T::decode(&mut body, self.version)
            .map_err(|error| CloseReason::Undecodable(error.to_string()))
    }

    /// A reader of the body.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.body, self.is_flexible())
    }
}
