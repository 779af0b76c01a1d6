//! The supervision tree as the command line lists it, and what its strategies
//! promise when one actor is killed.

use crate::node::Plan;
use crate::{binary, http};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One actor.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Its place, such as `pyralog/store`.
    pub path: String,
    /// What it is.
    pub kind: String,
    /// Its supervisor's strategy over its children, if it is one.
    pub strategy: Option<String>,
    /// `permanent`, `transient` or `temporary`.
    pub restart: String,
    /// Higher for every start in the tree.
    pub generation: u64,
    /// What it does.
    pub state: String,
    /// In start order.
    pub children: Vec<Actor>,
}

/// States of an actor that is not there.
const AWAY: [&str; 7] =
    ["starting", "waiting", "down", "stopping", "finished", "quarantined", "unreachable"];

impl Actor {
    /// As `pyralog actors -o json` prints it.
    pub fn tree(plan: &Plan) -> Result<Actor> {
        let arguments =
            ["actors", "-o", "json"].map(str::to_owned).into_iter().chain(plan.server());
        let finished = binary::run(arguments);
        ensure!(finished.code == 0, "pyralog actors: {}", finished.stderr);
        Actor::read(&serde_json::from_str(&finished.stdout)?)
    }

    /// The same from the API, which costs no process: for asking often.
    pub fn tree_by_http(plan: &Plan) -> Result<Actor> {
        Actor::read(&http::get(plan.http(), "/v1/actors")?.json()?)
    }

    fn read(value: &Value) -> Result<Actor> {
        let text = |key: &str| {
            value[key].as_str().map(str::to_owned).with_context(|| format!("no {key} in {value}"))
        };
        let children = value["children"].as_array().context("no children")?;
        Ok(Actor {
            path: text("path")?,
            kind: text("kind")?,
            strategy: value["strategy"].as_str().map(str::to_owned),
            restart: text("restart")?,
            generation: value["generation"].as_u64().context("no generation")?,
            state: text("state")?,
            children: children.iter().map(Actor::read).collect::<Result<_>>()?,
        })
    }

    /// This actor and all below it, parents first.
    pub fn all(&self) -> Vec<&Actor> {
        std::iter::once(self).chain(self.children.iter().flat_map(Actor::all)).collect()
    }

    /// Generations by path.
    pub fn generations(&self) -> BTreeMap<String, u64> {
        self.all().into_iter().map(|actor| (actor.path.clone(), actor.generation)).collect()
    }

    /// True for one that does its work.
    pub fn is_up(&self) -> bool {
        !AWAY.contains(&self.state.as_str())
    }

    /// True for one that comes and goes with what it serves.
    pub fn is_temporary(&self) -> bool {
        self.restart == "temporary"
    }

    /// The paths that its supervisors' strategies restart when the actor at
    /// `path` falls, temporary ones included: those end and stay away.
    pub fn struck_with(&self, path: &str) -> BTreeSet<String> {
        let Some(at) = self.children.iter().position(|child| path == child.path) else {
            let below =
                self.children.iter().find(|child| path.starts_with(&format!("{}/", child.path)));
            return below.map(|child| child.struck_with(path)).unwrap_or_default();
        };
        let struck: Vec<&Actor> = match self.strategy.as_deref() {
            // Nobody is restarted after a temporary child, so nobody else falls.
            _ if self.children[at].is_temporary() => vec![&self.children[at]],
            Some("rest_for_one") => self.children[at..].iter().collect(),
            Some("one_for_all") => self.children.iter().collect(),
            _ => vec![&self.children[at]],
        };
        struck.into_iter().flat_map(Actor::all).map(|actor| actor.path.clone()).collect()
    }
}

/// Kills the actor at `path` by the command line; what the command said.
pub fn kill(plan: &Plan, path: &str) -> binary::Finished {
    let arguments = ["debug", "kill", path].map(str::to_owned).into_iter().chain(plan.server());
    binary::run(arguments)
}

/// Kills it by the API.
pub fn kill_by_http(plan: &Plan, path: &str) -> Result<u16> {
    Ok(http::post(plan.http(), "/v1/debug/kill", &json!({ "path": path }))?.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(path: &str, strategy: Option<&str>, restart: &str, children: Vec<Actor>) -> Actor {
        Actor {
            path: path.into(),
            kind: String::new(),
            strategy: strategy.map(str::to_owned),
            restart: restart.into(),
            generation: 0,
            state: "running".into(),
            children,
        }
    }

    fn tree() -> Actor {
        let leaf = |path: &str| actor(path, None, "permanent", Vec::new());
        let connections = vec![
            actor("r/b/x/1", None, "temporary", vec![]),
            actor("r/b/x/2", None, "temporary", vec![]),
        ];
        let dynamic = actor("r/b/x", Some("one_for_one"), "permanent", connections);
        let b = actor("r/b", Some("one_for_one"), "permanent", vec![dynamic, leaf("r/b/y")]);
        actor("r", Some("rest_for_one"), "temporary", vec![leaf("r/a"), b, leaf("r/c")])
    }

    #[track_caller]
    fn check(path: &str, struck: &[&str]) {
        let struck: BTreeSet<String> = struck.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(tree().struck_with(path), struck);
    }

    #[test]
    fn strategies_strike_whom_they_say() {
        check("r/a", &["r/a", "r/b", "r/b/x", "r/b/x/1", "r/b/x/2", "r/b/y", "r/c"]);
        check("r/c", &["r/c"]);
        check("r/b/y", &["r/b/y"]);
        check("r/b/x", &["r/b/x", "r/b/x/1", "r/b/x/2"]);
        check("r/b/x/1", &["r/b/x/1"]);
    }
}
