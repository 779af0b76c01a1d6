//! The storage threads' counts as Prometheus lines.

use pyralog_store::{KeyMetrics, StoreMetrics, UpkeepMetrics};
use std::fmt::Write;

/// The lines that the console adds to its own.
pub(super) fn render(metrics: &StoreMetrics) -> String {
    let mut page = String::new();
    let mut counter = |name: &str, help: &str, value: u64| {
        let _ = write!(
            page,
            "# HELP pyralog_{name} {help}\n# TYPE pyralog_{name} counter\npyralog_{name} {value}\n"
        );
    };
    counter("wal_rounds_total", "Rounds made durable in the WAL.", metrics.rounds);
    counter(
        "direct_writes_total",
        "Writes made durable straight in a segment.",
        metrics.direct_writes,
    );
    counter("batches_total", "Record batches acknowledged.", metrics.batches);
    counter("batch_bytes_total", "Bytes of record batches acknowledged.", metrics.batch_bytes);
    counter(
        "relaxed_batches_total",
        "Those of logs that promise less than a sync.",
        metrics.relaxed_batches,
    );
    counter("relaxed_batch_bytes_total", "Bytes of those.", metrics.relaxed_batch_bytes);
    counter("appends_refused_total", "Appends refused by the committer.", metrics.refused);
    counter(
        "duplicates_total",
        "Batches of producers' sessions that were stored before.",
        metrics.duplicates,
    );
    counter(
        "sequences_refused_total",
        "Batches refused because they do not follow their session's last one.",
        metrics.sequences_refused,
    );
    counter(
        "scrub_bytes_total",
        "Bytes of sealed segments that were read again.",
        metrics.scrub_bytes,
    );
    counter("scrub_passes_total", "Times that all of them were.", metrics.scrub_passes);
    counter(
        "scrub_damages_total",
        "Damaged places that were found, again each time.",
        metrics.scrub_damages,
    );
    old_records(&mut counter, &metrics.upkeep);
    keys(&mut counter, &metrics.keys);
    let full = u64::from(metrics.disk_full);
    let _ = write!(
        page,
        "# HELP pyralog_disk_full 1 while the disk has no room for segments.\n\
         # TYPE pyralog_disk_full gauge\npyralog_disk_full {full}\n"
    );
    let in_memory = metrics.memory_log_bytes as f64;
    let dirty = f64::from(metrics.upkeep.dirty_millionths_max) / 1e6;
    let seconds = metrics.upkeep.compaction_micros_last as f64 / 1e6;
    let (cached, maps) = (metrics.keys.cached_bytes as f64, metrics.keys.map_bytes as f64);
    for (name, help, value) in [
        ("key_cached_bytes", "Bytes of index files in memory.", cached),
        ("key_map_bytes", "Bytes of maps of the newest keys.", maps),
        ("dirty_ratio_max", "The part of a partition that is not compacted, the greatest.", dirty),
        ("memory_log_bytes", "What the records of logs in memory take, in bytes.", in_memory),
        ("compaction_last_seconds", "How long the last round of compaction took.", seconds),
    ] {
        let _ = write!(
            page,
            "# HELP pyralog_{name} {help}\n# TYPE pyralog_{name} gauge\npyralog_{name} {value}\n"
        );
    }
    histogram(&mut page, metrics);
    page
}

/// What became of old records.
fn old_records(counter: &mut impl FnMut(&str, &str, u64), upkeep: &UpkeepMetrics) {
    counter("expired_offsets_total", "Offsets that retention let go of.", upkeep.expired_offsets);
    counter("expired_bytes_total", "Bytes that retention removed.", upkeep.expired_bytes);
    counter("compactions_total", "Rounds of compaction.", upkeep.compactions);
    counter(
        "compaction_read_bytes_total",
        "Bytes that compaction read.",
        upkeep.compaction_bytes_read,
    );
    counter(
        "compaction_written_bytes_total",
        "Bytes that compaction wrote.",
        upkeep.compaction_bytes_written,
    );
    counter(
        "compacted_records_total",
        "Records that compaction left out.",
        upkeep.compacted_records,
    );
    counter("upkeep_given_up_total", "Partitions given up for a while.", upkeep.given_up);
}

/// Records by their keys.
fn keys(counter: &mut impl FnMut(&str, &str, u64), keys: &KeyMetrics) {
    counter("key_lookups_total", "Questions about a key in a partition.", keys.lookups);
    counter("key_records_found_total", "Records that answered them.", keys.found);
    counter("key_files_built_total", "Index files built of records.", keys.built);
    counter("key_files_merged_total", "Index files merged of others.", keys.merged);
    counter("key_failures_total", "Work on an index that is tried again.", keys.failures);
}

fn histogram(page: &mut String, metrics: &StoreMetrics) {
    let name = "pyralog_commit_seconds";
    let _ = write!(
        page,
        "# HELP {name} Time from taking a step's appends to their durability.\n# TYPE {name} histogram\n"
    );
    let mut cumulative = 0;
    for bucket in &metrics.commit_buckets {
        cumulative += bucket.commits;
        let bound = match bucket.micros_max {
            u64::MAX => "+Inf".to_owned(),
            micros => (micros as f64 / 1e6).to_string(),
        };
        let _ = writeln!(page, "{name}_bucket{{le=\"{bound}\"}} {cumulative}");
    }
    let _ = writeln!(page, "{name}_sum {}", metrics.commit_micros as f64 / 1e6);
    let _ = writeln!(page, "{name}_count {cumulative}");
}
