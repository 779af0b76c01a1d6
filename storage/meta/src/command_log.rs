//! The directory's commands, in the order in which they took effect, and a
//! snapshot that stands for the first of them.

use crate::MetaError;
use crate::database::{Database, Schema};
use pyralog_env::Disk;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use std::path::Path;
use std::sync::Arc;

/// Index to the command's bytes.
const COMMANDS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("commands");

/// One row: the index of the last command that the snapshot covers, and the
/// snapshot's bytes.
const SNAPSHOT: TableDefinition<'static, (), (u64, &[u8])> = TableDefinition::new("snapshot");

const SCHEMA: Schema = Schema {
    kind: "commands",
    format: 1,
    tables: |transaction| {
        transaction.open_table(COMMANDS)?;
        transaction.open_table(SNAPSHOT)?;
        Ok(())
    },
};

/// The snapshot with the index it reaches to, and the commands after it with
/// theirs, in order.
pub type LoadedCommands = (Option<(u64, Vec<u8>)>, Vec<(u64, Vec<u8>)>);

/// Indexed commands in one file; their meaning is the caller's. Indices begin
/// at 1 and have no gaps. One process opens the file once.
#[derive(Debug)]
pub struct CommandLog {
    database: Database,
}

impl CommandLog {
    /// Opens the log at `path`, and makes it if there is none; its directory
    /// must exist.
    ///
    /// # Errors
    /// `Corrupt` or `Version` for a file that is not ours to read; it is left
    /// as it is.
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<CommandLog, MetaError> {
        Ok(CommandLog { database: Database::open(&*disk, path, SCHEMA)? })
    }

    /// Opens the file at `path` without changing it, for those who look. What is
    /// changed through it is in memory and goes with it.
    ///
    /// # Errors
    /// As `open`, and when there is none.
    pub fn look(disk: &dyn Disk, path: &Path) -> Result<CommandLog, MetaError> {
        Ok(CommandLog { database: Database::look(disk, path, SCHEMA)? })
    }

    /// Begins again after a change that failed with `DiskFull`. Needs no room.
    ///
    /// # Errors
    /// `NotSound` if anything but room was wanting, ever: stop then. `DiskFull`
    /// if it failed for want of room again: `open` makes another attempt.
    pub fn reopen(self) -> Result<CommandLog, MetaError> {
        Ok(CommandLog { database: self.database.reopen()? })
    }

    /// Reads the snapshot and every command after it.
    ///
    /// # Errors
    /// `Corrupt` if a command is missing.
    pub fn load(&self) -> Result<LoadedCommands, MetaError> {
        let (snapshot, commands) = self.database.read(|transaction| {
            let row = transaction.open_table(SNAPSHOT)?.get(())?;
            let snapshot = row.map(|row| (row.value().0, row.value().1.to_vec()));
            let mut commands = Vec::new();
            for row in transaction.open_table(COMMANDS)?.iter()? {
                let (index, bytes) = row?;
                commands.push((index.value(), bytes.value().to_vec()));
            }
            Ok((snapshot, commands))
        })?;
        let first = snapshot.as_ref().map_or(0, |(index, _)| *index) + 1;
        for (expect, (found, _)) in (first..).zip(&commands) {
            if expect != *found {
                let what = format!("command {found} stands where {expect} is due");
                return Err(MetaError::corrupt(self.database.path(), what));
            }
        }
        Ok((snapshot, commands))
    }

    /// Appends `commands` under `first_index` and the indices after it, all of
    /// them or none, durably.
    ///
    /// # Errors
    /// `Order` if `first_index` is not the one after the last. After an error of
    /// the disk it is only known at the next `open` whether they were appended.
    pub fn append(&self, first_index: u64, commands: &[Vec<u8>]) -> Result<(), MetaError> {
        let expect = self.last_index()? + 1;
        if first_index != expect {
            return Err(MetaError::Order { expect, found: first_index });
        }
        self.database.write(|transaction| {
            let mut table = transaction.open_table(COMMANDS)?;
            for (index, command) in (first_index..).zip(commands) {
                table.insert(index, command.as_slice())?;
            }
            Ok(())
        })
    }

    /// Replaces the snapshot by one that covers all commands up to `index`, and
    /// drops those, in one durable step. `index` may lie beyond the last command.
    ///
    /// # Errors
    /// `Order` if the present snapshot covers more.
    pub fn save_snapshot(&self, index: u64, snapshot: &[u8]) -> Result<(), MetaError> {
        let present = self.snapshot_index()?;
        if index < present {
            return Err(MetaError::Order { expect: present, found: index });
        }
        self.database.write(|transaction| {
            transaction.open_table(SNAPSHOT)?.insert((), (index, snapshot))?;
            drop_covered(transaction, index)
        })
    }

    /// The index of the last command, counting those the snapshot covers; 0
    /// before the first.
    ///
    /// # Errors
    /// The disk's.
    pub fn last_index(&self) -> Result<u64, MetaError> {
        let last = self.database.read(|transaction| {
            let table = transaction.open_table(COMMANDS)?;
            let last = table.last()?;
            Ok(last.map(|(index, _)| index.value()))
        })?;
        match last {
            Some(last) => Ok(last),
            None => self.snapshot_index(),
        }
    }

    fn snapshot_index(&self) -> Result<u64, MetaError> {
        self.database.read(|transaction| {
            let row = transaction.open_table(SNAPSHOT)?.get(())?;
            Ok(row.map_or(0, |row| row.value().0))
        })
    }
}

fn drop_covered(transaction: &WriteTransaction, index: u64) -> Result<(), redb::Error> {
    transaction.open_table(COMMANDS)?.retain_in(..=index, |_, _| false)?;
    Ok(())
}
