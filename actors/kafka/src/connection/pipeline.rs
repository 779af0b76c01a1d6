//! The life of a connection: requests in, responses out, in order.
//!
//! ```text
//!   socket ─▶ take in ─▶ queue of ≤ 64 ─▶ answer ─▶ socket
//!                │                           │
//!         produce requests are        … are awaited here;
//!         begun here, in order        all others are handled here
//! ```
//!
//! Requests take effect in the order in which they came. Produce requests one
//! after the other are begun without waiting, and so share a sync; a produce
//! request behind any other waits until that one is answered. Both ends run in
//! one task, so that dropping it leaves nothing behind.

use super::outbox::Outbox;
use crate::frame::{FrameError, Frames};
use crate::handlers::*;
use crate::reply::Reply;
use crate::request::{CloseReason, Parsed, Request, parse};
use crate::service::{Caller, Service, admit};
use bytes::Bytes;
use futures::poll;
use kafka_protocol::messages::ApiKey;
use pyralog_behaviour::Vitals;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

/// Requests of one connection that are taken in and not yet answered.
const REQUESTS_MAX: usize = 64;

/// How long what is taken in may take to be answered after the client has
/// closed its side.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Why a connection ended otherwise than by its client's wish.
#[derive(Debug, Error)]
pub(super) enum End {
    /// No further request could be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A request that cannot be answered.
    #[error(transparent)]
    Close(#[from] CloseReason),
    /// The client did not take its responses.
    #[error("a response could not be delivered: {0}")]
    Write(io::Error),
    /// No request for a long time.
    #[error("idle for {0:?}")]
    Idle(Duration),
}

/// What is to be answered.
enum Work {
    Produce(produce::Pending),
    Other(Request),
    ApiVersionsTooNew { correlation: i32 },
}

/// One request in the queue, with the room it takes.
struct Taken {
    work: Work,
    permits: Vec<OwnedSemaphorePermit>,
    /// Given back when the answer is written.
    turn: OwnedSemaphorePermit,
    /// Held by all but produce requests.
    order: Option<OwnedSemaphorePermit>,
}

/// The end that reads.
struct Intake {
    frames: Frames<OwnedReadHalf>,
    service: Arc<Service>,
    vitals: Vitals,
    room: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    others: Arc<Semaphore>,
    queue: mpsc::Sender<Taken>,
}

/// Serves until the client has enough, breaks the rules, or `stop` turns true.
pub(super) async fn serve(
    stream: TcpStream,
    service: Arc<Service>,
    caller: Caller,
    vitals: Vitals,
    mut stop: watch::Receiver<bool>,
) -> Result<(), End> {
    let (from, to) = stream.into_split();
    let settings = &service.settings;
    let (queue, taken) = mpsc::channel(REQUESTS_MAX);
    let intake = Intake {
        frames: Frames::new(from, settings.request_bytes_max, settings.transfer_timeout),
        service: service.clone(),
        vitals,
        room: Arc::new(Semaphore::new(settings.connection_bytes_max)),
        turns: Arc::new(Semaphore::new(REQUESTS_MAX)),
        others: Arc::new(Semaphore::new(REQUESTS_MAX)),
        queue,
    };
    let answering = answer_all(taken, to, &service, caller);
    tokio::pin!(answering);
    // The intake goes with its future, and with it the sending end of the
    // queue: what is left to do then is to answer what is in it.
    let ended = tokio::select! {
        ended = take_in_all(intake) => ended,
        ended = &mut answering => return ended,
        _ = stop.wait_for(|stop| *stop) => Ok(()),
    };
    match tokio::time::timeout(LAST_ANSWERS, answering).await {
        Ok(answered) => ended.and(answered),
        Err(_) => ended,
    }
}

async fn take_in_all(mut intake: Intake) -> Result<(), End> {
    while intake.wait().await? {
        let Intake { frames, service, room, .. } = &mut intake;
        let frame = frames
            .next(async |bytes| {
                let bytes_max = service.settings.connection_bytes_max;
                let own = admit(room, bytes, bytes_max).await;
                vec![own, service.admit_request(bytes).await]
            })
            .await?;
        intake.take_in(frame.bytes, frame.permits).await?;
    }
    Ok(())
}

impl Intake {
    /// Waits for a request; false if the client closed its side.
    async fn wait(&mut self) -> Result<bool, End> {
        let patience = self.service.settings.idle_timeout;
        loop {
            match tokio::time::timeout(patience, self.frames.ready()).await {
                Ok(ready) => return Ok(ready.map_err(FrameError::Io)?),
                // Who waits for a response is not idle.
                Err(_) if self.turns.available_permits() < REQUESTS_MAX => {}
                Err(_) => return Err(End::Idle(patience)),
            }
        }
    }

    async fn take_in(
        &mut self,
        frame: Bytes,
        permits: Vec<OwnedSemaphorePermit>,
    ) -> Result<(), End> {
        let turn = admit(&self.turns, 1, 1).await;
        let mut order = None;
        let work = match parse(frame)? {
            Parsed::Request(request) if request.served.key == ApiKey::Produce => {
                // All of them together are free only when none is held.
                drop(admit(&self.others, REQUESTS_MAX, REQUESTS_MAX).await);
                Work::Produce(produce::begin(&self.service, request).await?)
            }
            parsed => {
                order = Some(admit(&self.others, 1, 1).await);
                match parsed {
                    Parsed::Request(request) => Work::Other(request),
                    Parsed::ApiVersionsTooNew { correlation } => {
                        Work::ApiVersionsTooNew { correlation }
                    }
                }
            }
        };
        self.vitals.handled();
        let taken = Taken { work, permits, turn, order };
        // The answering end goes only with the whole connection.
        let _ = self.queue.send(taken).await;
        Ok(())
    }
}

async fn answer_all(
    mut queue: mpsc::Receiver<Taken>,
    to: OwnedWriteHalf,
    service: &Service,
    caller: Caller,
) -> Result<(), End> {
    let mut outbox = Outbox::new(to, service.settings.transfer_timeout);
    loop {
        let taken = match queue.try_recv() {
            Ok(taken) => taken,
            Err(_) => {
                outbox.flush().await.map_err(End::Write)?;
                match queue.recv().await {
                    Some(taken) => taken,
                    None => return Ok(()),
                }
            }
        };
        let Taken { work, permits, turn, order } = taken;
        let mut reply = pin!(finish(service, caller, work));
        let reply = match poll!(&mut reply) {
            Poll::Ready(reply) => reply?,
            Poll::Pending => {
                outbox.flush().await.map_err(End::Write)?;
                reply.await?
            }
        };
        outbox.put(reply, (permits, turn, order)).await.map_err(End::Write)?;
    }
}

/// The answer to one request; none for a produce request that wants none.
async fn finish(
    service: &Service,
    caller: Caller,
    work: Work,
) -> Result<Option<Reply>, CloseReason> {
    match work {
        Work::Produce(pending) => pending.finish().await,
        // Boxed: the largest of them is far larger than a connection that waits.
        Work::Other(request) => Box::pin(answer(service, caller, &request)).await.map(Some),
        Work::ApiVersionsTooNew { correlation } => api_versions::too_new(correlation).map(Some),
    }
}

/// Handles one request that is not a produce request.
async fn answer(
    service: &Service,
    caller: Caller,
    request: &Request,
) -> Result<Reply, CloseReason> {
    match request.served.key {
        ApiKey::Fetch => fetch::handle(service, request).await,
        ApiKey::ListOffsets => list_offsets::handle(service, request).await,
        ApiKey::Metadata => metadata::handle(service, caller, request).await,
        ApiKey::OffsetCommit => offset_commit::handle(service, request).await,
        ApiKey::OffsetFetch => offset_fetch::handle(service, request).await,
        ApiKey::FindCoordinator => find_coordinator::handle(service, caller, request).await,
        ApiKey::JoinGroup => join_group::handle(service, caller, request).await,
        ApiKey::Heartbeat => heartbeat::handle(service, request).await,
        ApiKey::LeaveGroup => leave_group::handle(service, request).await,
        ApiKey::SyncGroup => sync_group::handle(service, request).await,
        ApiKey::DescribeGroups => describe_groups::handle(service, request).await,
        ApiKey::ListGroups => list_groups::handle(service, request).await,
        ApiKey::ApiVersions => api_versions::handle(request),
        ApiKey::CreateTopics => create_topics::handle(service, request).await,
        ApiKey::DeleteTopics => delete_topics::handle(service, request).await,
        ApiKey::DeleteRecords => delete_records::handle(service, request).await,
        ApiKey::InitProducerId => init_producer_id::handle(service, request).await,
        ApiKey::OffsetForLeaderEpoch => offset_for_leader_epoch::handle(service, request).await,
        ApiKey::DescribeConfigs => describe_configs::handle(service, request).await,
        ApiKey::AlterConfigs => alter_configs::handle(service, request).await,
        ApiKey::DescribeLogDirs => describe_log_dirs::handle(service, request).await,
        ApiKey::CreatePartitions => create_partitions::handle(service, request).await,
        ApiKey::DeleteGroups => delete_groups::handle(service, request).await,
        ApiKey::IncrementalAlterConfigs => {
            incremental_alter_configs::handle(service, request).await
        }
        ApiKey::OffsetDelete => offset_delete::handle(service, request).await,
        ApiKey::DescribeCluster => describe_cluster::handle(service, caller, request),
        key => Err(CloseReason::NotServed { key: key as i16, version: request.version }),
    }
}
