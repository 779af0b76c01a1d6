//! The nouns of Pyralog: identities, names, settings, errors and the record
//! batch. Everything here is plain data with no I/O; every other crate speaks
//! in these words.

mod api_error;
mod batch;
mod compression;
mod coordination;
mod durability;
mod error_code;
mod finding;
mod identity;
mod log_name;
mod log_settings;
mod numbers;
mod records;
mod scarab;
mod schema;

pub use api_error::ApiError;
pub use batch::{
    BATCH_HEADER_BYTES, BatchError, BatchHeader, BatchPrefix, Compression, batch_crc,
    patched_prefix, split_batches, stored_batches,
};
pub use compression::{CompressionError, compress, decompress};
pub use coordination::{
    CounterMode, CounterName, CounterNameError, CounterNumber, Incarnation, SessionId, StartToken,
};
pub use durability::Durability;
pub use error_code::{ErrorCode, Remedy};
pub use finding::{Damage, Finding, Severity};
pub use identity::{
    Boot, ClusterId, LogNumber, NodeName, NodeNumber, PartitionId, PartitionNumber, StoreId,
};
pub use log_name::{LogName, LogNameError};
pub use log_settings::{CleanupPolicy, LogSettings, SettingError, SettingRow, UpkeepSettings};
pub use numbers::{Epoch, Lsn, Offset};
pub use records::{
    BatchBuilder, COMPACTED_BATCH_BYTES_MAX, COMPACTED_BATCH_RECORDS_MAX, RawRecord, RawRecords,
    Record, RecordHeader, Records, RecordsError, decode_records, raw_records, rewrite_batch,
};
pub use scarab::{Lane, LogicalClock, SCARAB_EPOCH_MS, ScarabId};
pub use schema::{COLUMNS_MAX, Column, ColumnKind, Schema, SchemaError};
