//! Building and merging files of keys, within a bound of memory.
//!
//! Both are one thing: sorted streams are merged, reduced and written. A build makes
//! its streams by sorting what fits the budget and spilling it to *runs*; a merge reads
//! files. Streams are read twice, because the number of keys decides how many
//! partitions there are, and the file must follow from its entries alone.
//!
//! ```text
//!  entries ─▶ buffer ─sort─▶ run, run, … ─┐
//!                                         ├─▶ merged by hash ─▶ reduced ─▶ partitions
//!                     file, file, … ──────┘    (once to count, once to write)
//! ```
//!
//! A file is written under a name of its own, synced, renamed and its directory synced:
//! what has the final name is whole.

mod buffer;
mod merged;
mod run;

use crate::error::{io_error, sync_error};
use crate::mutation::Planted;
use crate::pphm::{Depth, Facts, FileWriter, Output, Pphm, Scan, Spec};
use crate::reduce::Gathered;
use crate::{Entry, IndexError, Mutation, Reduce};
use buffer::Buffer;
use merged::{Merged, Source};
use pyralog_env::Disk;
use pyralog_model::Offset;
use run::Run;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What follows a file's name while it is made.
pub(crate) const UNFINISHED: &str = "new";
/// What follows it in the names of its runs, before their numbers.
pub(crate) const RUN: &str = "run";
/// Entries sorted at once, however small the budget is.
const BUFFERED_MIN: usize = 256;

/// Builds a file from entries in any order.
pub struct Builder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    spec: Spec,
    reducer: Arc<dyn Reduce>,
    buffer: Buffer,
    buffered_max: usize,
    runs: Vec<Run>,
    runs_max: usize,
    runs_made: usize,
    pub(crate) planted: Planted,
}

impl Builder {
    /// Begins the file at `path`. Entries are kept in memory up to `budget_bytes`, and
    /// spilled to files beside it beyond that.
    pub fn new(
        disk: &Arc<dyn Disk>,
        path: &Path,
        spec: Spec,
        reducer: Arc<dyn Reduce>,
        budget_bytes: usize,
    ) -> Builder {
        let buffer = Buffer::new(!reducer.keeps_all());
        // A buffer that grows has its old and its new place for a moment.
        let buffered_max = (budget_bytes / (2 * buffer.entry_bytes())).max(BUFFERED_MIN);
        Builder {
            disk: Arc::clone(disk),
            path: path.to_owned(),
            spec,
            reducer,
            buffer,
            buffered_max,
            runs: Vec::new(),
            runs_max: (budget_bytes / run::READ_BYTES).max(2),
            runs_made: 0,
            planted: Planted::default(),
        }
    }

    /// Takes one entry. Those outside the range are left out.
    ///
    /// # Errors
    /// The disk's own, when entries are spilled.
    pub fn push(&mut self, entry: Entry) -> Result<(), IndexError> {
        if !self.spec.range.contains(&entry.version.offset) {
            return Ok(());
        }
        if self.buffer.len() >= self.buffered_max {
            self.spill()?;
        }
        self.buffer.push(entry);
        Ok(())
    }

    /// Writes the file and makes it durable.
    ///
    /// # Errors
    /// The disk's own, or `Unfit` if the reducer breaks its rule.
    pub fn finish(mut self) -> Result<Facts, IndexError> {
        self.buffer.sort();
        let open = |_| self.sources();
        let reducer = &*self.reducer;
        publish(&*self.disk, &self.path, self.planted, |path| {
            write(&*self.disk, path, &self.spec, reducer, false, &open)
        })
    }

    fn sources(&self) -> Result<Vec<Source<'_>>, IndexError> {
        let mut sources: Vec<Source<'_>> = vec![Box::new(self.buffer.iter().map(Ok))];
        for run in &self.runs {
            sources.push(Box::new(run.read(&*self.disk)?));
        }
        Ok(sources)
    }

    fn spill(&mut self) -> Result<(), IndexError> {
        if self.runs.len() >= self.runs_max {
            self.join_runs()?;
        }
        self.buffer.sort();
        let path = self.run_path();
        let run = Run::write(&*self.disk, &path, self.buffer.is_wide(), self.buffer.iter().map(Ok));
        self.runs.push(run?);
        self.buffer.clear();
        Ok(())
    }

    /// Makes one run of all, so that never too many are read at once.
    fn join_runs(&mut self) -> Result<(), IndexError> {
        let path = self.run_path();
        let mut sources: Vec<Source<'_>> = Vec::new();
        for run in &self.runs {
            sources.push(Box::new(run.read(&*self.disk)?));
        }
        let merged = Merged::new(sources)?;
        let joined = Run::write(&*self.disk, &path, self.buffer.is_wide(), merged)?;
        let parts = std::mem::replace(&mut self.runs, vec![joined]);
        parts.iter().try_for_each(|run| run.remove(&*self.disk))
    }

    fn run_path(&mut self) -> PathBuf {
        self.runs_made += 1;
        self.path.with_added_extension(format!("{RUN}{}", self.runs_made))
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // A run that cannot be removed is removed as a leftover when the index opens.
        for run in &self.runs {
            drop(run.remove(&*self.disk));
        }
    }
}

/// Merges files into one at `path`. Of each file only the versions in its range count.
/// The result is what building from the entries of all of them would give.
///
/// # Errors
/// `Unfit` if the files do not belong together, `Damaged`, or the disk's own.
pub fn merge(
    disk: &Arc<dyn Disk>,
    path: &Path,
    spec: &Spec,
    reducer: &dyn Reduce,
    inputs: &[(Arc<Pphm>, Range<Offset>)],
) -> Result<Facts, IndexError> {
    merge_planted(disk, path, spec, reducer, inputs, Planted::default())
}

pub(crate) fn merge_planted(
    disk: &Arc<dyn Disk>,
    path: &Path,
    spec: &Spec,
    reducer: &dyn Reduce,
    inputs: &[(Arc<Pphm>, Range<Offset>)],
    planted: Planted,
) -> Result<Facts, IndexError> {
    let fits = |facts: &Facts| {
        facts.spec.of == spec.of
            && facts.spec.hash_seed == spec.hash_seed
            && (facts.reducer, facts.wide) == (reducer.id(), !reducer.keeps_all())
    };
    if !inputs.iter().all(|(input, _)| fits(input.facts())) {
        return Err(IndexError::Unfit { what: "files of different indexes cannot be merged" });
    }
    let open = |depth| {
        inputs.iter().map(|(input, range)| clipped(input, range, &spec.range, depth)).collect()
    };
    let newest_only = planted.is(Mutation::MergeDropsOlder);
    publish(&**disk, path, planted, |path| write(&**disk, path, spec, reducer, newest_only, &open))
}

/// The entries of one input that lie in both ranges.
fn clipped<'a>(
    input: &'a Pphm,
    visible: &Range<Offset>,
    wanted: &Range<Offset>,
    depth: Depth,
) -> Result<Source<'a>, IndexError> {
    let own = &input.facts().spec.range;
    let range = visible.start.max(wanted.start)..visible.end.min(wanted.end);
    if range.start <= own.start && range.end >= own.end {
        return Ok(Box::new(Scan::new(input, depth)?));
    }
    // Which keys are left depends on every version.
    let scan = Scan::new(input, Depth::Versions)?;
    Ok(Box::new(scan.filter(move |entry| {
        entry.as_ref().map_or(true, |entry| range.contains(&entry.version.offset))
    })))
}

/// Counts and writes. `open` gives the streams anew; `newest_only` is a planted bug.
fn write<'a>(
    disk: &dyn Disk,
    path: &Path,
    spec: &Spec,
    reducer: &dyn Reduce,
    newest_only: bool,
    open: &dyn Fn(Depth) -> Result<Vec<Source<'a>>, IndexError>,
) -> Result<(Facts, Output), IndexError> {
    let keys = count_keys(Merged::new(open(Depth::Newest)?)?)?;
    let mut writer = FileWriter::new(disk, path, spec, reducer, keys)?;
    let entries = Merged::new(open(Depth::Versions)?)?;
    if reducer.keeps_all() {
        copy(entries, newest_only, &mut writer)?;
    } else {
        reduce(entries, reducer, &mut writer)?;
    }
    writer.finish()
}

fn count_keys(entries: Merged<'_>) -> Result<u64, IndexError> {
    let (mut keys, mut last) = (0, None);
    for entry in entries {
        let hash = Some(entry?.hash);
        keys += u64::from(hash != last);
        last = hash;
    }
    Ok(keys)
}

fn copy(entries: Merged<'_>, newest_only: bool, writer: &mut FileWriter) -> Result<(), IndexError> {
    let mut last: Option<Entry> = None;
    for entry in entries {
        let entry = entry?;
        // A record that was given twice is one record.
        let again =
            |last: Entry| last.order() == entry.order() || (newest_only && last.hash == entry.hash);
        if !last.is_some_and(again) {
            writer.push(entry)?;
        }
        last = Some(entry);
    }
    Ok(())
}

fn reduce(
    entries: Merged<'_>,
    reducer: &dyn Reduce,
    writer: &mut FileWriter,
) -> Result<(), IndexError> {
    let mut gathered = Gathered::default();
    let mut last: Option<Entry> = None;
    let mut finish = |hash: u64, gathered: &mut Gathered| {
        let mut kept = gathered.take(reducer).into_iter();
        kept.try_for_each(|version| writer.push(Entry { hash, version }))
    };
    for entry in entries {
        let entry = entry?;
        match last {
            Some(last) if last.order() == entry.order() => continue,
            Some(last) if last.hash != entry.hash => finish(last.hash, &mut gathered)?,
            _ => {}
        }
        gathered.push(entry.version, reducer);
        last = Some(entry);
    }
    last.map_or(Ok(()), |last| finish(last.hash, &mut gathered))
}

/// Writes a file beside its place, makes it durable and puts it there.
fn publish(
    disk: &dyn Disk,
    path: &Path,
    planted: Planted,
    write: impl FnOnce(&Path) -> Result<(Facts, Output), IndexError>,
) -> Result<Facts, IndexError> {
    let unfinished = path.with_added_extension(UNFINISHED);
    let written = write(&unfinished).and_then(|(facts, output)| {
        if !planted.is(Mutation::ManifestBeforeSync) {
            output.sync()?;
        }
        disk.rename(&unfinished, path).map_err(io_error("cannot rename", &unfinished))?;
        Ok(facts)
    });
    if written.is_err() {
        // If this fails too, the file is removed as a leftover when the index opens.
        drop(disk.remove_file(&unfinished));
    }
    let facts = written?;
    if let Some(dir) = path.parent()
        && let Err(error) = disk.sync_dir(dir)
    {
        // A name that may be gone tomorrow is not to be counted on.
        drop(disk.remove_file(path));
        return Err(sync_error(dir)(error));
    }
    Ok(facts)
}
