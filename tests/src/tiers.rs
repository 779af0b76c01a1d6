//! An Obelisk and a Pyramid, two processes that die and freeze apart.

use crate::http;
use crate::node::{Node, Plan, READY_PATIENCE};
use crate::wait;
use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;

/// The two, with the plans that start them again.
#[derive(Debug)]
pub struct Tiers {
    /// How the Obelisk is started.
    pub obelisk_plan: Plan,
    /// How the Pyramid is.
    pub pyramid_plan: Plan,
    obelisk: Option<Node>,
    pyramid: Option<Node>,
}

impl Tiers {
    /// Both, below `folder`.
    pub fn start(folder: &Path) -> Result<Tiers> {
        let obelisk_plan = Plan::obelisk(folder);
        let pyramid_plan = Plan::pyramid(folder, "pyramid-1", &[obelisk_plan.link_port]);
        Tiers::start_as(obelisk_plan, pyramid_plan)
    }

    /// Both by plans of one's own.
    pub fn start_as(obelisk_plan: Plan, pyramid_plan: Plan) -> Result<Tiers> {
        let obelisk = Some(obelisk_plan.start()?);
        let pyramid = Some(pyramid_plan.start()?);
        Ok(Tiers { obelisk_plan, pyramid_plan, obelisk, pyramid })
    }

    /// The Obelisk's process.
    ///
    /// # Panics
    /// While it is dead.
    pub fn obelisk(&self) -> &Node {
        self.obelisk.as_ref().expect("the Obelisk runs")
    }

    /// The Pyramid's process.
    ///
    /// # Panics
    /// While it is dead.
    pub fn pyramid(&self) -> &Node {
        self.pyramid.as_ref().expect("the Pyramid runs")
    }

    /// SIGKILL.
    pub fn kill_obelisk(&mut self) -> Result<()> {
        self.obelisk.take().context("the Obelisk is dead")?.kill()
    }

    /// Starts it again and waits until it serves.
    pub fn start_obelisk(&mut self) -> Result<()> {
        self.obelisk = Some(self.obelisk_plan.start()?);
        Ok(())
    }

    /// SIGKILL.
    pub fn kill_pyramid(&mut self) -> Result<()> {
        self.pyramid.take().context("the Pyramid is dead")?.kill()
    }

    /// Starts it again and waits until it serves.
    pub fn start_pyramid(&mut self) -> Result<()> {
        self.pyramid = Some(self.pyramid_plan.start()?);
        Ok(())
    }

    /// SIGSTOP: its sockets stay open, and nobody answers.
    pub fn freeze_obelisk(&self) -> Result<()> {
        self.obelisk().signal(Signal::STOP)
    }

    /// SIGCONT.
    pub fn thaw_obelisk(&self) -> Result<()> {
        self.obelisk().signal(Signal::CONT)
    }

    /// SIGSTOP.
    pub fn freeze_pyramid(&self) -> Result<()> {
        self.pyramid().signal(Signal::STOP)
    }

    /// SIGCONT.
    pub fn thaw_pyramid(&self) -> Result<()> {
        self.pyramid().signal(Signal::CONT)
    }

    /// Makes a counter at the Pyramid.
    pub fn create_counter(&self, name: &str, mode: &str) -> Result<()> {
        let body = json!({ "name": name, "mode": mode });
        let made = http::post(self.pyramid_plan.http(), "/v1/counters", &body)?;
        ensure!(made.status < 300, "{} {}", made.status, made.body);
        Ok(())
    }

    /// Waits until the Pyramid may issue ids of its own.
    pub fn wait_leased(&self) -> Result<()> {
        let leased = wait::holds(READY_PATIENCE, || {
            status(&self.pyramid_plan).is_ok_and(|status| !status["lease"].is_null())
        });
        ensure!(leased, "no lease\n{}", self.tails());
        Ok(())
    }

    /// The ends of both logs.
    pub fn tails(&self) -> String {
        let tail = |node: &Option<Node>| node.as_ref().map(Node::tail).unwrap_or_default();
        format!("=== obelisk\n{}\n=== pyramid\n{}", tail(&self.obelisk), tail(&self.pyramid))
    }
}

/// `GET /v1/status` of a node.
pub fn status(plan: &Plan) -> Result<Value> {
    http::get(plan.http(), "/v1/status")?.json()
}

/// The Scarab ids that a partition's records carry, in the order of offsets;
/// `None` for a record without one.
pub fn scarab_ids(plan: &Plan, log: &str, partition: usize) -> Result<Vec<Option<u64>>> {
    let path = format!("/v1/logs/{log}/records?partition={partition}&until_end=true");
    let read = http::get(plan.http(), &path)?;
    ensure!(read.status == 200, "{} {}", read.status, read.body);
    let lines = read.body.lines().filter(|line| line.contains("\"offset\""));
    lines
        .enumerate()
        .map(|(place, line)| {
            let record: Value = serde_json::from_str(line)?;
            ensure!(record["offset"].as_u64() == Some(place as u64), "record {place}: {line}");
            let id = record["scarab_id"].as_str().map(str::parse).transpose()?;
            Ok(id)
        })
        .collect()
}
