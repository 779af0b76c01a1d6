//! `sys.tables` and `sys.columns`: what there is to ask for here, in words.

use super::SystemSources;
use super::table::{Rows, Table, Wanted};
use super::words::Kind::Text;
use futures::{StreamExt, stream};

pub static TABLES: Table = Table {
    name: "tables",
    meaning: "the tables of the schema sys",
    columns: &[("name", Text, "the table"), ("meaning", Text, "what its rows are")],
    read: tables,
};

pub static COLUMNS: Table = Table {
    name: "columns",
    meaning: "the columns of these tables",
    columns: &[
        ("table_name", Text, "the table"),
        ("name", Text, "the column"),
        ("kind", Text, "its type"),
        ("meaning", Text, "what it says"),
    ],
    read: columns,
};

fn tables(_: SystemSources, _: Wanted) -> Rows {
    let row = |table: &&Table| Ok(vec![table.name.into(), table.meaning.into()]);
    stream::iter(super::TABLES.iter().map(row)).boxed()
}

fn columns(_: SystemSources, _: Wanted) -> Rows {
    let rows = super::TABLES.iter().flat_map(|table| {
        let row = |&(name, kind, meaning): &super::words::Column| {
            Ok(vec![table.name.into(), name.into(), kind.as_str().into(), meaning.into()])
        };
        table.columns.iter().map(row)
    });
    stream::iter(rows).boxed()
}
