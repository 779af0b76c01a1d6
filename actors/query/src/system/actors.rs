//! `sys.actors`: the tree of this node, a row a supervisor or worker.

use super::SystemSources;
use super::table::{Row, Rows, Table, Wanted, number};
use super::words::Kind::{Number, Text};
use futures::{StreamExt, TryStreamExt, stream};
use pyralog_behaviour::TreeNode;
use pyralog_model::ApiError;
use std::time::Duration;

/// How long the whole tree may take to describe itself.
const PATIENCE: Duration = Duration::from_secs(2);

pub static ACTORS: Table = Table {
    name: "actors",
    meaning: "the supervisors and workers of this node",
    columns: &[
        ("path", Text, "its place in the tree"),
        ("id", Text, "the last part of the path"),
        ("kind", Text, "what it is"),
        ("role", Text, "worker or supervisor"),
        ("state", Text, "what it does, or why it is not up"),
        ("strategy", Text, "who is restarted with whom, for a supervisor that is up"),
        ("restart", Text, "permanent, transient or temporary"),
        ("restarts", Number, "how often it has come up again"),
        ("generation", Number, "every start in the tree has a higher one"),
        ("waiting", Number, "messages in its mailbox"),
        ("handled", Number, "messages handled since it came up"),
        ("last_error", Text, "what went wrong last"),
        ("details", Text, "whatever else it says about itself, as JSON"),
    ],
    read,
};

fn read(sources: SystemSources, _: Wanted) -> Rows {
    let rows = async move {
        let tree = sources.tree.get().ok_or_else(|| ApiError::unavailable("the tree"))?;
        let root = tree.snapshot(PATIENCE).await;
        if root.path.is_empty() {
            return Err(ApiError::unavailable("the root of the tree"));
        }
        let rows: Vec<_> = root.all().into_iter().map(|node| Ok(row(node))).collect();
        Ok(stream::iter(rows))
    };
    stream::once(rows).try_flatten().boxed()
}

fn row(node: &TreeNode) -> Row {
    let details = serde_json::to_string(&node.details).unwrap_or_default();
    vec![
        node.path.as_str().into(),
        node.id.as_str().into(),
        node.kind.as_str().into(),
        node.role.into(),
        node.state.as_str().into(),
        node.strategy.clone().into(),
        node.restart.as_str().into(),
        number(node.restarts),
        number(node.generation),
        number(node.mailbox_depth),
        number(node.handled),
        node.last_error.clone().into(),
        Some(details).filter(|_| !node.details.is_empty()).into(),
    ]
}
