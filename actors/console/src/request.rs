//! What a request says, taken apart by us: with any content type, and with
//! refusals in our own words instead of the framework's.

use crate::reply::Refusal;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::error::Error;

/// Where the fields and parameters are listed.
const SEE: &str = "docs/http.md lists what it takes";

/// A body that is one JSON document, whatever its content type says.
#[derive(Debug)]
pub struct Document<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Document<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Document<T>, Refusal> {
        understood(&body(request, state).await?).map(Document)
    }
}

/// A body that is one JSON document, or empty for what is usual.
#[derive(Debug)]
pub struct OptionalDocument<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalDocument<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<OptionalDocument<T>, Refusal> {
        let body = body(request, state).await?;
        let document = if body.is_empty() { T::default() } else { understood(&body)? };
        Ok(OptionalDocument(document))
    }
}

/// All of a body, within the door's bound.
pub async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refusal> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let message = "the document is too large; send one of at most 256 KiB";
            return Refusal::invalid(message).with_status(rejection.status());
        }
        Refusal::invalid("the body broke off before its end; send it again")
    })
}

/// A body as one JSON document.
pub fn understood<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::invalid(format!("the body is not the JSON document wanted: {error}; {SEE}"))
    })
}

/// The parameters after the `?`.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Parameters<T>, Refusal> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let refused = |rejection: QueryRejection| {
            // The cause names the parameter; the framework's own words do not.
            let why = rejection.source().map_or_else(String::new, |source| format!(": {source}"));
            Refusal::invalid(format!("the query cannot be understood{why}; {SEE}"))
        };
        query.map(|Query(query)| Parameters(query)).map_err(refused)
    }
}

/// The name in the path: of a log or a counter.
#[derive(Debug)]
pub struct NameInPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for NameInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<NameInPath, Refusal> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| NameInPath(name)).map_err(|_| {
            Refusal::invalid(
                "the name in the path is not UTF-8; names are letters, digits, '.', '_', '-'",
            )
        })
    }
}
