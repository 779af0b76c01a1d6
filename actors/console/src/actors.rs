//! The tree of supervisors and workers, and killing one of them on purpose.

use crate::api::KillRequest;
use crate::reply::Refusal;
use crate::request::Document;
use crate::routes::Context;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pyralog_behaviour::{Tree, TreeNode};
use pyralog_model::ErrorCode;
use serde_json::{Value, json};
use std::time::Duration;

/// How long the whole tree may take to describe itself.
pub const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(2);

/// Time for an answer to leave the process.
const ANSWER_FIRST: Duration = Duration::from_millis(50);

/// `GET /v1/actors`.
pub async fn tree(State(context): State<Context>) -> Result<Json<TreeNode>, Refusal> {
    Ok(Json(known(&context)?.snapshot(SNAPSHOT_DEADLINE).await))
}

/// `POST /v1/debug/kill`.
pub async fn kill(
    State(context): State<Context>,
    request: Result<Document<KillRequest>, Refusal>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    if !context.debug_faults {
        let message = "fault injection is off; start the node with --debug-faults";
        return Err(Refusal::new(ErrorCode::DebugDisabled, message));
    }
    let Document(KillRequest { path }) = request?;
    tracing::warn!(path, "killing an actor on request");
    let tree = known(&context)?.clone();
    let own = &*context.own_path;
    if own == path || own.starts_with(&format!("{path}/")) {
        // The answer has to leave before the door falls that it leaves by.
        tokio::spawn(async move {
            tokio::time::sleep(ANSWER_FIRST).await;
            let _ = tree.kill(&path).await;
        });
        return Ok((StatusCode::ACCEPTED, Json(json!({ "killing": own }))));
    }
    tree.kill(&path)
        .await
        .map_err(|error| Refusal::new(ErrorCode::ActorNotFound, error.to_string()))?;
    Ok((StatusCode::OK, Json(json!({ "killed": path }))))
}

/// The tree, once it stands.
pub fn known(context: &Context) -> Result<&Tree, Refusal> {
    let starting = || {
        Refusal::new(ErrorCode::Unavailable, "the tree is still being built; ask again in a moment")
    };
    context.tree.get().ok_or_else(starting)
}
