//! `POST /v1/sql`: a question in, its answer out as it is found.
//!
//! What goes wrong before the first row has a status and a document of its own. After
//! that an answer in JSON ends with a line that says why, and one in CSV breaks off:
//! its connection is closed in the middle, so that no half is taken for the whole. A
//! client that goes away, or reads nothing for the door's write timeout, ends its query.

use crate::api::{SqlFormat, SqlRequest};
use crate::records::{NDJSON, line};
use crate::reply::Refusal;
use crate::request::{body, understood};
use crate::routes::Context;
use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use pyralog_model::{ApiError, ErrorCode};
use pyralog_query::{Answer, AnswerForm, RunOptions};
use std::time::Duration;

const CSV: &str = "text/csv; charset=utf-8; header=present";

/// Answers a query.
pub async fn run(
    State(context): State<Context>,
    headers: HeaderMap,
    Question(request): Question,
) -> Result<Response, Refusal> {
    let form = form(&request, &headers);
    let mut asking = Asking { form, context, answer: None };
    let first = asking.first(&request).await?;
    let media_type = match form {
        AnswerForm::Ndjson => NDJSON,
        AnswerForm::Csv => CSV,
    };
    let chunks = stream::try_unfold((asking, first), |(mut asking, ready)| async {
        let chunk = match ready {
            Some(chunk) => Some(chunk),
            None => asking.next().await?,
        };
        Ok::<_, ApiError>(chunk.map(|chunk| (chunk, (asking, None))))
    });
    Ok(([(CONTENT_TYPE, media_type)], Body::from_stream(chunks)).into_response())
}

/// A body that is the document, or the query itself: no SQL begins with `{`.
pub struct Question(SqlRequest);

impl<S: Send + Sync> FromRequest<S> for Question {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Question, Refusal> {
        let body = body(request, state).await?;
        if body.trim_ascii_start().starts_with(b"{") {
            return understood(&body).map(Question);
        }
        let query = std::str::from_utf8(&body)
            .map_err(|_| Refusal::invalid("the body is not UTF-8; send SQL or a JSON document"))?;
        Ok(Question(SqlRequest { query: query.to_owned(), format: None, time_max_ms: None }))
    }
}

/// One query on its way; it ends with this.
struct Asking {
    form: AnswerForm,
    context: Context,
    /// None before it runs and after its end.
    answer: Option<Answer>,
}

impl Asking {
    /// Runs the query until there is something to send.
    async fn first(&mut self, request: &SqlRequest) -> Result<Option<Bytes>, Refusal> {
        let Some(queries) = self.context.queries.clone() else {
            let message = "this node is an Obelisk and has nothing to query; ask a Pyramid";
            return Err(Refusal::new(ErrorCode::NotSupported, message));
        };
        let options = options(request)?;
        let started = self.context.clock.monotonic();
        let (context, clock, form) = (self.context.clone(), self.context.clock.clone(), self.form);
        let answered = async {
            let rows = queries.run(&request.query, options).await?;
            let mut answer = Answer::new(rows, form, clock, started);
            let first = answer.next_chunk().await?;
            Ok((answer, first))
        };
        let (answer, first) = tokio::select! {
            biased;
            stopped = context.stopped() => Err(stopped),
            outcome = answered => outcome,
        }?;
        self.answer = Some(answer);
        Ok(first)
    }

    /// The next bytes. An error is the last of them in JSON.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let Some(answer) = &mut self.answer else { return Ok(None) };
        let context = self.context.clone();
        let outcome = tokio::select! {
            biased;
            stopped = context.stopped() => Err(stopped.error),
            outcome = answer.next_chunk() => outcome,
        };
        match (outcome, self.form) {
            (Ok(chunk), _) => Ok(chunk),
            (Err(error), form) => {
                self.answer = None;
                tracing::debug!(%error, "a query failed after its first rows");
                match form {
                    AnswerForm::Ndjson => Ok(Some(line(&Refusal::from(error).body()))),
                    AnswerForm::Csv => Err(error),
                }
            }
        }
    }
}

fn options(request: &SqlRequest) -> Result<RunOptions, Refusal> {
    if request.time_max_ms == Some(0) {
        return Err(Refusal::invalid(
            "time_max_ms is 0; give the query some time, or leave it out",
        ));
    }
    Ok(RunOptions { time_max: request.time_max_ms.map(Duration::from_millis) })
}

/// How the answer is written: as the request says, else as the client accepts it.
fn form(request: &SqlRequest, headers: &HeaderMap) -> AnswerForm {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_types = accepted.split(',').filter_map(|range| range.split(';').next());
    let is_csv = match request.format {
        Some(format) => format == SqlFormat::Csv,
        None => media_types.map(str::trim).any(|range| range.eq_ignore_ascii_case("text/csv")),
    };
    if is_csv { AnswerForm::Csv } else { AnswerForm::Ndjson }
}
