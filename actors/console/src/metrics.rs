//! `GET /metrics` in Prometheus' text form, written by hand: the values come
//! from snapshots, so there is no registry to keep in step with them.

use crate::actors::SNAPSHOT_DEADLINE;
use crate::routes::Context;
use crate::{Readiness, status};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use pyralog_behaviour::TreeNode;
use pyralog_model::PartitionId;
use pyralog_pharaoh::{Answer, CopyState, Request};
use std::fmt::{Display, Write};
use std::sync::atomic::Ordering;

/// Everything that is measured.
pub async fn metrics(State(context): State<Context>) -> Response {
    let mut page = Page::default();
    node(&context, &mut page);
    coordination(&context, &mut page);
    if context.facts.role.contains("obelisk") {
        own_obelisk(&context, &mut page).await;
    }
    partitions(&context, &mut page);
    if let Some(tree) = context.tree.get() {
        actors(&tree.snapshot(SNAPSHOT_DEADLINE).await, &mut page);
    }
    page.0.push_str(&(context.more_metrics)());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.0).into_response()
}

fn node(context: &Context, page: &mut Page) {
    let facts = &context.facts;
    page.family("pyralog_build_info", "gauge", "The version that runs.");
    page.value("pyralog_build_info", &[("version", &facts.version), ("role", &facts.role)], 1);
    page.family("pyralog_ready", "gauge", "1 while records are taken.");
    page.value("pyralog_ready", &[], u8::from(*context.readiness.borrow() == Readiness::Ready));
    page.family("pyralog_boot", "counter", "Starts of the data directory.");
    page.value("pyralog_boot", &[], facts.boot.0);
    page.family("pyralog_uptime_seconds", "counter", "Seconds since the start.");
    page.value(
        "pyralog_uptime_seconds",
        &[],
        context.clock.monotonic().since(facts.started).as_secs_f64(),
    );
    page.family("pyralog_http_requests_total", "counter", "HTTP requests since the door started.");
    page.value("pyralog_http_requests_total", &[], context.requests.load(Ordering::Relaxed));
    if let Some(bytes) = status::resident_bytes() {
        page.family("process_resident_memory_bytes", "gauge", "Resident memory in bytes.");
        page.value("process_resident_memory_bytes", &[], bytes);
    }
}

/// The Obelisks as this node sees them, and what it has leased from them.
fn coordination(context: &Context, page: &mut Page) {
    let state = context.pharaoh.state();
    page.family("pyralog_obelisk_up", "gauge", "1 while the Obelisk answers this node.");
    for endpoint in &state.endpoints {
        let labels = [("endpoint", &endpoint.name)];
        page.value("pyralog_obelisk_up", &labels, u8::from(endpoint.up));
    }
    let index = context.pharaoh.hub().directory().last_index();
    page.family("pyralog_directory_index", "counter", "The last change of the directory here.");
    page.value("pyralog_directory_index", &[], index);
    let diverged = matches!(context.pharaoh.hub().state(), CopyState::Diverged(_));
    page.family("pyralog_directory_diverged", "gauge", "1 if the Obelisk has another directory.");
    page.value("pyralog_directory_diverged", &[], u8::from(diverged));
    let lane = state.lane;
    page.family("pyralog_ids_issued_total", "counter", "Scarab ids issued from the node's lane.");
    page.value("pyralog_ids_issued_total", &[], lane.issued);
    page.family("pyralog_ids_refused_total", "counter", "Claims that found no lease or bound.");
    page.value("pyralog_ids_refused_total", &[], lane.refused);
    page.family("pyralog_lane_lease_remaining_ms", "gauge", "How long ids need no Obelisk.");
    page.value("pyralog_lane_lease_remaining_ms", &[], lane.remaining_ms);
    page.family("pyralog_lane_raises_total", "counter", "Bounds of the lane made durable.");
    page.value("pyralog_lane_raises_total", &[], lane.raises);
}

/// What the Obelisk in this process counts; nothing while it restarts.
async fn own_obelisk(context: &Context, page: &mut Page) {
    let asked = context.pharaoh.ask_within(Request::Status, SNAPSHOT_DEADLINE).await;
    let Ok(Answer::Status(status)) = asked else { return };
    page.family("pyralog_sessions_total", "counter", "Producer sessions given out.");
    page.value("pyralog_sessions_total", &[], status.sessions);
    page.family("pyralog_epoch_labels_total", "counter", "Labels of epochs given out.");
    page.value("pyralog_epoch_labels_total", &[], status.epoch_labels);
    page.family("pyralog_counters", "gauge", "Counters that users created.");
    page.value("pyralog_counters", &[], status.counters);
    page.family("pyralog_lanes_leased", "gauge", "Lanes that are leased now.");
    page.value("pyralog_lanes_leased", &[], status.lanes_leased);
}

fn partitions(context: &Context, page: &mut Page) {
    let Some(shen) = &context.shen else { return };
    let mut marks = Vec::new();
    for log in shen.logs() {
        for partition in 0..log.partitions {
            if let Ok(found) = shen.watermarks(PartitionId::new(log.number.0, partition)) {
                marks.push((log.name.to_string(), partition.to_string(), found));
            }
        }
    }
    page.family("pyralog_partition_start_offset", "gauge", "Offset of the oldest record.");
    for (log, partition, marks) in &marks {
        page.value(
            "pyralog_partition_start_offset",
            &[("log", log), ("partition", partition)],
            marks.log_start,
        );
    }
    page.family(
        "pyralog_partition_high_watermark",
        "gauge",
        "One past the newest committed record.",
    );
    for (log, partition, marks) in &marks {
        page.value(
            "pyralog_partition_high_watermark",
            &[("log", log), ("partition", partition)],
            marks.high,
        );
    }
}

fn actors(root: &TreeNode, page: &mut Page) {
    let mut nodes = vec![root];
    let mut next = 0;
    while let Some(node) = nodes.get(next) {
        nodes.extend(&node.children);
        next += 1;
    }
    page.family("pyralog_actor_restarts_total", "counter", "How often an actor was started again.");
    for node in &nodes {
        page.value("pyralog_actor_restarts_total", &[("path", &node.path)], node.restarts);
    }
    page.family(
        "pyralog_actor_handled_total",
        "counter",
        "Messages handled by the present incarnation.",
    );
    for node in &nodes {
        page.value("pyralog_actor_handled_total", &[("path", &node.path)], node.handled);
    }
    page.family(
        "pyralog_actor_mailbox_depth",
        "gauge",
        "Messages waiting, where an actor counts them.",
    );
    for node in &nodes {
        page.value("pyralog_actor_mailbox_depth", &[("path", &node.path)], node.mailbox_depth);
    }
}

/// A page of metrics.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &String)], value: impl Display) {
        let labels: Vec<_> =
            labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out() {
        let mut page = Page::default();
        page.value("m", &[("path", &"a\"b\\c\nd".to_owned())], 1.5);
        assert_eq!(page.0, "m{path=\"a\\\"b\\\\c\\nd\"} 1.5\n");
    }
}
