//! `POST /v1/logs/{name}/records`: a stream of records in, counts and offsets
//! out.
//!
//! The body is read only as fast as appends are admitted, so memory is bounded
//! by the open batches and by [`IN_FLIGHT_MAX`] appends. The reply begins when
//! there is something to say: a mistake in the first records gets an HTTP
//! status; one after acknowledged records ends the stream with an error line
//! that says how many are safe.

use super::collector::{Collector, Full};
use super::lines::{Lines, Next};
use super::{NDJSON, line};
use crate::api::{AppendedPartition, ProduceProgress, ProduceReply};
use crate::logs;
use crate::reply::Refusal;
use crate::request::{NameInPath, Parameters};
use crate::routes::{LogContext, Logs};
use axum::body::{Body, BodyDataStream};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use pyralog_env::Monotonic;
use pyralog_model::{ErrorCode, PartitionId};
use pyralog_partition::{LogEntry, PendingAppend};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Appends submitted and not yet acknowledged.
const IN_FLIGHT_MAX: usize = 16;
/// How long a record waits for company.
const LINGER: Duration = Duration::from_millis(5);
/// How often the reply says how far it is. Rarely, because a client that sends
/// everything before it reads must not be able to block itself.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// A client that is told why its stream failed may be sending still. Closing at
/// once would reset the connection, and the reason would be lost with it: so
/// what comes is thrown away for this long, or until the client has stopped.
const PARTING: Duration = Duration::from_secs(1);
/// A body this close to its end is let arrive, so that the reply is a plain one.
const NEARLY_ENDED: Duration = Duration::from_millis(20);

/// What the query may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProduceQuery {
    partition: Option<u32>,
}

/// Appends every record of the body.
pub async fn produce(
    Logs(context): Logs,
    NameInPath(name): NameInPath,
    Parameters(query): Parameters<ProduceQuery>,
    body: Body,
) -> Result<Response, Refusal> {
    let log = logs::find(&context, &name)?;
    if log.internal {
        let message =
            format!("'{name}' belongs to the system; records are not appended to it from outside");
        return Err(Refusal::new(ErrorCode::LogNameInvalid, message));
    }
    let turn = context.turn.fetch_add(1, Ordering::Relaxed) as u32 % log.partitions;
    let batch_bytes_max = log.settings.max_message_bytes as usize;
    let collector = Collector::new(log.partitions, batch_bytes_max, query.partition, turn)?;
    let mut production = Production::new(context, log, collector, body.into_data_stream());
    let first = match production.next_line().await {
        Some(Ok(first)) => first,
        // Nothing is safe yet, so the whole request has failed.
        Some(Err(refusal)) => return Ok(production.refused(refusal).await),
        None => return Err(Refusal::new(ErrorCode::Internal, "a reply without a line")),
    };
    let rest = stream::unfold(production, |mut production| async {
        let next = production.next_line().await?;
        Some((next.unwrap_or_else(|refusal| production.failed(&refusal)), production))
    });
    let lines = stream::once(async { first }).chain(rest).map(Ok::<_, Infallible>);
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response())
}

/// An append on its way.
struct Pending {
    partition: u32,
    records: u64,
    /// Which record of the body its first one is, from 0.
    first: u64,
    append: PendingAppend,
}

/// One request on its way through.
struct Production {
    context: LogContext,
    log: Arc<LogEntry>,
    lines: Lines,
    collector: Collector,
    pending: VecDeque<Pending>,
    appended: BTreeMap<u32, AppendedPartition>,
    acknowledged: u64,
    /// The first record of a batch that could not be appended, if there is one.
    lost: Option<u64>,
    told: Monotonic,
    line_number: u64,
    ended: bool,
    finished: bool,
}

impl Production {
    fn new(
        context: LogContext,
        log: Arc<LogEntry>,
        collector: Collector,
        body: BodyDataStream,
    ) -> Production {
        let told = context.clock.monotonic();
        let lines = Lines::new(body, context.limits.line_bytes_max);
        Production {
            context,
            log,
            lines,
            collector,
            pending: VecDeque::new(),
            appended: BTreeMap::new(),
            acknowledged: 0,
            lost: None,
            told,
            line_number: 0,
            ended: false,
            finished: false,
        }
    }

    /// Works until there is a line to say; `None` after the last.
    async fn next_line(&mut self) -> Option<Result<Bytes, Refusal>> {
        if self.finished {
            if !self.ended {
                self.lines.discard(PARTING).await;
            }
            return None;
        }
        let said = self.work().await;
        let Err(refusal) = said else { return Some(said) };
        let refusal = logs::or_deleted(&self.context, &self.log, refusal);
        // Appends already submitted may still succeed; wait, so that the count
        // is right and no record appears after "failed".
        self.settle().await;
        self.finished = true;
        // With something acknowledged, the error becomes the stream's last line.
        Some(if self.acknowledged > 0 { Ok(self.failed(&refusal)) } else { Err(refusal) })
    }

    async fn work(&mut self) -> Result<Bytes, Refusal> {
        while !self.ended {
            self.step().await?;
            let now = self.context.clock.monotonic();
            if self.acknowledged > 0 && now.since(self.told) >= PROGRESS_EVERY {
                self.told = now;
                let (acknowledged, without_gap) = (self.acknowledged, self.without_gap());
                return Ok(line(&ProduceProgress { acknowledged, without_gap }));
            }
        }
        let full = self.collector.close_all();
        self.append_all(full).await?;
        while !self.pending.is_empty() {
            self.acknowledge().await?;
        }
        self.finished = true;
        let partitions = std::mem::take(&mut self.appended).into_values().collect();
        Ok(line(&ProduceReply { records: self.acknowledged, partitions }))
    }

    /// One line, or what is to be done while none comes.
    async fn step(&mut self) -> Result<(), Refusal> {
        let idle = self.collector.is_empty() && self.pending.is_empty();
        let patience = if idle { self.context.limits.body_timeout } else { LINGER };
        match self.next(patience).await? {
            Next::End => self.ended = true,
            Next::Quiet if idle => {
                return Err(Refusal::new(ErrorCode::Timeout, "no more records came in time"));
            }
            Next::Quiet => {
                let full = self.collector.close_all();
                self.append_all(full).await?;
                if !self.pending.is_empty() {
                    self.acknowledge().await?;
                }
            }
            Next::Line(text) if text.trim_ascii().is_empty() => self.line_number += 1,
            Next::Line(text) => {
                self.line_number += 1;
                let now = self.context.clock.wall().0;
                let full =
                    self.collector.take(&text, now).map_err(|refusal| self.at_line(0, refusal))?;
                self.append_all(full).await?;
            }
        }
        Ok(())
    }

    /// The next line of the body, unless the door is stopped: an append that was
    /// submitted is always waited for, but the rest of the body is not.
    async fn next(&mut self, patience: Duration) -> Result<Next, Refusal> {
        if let Some(line) = self.lines.ready() {
            return Ok(Next::Line(line));
        }
        let next = tokio::select! {
            biased;
            stopped = self.context.stopped() => return Err(stopped),
            next = self.lines.next(patience) => next,
        };
        next.map_err(|refusal| self.at_line(1, refusal))
    }

    /// How many of the first records are durable, all of them. A client that sends the
    /// others again loses none.
    fn without_gap(&self) -> u64 {
        let pending = self.pending.iter().map(|pending| pending.first);
        pending.chain(self.lost).fold(self.collector.first_open(), u64::min)
    }

    async fn append_all(&mut self, full: Vec<Full>) -> Result<(), Refusal> {
        let mut rest = full.into_iter();
        while let Some(full) = rest.next() {
            let first = full.first;
            if let Err(refusal) = self.append(full).await {
                // Those behind it are not sent either.
                rest.map(|full| full.first).chain([first]).for_each(|first| self.lose(first));
                return Err(refusal);
            }
        }
        Ok(())
    }

    async fn append(&mut self, full: Full) -> Result<(), Refusal> {
        let Full { partition, header, batch, first } = full;
        while self.pending.len() >= IN_FLIGHT_MAX {
            self.acknowledge().await?;
        }
        let id = PartitionId::new(self.log.number.0, partition);
        let append = self.context.shen.append(id, vec![(header, batch)]).await?;
        self.pending.push_back(Pending { partition, records: header.records(), first, append });
        Ok(())
    }

    /// Waits for the oldest append.
    async fn acknowledge(&mut self) -> Result<(), Refusal> {
        let Some(pending) = self.pending.pop_front() else { return Ok(()) };
        let Pending { partition, records, first, append } = pending;
        let appended = append.await.inspect_err(|_| self.lose(first))?;
        let first = appended.base_offset.0;
        self.acknowledged += records;
        let entry = self.appended.entry(partition).or_insert_with(|| AppendedPartition {
            partition,
            first_offset: first,
            last_offset: first,
            records: 0,
            durability: appended.durability.to_string(),
        });
        entry.last_offset = first + records - 1;
        entry.records += records;
        Ok(())
    }

    fn lose(&mut self, first: u64) {
        self.lost = Some(self.lost.map_or(first, |lost| lost.min(first)));
    }

    /// Waits for every append, whatever becomes of it.
    async fn settle(&mut self) {
        while !self.pending.is_empty() {
            let _ = self.acknowledge().await;
        }
    }

    /// Says in which line it is wrong: `ahead` of the one taken last.
    fn at_line(&self, ahead: u64, refusal: Refusal) -> Refusal {
        refusal.prefixed(&format!("line {}", self.line_number + ahead))
    }

    /// The reply to a request of which nothing was acknowledged.
    async fn refused(mut self, refusal: Refusal) -> Response {
        if self.ended || self.lines.discard(NEARLY_ENDED).await {
            return refusal.into_response();
        }
        let (status, document) = (refusal.status(), line(&refusal.body()));
        let parting = stream::once(async move {
            self.lines.discard(PARTING).await;
            Bytes::new()
        });
        let body = stream::once(async { document }).chain(parting).map(Ok::<_, Infallible>);
        (status, [(CONTENT_TYPE, "application/json")], Body::from_stream(body)).into_response()
    }

    /// The last line of a stream that failed after records became safe.
    fn failed(&self, refusal: &Refusal) -> Bytes {
        line(&json!({
            "error": refusal.body().error,
            "acknowledged": self.acknowledged,
            "without_gap": self.without_gap(),
        }))
    }
}
