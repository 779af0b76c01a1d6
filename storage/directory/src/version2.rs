//! Version 2 of a log in a snapshot, from before logs had schemas. Read for ever,
//! never written. The rest of a snapshot of version 2 is as it is today: whoever
//! changes a part of it puts the present one here first. Commands of version 2 are
//! written still: they are those of the variants that it had.

use crate::directory::PlacedLog;
use crate::entry::{LogEntry, Placement};
use pyralog_model::{LogName, LogNumber, LogSettings};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlacedLog2 {
    entry: Log2,
    placements: Vec<Placement>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Log2 {
    number: LogNumber,
    name: LogName,
    partitions: u32,
    replication_factor: u16,
    settings: LogSettings,
    internal: bool,
}

impl From<PlacedLog2> for PlacedLog {
    fn from(log: PlacedLog2) -> PlacedLog {
        let PlacedLog2 { entry, placements } = log;
        let Log2 { number, name, partitions, replication_factor, settings, internal } = entry;
        let schema = None;
        let entry =
            LogEntry { number, name, partitions, replication_factor, settings, internal, schema };
        PlacedLog { entry, placements }
    }
}
