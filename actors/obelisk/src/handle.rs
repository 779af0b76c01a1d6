//! The Obelisk as this process asks it. The handle outlives the actors; clones are
//! the same Obelisk. It knows who answers what, and bounds how much is under way.

use crate::arena::ArenaMessage;
use crate::desk::Desk;
use crate::directory::{Decided, DirectoryMessage, HistoryLimits, OwnStart, start_command};
use crate::mint::{IDS_MAX, Mint};
use crate::seat::Seat;
use crate::services::{LanesMessage, leased_now};
use crate::steady::Steady;
use pyralog_directory::{Command, Directory, Outcome};
use pyralog_env::Clock;
use pyralog_model::{
    ApiError, CounterMode, CounterName, CounterNumber, ErrorCode, Incarnation, LogicalClock,
    NodeNumber, SessionId,
};
use pyralog_pharaoh::{
    Answer, Ask, AskOutcome, Asked, CLAIM_MAX, CounterView, DirectoryHub, Made, Membership,
    NodeStart, ObeliskStatus, Request,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// The longest that a follower waits for something to happen.
const FOLLOWER_PATIENCE_MS: u32 = 30_000;

/// What an Obelisk keeps under way and in memory.
#[derive(Debug, Clone)]
pub struct ObeliskLimits {
    /// Requests that are being answered.
    pub requests_max: usize,
    /// Followers of the directory that wait for something to happen.
    pub followers_max: usize,
    /// Commands in memory, for followers.
    pub commands_max: usize,
    /// Their bytes.
    pub commands_bytes_max: usize,
    /// The length of a lane's lease.
    pub lease_term_ms: u32,
}

impl Default for ObeliskLimits {
    fn default() -> ObeliskLimits {
        let HistoryLimits { commands_max, bytes_max } = HistoryLimits::default();
        ObeliskLimits {
            requests_max: 4_096,
            followers_max: 1_024,
            commands_max,
            commands_bytes_max: bytes_max,
            lease_term_ms: 600_000,
        }
    }
}

/// The handle. Made before the actors; until they serve it answers `unavailable`.
#[derive(Clone)]
pub struct ObeliskHandle(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) limits: ObeliskLimits,
    pub(crate) arena: Seat<ArenaMessage>,
    pub(crate) directory: Seat<DirectoryMessage>,
    pub(crate) lanes: Seat<LanesMessage>,
    pub(crate) hub: DirectoryHub,
    pub(crate) own: Arc<watch::Sender<OwnStart>>,
    pub(crate) steady: Steady,
    pub(crate) sessions: Desk,
    pub(crate) epochs: Desk,
    pub(crate) counters: Desk,
    pub(crate) mint: Mint,
    requests: Semaphore,
    followers: Semaphore,
}

impl ObeliskHandle {
    /// A handle without actors.
    pub fn new(clock: Arc<dyn Clock>, limits: ObeliskLimits) -> ObeliskHandle {
        let arena = Seat::new("the arena of counters");
        let steady = Steady::new(clock);
        let desk = |what| Desk::new(what, arena.clone());
        let scarab = Seat::new("the Obelisk's lane of ids");
        ObeliskHandle(Arc::new(Shared {
            requests: Semaphore::new(limits.requests_max),
            followers: Semaphore::new(limits.followers_max),
            limits,
            directory: Seat::new("the directory"),
            lanes: Seat::new("the service of lanes"),
            hub: DirectoryHub::default(),
            own: Arc::new(watch::Sender::new(None)),
            sessions: desk("the service of sessions"),
            epochs: desk("the service of epochs"),
            counters: desk("the service of counters"),
            mint: Mint::new(steady.clone(), scarab, desk("the tally of ids")),
            steady,
            arena,
        }))
    }

    /// The directory as this Obelisk decides it.
    pub fn directory(&self) -> Arc<Directory> {
        self.0.hub.directory()
    }

    /// Where the directory is published as this Obelisk decides it; for a node that
    /// has no copy of its own.
    pub fn hub(&self) -> DirectoryHub {
        self.0.hub.clone()
    }

    /// What came of this node's own start: told when it is registered or refused.
    pub fn own_start(&self) -> watch::Receiver<Option<Result<Membership, ApiError>>> {
        self.0.own.subscribe()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Ask for ObeliskHandle {
    fn ask(&self, request: Request) -> Asked {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.answer(request).await })
    }
}

impl fmt::Debug for ObeliskHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.directory().last_index();
        f.debug_struct("ObeliskHandle").field("index", &index).finish_non_exhaustive()
    }
}

impl Shared {
    async fn answer(&self, request: Request) -> AskOutcome {
        // Who has followed another directory is answered nothing of this one.
        let request = match matches!(request, Request::Knowing { .. }) {
            true => request.verified(&*self.known()?)?,
            false => request,
        };
        // A follower waits, and must not keep others from being answered.
        if let Request::Changes { after, wait_ms } = request {
            return self.changes(after, wait_ms).await;
        }
        let Ok(_permit) = self.requests.try_acquire() else {
            return Err(overloaded("requests are being answered", self.limits.requests_max));
        };
        match request {
            Request::Echo(bytes) => Ok(Answer::Echo(bytes)),
            Request::Start(start) => self.start(start).await,
            Request::Propose(command) => self.propose(command).await,
            Request::Changes { .. } | Request::Knowing { .. } => {
                unreachable!("it was taken out above")
            }
            Request::Snapshot { index, from } => {
                let piece = |reply| DirectoryMessage::Piece { index, from, reply };
                self.directory.call(piece).await
            }
            Request::LeaseLane { node, incarnation, floor } => {
                self.lease(node, incarnation, floor).await
            }
            Request::ReleaseLane { node, incarnation, lane, granted_to, used_to } => {
                check_node(node)?;
                let release = |reply| LanesMessage::Release {
                    node,
                    incarnation,
                    lane,
                    granted_to,
                    used_to,
                    reply,
                };
                self.lanes.change(release).await.map(|()| Answer::Released)
            }
            Request::Session => {
                let session = self.sessions.claim(CounterNumber::SESSIONS, 1).await?;
                Ok(Answer::Session(SessionId(session)))
            }
            Request::EpochLabels(count) => {
                let count = check_count(count, CLAIM_MAX)?;
                self.epochs.claim(CounterNumber::EPOCHS, count).await.map(Answer::EpochLabels)
            }
            Request::Ids(count) => {
                check_count(count, IDS_MAX)?;
                self.mint.ids(count, None).await.map(Answer::Ids)
            }
            Request::CausalTimestamp { after } => self.mint.ids(1, after).await.map(Answer::Ids),
            Request::CreateCounter { name, mode } => self.create_counter(name, mode).await,
            Request::Claim { counter, count } => self.claim(counter, count).await,
            Request::Value(counter) => self.value(counter).await.map(Answer::Value),
            Request::Status => self.status().await.map(Answer::Status),
        }
    }

    async fn start(&self, start: NodeStart) -> AskOutcome {
        let Decided { index, outcome } = self.decide(start_command(start)).await?;
        match (outcome, self.hub.directory().cluster()) {
            (Outcome::NodeStarted { number, incarnation }, Some(cluster)) => {
                Ok(Answer::Started { cluster, node: number, incarnation, index })
            }
            (other, _) => unreachable!("StartNode was answered by {other:?}"),
        }
    }

    /// What has a request of its own is not proposed: it comes with a check or a
    /// stamp that only this node can make.
    async fn propose(&self, command: Command) -> AskOutcome {
        match command {
            Command::CreateCounter { name, mode } => {
                let (number, index) = self.make_counter(name, mode).await?;
                Ok(Answer::Done { index, made: Made::Counter(number) })
            }
            Command::CreateLog { .. }
            | Command::CreateTypedLog { .. }
            | Command::DeleteLog { .. }
            | Command::AlterLog { .. }
            | Command::AlterSchema { .. }
            | Command::AddPartitions { .. } => {
                let Decided { index, outcome } = self.decide(command).await?;
                let made = match outcome {
                    Outcome::LogCreated(number) => Made::Log(number),
                    _ => Made::Nothing,
                };
                Ok(Answer::Done { index, made })
            }
            _ => {
                let message =
                    "this change of the directory is not proposed; it has its own request";
                Err(ApiError::new(ErrorCode::RequestInvalid, message))
            }
        }
    }

    /// Waits until something happened, at most as long as is asked for.
    async fn changes(&self, after: u64, wait_ms: u32) -> AskOutcome {
        if self.hub.directory().last_index() == after && wait_ms > 0 {
            let Ok(_permit) = self.followers.try_acquire() else {
                return Err(overloaded("followers wait", self.limits.followers_max));
            };
            let mut directories = self.hub.watch();
            let happened = directories.wait_for(|directory| directory.last_index() != after);
            let wait = Duration::from_millis(u64::from(wait_ms.min(FOLLOWER_PATIENCE_MS)));
            // Late or not, the directory is asked.
            let _ = tokio::time::timeout(wait, happened).await;
        }
        self.directory.call(|reply| DirectoryMessage::Changes { after, reply }).await
    }

    async fn lease(
        &self,
        node: NodeNumber,
        incarnation: Incarnation,
        floor: LogicalClock,
    ) -> AskOutcome {
        check_node(node)?;
        let lease = |reply| LanesMessage::Lease { node, incarnation, floor, reply };
        self.lanes.change(lease).await.map(Answer::Lane)
    }

    async fn create_counter(&self, name: CounterName, mode: CounterMode) -> AskOutcome {
        let (number, index) = self.make_counter(name, mode).await?;
        Ok(Answer::Counter { number, index })
    }

    /// In the directory first, which gives the number; then it gets its place in
    /// the arena, so that a full disk is met here. What stops in between is made
    /// good by the next who asks, or who claims.
    async fn make_counter(
        &self,
        name: CounterName,
        mode: CounterMode,
    ) -> Result<(CounterNumber, u64), ApiError> {
        let command = Command::CreateCounter { name, mode };
        self.known()?.check(&command)?;
        let Decided { index, outcome } = self.decide(command).await?;
        let Outcome::CounterCreated(number) = outcome else {
            unreachable!("CreateCounter was answered by {outcome:?}")
        };
        self.arena.call(|reply| ArenaMessage::Open { counter: number, reply }).await?;
        Ok((number, index))
    }

    async fn claim(&self, counter: CounterNumber, count: u32) -> AskOutcome {
        let count = check_count(count, CLAIM_MAX)?;
        if self.known()?.counter_mode(counter).is_none() {
            return Err(no_counter(counter));
        }
        self.counters.claim(counter, count).await.map(Answer::Claimed)
    }

    async fn value(&self, counter: CounterNumber) -> Result<CounterView, ApiError> {
        let own = [CounterNumber::EPOCHS, CounterNumber::SCARABS, CounterNumber::SESSIONS];
        if !own.contains(&counter) && self.known()?.counter_mode(counter).is_none() {
            return Err(no_counter(counter));
        }
        self.arena.call(|reply| ArenaMessage::View { counter, reply }).await
    }

    async fn status(&self) -> Result<ObeliskStatus, ApiError> {
        let own = self.own.borrow().clone();
        let own = own.ok_or_else(|| ApiError::unavailable("the directory"))??;
        let directory = self.hub.directory();
        Ok(ObeliskStatus {
            node: own.node,
            index: directory.last_index(),
            lanes_leased: leased_now(&self.hub, self.steady.now()),
            counters: directory.counter_count() as u64,
            sessions: self.sessions.value(CounterNumber::SESSIONS).unwrap_or(0),
            epoch_labels: self.epochs.value(CounterNumber::EPOCHS).unwrap_or(0),
        })
    }

    /// The directory, once it has been read. What is not in one that has not been
    /// read may be there all the same.
    fn known(&self) -> Result<Arc<Directory>, ApiError> {
        let directory = self.hub.directory();
        match directory.last_index() {
            0 => Err(ApiError::unavailable("the directory")),
            _ => Ok(directory),
        }
    }

    async fn decide(&self, command: Command) -> Result<Decided, ApiError> {
        self.directory.change(|reply| DirectoryMessage::Decide { command, reply }).await
    }
}

fn check_count(count: u32, most: u32) -> Result<u64, ApiError> {
    if (1..=most).contains(&count) {
        return Ok(u64::from(count));
    }
    let message = format!("{count} were asked for; ask for 1 to {most} at a time");
    Err(ApiError::new(ErrorCode::RequestInvalid, message))
}

/// The Obelisks' own lanes are not for others.
fn check_node(node: NodeNumber) -> Result<(), ApiError> {
    match node {
        Directory::OBELISKS => {
            Err(ApiError::new(ErrorCode::RequestInvalid, "no node has the number 0"))
        }
        _ => Ok(()),
    }
}

fn no_counter(counter: CounterNumber) -> ApiError {
    let message = format!("no counter of a user has the number {}; create it first", counter.0);
    ApiError::new(ErrorCode::CounterNotFound, message)
}

fn overloaded(what: &str, most: usize) -> ApiError {
    let message = format!("{most} {what} already, the most there may be; try again");
    ApiError::new(ErrorCode::Overloaded, message)
}
