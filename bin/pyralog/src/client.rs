//! The `/v1` API from the other side: a small HTTP/1.1 client.
//!
//! `--server` may name several servers; they are tried in order until one
//! accepts the connection. A request that was sent is never sent again by
//! itself: its outcome would be unknown.

mod connection;
mod lines;
mod server;

pub use lines::ReplyLines;
pub use server::{Server, ServerError};

use crate::failure::{Failure, Status};
use crate::suggest;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use pyralog_console::api::{ErrorReply, LogList};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::time::Duration;

/// A request's body.
pub type RequestBody = UnsyncBoxBody<Bytes, Infallible>;

/// How long a request without a stream may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest document taken from a server.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A client of one of several servers.
#[derive(Debug, Clone)]
pub struct Client {
    servers: Vec<Server>,
}

/// Runs a command's future to its end on this thread.
pub fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    runtime.block_on(future)
}

impl Client {
    /// A client of the servers in a comma list.
    pub fn new(list: &str) -> Result<Client, Failure> {
        let servers =
            list.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::parse);
        let servers: Vec<Server> =
            servers.collect::<Result<_, ServerError>>().map_err(|error| {
                Failure::new(Status::Usage, error.to_string())
                    .help("for example --server http://127.0.0.1:8080")
            })?;
        if servers.is_empty() {
            return Err(Failure::new(Status::Usage, "--server names no server"));
        }
        Ok(Client { servers })
    }

    /// `GET`, and the document that comes.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.document(Method::GET, path, Empty::new().boxed_unsync()).await
    }

    /// `DELETE`, and the document that comes.
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.document(Method::DELETE, path, Empty::new().boxed_unsync()).await
    }

    /// `POST` of a document, and the one that comes.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(Failure::failed)?;
        self.document(Method::POST, path, Full::new(Bytes::from(body)).boxed_unsync()).await
    }

    /// `PATCH` with a document, and the one that comes.
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(Failure::failed)?;
        self.document(Method::PATCH, path, Full::new(Bytes::from(body)).boxed_unsync()).await
    }

    /// A request whose reply is a stream of lines.
    pub async fn stream(
        &self,
        method: Method,
        path: &str,
        body: RequestBody,
    ) -> Result<ReplyLines, Failure> {
        let response = self.send(method, path, body).await?;
        Ok(ReplyLines::new(accepted(response).await?.into_body()))
    }

    /// Adds "did you mean …?" to the failure of a request about a log.
    pub async fn explain(&self, failure: Failure, log: &str) -> Failure {
        if failure.status != Status::NotFound || failure.has_help() {
            return failure;
        }
        let Ok(LogList { logs }) = self.get("/v1/logs").await else { return failure };
        match suggest::nearest(log, logs.iter().map(|log| log.name.as_str())) {
            Some(near) if near != log => failure.help(format!("did you mean '{near}'?")),
            _ => failure.help("`pyralog log list` shows what is there"),
        }
    }

    async fn document<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: RequestBody,
    ) -> Result<T, Failure> {
        let reply = async {
            let response = accepted(self.send(method, path, body).await?).await?;
            collect(response).await
        };
        let bytes = tokio::time::timeout(REPLY_TIMEOUT, reply).await.map_err(|_| {
            Failure::new(
                Status::Retryable,
                "the server did not answer within a minute; the outcome is unknown",
            )
        })??;
        serde_json::from_slice(&bytes).map_err(|error| {
            Failure::failed(format!("the server's answer cannot be understood: {error}"))
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: RequestBody,
    ) -> Result<Response<Incoming>, Failure> {
        let (server, mut sender) = connection::first(&self.servers).await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", server.authority())
            .header("content-type", "application/json")
            .body(body)
            .map_err(Failure::failed)?;
        sender.send_request(request).await.map_err(|error| {
            Failure::new(
                Status::Retryable,
                format!("the connection to {server} broke: {error}; the outcome is unknown"),
            )
        })
    }
}

/// The response, if it is no error.
async fn accepted(response: Response<Incoming>) -> Result<Response<Incoming>, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = collect(response).await?;
    match serde_json::from_slice::<ErrorReply>(&body) {
        Ok(ErrorReply { error }) => Err(Failure::from_server(&error.code, &error.message)),
        Err(_) if status == StatusCode::NOT_FOUND => {
            Err(Failure::failed("the server has no such API; is it a Pyralog node?"))
        }
        Err(_) => Err(Failure::failed(format!("the server answered {status}"))),
    }
}

async fn collect(response: Response<Incoming>) -> Result<Bytes, Failure> {
    let body = http_body_util::Limited::new(response.into_body(), REPLY_BYTES_MAX);
    let collected = body.collect().await;
    collected
        .map(|body| body.to_bytes())
        .map_err(|error| Failure::new(Status::Retryable, format!("the answer broke off: {error}")))
}

/// A log's name as part of a path. Names that are good need no escaping; others
/// are escaped so that the server can say what is wrong with them.
pub fn in_path(name: &str) -> String {
    bytes_in_path(name.as_bytes())
}

/// Any bytes as part of a path.
pub fn bytes_in_path(bytes: &[u8]) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        // "." and ".." would be taken for steps in the path.
        b'.' if bytes != b"." && bytes != b".." => ".".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(|byte| escape(*byte)).collect()
}
