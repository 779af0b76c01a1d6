//! Sending records, and hearing what became of them.

use super::feed::{Fed, Feed, FeedRules, PIECES_WAITING, Piece};
use super::ledger::Ledger;
use super::progress::Progress;
use super::record::Records;
use crate::client::{Client, in_path};
use crate::failure::{Failure, Status};
use futures::StreamExt;
use futures::channel::mpsc;
use http_body_util::{BodyExt, StreamBody};
use hyper::Method;
use hyper::body::Frame;
use indicatif::HumanCount;
use pyralog_console::api::{ErrorBody, ProduceProgress, ProduceReply};
use pyralog_env::{Clock, RealClock};
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A line of the reply.
#[derive(Deserialize)]
#[serde(untagged)]
enum ReplyLine {
    Failed {
        error: ErrorBody,
        #[serde(default)]
        acknowledged: u64,
        #[serde(default)]
        without_gap: u64,
    },
    Done(ProduceReply),
    Progress(ProduceProgress),
}

/// Where records go.
pub struct Target<'a> {
    /// Who is asked.
    pub client: &'a Client,
    /// The log.
    pub log: &'a str,
    /// The partition of all of them; each by its key, else in turn, when absent.
    pub partition: Option<u32>,
}

/// What was read, and what became of it.
pub struct Loaded {
    /// What was read.
    pub fed: Fed,
    /// Where it is.
    pub reply: ProduceReply,
    /// From the first byte to the last acknowledgement.
    pub elapsed: Duration,
}

/// Appends every record. After an error the reader may still wait for its input:
/// nobody waits for it.
pub async fn load(
    target: Target<'_>,
    records: Box<dyn Records>,
    rules: FeedRules,
    progress: Progress,
) -> Result<Loaded, Failure> {
    let clock = RealClock::new();
    let started = clock.monotonic();
    let noun = records.noun();
    let (sender, receiver) = mpsc::channel(PIECES_WAITING);
    let feed = Feed::new(records, rules, sender, progress.clone());
    let reading = tokio::task::spawn_blocking(move || feed.run());
    let sending = Sending { target, progress, noun, ledger: Arc::default() };
    // What the server says explains why reading stopped, so it goes first.
    let reply = sending.send(receiver).await?;
    let (fed, read) = reading.await.map_err(Failure::failed)?;
    read.map_err(|failure| {
        let appended = records_text(reply.records);
        let were = was_or_were(reply.records);
        failure.help(format!(
            "{appended} before it {were} appended; `--skip-rows {}` goes on with it",
            fed.rows
        ))
    })?;
    Ok(Loaded { fed, reply, elapsed: clock.monotonic().since(started) })
}

struct Sending<'a> {
    target: Target<'a>,
    progress: Progress,
    noun: &'static str,
    ledger: Arc<Mutex<Ledger>>,
}

impl Sending<'_> {
    async fn send(&self, pieces: mpsc::Receiver<Piece>) -> Result<ProduceReply, Failure> {
        match self.append(pieces).await {
            Err(failure) => Err(self.target.client.explain(failure, self.target.log).await),
            done => done,
        }
    }

    async fn append(&self, pieces: mpsc::Receiver<Piece>) -> Result<ProduceReply, Failure> {
        let ledger = Arc::clone(&self.ledger);
        let body = StreamBody::new(pieces.map(move |Piece { bytes, mark }| {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).sent(mark);
            Ok::<_, Infallible>(Frame::data(bytes))
        }));
        let Target { client, log, partition } = &self.target;
        let query =
            partition.map(|partition| format!("?partition={partition}")).unwrap_or_default();
        let path = format!("/v1/logs/{}/records{query}", in_path(log));
        let mut safe = 0;
        let lines = client.stream(Method::POST, &path, body.boxed_unsync()).await;
        let mut lines = lines.map_err(|failure| self.told(failure, safe))?;
        while let Some(line) = lines.next().await.map_err(|failure| self.told(failure, safe))? {
            match serde_json::from_slice(&line) {
                Ok(ReplyLine::Progress(progress)) => {
                    safe = progress.acknowledged;
                    self.ledger().durable(progress.without_gap);
                    self.progress.durable(safe);
                }
                Ok(ReplyLine::Done(reply)) => return Ok(reply),
                Ok(ReplyLine::Failed { error, acknowledged, without_gap }) => {
                    self.ledger().durable(without_gap);
                    let message = self.ledger().translated(&error.message, self.noun);
                    let were = was_or_were(acknowledged);
                    let records = records_text(acknowledged);
                    let safe = format!("{records} {were} acknowledged before that");
                    let failure = Failure::from_server(&error.code, &message);
                    return Err(failure.help(format!("{safe}; {}", self.way_on())));
                }
                Err(error) => {
                    return Err(Failure::failed(format!(
                        "the server's answer cannot be understood: {error}"
                    )));
                }
            }
        }
        Err(self.told(Failure::new(Status::Retryable, "the server's answer broke off"), safe))
    }

    /// A failure with what is known of the records. A server that has answered with
    /// a code knows; a connection that broke does not.
    fn told(&self, failure: Failure, safe: u64) -> Failure {
        if failure.code.is_some() {
            return failure.reworded(|message| self.ledger().translated(message, self.noun));
        }
        if failure.status != Status::Retryable || failure.has_help() {
            return failure;
        }
        let (records, were) = (records_text(safe), was_or_were(safe));
        let known = format!("at least {records} {were} acknowledged; the rest is unknown");
        let doubt = records_text(self.ledger().in_doubt());
        failure.help(format!(
            "{known}; {}, but of the {doubt} or so that were on their way some may be in the log \
             already, and are there twice then",
            self.way_on()
        ))
    }

    /// How to go on after it broke off.
    fn way_on(&self) -> String {
        match self.ledger().rows_durable() {
            0 => "send the same input again to go on".to_owned(),
            rows => format!("`--skip-rows {rows}` with the same input goes on"),
        }
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn was_or_were(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// `1 record`, `27,004 records`.
pub fn records_text(count: u64) -> String {
    if count == 1 { "1 record".into() } else { format!("{} records", HumanCount(count)) }
}
