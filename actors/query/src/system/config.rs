//! `sys.config`: what this node was told, and by whom.

use super::SystemSources;
use super::table::{Rows, Table, Wanted};
use super::words::Kind::Text;
use futures::{StreamExt, stream};

/// A key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRow {
    /// Such as `pyramid.listen_addr`.
    pub key: String,
    /// The value as it was given; none if it is not set.
    pub value: Option<String>,
    /// `default`, a file with its line, a variable or a flag.
    pub source: String,
}

pub static CONFIG: Table = Table {
    name: "config",
    meaning: "the configuration of this node",
    columns: &[
        ("key", Text, "section and key, such as pyramid.listen_addr"),
        ("value", Text, "the value as it was given; NULL if it is not set"),
        ("source", Text, "default, or the file with its line, the variable or the flag"),
    ],
    read,
};

fn read(sources: SystemSources, _: Wanted) -> Rows {
    let row = |row: &ConfigRow| {
        Ok(vec![row.key.as_str().into(), row.value.clone().into(), row.source.as_str().into()])
    };
    let rows: Vec<_> = sources.config.iter().map(row).collect();
    stream::iter(rows).boxed()
}
