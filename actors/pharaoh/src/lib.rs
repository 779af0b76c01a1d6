//! The Obelisks as a client sees them.
//!
//! - `protocol`: what may be asked, and the answers; `wire`: both as bytes.
//! - [`Ask`]: whoever can be asked, in this process or behind a link.

mod ask;
mod protocol;
mod wire;

pub use ask::{Ask, Asked};
pub use protocol::{
    ANSWER_BYTES_MAX, Answer, AskOutcome, CHANGES_BYTES_MAX, CLAIM_MAX, CounterView, LaneGrant,
    Made, NodeStart, ObeliskStatus, REQUEST_BYTES_MAX, Request,
};
pub use wire::{decode_outcome, decode_request, encode_outcome, encode_request};
