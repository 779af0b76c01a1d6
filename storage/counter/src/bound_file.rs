//! One durable bound in a file of its own: how far this node may issue ids, so
//! that they increase over restarts.
//!
//! Two alternating copies of 4,096 bytes (as in the [arena](crate::Arena)):
//!
//! | byte | width | field |
//! |---|---|---|
//! | 0 | 8 | `PYRABND1` |
//! | 8 | 2 | version, 1 |
//! | 10 | 6 | zero |
//! | 16 | 32 | the bound, as an entry of the arena with number 0 |
//!
//! The rest is zeros.

use crate::copies::{BLOCK_BYTES, Block, copy_at, empty_block, next_copy, read_pair};
use crate::entry::{ENTRY_BYTES, Entry, Kept};
use crate::error::CounterError;
use pyralog_env::{Disk, DiskFile};
use pyralog_model::StoreId;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"PYRABND1";
const VERSION: u16 = 1;
const ENTRY_AT: usize = 16;

/// A bound that is durable before it is used. Blocks on the disk.
#[derive(Debug)]
pub struct BoundFile {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    store: StoreId,
    entry: Entry,
    /// The copy that is written next.
    copy: usize,
    failed: Option<String>,
}

impl BoundFile {
    /// Opens the file at `path`, or makes one with the bound 0 there; its directory
    /// exists. Each opening is a new incarnation, written with the first raise.
    ///
    /// # Errors
    /// When the file cannot be made or read, or is not of this store.
    pub fn open(
        disk: &Arc<dyn Disk>,
        path: &Path,
        store: StoreId,
    ) -> Result<BoundFile, CounterError> {
        if !disk.exists(path).map_err(CounterError::io(path, "look for"))? {
            create(disk, path, store)?;
        }
        let file = disk.open(path).map_err(CounterError::io(path, "open"))?;
        let pair = read_pair(&*file, 0).map_err(CounterError::io(path, "read"))?;
        let [first, second] = [decode(&pair[0], path, store)?, decode(&pair[1], path, store)?];
        let Kept::Entry(entry) = first.later(second) else {
            let why = "neither copy of the bound can be read, or it is of another store".to_owned();
            return Err(CounterError::Damaged { path: path.to_owned(), why });
        };
        let entry = Entry { incarnation: entry.incarnation + 1, ..entry };
        let copy = next_copy([first.seq(), second.seq()]);
        Ok(BoundFile { file, path: path.to_owned(), store, entry, copy, failed: None })
    }

    /// The bound: everything that was ever used lies below it.
    pub fn bound(&self) -> u64 {
        self.entry.bound
    }

    /// How many times the file was opened and raised, this time included.
    pub fn incarnation(&self) -> u64 {
        self.entry.incarnation
    }

    /// Raises the bound durably; a lower one than before changes nothing. Nothing
    /// at or above the old bound may be used before this returns.
    ///
    /// # Errors
    /// `DiskFull` may be tried again. Any other failed write or sync is final:
    /// `Failed` from then on.
    pub fn raise(&mut self, bound: u64) -> Result<(), CounterError> {
        if let Some(cause) = &self.failed {
            return Err(CounterError::Failed { cause: cause.clone() });
        }
        if bound <= self.entry.bound {
            return Ok(());
        }
        let entry = Entry { bound, seq: self.entry.seq + 1, ..self.entry };
        match self.write(&entry) {
            Ok(()) => {
                self.copy = 1 - self.copy;
                self.entry = entry;
                Ok(())
            }
            Err(full @ CounterError::DiskFull { .. }) => Err(full),
            Err(error) => {
                let cause = error.to_string();
                self.failed = Some(cause.clone());
                Err(CounterError::Failed { cause })
            }
        }
    }

    fn write(&self, entry: &Entry) -> Result<(), CounterError> {
        let block = encode(entry, self.store);
        let written = self.file.write_all_at(&block[..], copy_at(0, self.copy));
        written.map_err(CounterError::io(&self.path, "write"))?;
        self.file.sync_data().map_err(CounterError::io(&self.path, "sync"))
    }
}

/// Makes the file under another name, so that one with the name is whole.
fn create(disk: &Arc<dyn Disk>, path: &Path, store: StoreId) -> Result<(), CounterError> {
    let new = path.with_extension("new");
    if disk.exists(&new).map_err(CounterError::io(path, "look for"))? {
        disk.remove_file(&new).map_err(CounterError::io(&new, "remove"))?;
    }
    let file = disk.create(&new).map_err(CounterError::io(&new, "create"))?;
    for copy in [0, 1] {
        let entry = Entry { seq: copy as u64 + 1, created: true, ..Entry::default() };
        let block = encode(&entry, store);
        let written = file.write_all_at(&block[..], copy_at(0, copy));
        written.map_err(CounterError::io(&new, "write"))?;
    }
    file.sync_all().map_err(CounterError::io(&new, "sync"))?;
    disk.rename(&new, path).map_err(CounterError::io(&new, "rename"))?;
    let directory = path.parent().unwrap_or(path);
    disk.sync_dir(directory).map_err(CounterError::io(directory, "sync"))
}

fn encode(entry: &Entry, store: StoreId) -> Block {
    let mut block = empty_block();
    block[0..8].copy_from_slice(MAGIC);
    block[8..10].copy_from_slice(&VERSION.to_le_bytes());
    block[ENTRY_AT..ENTRY_AT + ENTRY_BYTES].copy_from_slice(&entry.encode(store, 0));
    block
}

fn decode(block: &[u8; BLOCK_BYTES], path: &Path, store: StoreId) -> Result<Kept, CounterError> {
    match read_copy(block, store) {
        BoundCopy::Kept(kept) => Ok(kept),
        BoundCopy::Newer(found) => {
            let (path, known) = (path.to_owned(), VERSION);
            Err(CounterError::NewerVersion { path, found, known })
        }
    }
}

/// What a copy turned out to be.
pub(crate) enum BoundCopy {
    /// The bound, or that it is damaged; a copy is never empty.
    Kept(Kept),
    /// Of a newer program.
    Newer(u16),
}

pub(crate) fn read_copy(block: &[u8; BLOCK_BYTES], store: StoreId) -> BoundCopy {
    let version = u16::from_le_bytes([block[8], block[9]]);
    if block[0..8] != *MAGIC {
        return BoundCopy::Kept(Kept::Damaged);
    }
    if version > VERSION {
        return BoundCopy::Newer(version);
    }
    match Kept::decode(&block[ENTRY_AT..ENTRY_AT + ENTRY_BYTES], store, 0) {
        Kept::Empty => BoundCopy::Kept(Kept::Damaged),
        kept => BoundCopy::Kept(kept),
    }
}
