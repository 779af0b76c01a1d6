//! `sys.nodes`: who belongs to the cluster, by the directory.

use super::SystemSources;
use super::table::{Row, Rows, Table, Wanted, number};
use super::words::Kind::{Boolean, Number, Text};
use futures::{StreamExt, stream};
use pyralog_directory::{NodeEntry, Roles};
use pyralog_model::NodeNumber;

pub static NODES: Table = Table {
    name: "nodes",
    meaning: "the nodes of the cluster",
    columns: &[
        ("number", Number, "given by the directory, never reused"),
        ("name", Text, "given by the operator"),
        ("roles", Text, "obelisk (coordinates), pyramid (keeps data), or both"),
        ("here", Boolean, "whether it is the node that was asked"),
        ("incarnation", Number, "its present start; 0 before the first"),
        ("kafka", Text, "where Kafka clients connect"),
        ("http", Text, "where HTTP is served"),
        ("link", Text, "where other nodes connect"),
        ("store", Text, "its data directory"),
    ],
    read,
};

fn read(sources: SystemSources, _: Wanted) -> Rows {
    let here = sources.shen.node();
    let directory = sources.pharaoh.hub().directory();
    let rows: Vec<_> = directory.nodes().map(|node| Ok(row(node, here))).collect();
    stream::iter(rows).boxed()
}

fn row(node: &NodeEntry, here: NodeNumber) -> Row {
    let door = |name: &str| node.advertised.get(name).cloned().into();
    vec![
        number(node.number.0),
        node.name.0.clone().into(),
        roles(node.roles).into(),
        (node.number == here).into(),
        number(node.incarnation.0),
        door("kafka"),
        door("http"),
        door("link"),
        node.store.to_string().into(),
    ]
}

fn roles(roles: Roles) -> &'static str {
    match (roles.obelisk, roles.pyramid) {
        (true, true) => "obelisk,pyramid",
        (true, false) => "obelisk",
        (false, _) => "pyramid",
    }
}
