//! Configuration: four layers, one table of keys.
//!
//! A setting comes from the defaults, then a file, then the environment
//! (`PYRALOG_<SECTION>_<KEY>`), then a flag; the last one that speaks wins, and
//! every value remembers who spoke, so that `config check` can say so. The
//! table in [`key`] is the whole truth about which keys exist: the file parser,
//! the environment, the documentation and the check all read it.

mod check;
mod error;
mod file;
mod key;
mod layers;
mod settings;
mod value;

pub use check::CheckRow;
pub use error::{ConfigError, Place};
pub use key::{Effect, KEYS, Key, Kind, Section};
pub use layers::{Configuration, Layers, Origin, Setting};
pub use settings::{NodeSettings, ObeliskSettings, PyramidSettings};
pub use value::{Value, bytes};
