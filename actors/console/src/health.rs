//! What an orchestrator asks: alive, started, ready.

use crate::Readiness;
use crate::routes::Context;
use axum::extract::State;
use axum::http::StatusCode;

/// 200 as long as the process can answer at all.
pub async fn live() -> &'static str {
    "alive\n"
}

/// 200 once recovery is over, whatever came after.
pub async fn started(State(context): State<Context>) -> (StatusCode, String) {
    let readiness = *context.readiness.borrow();
    reply(readiness != Readiness::Starting, readiness)
}

/// 200 while records are taken.
pub async fn ready(State(context): State<Context>) -> (StatusCode, String) {
    let readiness = *context.readiness.borrow();
    reply(readiness == Readiness::Ready, readiness)
}

fn reply(good: bool, readiness: Readiness) -> (StatusCode, String) {
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, format!("{readiness}\n"))
}
