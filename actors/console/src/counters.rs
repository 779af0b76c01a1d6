//! `/v1/counters`: make them, count with them, look at them.

use crate::api::{
    COUNTERS_LISTED_MAX, CounterDescription, CounterList, CounterSummary, CreateCounterRequest,
    Decimal, NextReply, NextRequest,
};
use crate::reply::Refusal;
use crate::request::{Document, NameInPath, OptionalDocument, Parameters};
use crate::routes::Context;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pyralog_directory::CounterEntry;
use pyralog_model::{CounterName, CounterNumber, ErrorCode};
use serde::Deserialize;

/// What the query of a list may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only counters with greater numbers.
    after: Option<u64>,
}

/// `GET /v1/counters`: a page, in the order in which they were made.
pub async fn list(
    State(context): State<Context>,
    Parameters(ListQuery { after }): Parameters<ListQuery>,
) -> Json<CounterList> {
    let directory = context.pharaoh.hub().directory();
    let begin = after.unwrap_or(0).saturating_add(1).max(CounterNumber::FIRST_OF_USERS.0);
    // Numbers of users' counters have no gaps.
    let numbers = (begin..).map(CounterNumber);
    let mut found = numbers.map_while(|number| directory.counter_by_number(number)).peekable();
    let counters: Vec<_> =
        found.by_ref().take(COUNTERS_LISTED_MAX as usize).map(|entry| summary(&entry)).collect();
    let last = counters.last().map(|counter| counter.number);
    Json(CounterList { next: last.filter(|_| found.peek().is_some()), counters })
}

/// `POST /v1/counters`: 201, or 200 if it was there already.
pub async fn create(
    State(context): State<Context>,
    Document(CreateCounterRequest { name, mode }): Document<CreateCounterRequest>,
) -> Result<(StatusCode, Json<CounterSummary>), Refusal> {
    let name = understood(&name)?;
    refuse_own(&context, &name)?;
    let was_there = context.pharaoh.hub().directory().counter(&name).is_some();
    let number = context.pharaoh.create_counter(name.clone(), mode).await?;
    let status = if was_there { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(summary(&CounterEntry { number, name, mode }))))
}

/// `POST /v1/counters/{name}`: the next values.
pub async fn next(
    State(context): State<Context>,
    NameInPath(name): NameInPath,
    OptionalDocument(NextRequest { count, mode }): OptionalDocument<NextRequest>,
) -> Result<Json<NextReply>, Refusal> {
    let name = understood(&name)?;
    refuse_own(&context, &name)?;
    if let Some(mode) = mode {
        let found = context.pharaoh.hub().directory().counter(&name);
        if found.is_none_or(|found| found.mode != mode) {
            // Finds it, makes it, or says that it counts otherwise.
            context.pharaoh.create_counter(name.clone(), mode).await?;
        }
    }
    let issued = context.pharaoh.next(&name, count).await?;
    Ok(Json(NextReply {
        name: name.to_string(),
        mode: issued.mode,
        count: issued.count,
        first: Decimal(issued.first),
        last: Decimal(issued.first + u64::from(issued.count) - 1),
    }))
}

/// `GET /v1/counters/{name}`.
pub async fn describe(
    State(context): State<Context>,
    NameInPath(name): NameInPath,
) -> Result<Json<CounterDescription>, Refusal> {
    let name = understood(&name)?;
    // By now the directory has it: else the value would not have been found.
    let view = context.pharaoh.value(&name).await?;
    let entry = context.pharaoh.hub().directory().counter(&name);
    let entry = entry.ok_or_else(|| missing(&name))?;
    Ok(Json(CounterDescription {
        summary: summary(&entry),
        value: Decimal(view.value),
        durable_bound: Decimal(view.durable_bound),
    }))
}

fn understood(name: &str) -> Result<CounterName, Refusal> {
    name.parse().map_err(|error: pyralog_model::CounterNameError| {
        Refusal::new(ErrorCode::CounterNameInvalid, error.to_string())
    })
}

/// The cluster counts its own things under a few names; nobody else may.
fn refuse_own(context: &Context, name: &CounterName) -> Result<(), Refusal> {
    let found = context.pharaoh.hub().directory().counter(name);
    if found.is_some_and(|found| found.number < CounterNumber::FIRST_OF_USERS) {
        let message = format!("'{name}' belongs to the system; choose another name");
        return Err(Refusal::new(ErrorCode::CounterNameInvalid, message));
    }
    Ok(())
}

fn missing(name: &CounterName) -> Refusal {
    Refusal::new(ErrorCode::CounterNotFound, format!("there is no counter '{name}'"))
}

fn summary(entry: &CounterEntry) -> CounterSummary {
    CounterSummary {
        name: entry.name.to_string(),
        number: Decimal(entry.number.0),
        mode: entry.mode,
    }
}
