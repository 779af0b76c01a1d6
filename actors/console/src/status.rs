//! `GET /v1/status`: who the node is and how it does.

use crate::api::{Decimal, LeaseLine, ObeliskLine, StatusReply};
use crate::health;
use crate::routes::Context;
use axum::Json;
use axum::extract::State;
use pyralog_pharaoh::{CopyState, EndpointState};

/// The node at a glance.
pub async fn status(State(context): State<Context>) -> Json<StatusReply> {
    let facts = &context.facts;
    let directory = context.pharaoh.hub().directory();
    let pharaoh = context.pharaoh.state();
    let member = pharaoh.membership;
    // Known from earlier starts, also while no Obelisk answers.
    let known = directory.nodes().find(|node| node.store == facts.store);
    let number = member.map(|member| member.node).or(known.map(|node| node.number));
    let logs: Vec<_> = directory.logs().filter(|log| !log.internal).collect();
    let partitions = logs.iter().map(|log| u64::from(log.partitions)).sum();
    let has_logs = context.shen.is_some();
    let uptime = context.clock.monotonic().since(facts.started);
    let lease = |lane| LeaseLine { lane, remaining_ms: pharaoh.lane.remaining_ms };
    let obelisk = |endpoint: EndpointState| ObeliskLine {
        endpoint: endpoint.name,
        up: endpoint.up,
        error: endpoint.last_error,
    };
    Json(StatusReply {
        version: facts.version.clone(),
        role: facts.role.clone(),
        readiness: *context.readiness.borrow(),
        waits_for: health::waits_for(&context),
        node: facts.name.clone(),
        number: number.map(|number| number.0),
        cluster: directory.cluster().map(|cluster| cluster.to_string()),
        incarnation: member.map(|member| member.incarnation.0),
        directory_index: Some(directory.last_index()),
        directory_copy: has_logs.then(|| copy_state(context.pharaoh.hub().state())),
        coordination_error: pharaoh.last_error.map(|error| error.to_string()),
        obelisks: pharaoh.endpoints.into_iter().map(obelisk).collect(),
        lease: pharaoh.lane.lane.map(lease),
        ids_issued: Some(Decimal(pharaoh.lane.issued)),
        store: facts.store.to_string(),
        boot: facts.boot.0,
        data_dir: facts.data_dir.display().to_string(),
        kafka_address: facts.kafka_address.map(|address| address.to_string()),
        link_address: facts.link_address.map(|address| address.to_string()),
        http_address: facts.http_address.to_string(),
        uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
        logs: has_logs.then_some(logs.len() as u64),
        partitions: has_logs.then_some(partitions),
        resident_bytes: resident_bytes(),
    })
}

fn copy_state(state: CopyState) -> String {
    match state {
        CopyState::Kept => "kept".to_owned(),
        CopyState::Following => "following".to_owned(),
        CopyState::Waiting(why) => format!("waiting: {why}"),
        CopyState::Diverged(why) => format!("diverged: {why}"),
    }
}

/// Resident memory of this process; `None` where there is no procfs.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
