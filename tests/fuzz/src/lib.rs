//! What the fuzz targets share: a file that is bytes in memory, and checksums put
//! right, so that what lies behind them is reached.

mod bytes_file;
mod seal;
mod store;

pub use bytes_file::BytesFile;
pub use seal::{
    seal_arena, seal_batch, seal_bound, seal_index, seal_keys_manifest, seal_pphm, seal_segment,
    seal_sessions, seal_wal,
};
pub use store::Store;

use pyralog_model::{PartitionId, StoreId};

/// The store of the committed fixtures of the log.
pub const STORE: StoreId = StoreId(0x5eed);

/// The store of the committed fixtures of counters.
pub const COUNTER_STORE: StoreId = StoreId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);

/// The partition of the fixtures.
pub fn partition() -> PartitionId {
    PartitionId::new(1, 0)
}
