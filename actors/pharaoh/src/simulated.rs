//! An Obelisk for tests: the real directory and plain counters in memory, behind
//! [`Ask`], with outages to order. Clones are the same Obelisk; it forgets
//! everything with the last of them, as no real one does.

mod answering;

use crate::ask::{Ask, Asked};
use crate::caller::Endpoint;
use crate::children::directory_child;
use crate::copy::CopyArguments;
use crate::hub::DirectoryHub;
use crate::pharaoh::{Pharaoh, PharaohOptions};
use crate::protocol::Request;
use pyralog_behaviour::ChildSpec;
use pyralog_directory::{Command, Directory, Roles};
use pyralog_env::{Clock, Disk, RealEntropy};
use pyralog_model::{
    ApiError, ClusterId, CounterNumber, ErrorCode, LogicalClock, NodeName, StartToken, StoreId,
};
use pyralog_store::HealthLatch;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

/// Length of a lease, unless a test says otherwise.
const TERM_MS: u32 = 600_000;

/// How it treats whoever asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Manners {
    /// It answers.
    #[default]
    Well,
    /// It says that it does not serve, as a link that is down does.
    Away,
    /// It takes questions and never answers.
    BlackHole,
    /// It does what it is asked and loses the answer.
    LosesAnswers,
}

/// The Obelisk.
#[derive(Clone)]
pub struct SimObelisk(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    index: watch::Sender<u64>,
    clock: Arc<dyn Clock>,
}

struct State {
    directory: Directory,
    /// Those after `compacted`.
    commands: Vec<Command>,
    compacted: u64,
    snapshot: Vec<u8>,
    counters: BTreeMap<CounterNumber, u64>,
    manners: Manners,
    term_ms: u32,
    asked: u64,
    last_now: LogicalClock,
}

impl SimObelisk {
    /// The Obelisk of a cluster that was founded a moment ago.
    pub fn founded(cluster: ClusterId, clock: Arc<dyn Clock>) -> SimObelisk {
        let state = State {
            directory: Directory::default(),
            commands: Vec::new(),
            compacted: 0,
            snapshot: Vec::new(),
            counters: BTreeMap::new(),
            manners: Manners::default(),
            term_ms: TERM_MS,
            asked: 0,
            last_now: LogicalClock(0),
        };
        let shared = Shared { state: Mutex::new(state), index: watch::Sender::new(0), clock };
        let obelisk = SimObelisk(Arc::new(shared));
        obelisk.carry_out(Command::FoundCluster { cluster }).expect("the first command of all");
        obelisk
    }

    /// The way to it.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { name: "simulated:1".to_owned(), ask: Arc::new(self.clone()) }
    }

    /// A client of a Pyramid that has joined already, and the copy of the directory
    /// that it needs; no lane.
    ///
    /// # Panics
    /// If the directory refuses the node.
    pub fn member(&self, disk: Arc<dyn Disk>, store: StoreId) -> (Pharaoh, ChildSpec) {
        let advertised = BTreeMap::new();
        let name = NodeName(format!("node-{:x}", store.0));
        let roles = Roles { obelisk: false, pyramid: true };
        let token = self.directory().nodes().find(|node| node.store == store).map(|n| n.token);
        let presented: Vec<StartToken> = token.flatten().into_iter().collect();
        let next = StartToken(presented.first().map_or(1, |token| token.0 + 1));
        let start = Command::StartNode { name, store, roles, presented, next, advertised };
        self.carry_out(start).expect("nothing speaks against the node");
        let pharaoh = Pharaoh::new(PharaohOptions {
            endpoints: vec![self.endpoint()],
            hub: DirectoryHub::default(),
            clock: Arc::clone(&self.0.clock),
            entropy: Arc::new(RealEntropy),
        });
        let path = PathBuf::from("/data/pyramid/directory.redb");
        let copy = CopyArguments::new(disk, path, pharaoh.clone(), HealthLatch::default());
        (pharaoh, directory_child(copy))
    }

    /// Changes how it treats whoever asks.
    pub fn set_manners(&self, manners: Manners) {
        self.state().manners = manners;
    }

    /// Changes the length of the leases from now on.
    pub fn set_term_ms(&self, term_ms: u32) {
        self.state().term_ms = term_ms;
    }

    /// Keeps a snapshot in place of all commands so far.
    pub fn compact(&self) {
        let mut state = self.state();
        state.compacted = state.directory.last_index();
        state.snapshot = state.directory.snapshot();
        state.commands.clear();
    }

    /// Goes back to an earlier state, as one does whose files were put back from
    /// an old copy.
    pub fn go_back(&self, index: u64) {
        let mut state = self.state();
        assert!(state.compacted == 0, "it has no old state any more");
        state.commands.truncate(usize::try_from(index).expect("a test has few commands"));
        state.directory = Directory::default();
        for (index, command) in (1..).zip(state.commands.clone()) {
            state.directory.apply(index, &command).expect("it applied before");
        }
        drop(state);
        self.0.index.send_replace(index);
    }

    /// Its directory.
    pub fn directory(&self) -> Directory {
        self.state().directory.clone()
    }

    /// How many questions it has taken.
    pub fn asked(&self) -> u64 {
        self.state().asked
    }

    /// Changes the directory, as if somebody else had asked for it.
    ///
    /// # Errors
    /// Why the directory refuses.
    pub fn carry_out(
        &self,
        command: Command,
    ) -> Result<(u64, pyralog_directory::Outcome), ApiError> {
        let mut state = self.state();
        state.directory.check(&command)?;
        let index = state.directory.last_index() + 1;
        let outcome = state.directory.apply(index, &command)?;
        state.commands.push(command);
        drop(state);
        self.0.index.send_replace(index);
        Ok((index, outcome))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no one panics holding the state")
    }
}

impl Ask for SimObelisk {
    fn ask(&self, request: Request) -> Asked {
        let this = self.clone();
        Box::pin(async move {
            let manners = {
                let mut state = this.state();
                state.asked += 1;
                state.manners
            };
            match manners {
                Manners::Well => this.answer(request).await,
                Manners::Away => Err(ApiError::unavailable("the simulated Obelisk")),
                Manners::BlackHole => std::future::pending().await,
                Manners::LosesAnswers => {
                    let _ = this.answer(request).await;
                    Err(ApiError::new(ErrorCode::Timeout, "the answer was lost"))
                }
            }
        })
    }
}

impl std::fmt::Debug for SimObelisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimObelisk").finish_non_exhaustive()
    }
}
