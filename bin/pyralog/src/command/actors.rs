//! `pyralog actors`: the tree of supervisors and workers.

use crate::cli::{ActorsCommand, Format};
use crate::client::{Client, block_on};
use crate::failure::{Failure, Status};
use crate::output;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A place in the tree. What this program does not know is passed on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Node {
    path: String,
    id: String,
    kind: String,
    strategy: Option<String>,
    restarts: u64,
    state: String,
    mailbox_depth: u64,
    handled: u64,
    last_error: Option<String>,
    #[serde(default)]
    children: Vec<Node>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Shows the tree, or the part below a path.
pub fn run(command: ActorsCommand) -> Result<(), Failure> {
    let client = Client::new(&command.server.server)?;
    let root: Node = block_on(client.get("/v1/actors"))?;
    let top = match &command.path {
        None => &root,
        Some(path) => find(&root, path).ok_or_else(|| missing(&root, path))?,
    };
    match command.output.format {
        Format::Json => output::json(top),
        Format::Table => {
            let mut rows = Vec::new();
            draw(top, "", "", &mut rows);
            let head = ["actor", "kind", "state", "restarts", "handled", "waiting", "last error"];
            output::print_table(&output::table(&head, &[3, 4, 5], rows))
        }
    }
}

fn find<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    if node.path == path {
        return Some(node);
    }
    node.children.iter().find_map(|child| find(child, path))
}

fn missing(root: &Node, path: &str) -> Failure {
    let mut paths = vec![root.path.as_str()];
    let mut nodes = vec![root];
    while let Some(node) = nodes.pop() {
        paths.extend(node.children.iter().map(|child| child.path.as_str()));
        nodes.extend(&node.children);
    }
    let failure = Failure::new(Status::NotFound, format!("no actor has the path '{path}'"));
    match crate::suggest::nearest(path, paths) {
        Some(near) => failure.help(format!("did you mean '{near}'?")),
        None => failure,
    }
}

/// One row a node, with branches before its name. `branch` stands before this
/// node, `trunk` before those below it.
fn draw(node: &Node, branch: &str, trunk: &str, rows: &mut Vec<Vec<String>>) {
    let kind = match &node.strategy {
        Some(strategy) => format!("{} ({strategy})", node.kind),
        None => node.kind.clone(),
    };
    rows.push(vec![
        format!("{branch}{}", node.id),
        kind,
        node.state.clone(),
        node.restarts.to_string(),
        node.handled.to_string(),
        node.mailbox_depth.to_string(),
        node.last_error.clone().unwrap_or_default(),
    ]);
    for (index, child) in node.children.iter().enumerate() {
        let last = index + 1 == node.children.len();
        let (turn, pass) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        draw(child, &format!("{trunk}{turn}"), &format!("{trunk}{pass}"), rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_drawn() {
        let leaf = |id: &str| {
            serde_json::json!({"path": format!("r/{id}"), "id": id, "kind": "worker", "restarts": 0,
                "state": "running", "mailbox_depth": 0, "handled": 0, "last_error": null, "strategy": null})
        };
        let mut root = leaf("r");
        let mut first = leaf("a");
        first["children"] = serde_json::json!([leaf("b")]);
        root["children"] = serde_json::json!([first, leaf("c")]);
        let root: Node = serde_json::from_value(root).unwrap();
        let mut rows = Vec::new();
        draw(&root, "", "", &mut rows);
        let names: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(names, ["r", "├─ a", "│  └─ b", "└─ c"]);
    }
}
