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
    reply(readiness != Readiness::Starting, &context)
}

/// 200 while records are taken, or on an Obelisk while it answers.
pub async fn ready(State(context): State<Context>) -> (StatusCode, String) {
    let readiness = *context.readiness.borrow();
    reply(readiness == Readiness::Ready, &context)
}

fn reply(good: bool, context: &Context) -> (StatusCode, String) {
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let readiness = *context.readiness.borrow();
    match waits_for(context) {
        None => (status, format!("{readiness}\n")),
        Some(why) => (status, format!("{readiness}: {why}\n")),
    }
}

/// What a node that is starting waits for, if it is not its own recovery.
pub fn waits_for(context: &Context) -> Option<String> {
    let state = context.pharaoh.state();
    if *context.readiness.borrow() != Readiness::Starting || state.membership.is_some() {
        return None;
    }
    let names: Vec<_> = state.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
    let names = names.join(", ");
    Some(match state.last_error {
        None => format!("no Obelisk reached yet at {names}"),
        Some(error) => format!("not registered yet with an Obelisk at {names}: {}", error.message),
    })
}
