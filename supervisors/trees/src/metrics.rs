//! What a Pyramid's parts have counted, as the console adds it to its own lines.

mod queries;
mod store;

use pyralog_query::Queries;
use pyralog_store::StoreGauges;
use std::sync::Arc;

/// Lines in Prometheus' text form.
pub(crate) type Lines = Arc<dyn Fn() -> String + Send + Sync>;

/// The lines of a Pyramid; none of a node that is none.
pub(crate) fn of_pyramid(gauges: Option<Arc<StoreGauges>>, queries: Option<Queries>) -> Lines {
    Arc::new(move || {
        let store = gauges.as_ref().map(|gauges| store::render(&gauges.snapshot()));
        let queries = queries.as_ref().map(|queries| queries::render(&queries.counters()));
        store.unwrap_or_default() + &queries.unwrap_or_default()
    })
}
