//! Where values live while they are counted: words of memory that the arena's
//! file shows later, or never.
//!
//! What reaches the file, and when, does not matter before a clean stop: values
//! are believed only after one. So there are several kinds, and a simulated world
//! brings its own.

mod buffered;
mod mapped;
mod windows;

use pyralog_env::DiskFile;
use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use buffered::BufferedSource;
pub use mapped::MappedSource;
pub(crate) use windows::Windows;

/// Opens the cells of an arena's file.
pub trait CellSource: Send + Sync {
    /// The cells of the file at `path`, which is open as `file` too.
    ///
    /// # Errors
    /// Whatever the system says.
    fn open(&self, path: &Path, file: &Arc<dyn DiskFile>) -> io::Result<Arc<dyn Cells>>;
}

/// The words of one file.
pub trait Cells: Debug + Send + Sync + 'static {
    /// The `bytes` at `position`, both multiples of 4,096, all below the file's
    /// length. Views of the same bytes are the same words. Dropping a view loses
    /// nothing.
    ///
    /// # Errors
    /// Whatever the system says.
    fn view(&self, position: u64, bytes: usize) -> io::Result<Arc<dyn View>>;

    /// Hands all words to the file, so that its next sync makes them durable.
    ///
    /// # Errors
    /// Whatever the system says.
    fn flush(&self) -> io::Result<()>;

    /// The kind, for people.
    fn kind(&self) -> &'static str;
}

/// Some words of a file.
pub trait View: Debug + Send + Sync + 'static {
    /// The word at `index`, little-endian in the file, counted in 8 bytes from the
    /// beginning of the view. Panics past its end.
    fn word(&self, index: usize) -> &AtomicU64;
}
