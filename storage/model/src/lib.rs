//! The nouns of Pyralog: identities, names, settings, errors and the record
//! batch. Everything here is plain data with no I/O; every other crate speaks
//! in these words.

mod batch;
mod compression;
mod durability;
mod error_code;
mod identity;
mod log_name;
mod log_settings;
mod numbers;
mod records;

pub use batch::{
    BATCH_HEADER_BYTES, BatchError, BatchHeader, BatchPrefix, Compression, batch_crc,
    patched_prefix, split_batches,
};
pub use compression::{CompressionError, compress, decompress};
pub use durability::Durability;
pub use error_code::{ErrorCode, Remedy};
pub use identity::{
    Boot, ClusterId, LogNumber, NodeName, NodeNumber, PartitionId, PartitionNumber, StoreId,
};
pub use log_name::{LogName, LogNameError};
pub use log_settings::{LogSettings, SettingError, SettingRow};
pub use numbers::{Epoch, Lsn, Offset};
pub use records::{BatchBuilder, Record, RecordHeader, Records, RecordsError, decode_records};
