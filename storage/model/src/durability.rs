//! What an acknowledgement promises.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// When a log acknowledges, set per log and returned with the acknowledgement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// On disk, synced. Survives a power cut.
    #[default]
    Fsync,
    /// In the kernel's page cache. Survives a crash of the process only.
    PageCache,
    /// In memory. Survives nothing.
    Memory,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Durability::Fsync => "fsync",
            Durability::PageCache => "page-cache",
            Durability::Memory => "memory",
        })
    }
}

impl FromStr for Durability {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "fsync" => Ok(Durability::Fsync),
            "page-cache" => Ok(Durability::PageCache),
            "memory" => Ok(Durability::Memory),
            _ => Err(()),
        }
    }
}
