//! Every actor can be seen: the one question that all of them answer.

use std::collections::BTreeMap;

use ractor::RpcReplyPort;
use serde::Serialize;

/// The question. Every child's message type is `From<Observe>`.
#[derive(Debug)]
pub struct Observe(
    /// Where the answer goes.
    pub RpcReplyPort<Snapshot>,
);

/// The answer: what an actor says about itself at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// One word, such as `running`, `recovering` or `failstop`.
    pub state: String,
    /// Messages waiting, as far as the actor counts them itself.
    pub mailbox_depth: u64,
    /// Messages handled since this incarnation started.
    pub handled: u64,
    /// The last thing that went wrong, if anything did.
    pub last_error: Option<String>,
    /// Whatever else is worth a look, by name.
    pub details: BTreeMap<String, String>,
}
