//! `bench ids`: what a Scarab id costs where it is made, in a lane of this
//! process, and what a batch of them costs through a server.

use super::{Figures, Latency, Machine};
use crate::cli::IdsBench;
use crate::client::Client;
use crate::failure::Failure;
use hdrhistogram::Histogram;
use pyralog_console::api::{IdsReply, IdsRequest};
use pyralog_counter::{LaneClock, LaneRefusal};
use pyralog_env::{Clock, RealClock};
use pyralog_model::{Lane, LogicalClock};
use serde_json::json;
use std::hint::black_box;
use std::time::Duration;

/// Claims between two looks at the clock, which costs as much as one of them.
const GROUP: u64 = 32;
/// How much of the layout is issued: 8,192,000 ids are one second of a lane.
const LAYOUT_SECONDS: u64 = 10;
const IDS_PER_SECOND: u64 = 1_000 * LogicalClock::PER_MILLISECOND;

/// Runs it.
pub async fn run(arguments: IdsBench) -> Result<Figures, Failure> {
    let lane = lane().map_err(Failure::failed)?;
    let settings = json!({
        "layout_seconds": LAYOUT_SECONDS, "group": GROUP, "batch": arguments.batch,
        "server": arguments.server,
    });
    let mut figures = Figures::new("ids", settings, Machine::here(None))
        .with("claim_p50_ns", lane.group_ns.value_at_quantile(0.5) as f64 / GROUP as f64)
        .with("claim_p99_ns", lane.group_ns.value_at_quantile(0.99) as f64 / GROUP as f64)
        .with("lane_million_per_second", lane.per_second / 1e6)
        .with("layout_million_per_second", IDS_PER_SECOND as f64 / 1e6);
    if let Some(server) = &arguments.server {
        let (latency, per_second) = served(&Client::new(server)?, &arguments).await?;
        let percentiles = latency.percentiles();
        figures = figures
            .with("http_batch_p50_ms", percentiles.p50)
            .with("http_batch_p99_ms", percentiles.p99)
            .with("http_million_per_second", per_second / 1e6);
    }
    Ok(figures)
}

struct LaneFigures {
    /// Of `GROUP` claims together, each with the look at the clock that a claim
    /// needs.
    group_ns: Histogram<u64>,
    /// Ids made one by one, if time never were in their way.
    per_second: f64,
}

fn lane() -> Result<LaneFigures, LaneRefusal> {
    let clock = RealClock::new();
    let started = clock.monotonic();
    let from = LogicalClock::at_unix_ms(u64::try_from(clock.wall().0).unwrap_or(0));
    let now = || from.plus_ms(clock.monotonic().since(started).as_millis() as u64);
    // Far enough that neither lease nor bound ends in between.
    let to = from.plus_ms(3_600_000);
    let lane = LaneClock::new(Lane::new(7).expect("there are 1,024"), from, to);
    lane.set_durable(to);
    let mut group_ns = Histogram::new_with_bounds(1, 1_000_000_000, 3).expect("good bounds");
    for _ in 0..100_000 {
        let before = clock.monotonic();
        for _ in 0..GROUP {
            black_box(lane.claim(now(), 1)?);
        }
        let spent = clock.monotonic().since(before).as_nanos();
        group_ns.saturating_record(u64::try_from(spent).unwrap_or(u64::MAX).max(1));
    }
    // The layout's time goes on with the ids instead of the clock, so that the
    // lane and not the clock is what is measured.
    let ids = LAYOUT_SECONDS * IDS_PER_SECOND;
    let before = clock.monotonic();
    let mut at = lane.next();
    for _ in 0..ids {
        at = black_box(lane.claim(at, 1)?).clock();
    }
    let seconds = clock.monotonic().since(before).as_secs_f64();
    Ok(LaneFigures { group_ns, per_second: ids as f64 / seconds })
}

/// Batches one after the other; what each took, and ids a second.
async fn served(client: &Client, arguments: &IdsBench) -> Result<(Latency, f64), Failure> {
    let clock = RealClock::new();
    let started = clock.monotonic();
    let (mut latency, mut ids) = (Latency::default(), 0);
    let request = IdsRequest { count: arguments.batch };
    while clock.monotonic().since(started) < Duration::from_secs(arguments.seconds) {
        let before = clock.monotonic();
        let reply: IdsReply = client.post("/v1/ids", &request).await?;
        latency.record(clock.monotonic().since(before));
        ids += u64::from(reply.count);
    }
    let seconds = clock.monotonic().since(started).as_secs_f64().max(1e-9);
    Ok((latency, ids as f64 / seconds))
}
