//! One response, as pieces that go to the socket without being joined
//! (`outbox`).
//!
//! Records are served from the very memory into which the store read them; the
//! few bytes around them are pieces of their own.

use crate::request::{CloseReason, Request};
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::Encodable;
use tokio::sync::OwnedSemaphorePermit;

/// A response with its length and header, ready to be written.
#[derive(Debug)]
pub(crate) struct Reply {
    pub pieces: Vec<Bytes>,
    /// What the response holds of the memory that all connections share.
    pub permit: Option<OwnedSemaphorePermit>,
}

impl Reply {
    /// A response of the codec.
    pub(crate) fn encoded(request: &Request, body: &impl Encodable) -> Result<Reply, CloseReason> {
        Reply::encoded_as(request.correlation, request.version, request.has_tagged_reply(), body)
    }

    /// A response of the codec in a version of its own.
    pub(crate) fn encoded_as(
        correlation: i32,
        version: i16,
        tagged: bool,
        body: &impl Encodable,
    ) -> Result<Reply, CloseReason> {
        let mut out = BytesMut::new();
        body.encode(&mut out, version).map_err(|error| CloseReason::Encoding(error.to_string()))?;
        Ok(Reply::framed(correlation, tagged, vec![out.freeze()]))
    }

    /// A response built by hand.
    pub(crate) fn of_pieces(request: &Request, pieces: Vec<Bytes>) -> Reply {
        Reply::framed(request.correlation, request.has_tagged_reply(), pieces)
    }

    fn framed(correlation: i32, tagged: bool, mut pieces: Vec<Bytes>) -> Reply {
        let mut head = BytesMut::with_capacity(9);
        let body_bytes: usize = pieces.iter().map(Bytes::len).sum();
        head.put_u32((4 + usize::from(tagged) + body_bytes) as u32);
        head.put_i32(correlation);
        if tagged {
            head.put_u8(0);
        }
        pieces.insert(0, head.freeze());
        pieces.retain(|piece| !piece.is_empty());
        Reply { pieces, permit: None }
    }
}

impl Request {
    /// The header of a flexible response ends with tagged fields; not that of
    /// ApiVersions, which must be readable before versions are agreed on.
    fn has_tagged_reply(&self) -> bool {
        self.is_flexible() && self.served.key != ApiKey::ApiVersions
    }
}
