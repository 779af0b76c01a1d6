//! The query engine's counts as Prometheus lines.

use pyralog_query::QueryCounters;
use std::fmt::Write;

pub(super) fn render(counters: &QueryCounters) -> String {
    let mut page = String::new();
    let mut line = |name: &str, kind: &str, help: &str, value: u64| {
        let _ = write!(
            page,
            "# HELP pyralog_{name} {help}\n# TYPE pyralog_{name} {kind}\npyralog_{name} {value}\n"
        );
    };
    let QueryCounters { running, waiting, memory_bytes, .. } = *counters;
    line("queries_running", "gauge", "SQL queries that run.", running);
    line("queries_waiting", "gauge", "SQL queries that wait for their turn.", waiting);
    line("query_memory_bytes", "gauge", "Memory that SQL queries hold.", memory_bytes);
    let mut total = |name, help, value| line(name, "counter", help, value);
    total("queries_served_total", "SQL queries that came to their end.", counters.served);
    total("queries_failed_total", "SQL queries that did not.", counters.failed);
    total("queries_cancelled_total", "SQL queries that nobody waited for.", counters.cancelled);
    total("query_bytes_read_total", "Bytes of batches that SQL has read.", counters.bytes_read);
    total("query_batches_read_total", "Batches that SQL has read.", counters.batches_read);
    total("query_records_read_total", "Records in what SQL has read.", counters.records_read);
    total(
        "query_records_decoded_total",
        "Records whose value SQL has looked into.",
        counters.records_decoded,
    );
    total(
        "query_values_coerced_to_null_total",
        "Fields that were not what their column's type takes.",
        counters.values_coerced_to_null,
    );
    page
}
