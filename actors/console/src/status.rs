//! `GET /v1/status`: who the node is and how it does.

use crate::api::StatusReply;
use crate::routes::Context;
use axum::Json;
use axum::extract::State;

/// The node at a glance.
pub async fn status(State(context): State<Context>) -> Json<StatusReply> {
    let facts = &context.facts;
    let logs = context.shen.logs();
    let logs: Vec<_> = logs.iter().filter(|log| !log.internal).collect();
    let uptime = context.clock.monotonic().since(facts.started);
    Json(StatusReply {
        version: facts.version.clone(),
        role: facts.role.clone(),
        readiness: *context.readiness.borrow(),
        node: context.shen.node_name().to_owned(),
        number: context.shen.node().0,
        cluster: context.shen.cluster_id().to_string(),
        store: facts.store.to_string(),
        boot: facts.boot.0,
        data_dir: facts.data_dir.display().to_string(),
        kafka_address: facts.kafka_address.to_string(),
        http_address: facts.http_address.to_string(),
        uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
        logs: logs.len() as u64,
        partitions: logs.iter().map(|log| u64::from(log.partitions)).sum(),
        resident_bytes: resident_bytes(),
    })
}

/// Resident memory of this process; `None` where there is no procfs.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
