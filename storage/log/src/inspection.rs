//! Looking into files, one at a time, whatever became of them.
//!
//! The engine reads its files strictly: a byte that is not as it was written is an
//! error, and there the reading ends. Whoever looks for the reason wants to see on
//! both sides of the damage. The walks here go through a file to its end, tell what
//! they meet in the order of its bytes, and say of each damaged place where it
//! begins and ends, what should be there and what is.
//!
//! ```text
//!  segment ──SegmentWalk──▶ frame, frame, damage, frame …
//!  WAL ──────WalWalk──────▶ round, round, damage, round of an earlier use …
//!  .offsets, .times, .sessions ──▶ everything that can be made out, and the damage
//! ```
//!
//! Nothing here writes. Bytes are hostile: lengths are held against the file before
//! anything is allocated.

mod explain;
mod index;
mod segment;
mod segment_header;
mod sessions;
mod wal;

pub use index::{OffsetsFile, TimesFile};
pub use segment::{SegmentFrame, SegmentItem, SegmentPlace, SegmentWalk};
pub use segment_header::SegmentHeader;
pub use sessions::{SessionEntry, SessionsFile};
pub use wal::{WalFrame, WalHeader, WalItem, WalRound, WalWalk};
