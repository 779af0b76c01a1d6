//! How far it is, for someone who watches: on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};
use pyralog_env::{Disk, ReadOnlyDisk};
use std::io::{self, IsTerminal};
use std::path::Path;

/// A bar of bytes, or nothing.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar on standard error if that is a terminal, as long as all that is to be
    /// read below `dir/pyramid`.
    pub(super) fn shown(dir: &Path) -> Progress {
        if !io::stderr().is_terminal() {
            return Progress(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta:.dim}");
        let bar = ProgressBar::new(bytes_below(&dir.join("pyramid")));
        Progress(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// So many more bytes were read.
    pub(super) fn read(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

fn bytes_below(dir: &Path) -> u64 {
    let entries = ReadOnlyDisk.list(dir).unwrap_or_default();
    let bytes = entries.iter().map(|entry| match entry.is_dir {
        true => bytes_below(&dir.join(&entry.name)),
        false => entry.len,
    });
    bytes.sum()
}
