//! Which path leads where.

use crate::door::ConsoleArguments;
use crate::reply::Refusal;
use crate::{actors, counters, groups, health, ids, logs, metrics, records, sql, status};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use pyralog_model::ErrorCode;
use pyralog_partition::Shen;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    arguments: Arc<ConsoleArguments>,
    /// The door's own place in the tree.
    pub own_path: Arc<str>,
    /// Requests since this incarnation of the door started.
    pub requests: Arc<AtomicU64>,
    /// Turns: the partition of the next record without a key.
    pub turn: Arc<AtomicU64>,
    /// Turns true when the door is stopped.
    stopping: watch::Receiver<bool>,
}

impl Context {
    pub fn new(
        arguments: ConsoleArguments,
        own_path: &str,
        stopping: watch::Receiver<bool>,
    ) -> Context {
        Context {
            arguments: Arc::new(arguments),
            own_path: own_path.into(),
            requests: Arc::default(),
            turn: Arc::default(),
            stopping,
        }
    }

    /// Until the door is stopped; what to tell those whose streams end here.
    pub async fn stopped(&self) -> Refusal {
        let mut stopping = self.stopping.clone();
        // The sender falls with the door, which is a stop too.
        let _ = stopping.wait_for(|stop| *stop).await;
        let message = "the node is stopping, so the stream ends here; go on when it is back";
        Refusal::new(ErrorCode::Unavailable, message)
    }
}

impl Deref for Context {
    type Target = ConsoleArguments;
    fn deref(&self) -> &ConsoleArguments {
        &self.arguments
    }
}

/// What the handlers of logs can reach besides.
#[derive(Clone)]
pub struct LogContext {
    context: Context,
    /// The façade of the logs.
    pub shen: Shen,
}

impl Deref for LogContext {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.context
    }
}

/// Refuses on a node that has no logs.
pub struct Logs(pub LogContext);

impl FromRequestParts<Context> for Logs {
    type Rejection = Refusal;

    async fn from_request_parts(_: &mut Parts, context: &Context) -> Result<Logs, Refusal> {
        let Some(shen) = context.shen.clone() else {
            let message = "this node is an Obelisk and has no logs; ask a Pyramid";
            return Err(Refusal::new(ErrorCode::NotSupported, message));
        };
        Ok(Logs(LogContext { context: context.clone(), shen }))
    }
}

/// Every route.
pub fn router(context: Context) -> Router {
    let body_limit = DefaultBodyLimit::max(context.limits.body_bytes_max);
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/startupz", get(health::started))
        .route("/metrics", get(metrics::metrics))
        .route("/v1/status", get(status::status))
        .route("/v1/logs", get(logs::list).post(logs::create))
        .route("/v1/logs/{name}", get(logs::describe).patch(logs::alter).delete(logs::delete))
        .route("/v1/logs/{name}/records", get(records::consume).post(records::produce))
        .route("/v1/logs/{name}/keys/", get(records::find))
        .route("/v1/logs/{name}/keys/{*key}", get(records::find))
        .route("/v1/ids", post(ids::take))
        .route("/v1/timestamps/unique", post(ids::unique))
        .route("/v1/timestamps/causal", post(ids::causal))
        .route("/v1/counters", get(counters::list).post(counters::create))
        .route("/v1/counters/{name}", get(counters::describe).post(counters::next))
        .route("/v1/sql", post(sql::run))
        .route("/v1/groups", get(groups::list))
        .route("/v1/groups/{name}", get(groups::describe).delete(groups::delete))
        .route("/v1/groups/{name}/offsets", post(groups::reset))
        .route("/v1/actors", get(actors::tree))
        .route("/v1/debug/kill", post(actors::kill))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(body_limit)
        .layer(middleware::from_fn_with_state(context.clone(), count))
        .with_state(context)
}

async fn count(State(context): State<Context>, request: Request, next: Next) -> Response {
    context.requests.fetch_add(1, Ordering::Relaxed);
    next.run(request).await
}

async fn not_found(uri: Uri) -> Refusal {
    let message = format!(
        "there is no {} here; the paths are /v1/status, /v1/logs, /v1/logs/{{name}}, \
         /v1/logs/{{name}}/records, /v1/logs/{{name}}/keys/{{key}}, /v1/ids, /v1/timestamps/unique, /v1/timestamps/causal, \
         /v1/counters, /v1/counters/{{name}}, /v1/groups, /v1/groups/{{name}}, \
         /v1/groups/{{name}}/offsets, /v1/sql, /v1/actors, /v1/debug/kill, /livez, /readyz, /startupz and \
         /metrics",
        uri.path()
    );
    Refusal::invalid(message).with_status(StatusCode::NOT_FOUND)
}

async fn method_not_allowed(method: Method, uri: Uri) -> Refusal {
    let message = format!("{} does not take {method}; use one that 'Allow' names", uri.path());
    Refusal::invalid(message).with_status(StatusCode::METHOD_NOT_ALLOWED)
}
