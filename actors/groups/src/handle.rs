//! The handle that doors hold. It outlives the actors behind it.

use crate::coordinator::CoordinatorArguments;
use crate::log::{COORDINATORS, GroupLogs, ShenLogs, coordinator_of};
use crate::machine::{FoundOffset, Reply, Request, dead};
use crate::protocol::*;
use crate::seat::{Seat, away};
use crate::settings::GroupSettings;
use futures::future::try_join_all;
use pyralog_behaviour::Vitals;
use pyralog_env::{Clock, Entropy};
use pyralog_partition::Shen;
use std::sync::Arc;
use std::time::Duration;

/// The longest name of a group in bytes.
const NAME_BYTES_MAX: usize = 249;
/// How long the internal log may take to be made and read.
const COORDINATION_PATIENCE: Duration = Duration::from_secs(10);

/// Consumer groups, as doors see them. Clones are cheap and share everything.
#[derive(Debug, Clone)]
pub struct Groups {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    logs: Arc<dyn GroupLogs>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Arc<GroupSettings>,
    /// By the number of the coordinator.
    seats: Vec<Arc<Seat>>,
}

/// What a group answers.
type Answer<T> = Result<T, GroupError>;

impl Groups {
    /// Groups whose records are kept behind `shen`. Somebody has to start
    /// [`groups_child`](crate::groups_child).
    pub fn new(
        shen: Shen,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: GroupSettings,
    ) -> Groups {
        Groups::over(Arc::new(ShenLogs::new(&shen)), clock, entropy, settings)
    }

    /// Groups whose records are kept in any log.
    pub fn over(
        logs: Arc<dyn GroupLogs>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: GroupSettings,
    ) -> Groups {
        let seat = |_| Arc::new(Seat::new(settings.limits.requests_max));
        let seats = (0..COORDINATORS).map(seat).collect();
        let settings = Arc::new(settings);
        Groups { shared: Arc::new(Shared { logs, clock, entropy, settings, seats }) }
    }

    /// Makes sure that groups of this name can be coordinated here; creates the
    /// internal log if need be, and waits until the coordinator has read its part.
    ///
    /// # Errors
    /// The name cannot be, no Obelisk makes the log, or it takes too long.
    pub async fn coordinate(&self, group: &str) -> Answer<()> {
        check_name(group)?;
        if !self.shared.logs.exist() {
            self.shared.logs.create().await.map_err(GroupError::Unavailable)?;
        }
        self.seat(group).serving(COORDINATION_PATIENCE).await
    }

    /// Joins; returns when the round is complete.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn join(&self, join: JoinGroup) -> Answer<Joined> {
        self.coordinate(&join.group).await?;
        let group = join.group.clone();
        match self.ask(&group, Request::Join(join)).await? {
            Reply::Joined(joined) => Ok(joined),
            other => Err(mismatch(&other)),
        }
    }

    /// Gets an assignment; returns when the leader has given it.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn sync(&self, sync: SyncGroup) -> Answer<Synced> {
        let group = sync.group.clone();
        match self.ask(&group, Request::Sync(sync)).await? {
            Reply::Synced(synced) => Ok(synced),
            other => Err(mismatch(&other)),
        }
    }

    /// Keeps a member in.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn heartbeat(&self, heartbeat: Heartbeat) -> Answer<()> {
        let group = heartbeat.group.clone();
        self.ask(&group, Request::Heartbeat(heartbeat)).await.map(|_| ())
    }

    /// Takes members out; one answer for each, in order.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn leave(&self, leave: LeaveGroup) -> Answer<Vec<Answer<()>>> {
        let group = leave.group.clone();
        each(self.ask(&group, Request::Leave(leave)).await?)
    }

    /// Commits; returns when it is durable, with one answer for each, in order.
    /// Whether the partitions exist is the caller's to know.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn commit(&self, commit: CommitOffsets) -> Answer<Vec<Answer<()>>> {
        self.coordinate(&commit.group).await?;
        let group = commit.group.clone();
        each(self.ask(&group, Request::Commit(commit)).await?)
    }

    /// What was committed and is durable.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn fetch(&self, fetch: FetchOffsets) -> Answer<Vec<PartitionOffset>> {
        check_name(&fetch.group)?;
        if !self.shared.logs.exist() {
            let partitions = fetch.partitions.unwrap_or_default().into_iter();
            let nothing = |partition| PartitionOffset { partition, committed: None };
            return Ok(partitions.map(nothing).collect());
        }
        let (group, everything) = (fetch.group.clone(), fetch.partitions.is_none());
        match self.ask_when_loaded(&group, Request::Fetch(fetch)).await? {
            Reply::Fetched(found) => Ok(self.shown(found, everything)),
            other => Err(mismatch(&other)),
        }
    }

    /// What is of the logs that there are now. The coordinator may not have heard yet
    /// that one is gone.
    fn shown(&self, found: Vec<FoundOffset>, everything: bool) -> Vec<PartitionOffset> {
        let mut shown = Vec::with_capacity(found.len());
        for of_one in found.chunk_by(|a, b| a.partition.topic == b.partition.topic) {
            let log = self.shared.logs.number(&of_one[0].partition.topic);
            shown.extend(of_one.iter().cloned().map(|found| found.shown(log)));
        }
        shown.retain(|offset| !everything || offset.committed.is_some());
        shown
    }

    /// Every group, sorted by name.
    ///
    /// # Errors
    /// A coordinator does not answer: a list without its groups would be a lie.
    pub async fn list(&self) -> Answer<Vec<GroupSummary>> {
        self.list_in(&GroupState::ALIVE).await
    }

    /// Those that are in one of these states, sorted by name.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn list_in(&self, states: &[GroupState]) -> Answer<Vec<GroupSummary>> {
        if !self.shared.logs.exist() {
            return Ok(Vec::new());
        }
        let asked = self.shared.seats.iter().map(|seat| async move {
            seat.serving(COORDINATION_PATIENCE).await?;
            seat.ask(Request::List(states.to_vec())).await
        });
        let mut parts = Vec::new();
        for reply in try_join_all(asked).await? {
            match reply {
                Reply::Listed(some) => parts.push(some),
                other => return Err(mismatch(&other)),
            }
        }
        let mut groups = Vec::with_capacity(parts.iter().map(Vec::len).sum());
        parts.into_iter().for_each(|part| groups.extend(part));
        groups.sort_by(|a: &GroupSummary, b| a.group.cmp(&b.group));
        Ok(groups)
    }

    /// One group; a description in state `Dead` if it is not there.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn describe(&self, group: &str) -> Answer<GroupDescription> {
        check_name(group)?;
        if !self.shared.logs.exist() {
            return Ok(dead(group.to_owned()));
        }
        match self.ask_when_loaded(group, Request::Describe(group.to_owned())).await? {
            Reply::Described(described) => Ok(described),
            other => Err(mismatch(&other)),
        }
    }

    /// Deletes a group without members, and its offsets.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn delete(&self, group: &str) -> Answer<()> {
        self.check_there(group)?;
        self.ask_when_loaded(group, Request::Delete(group.to_owned())).await.map(|_| ())
    }

    /// Forgets offsets of partitions that no member reads; one answer for each.
    ///
    /// # Errors
    /// See [`GroupError`].
    pub async fn delete_offsets(
        &self,
        group: &str,
        partitions: Vec<TopicPartition>,
    ) -> Answer<Vec<Answer<()>>> {
        self.check_there(group)?;
        let request = Request::DeleteOffsets(group.to_owned(), partitions);
        each(self.ask_when_loaded(group, request).await?)
    }

    /// What the coordinator of this number is started with.
    pub(crate) fn coordinator(&self, number: u32, vitals: Vitals) -> CoordinatorArguments {
        let shared = &self.shared;
        CoordinatorArguments {
            logs: Arc::clone(&shared.logs),
            log: shared.logs.partition(number),
            listed: shared.logs.listed(),
            seat: Arc::clone(&shared.seats[number as usize]),
            clock: Arc::clone(&shared.clock),
            entropy: Arc::clone(&shared.entropy),
            settings: Arc::clone(&shared.settings),
            vitals,
        }
    }

    fn check_there(&self, group: &str) -> Answer<()> {
        check_name(group)?;
        self.shared.logs.exist().then_some(()).ok_or(GroupError::NotFound)
    }

    fn seat(&self, group: &str) -> &Seat {
        &self.shared.seats[coordinator_of(group) as usize]
    }

    /// Whoever is no member does not know when a coordinator begins to answer.
    async fn ask_when_loaded(&self, group: &str, request: Request) -> Answer<Reply> {
        check_name(group)?;
        self.seat(group).serving(COORDINATION_PATIENCE).await?;
        self.seat(group).ask(request).await
    }

    async fn ask(&self, group: &str, request: Request) -> Answer<Reply> {
        check_name(group)?;
        self.seat(group).ask(request).await
    }
}

fn check_name(group: &str) -> Answer<()> {
    let fits = (1..=NAME_BYTES_MAX).contains(&group.len());
    fits.then_some(()).ok_or(GroupError::InvalidGroup)
}

fn each(reply: Reply) -> Answer<Vec<Answer<()>>> {
    match reply {
        Reply::Each(answers) => Ok(answers),
        other => Err(mismatch(&other)),
    }
}

/// A reply to another question: a bug, and no reason to fall over.
fn mismatch(reply: &Reply) -> GroupError {
    tracing::error!(?reply, "a coordinator answered another question; please report it");
    away()
}
