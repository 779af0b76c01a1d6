//! `bench link`: what an Obelisk in another process costs. The same link carries
//! an echo and a lease in turns, so that their ratio is of one run.

mod obelisk_process;

use super::{Figures, Latency, Machine};
use crate::cli::LinkBench;
use crate::failure::Failure;
use obelisk_process::ObeliskProcess;
use pyralog_behaviour::{Supervisor, SupervisorSpec, Tree};
use pyralog_cluster::{LinkArguments, LinkSettings, Links, SelfIdentity, link_child};
use pyralog_directory::Roles;
use pyralog_env::{Clock, Entropy, RealClock, RealEntropy};
use pyralog_model::{
    ApiError, Boot, CounterMode, CounterNumber, LogicalClock, NodeName, StartToken, StoreId,
};
use pyralog_pharaoh::{
    Answer, DirectoryHub, Endpoint, LinkedObelisk, NodeStart, Pharaoh, PharaohOptions, Request,
};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Values of one lease: what an allocator asks for at first.
const LEASE_VALUES: u32 = 1_000;
const ECHO_BYTES: usize = 64;
/// A lease of a lane is written to the directory, and synced, each time.
const LANES_EVERY: u32 = 50;
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs it.
pub async fn run(arguments: LinkBench) -> Result<Figures, Failure> {
    let name = format!("pyralog-bench-link-{:016x}", RealEntropy.next_u64());
    let obelisk = ObeliskProcess::start(&arguments.dir.join(name)).await?;
    let asker = Asker::link(&obelisk).await?;
    let found = asker.measure(arguments.round_trips).await;
    asker.tree.shutdown(Duration::from_secs(5)).await.map_err(Failure::failed)?;
    let found = found.map_err(Failure::failed)?;
    let [echo, claim, lane] = [&found.echo, &found.claim, &found.lane].map(Latency::percentiles);
    let settings = json!({
        "round_trips": arguments.round_trips, "echo_bytes": ECHO_BYTES,
        "lease_values": LEASE_VALUES, "lanes_every": LANES_EVERY,
    });
    Ok(Figures::new("link", settings, Machine::here(Some(&arguments.dir)))
        .with("echo_p50_ms", echo.p50)
        .with("echo_p99_ms", echo.p99)
        .with("lease_p50_ms", claim.p50)
        .with("lease_p99_ms", claim.p99)
        .with("lease_to_echo_ratio", claim.p50 / echo.p50)
        .with("lane_p50_ms", lane.p50)
        .with("lane_p99_ms", lane.p99))
}

#[derive(Default)]
struct Found {
    echo: Latency,
    claim: Latency,
    lane: Latency,
}

/// The end of the link in this process: a Pyramid as far as the Obelisk knows.
struct Asker {
    tree: Tree,
    clock: Arc<dyn Clock>,
    pharaoh: Pharaoh,
    /// The way itself, without what the client adds.
    endpoint: Endpoint,
    start: NodeStart,
}

impl Asker {
    async fn link(obelisk: &ObeliskProcess) -> Result<Asker, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(RealEntropy);
        let store = StoreId(u128::from(RealEntropy.next_u64()) + 1);
        let roles = Roles { obelisk: false, pyramid: true };
        let links = Links::new(LinkSettings {
            identity: SelfIdentity { cluster: None, node: None, store, boot: Boot(1), roles },
            cookie: obelisk.cookie()?,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        });
        let child = link_child(LinkArguments { links: links.clone(), listener: None });
        let spec = SupervisorSpec::one_for_one(vec![child]);
        let started = Supervisor::start("bench", spec, Arc::clone(&clock), None).await;
        let (root, _) = started.map_err(Failure::failed)?;
        let endpoint = LinkedObelisk::endpoint(links.dial(obelisk.address()));
        let pharaoh = Pharaoh::new(PharaohOptions {
            endpoints: vec![endpoint.clone()],
            hub: DirectoryHub::default(),
            clock: Arc::clone(&clock),
            entropy,
        });
        let start = NodeStart {
            name: NodeName("bench".to_owned()),
            store,
            roles,
            presented: Vec::new(),
            next: StartToken(1),
            advertised: Default::default(),
        };
        Ok(Asker { tree: Tree::new(root), clock, pharaoh, endpoint, start })
    }

    async fn measure(&self, round_trips: u32) -> Result<Found, ApiError> {
        let joined = tokio::time::timeout(PATIENCE, self.pharaoh.join(self.start.clone())).await;
        let member = joined.map_err(|_| ApiError::unavailable("the Obelisk of the bench"))??;
        let counter = self.leased_counter().await?;
        let claim = Request::Claim { counter, count: LEASE_VALUES };
        let lane = Request::LeaseLane {
            node: member.node,
            incarnation: member.incarnation,
            floor: LogicalClock(0),
        };
        let mut found = Found::default();
        for turn in 0..round_trips {
            self.ask(Request::Echo(vec![0; ECHO_BYTES]), &mut found.echo).await?;
            self.ask(claim.clone(), &mut found.claim).await?;
            if turn % LANES_EVERY == 0 {
                self.ask(lane.clone(), &mut found.lane).await?;
            }
        }
        Ok(found)
    }

    async fn leased_counter(&self) -> Result<CounterNumber, ApiError> {
        let name = "bench".parse().expect("a good name");
        let create = Request::CreateCounter { name, mode: CounterMode::Leased };
        match self.pharaoh.ask(create).await? {
            Answer::Counter { number, .. } => Ok(number),
            _ => Err(ApiError::unavailable("the Obelisk's counter")),
        }
    }

    async fn ask(&self, request: Request, latency: &mut Latency) -> Result<(), ApiError> {
        let before = self.clock.monotonic();
        self.endpoint.ask.ask(request).await?;
        latency.record(self.clock.monotonic().since(before));
        Ok(())
    }
}
