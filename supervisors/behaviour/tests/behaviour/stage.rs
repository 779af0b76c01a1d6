//! A tree under test, with a clock that stands still unless it is moved: all
//! failures fall into one period, and no child ever becomes healthy by chance.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pyralog_behaviour::{
    Backoff, ChildSpec, Intensity, Report, ReportKind, Reports, StartChildError, Supervisor,
    SupervisorMessage, SupervisorSpec, Tree, TreeNode,
};
use pyralog_env::{Clock, Monotonic, WallMillis};
use ractor::concurrency::JoinHandle;
use ractor::{ActorCell, ActorRef, call_t};
use tokio::sync::broadcast;

use crate::probe::Journal;

pub const DEADLINE: Duration = Duration::from_secs(20);
pub const AT_ONCE: Backoff = Backoff { first: Duration::ZERO, max: Duration::from_millis(1) };

#[derive(Debug, Default)]
pub struct StoppedClock(AtomicU64);

impl Clock for StoppedClock {
    fn monotonic(&self) -> Monotonic {
        Monotonic(self.0.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallMillis {
        WallMillis(0)
    }
}

pub struct Stage {
    pub tree: Tree,
    pub join: JoinHandle<()>,
    pub journal: Journal,
    pub clock: Arc<StoppedClock>,
    reports: broadcast::Receiver<Report>,
}

pub fn unlimited(spec: SupervisorSpec) -> SupervisorSpec {
    spec.intensity(Intensity::unlimited())
}

impl Stage {
    pub async fn open(spec: SupervisorSpec, journal: &Journal) -> Stage {
        let (reports, clock) = (Reports::default(), Arc::new(StoppedClock::default()));
        let listener = reports.subscribe();
        let started = Supervisor::start("root", spec, clock.clone(), Some(reports)).await;
        let (root, join) = started.expect("the tree starts");
        let journal = journal.clone();
        Stage { tree: Tree::new(root), join, journal, clock, reports: listener }
    }

    pub fn root(&self) -> &ActorRef<SupervisorMessage> {
        self.tree.root()
    }

    pub fn pass(&self, time: Duration) {
        self.clock.0.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
    }

    pub async fn look(&self) -> TreeNode {
        let tree = self.tree.snapshot(DEADLINE).await;
        assert_ne!(tree.state, "unreachable");
        tree
    }

    pub async fn node(&self, path: &str) -> TreeNode {
        let tree = self.look().await;
        tree.find(path).unwrap_or_else(|| panic!("no {path} in {tree:#?}")).clone()
    }

    /// Looks again and again until the tree is as it should be.
    pub async fn until(&self, what: &str, is_so: impl Fn(&TreeNode) -> bool) -> TreeNode {
        let looked = tokio::time::timeout(DEADLINE, async {
            loop {
                let tree = self.look().await;
                if is_so(&tree) {
                    return tree;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        match looked.await {
            Ok(tree) => tree,
            Err(_) => panic!("never {what}: {:#?}", self.look().await),
        }
    }

    /// Waits until the actor at `path` is up in a later life than `generation`.
    pub async fn until_reborn(&self, path: &str, generation: u64) -> TreeNode {
        self.until(&format!("{path} is back"), |tree| {
            let all_up = tree.all().iter().all(|node| node.state == "running");
            all_up && tree.find(path).is_some_and(|node| node.generation > generation)
        })
        .await
    }

    pub async fn start_child(&self, spec: ChildSpec) -> Result<ActorCell, StartChildError> {
        call_t!(self.root(), SupervisorMessage::StartChild, 20_000, spec).unwrap()
    }

    pub async fn stop_child(&self, id: &str) -> bool {
        call_t!(self.root(), SupervisorMessage::StopChild, 20_000, id.to_owned()).unwrap()
    }

    /// The reports so far about `path`.
    pub fn reports_of(&mut self, path: &str) -> Vec<ReportKind> {
        self.reports().into_iter().filter(|report| report.path == path).map(|r| r.kind).collect()
    }

    pub fn reports(&mut self) -> Vec<Report> {
        std::iter::from_fn(|| self.reports.try_recv().ok()).collect()
    }

    pub async fn until_report(&mut self, path: &str, kind: ReportKind) -> Report {
        let heard = tokio::time::timeout(DEADLINE, async {
            loop {
                let report = self.reports.recv().await.expect("the reports go on");
                if report.path == path && report.kind == kind {
                    return report;
                }
            }
        });
        heard.await.unwrap_or_else(|_| panic!("no report that {path} {kind}"))
    }

    pub async fn close(self) {
        self.tree.shutdown(DEADLINE).await.expect("in order");
        self.join.await.unwrap();
    }
}

pub fn generations(tree: &TreeNode) -> BTreeMap<String, u64> {
    tree.all().iter().map(|node| (node.path.clone(), node.generation)).collect()
}

/// Paths whose generation differs between two looks.
pub fn reborn(before: &TreeNode, after: &TreeNode) -> Vec<String> {
    let before = generations(before);
    let after = generations(after);
    after
        .into_iter()
        .filter(|(path, now)| before.get(path) != Some(now))
        .map(|(path, _)| path)
        .collect()
}
