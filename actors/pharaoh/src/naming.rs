//! Ids, counters, sessions and labels, as the node's other parts ask for them.

use crate::allocator::{AllocatorMessage, RegistryMessage};
use crate::pharaoh::Pharaoh;
use crate::protocol::{Answer, CLAIM_MAX, CounterView, Request};
use pyralog_counter::Block;
use pyralog_model::{
    ApiError, CounterMode, CounterName, CounterNumber, ErrorCode, ScarabId, SessionId,
};
use ractor::rpc::CallResult;
use std::time::Duration;

/// How long this node may take to see in its directory what it has made.
const READ_YOUR_WRITES: Duration = Duration::from_secs(5);
/// As much longer than a claim as its way through two actors takes.
const ALLOCATOR_PATIENCE: Duration = Duration::from_secs(6);
/// How often an allocator is looked for, and the pause when it has just gone.
const ATTEMPTS: u32 = 8;
const RESTART_WAIT: Duration = Duration::from_millis(20);

/// Values of a counter, from `first` on without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The first of them.
    pub first: u64,
    /// How many.
    pub count: u32,
    /// The counter's mode.
    pub mode: CounterMode,
}

impl Pharaoh {
    /// As many ids in a row: the first of them, the others follow by
    /// `ScarabId::nth`. From this node's lane if it keeps one, else from an
    /// Obelisk; never from both, because what one asker gets has to go up.
    ///
    /// # Errors
    /// `obelisk-away` if the node has no lease and no Obelisk answers;
    /// `disk-full` if it cannot write down how far ids have come; `overloaded`.
    pub async fn ids(&self, count: u32) -> Result<ScarabId, ApiError> {
        let lane = &self.shared().lane;
        if lane.is_kept() {
            return self.ask_lane(None, count).await;
        }
        match self.ask(Request::Ids(count)).await? {
            Answer::Ids(first) => Ok(first),
            other => Err(Pharaoh::unexpected(&other)),
        }
    }

    /// One id, later than `after` and than every id this node has given out.
    ///
    /// # Errors
    /// `clock-ahead` if `after` lies too far in the future; else as `ids`.
    pub async fn causal(&self, after: Option<ScarabId>) -> Result<ScarabId, ApiError> {
        let lane = &self.shared().lane;
        if lane.is_kept() {
            return self.ask_lane(after, 1).await;
        }
        match self.ask(Request::CausalTimestamp { after }).await? {
            Answer::Ids(id) => Ok(id),
            other => Err(Pharaoh::unexpected(&other)),
        }
    }

    async fn ask_lane(&self, after: Option<ScarabId>, count: u32) -> Result<ScarabId, ApiError> {
        self.shared().lane.obtain(after, count).await.map_err(|lacking| {
            // Why there is no lease is known better by who asks for it.
            let why = self.state().last_error.filter(|_| lacking.code == ErrorCode::ObeliskAway);
            why.unwrap_or(lacking)
        })
    }

    /// The next `count` values of a counter.
    ///
    /// # Errors
    /// `counter-not-found`, `request-invalid` for a count of 0 or over
    /// `CLAIM_MAX`, `obelisk-away`; `timeout` if values may be lost unseen.
    pub async fn next(&self, name: &CounterName, count: u32) -> Result<Issued, ApiError> {
        check_count(count)?;
        let (number, mode) = self.find_counter(name).await?;
        let first = match mode {
            CounterMode::Exact => self.claim(number, count).await?,
            CounterMode::Leased => self.take_leased(number, count).await?,
        };
        Ok(Issued { first, count, mode })
    }

    /// As many values of a counter for one loop to use up: leased to it alone and
    /// never given to anybody else, used or not.
    ///
    /// # Errors
    /// As `next`.
    pub async fn block(&self, name: &CounterName, count: u32) -> Result<Block, ApiError> {
        check_count(count)?;
        let (number, _) = self.find_counter(name).await?;
        let first = self.claim(number, count).await?;
        Ok(Block::new(first, u64::from(count)))
    }

    /// What a counter stands at.
    ///
    /// # Errors
    /// `counter-not-found`, `obelisk-away`.
    pub async fn value(&self, name: &CounterName) -> Result<CounterView, ApiError> {
        let (number, _) = self.find_counter(name).await?;
        match self.ask(Request::Value(number)).await? {
            Answer::Value(view) => Ok(view),
            other => Err(Pharaoh::unexpected(&other)),
        }
    }

    /// Makes a counter, or finds it if it is there in this mode.
    ///
    /// # Errors
    /// `counter-exists` in the other mode, `counters-exhausted`, `obelisk-away`.
    pub async fn create_counter(
        &self,
        name: CounterName,
        mode: CounterMode,
    ) -> Result<CounterNumber, ApiError> {
        match self.ask(Request::CreateCounter { name, mode }).await? {
            Answer::Counter { number, index } => {
                self.shared().hub.reach(index, READ_YOUR_WRITES).await?;
                Ok(number)
            }
            other => Err(Pharaoh::unexpected(&other)),
        }
    }

    /// A session for a producer, never given before.
    ///
    /// # Errors
    /// `obelisk-away`.
    pub async fn session(&self) -> Result<SessionId, ApiError> {
        match self.ask(Request::Session).await? {
            Answer::Session(session) => Ok(session),
            other => Err(Pharaoh::unexpected(&other)),
        }
    }

    /// As many labels of epochs in a row: the first of them.
    ///
    /// # Errors
    /// `obelisk-away`.
    pub async fn epoch_labels(&self, count: u32) -> Result<u64, ApiError> {
        match self.ask(Request::EpochLabels(count)).await? {
            Answer::EpochLabels(first) => Ok(first),
            other => Err(Pharaoh::unexpected(&other)),
        }
    }

    /// Values straight from the counter's owner. A claim is not repeated in
    /// doubt: an exact counter would show a gap.
    pub(crate) async fn claim(&self, counter: CounterNumber, count: u32) -> Result<u64, ApiError> {
        match self.ask_once(Request::Claim { counter, count }).await? {
            Answer::Claimed(first) => Ok(first),
            other => Err(Pharaoh::unexpected(&other)),
        }
    }

    /// By the node's copy of the directory. A name that it does not show may have
    /// been made a moment ago elsewhere, so an Obelisk is asked how far it is.
    async fn find_counter(
        &self,
        name: &CounterName,
    ) -> Result<(CounterNumber, CounterMode), ApiError> {
        let hub = &self.shared().hub;
        if let Some(found) = hub.directory().counter(name) {
            return Ok((found.number, found.mode));
        }
        let Answer::Status(status) = self.ask(Request::Status).await? else {
            return Err(ApiError::unavailable("the Obelisk"));
        };
        let directory = hub.reach(status.index, READ_YOUR_WRITES).await?;
        let found = directory.counter(name).map(|found| (found.number, found.mode));
        found.ok_or_else(|| {
            let message = format!("there is no counter '{name}'; create it first");
            ApiError::new(ErrorCode::CounterNotFound, message)
        })
    }

    /// Asked again when the allocator goes, for want of work or otherwise, between
    /// its being found and its being asked.
    async fn take_leased(&self, counter: CounterNumber, count: u32) -> Result<u64, ApiError> {
        for _ in 0..ATTEMPTS {
            let found = self.shared().allocators().get(&counter).cloned();
            let Some(allocator) = found else {
                self.activate(counter).await?;
                continue;
            };
            let take = |reply| AllocatorMessage::Take { count, reply };
            match allocator.call(take, Some(ALLOCATOR_PATIENCE)).await {
                Ok(CallResult::Success(answer)) => return answer,
                Ok(CallResult::Timeout) => break,
                // It has gone, and starts again or has been taken out.
                Ok(CallResult::SenderError) | Err(_) => tokio::time::sleep(RESTART_WAIT).await,
            }
        }
        Err(ApiError::unavailable("the counter's allocator"))
    }

    async fn activate(&self, counter: CounterNumber) -> Result<(), ApiError> {
        let unavailable = || ApiError::unavailable("the registry of counters");
        let registry = self.shared().registry().ok_or_else(unavailable)?;
        let activate = |reply| RegistryMessage::Activate { counter, reply };
        match registry.call(activate, Some(ALLOCATOR_PATIENCE)).await {
            Ok(CallResult::Success(activated)) => activated,
            Ok(_) | Err(_) => Err(unavailable()),
        }
    }
}

fn check_count(count: u32) -> Result<(), ApiError> {
    if (1..=CLAIM_MAX).contains(&count) {
        return Ok(());
    }
    let message = format!("a claim is of 1 to {CLAIM_MAX} values, not {count}");
    Err(ApiError::new(ErrorCode::RequestInvalid, message))
}
