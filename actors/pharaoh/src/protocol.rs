//! What is asked of an Obelisk and what it answers.
//!
//! Both travel as `{version u16, body}` in postcard, inside a call of the control
//! link, or as they are between actors of one process. Variants are only added,
//! at the end; the bytes of each are held by a test.

use pyralog_directory::{Command, Known};
use pyralog_model::{
    ApiError, ClusterId, CounterMode, CounterName, CounterNumber, Incarnation, Lane, LogNumber,
    LogicalClock, NodeName, NodeNumber, ScarabId, SessionId, StartToken, StoreId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number under which an Obelisk serves these requests on its links.
pub const OBELISK_SERVICE: u16 = 1;
/// The most bytes of an encoded request.
pub const REQUEST_BYTES_MAX: usize = 128 * 1024;
/// The most bytes of an encoded answer.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The most bytes of commands or of a snapshot in one answer.
pub const CHANGES_BYTES_MAX: usize = 512 * 1024;
/// The most values of one claim.
pub const CLAIM_MAX: u32 = 100_000_000;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Answers the same bytes: what the link itself costs.
    Echo(Vec<u8>),
    /// A node has started: registers it, or refuses a copy of it.
    Start(NodeStart),
    /// Changes the directory.
    Propose(Command),
    /// What happened to the directory after `after`; waits up to `wait_ms` until
    /// something does.
    Changes {
        /// The last index that the asker has applied.
        after: u64,
        /// How long it is willing to wait, at most 30,000.
        wait_ms: u32,
    },
    /// A piece of the directory's snapshot of `index` from byte `from`.
    Snapshot {
        /// Which snapshot, as named by `Changes`.
        index: u64,
        /// First byte of the piece.
        from: u64,
    },
    /// A lane for ids, or more of the one the incarnation has.
    LeaseLane {
        /// Who asks.
        node: NodeNumber,
        /// Its present start.
        incarnation: Incarnation,
        /// Ids from here on are free as far as the asker knows.
        floor: LogicalClock,
    },
    /// Gives a lane back; nothing at `used_to` or later was issued.
    ReleaseLane {
        /// Whose it was.
        node: NodeNumber,
        /// Its present start.
        incarnation: Incarnation,
        /// The lane.
        lane: Lane,
        /// The end of the last grant that the asker knows of: a later one is not
        /// given back by this.
        granted_to: LogicalClock,
        /// The end of what was issued.
        used_to: LogicalClock,
    },
    /// A new session for a producer, from counter #7.
    Session,
    /// As many labels of epochs in a row, from counter #3.
    EpochLabels(u32),
    /// As many Scarab ids in a row, minted by the Obelisk.
    Ids(u32),
    /// An id later than `after`, and later than now.
    CausalTimestamp {
        /// The latest id the caller has seen.
        after: Option<ScarabId>,
    },
    /// Makes a counter, or finds it if it is there in this mode.
    CreateCounter {
        /// Its name.
        name: CounterName,
        /// Its mode.
        mode: CounterMode,
    },
    /// As many values in a row from a counter: issued if it is exact, leased to
    /// the asker if it is leased.
    Claim {
        /// The counter.
        counter: CounterNumber,
        /// How many values, 1 to `CLAIM_MAX`.
        count: u32,
    },
    /// What a counter stands at.
    Value(CounterNumber),
    /// How the Obelisk is.
    Status,
    /// Any other question, of somebody who has followed a directory: carried out
    /// only if that is the Obelisk's, at an earlier time or now.
    Knowing {
        /// How far the asker has followed it, and by which way.
        known: Known,
        /// The question; not one of these again.
        request: Box<Request>,
    },
}

/// Who starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStart {
    /// The operator's name for it.
    pub name: NodeName,
    /// Its data directory.
    pub store: StoreId,
    /// What it does.
    pub roles: pyralog_directory::Roles,
    /// Tokens of earlier starts, of which one must be the last that was accepted.
    pub presented: Vec<StartToken>,
    /// The token of this start.
    pub next: StartToken,
    /// Door (`kafka`, `http`, …) to `host:port` where others reach it.
    pub advertised: BTreeMap<String, String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// To `Echo`.
    Echo(Vec<u8>),
    /// To `Start`.
    Started {
        /// The cluster.
        cluster: ClusterId,
        /// The node's number.
        node: NodeNumber,
        /// Its present start.
        incarnation: Incarnation,
        /// The directory's index that says so.
        index: u64,
    },
    /// To `Propose`: what it led to.
    Done {
        /// The index of the command.
        index: u64,
        /// What it made, for those commands that make something.
        made: Made,
    },
    /// To `Changes`: commands from the one after `after`, in order. Empty when
    /// nothing happened.
    Commands(Vec<Command>),
    /// To `Changes`: the asker is too far behind; it takes this snapshot first.
    SnapshotIs {
        /// The last index in it.
        index: u64,
        /// Its length.
        bytes: u64,
    },
    /// To `Snapshot`: a piece, empty at the end.
    Piece(Vec<u8>),
    /// To `LeaseLane`: what the asker may use now.
    Lane(LaneGrant),
    /// To `ReleaseLane`.
    Released,
    /// To `Session`.
    Session(SessionId),
    /// To `EpochLabels`: the first of them.
    EpochLabels(u64),
    /// To `Ids` and `CausalTimestamp`: the first of them.
    Ids(ScarabId),
    /// To `CreateCounter`.
    Counter {
        /// Its number.
        number: CounterNumber,
        /// The directory's index that says so.
        index: u64,
    },
    /// To `Claim`: the first value; the others follow without gaps.
    Claimed(u64),
    /// To `Value`.
    Value(CounterView),
    /// To `Status`.
    Status(ObeliskStatus),
}

/// What a command made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Made {
    /// Nothing that has a number.
    Nothing,
    /// A log.
    Log(LogNumber),
    /// A counter.
    Counter(CounterNumber),
}

/// A lane and the part of the logical clock in which it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneGrant {
    /// The lane.
    pub lane: Lane,
    /// The first time that may be issued, by this grant or an earlier one of the
    /// same incarnation.
    pub from: LogicalClock,
    /// The first time that may not.
    pub to: LogicalClock,
    /// The grantor's clock when it granted.
    pub now: LogicalClock,
}

/// What a counter stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterView {
    /// The last value issued (exact) or leased away (leased); 0 before the first.
    pub value: u64,
    /// No value above this was ever given out, even if the Obelisk crashes now.
    pub durable_bound: u64,
}

/// How an Obelisk is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObeliskStatus {
    /// The Obelisk's number.
    pub node: NodeNumber,
    /// The directory's last index.
    pub index: u64,
    /// Lanes that are leased now.
    pub lanes_leased: u32,
    /// Counters that users created.
    pub counters: u64,
    /// Sessions given out.
    pub sessions: u64,
    /// Labels of epochs given out.
    pub epoch_labels: u64,
}

/// What comes back for a request.
pub type AskOutcome = Result<Answer, ApiError>;
