//! The rows of the log as files: CSV, the values of the log themselves line by line,
//! and Parquet.

use super::NAME;
use super::sources::Source;
use crate::columns;
use crate::world::World;
use anyhow::{Context, Result};
use datafusion::arrow::datatypes::Schema;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{CsvReadOptions, SessionConfig, SessionContext};
use pyralog_tests::flights::FLIGHTS;
use pyralog_tests::kafka::Client;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// So many copies of the flights in every form.
pub struct Copies {
    /// Rows of all copies.
    pub rows: usize,
    /// Their columns.
    pub schema: Schema,
    folder: PathBuf,
    bytes: BTreeMap<Source, u64>,
}

impl Copies {
    /// Writes the files, from a log that has the copies already.
    pub fn write(world: &World, list: &str, copies: usize) -> Result<Copies> {
        let folder = world.files.folder.clone();
        let mut written = Copies {
            rows: FLIGHTS * copies,
            schema: columns::schema(list)?,
            folder,
            bytes: BTreeMap::new(),
        };
        written.write_csv(&world.files.csv("flights"), copies)?;
        let log_bytes = written.write_values(world, copies)?;
        written.write_parquet()?;
        for source in [Source::Csv, Source::Ndjson, Source::Parquet] {
            let bytes = fs::metadata(written.path(source))?.len();
            written.bytes.insert(source, bytes);
        }
        written.bytes.insert(Source::Log, log_bytes);
        Ok(written)
    }

    /// Where a source's file is.
    pub fn path(&self, source: Source) -> PathBuf {
        self.folder.join(format!("{NAME}.{source:?}").to_lowercase().replace("ndjson", "json"))
    }

    /// How large a source is.
    pub fn bytes(&self, source: Source) -> u64 {
        self.bytes[&source]
    }

    fn write_csv(&self, csv: &Path, copies: usize) -> Result<()> {
        let text = fs::read_to_string(csv)?;
        let (head, rows) = text.split_once('\n').context("a head")?;
        // NULL as the reader knows it.
        let known = |row: &str| {
            let fields: Vec<&str> =
                row.split(',').map(|field| if field == "NA" { "" } else { field }).collect();
            fields.join(",") + "\n"
        };
        let rows: String = rows.lines().map(known).collect();
        let mut out = BufWriter::new(File::create(self.path(Source::Csv))?);
        writeln!(out, "{head}")?;
        (0..copies).try_for_each(|_| out.write_all(rows.as_bytes()))?;
        Ok(out.flush()?)
    }

    /// The values of the first copy, again and again; how many bytes of batches the log
    /// has for all of them.
    fn write_values(&self, world: &World, copies: usize) -> Result<u64> {
        let (mut one, mut batches, mut rows) = (Vec::new(), 0, 0);
        let mut client = Client::dial(world.node.plan.kafka())?;
        for batch in client.read_all("flights", 0)? {
            batches += batch.bytes.len() as u64;
            for (_, record) in batch.records()? {
                one.extend(record.value.context("a flight without a value")?);
                one.push(b'\n');
                rows += 1;
            }
        }
        anyhow::ensure!(rows == FLIGHTS, "{rows} flights in the log");
        let mut out = File::create(self.path(Source::Ndjson))?;
        (0..copies).try_for_each(|_| out.write_all(&one))?;
        Ok(batches * copies as u64)
    }

    fn write_parquet(&self) -> Result<()> {
        let csv = self.path(Source::Csv);
        let parquet = self.path(Source::Parquet);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let context = SessionContext::new_with_config(SessionConfig::new());
            let options = CsvReadOptions::new().schema(&self.schema);
            let rows = context.read_csv(csv.to_string_lossy().as_ref(), options).await?;
            let single = DataFrameWriteOptions::new().with_single_file_output(true);
            rows.write_parquet(&parquet.to_string_lossy(), single, None).await
        })?;
        Ok(())
    }
}
