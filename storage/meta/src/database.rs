//! One redb file: made so that a power cut leaves all of it or none, opened
//! with a check, and stamped with what it holds.
//!
//! A new database is built under `<name>.new`, synced, renamed and its
//! directory synced. So a file under its real name was complete once, and if it
//! is not complete now it is damaged: it is never made anew over the damage. One
//! that is there is copied the same way before it is believed.

use crate::MetaError;
use crate::backend::{Answers, DiskBackend};
use crate::overlay::Overlay;
use crate::rewrite::{FILE_BYTES_MAX, building_path, remove_leftover, rewrite};
use pyralog_env::{Disk, DiskFile};
use redb::{ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Small on purpose: what is kept here is read once, at the start.
const CACHE_BYTES: usize = 1 << 20;

/// What the file holds, and in which format: one row.
const FORMAT: TableDefinition<'static, &str, u64> = TableDefinition::new("format");

/// What a kind of store puts into its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// The key of the format row, so that one kind is not opened as another.
    pub(crate) kind: &'static str,
    /// The newest format.
    pub(crate) format: u64,
    /// Makes the tables, so that readers always find them.
    pub(crate) tables: fn(&WriteTransaction) -> Result<(), redb::Error>,
}

/// An open redb file.
#[derive(Debug)]
pub(crate) struct Database {
    redb: redb::Database,
    file: Arc<dyn DiskFile>,
    answers: Arc<Answers>,
    path: PathBuf,
}

impl Database {
    pub(crate) fn open(
        disk: &dyn Disk,
        path: &Path,
        schema: Schema,
    ) -> Result<Database, MetaError> {
        match disk.exists(path).map_err(MetaError::disk("look for", path))? {
            true => rewrite(disk, path)?,
            false => create(disk, path, schema)?,
        }
        // Also when it was there: a process killed between the rename and this
        // sync leaves a name that only the next start can make durable.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let dir = parent.unwrap_or(Path::new("."));
        disk.sync_dir(dir).map_err(MetaError::sync(dir))?;

        let file = disk.open(path).map_err(MetaError::disk("open", path))?;
        Database::over(file, path)?.brought_up_to_date(schema)
    }

    /// Opens a database that is there, and changes nothing of it: for those who look.
    /// What is written to it is in memory and goes with it.
    pub(crate) fn look(
        disk: &dyn Disk,
        path: &Path,
        schema: Schema,
    ) -> Result<Database, MetaError> {
        let below = disk.open(path).map_err(MetaError::disk("open", path))?;
        let bytes = below.len().map_err(MetaError::disk("measure", path))?;
        if bytes == 0 {
            return Err(MetaError::corrupt(path, "it is empty"));
        }
        if bytes > FILE_BYTES_MAX {
            return Err(MetaError::TooLarge {
                path: path.to_owned(),
                bytes,
                limit: FILE_BYTES_MAX,
            });
        }
        let overlay = Overlay::new(below).map_err(MetaError::disk("measure", path))?;
        Database::over(Arc::new(overlay), path)?.brought_up_to_date(schema)
    }

    /// Begins again after a write that found no room: redb refuses everything
    /// then. No sync has failed, so the file is believed as it is, and through
    /// the same handle no failure that the kernel has yet to report is missed.
    pub(crate) fn reopen(self) -> Result<Database, MetaError> {
        let Database { redb, file, answers, path } = self;
        drop(redb);
        // Asked after the drop, which may write.
        if !answers.only_no_room() {
            return Err(MetaError::NotSound { path });
        }
        let database = Database::over(Arc::clone(&file), &path)?;
        // What met the full disk may be there without ever having been synced.
        file.sync_all().map_err(MetaError::sync(&path))?;
        Ok(database)
    }

    fn over(file: Arc<dyn DiskFile>, path: &Path) -> Result<Database, MetaError> {
        let mut builder = redb::Builder::new();
        // The check turns damage into an error where redb would panic later.
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        let answers = Arc::new(Answers::default());
        let backend = DiskBackend { file: Arc::clone(&file), answers: Arc::clone(&answers) };
        match builder.create_with_backend(backend) {
            Ok(redb) => Ok(Database { redb, file, answers, path: path.to_owned() }),
            Err(error) => Err(classify(path, &answers, error.into())),
        }
    }

    fn brought_up_to_date(self, schema: Schema) -> Result<Database, MetaError> {
        if self.check_format(schema)? < schema.format {
            self.write(|transaction| stamp(transaction, schema))?;
        }
        Ok(self)
    }

    /// The format, if it is known: an older one is to be brought up to date.
    fn check_format(&self, schema: Schema) -> Result<u64, MetaError> {
        let found = self.read(|transaction| {
            let table = transaction.open_table(FORMAT)?;
            Ok(table.get(schema.kind)?.map(|row| row.value()))
        })?;
        match found {
            Some(format) if format <= schema.format => Ok(format),
            Some(found) => {
                Err(MetaError::Version { path: self.path.clone(), found, known: schema.format })
            }
            None => Err(MetaError::corrupt(&self.path, format!("it holds no {}", schema.kind))),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn read<T>(
        &self,
        body: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, MetaError> {
        let run = || body(&self.redb.begin_read()?);
        run().map_err(|error| classify(&self.path, &self.answers, error))
    }

    /// Runs `body` in one transaction that is durable when this returns `Ok`,
    /// and has not happened if it returns an error, unless the disk failed in
    /// the commit itself: then it may have.
    pub(crate) fn write<T>(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, MetaError> {
        let run = || {
            let mut transaction = self.redb.begin_write()?;
            transaction.set_durability(redb::Durability::Immediate)?;
            let value = body(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|error| classify(&self.path, &self.answers, error))
    }
}

/// Makes the tables that are missing, and says which format it is.
fn stamp(transaction: &WriteTransaction, schema: Schema) -> Result<(), redb::Error> {
    transaction.open_table(FORMAT)?.insert(schema.kind, schema.format)?;
    (schema.tables)(transaction)
}

/// Builds the whole file under another name and moves it into place.
fn create(disk: &dyn Disk, path: &Path, schema: Schema) -> Result<(), MetaError> {
    let new = building_path(path);
    remove_leftover(disk, &new)?;
    let file = disk.create(&new).map_err(MetaError::disk("create", &new))?;
    let database = Database::over(Arc::clone(&file), &new)?;
    database.write(|transaction| stamp(transaction, schema))?;
    // Closing writes too, so it comes before the sync.
    drop(database);
    file.sync_all().map_err(MetaError::sync(&new))?;
    disk.rename(&new, path).map_err(MetaError::disk("rename", &new))
}

fn classify(path: &Path, answers: &Answers, error: redb::Error) -> MetaError {
    match error {
        redb::Error::Corrupted(what) => MetaError::corrupt(path, what),
        redb::Error::TableTypeMismatch { .. } | redb::Error::TableDoesNotExist(_) => {
            MetaError::corrupt(path, error.to_string())
        }
        // redb says this of a file that is not its own.
        redb::Error::Io(source) if source.kind() == std::io::ErrorKind::InvalidData => {
            MetaError::corrupt(path, source.to_string())
        }
        _ if answers.only_no_room() => MetaError::disk_full(path),
        error => MetaError::Database { path: path.to_owned(), source: Box::new(error) },
    }
}
