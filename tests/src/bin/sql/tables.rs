//! The tables of the examples: their files, as they are shipped.

use anyhow::{Context, Result};
use pyralog_tests::flights::repository;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A table of `examples/data`.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name; its columns are in the file of that name.
    pub name: &'static str,
    file: &'static str,
}

/// All of them.
pub const TABLES: [Table; 5] = [
    Table { name: "airlines", file: "airlines.csv" },
    Table { name: "airports", file: "airports.csv.zst" },
    Table { name: "planes", file: "planes.csv.zst" },
    Table { name: "weather", file: "weather-2013.csv.zst" },
    Table { name: "flights", file: "flights-2013.csv.zst" },
];

/// A folder with a NAME.csv and a NAME.sql of each table.
#[derive(Debug, Clone)]
pub struct Files {
    /// Where.
    pub folder: PathBuf,
}

impl Files {
    /// Unpacks them.
    pub fn unpack(folder: &Path) -> Result<Files> {
        fs::create_dir_all(folder)?;
        let files = Files { folder: folder.to_owned() };
        let shipped = repository().join("examples/data");
        for table in TABLES {
            let path = shipped.join(table.file);
            let mut packed = File::open(&path).with_context(|| path.display().to_string())?;
            let mut csv = File::create(files.csv(table.name))?;
            if table.file.ends_with(".zst") {
                io::copy(&mut zstd::Decoder::new(packed)?, &mut csv)?;
            } else {
                io::copy(&mut packed, &mut csv)?;
            }
            let columns = format!("{}.sql", table.name);
            fs::copy(shipped.join(&columns), folder.join(&columns))?;
        }
        Ok(files)
    }

    /// A table's rows.
    pub fn csv(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.csv"))
    }

    /// A table's columns as SQL lists them.
    pub fn columns(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.folder.join(format!("{name}.sql")))?)
    }
}
