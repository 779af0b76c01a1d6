//! A node that does what it is told, line by line.

use pyralog_behaviour::{Supervisor, SupervisorSpec, Tree, TreeNode};
use pyralog_cluster::*;
use pyralog_directory::Roles;
use pyralog_env::{RealClock, RealEntropy};
use pyralog_model::{Boot, ClusterId, NodeNumber, StoreId};
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Present in the environment of a process that is a node.
pub const ENVIRONMENT: &str = "PYRALOG_CLUSTER_TEST_NODE";

/// All memory is counted, for the hostile tests.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

static PANICS: AtomicU64 = AtomicU64::new(0);

pub const ECHO: u16 = 1;
pub const STUCK: u16 = 2;
pub const PANIC: u16 = 3;
pub const LARGE: u16 = 4;

struct Serve(u16);

impl Service for Serve {
    fn call(&self, body: Vec<u8>) -> Served {
        match self.0 {
            ECHO => Box::pin(std::future::ready(body)),
            STUCK => Box::pin(async {
                tokio::time::sleep(Duration::from_millis(1_500)).await;
                Vec::new()
            }),
            PANIC => Box::pin(async { panic!("asked to") }),
            _ => {
                let bytes = body.try_into().map_or(0, u32::from_be_bytes);
                Box::pin(std::future::ready(vec![7; bytes as usize]))
            }
        }
    }
}

#[test]
fn child_node() {
    let Ok(settings) = std::env::var(ENVIRONMENT) else { return };
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // The one panic that is asked for is not counted.
        if info.payload().downcast_ref::<&str>() != Some(&"asked to") {
            PANICS.fetch_add(1, Ordering::SeqCst);
            hook(info);
        }
    }));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let node = runtime.block_on(Node::start(&settings));
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let words: Vec<&str> = line.split(' ').collect();
        let answer = runtime.block_on(node.command(&words));
        say(&answer);
    }
    // The parent is gone, or wants it so.
    std::process::exit(0);
}

fn say(answer: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@ {answer}").unwrap();
    out.flush().unwrap();
}

struct Node {
    links: Links,
    tree: Tree,
}

impl Node {
    async fn start(settings: &str) -> Node {
        let number = |name: &str| -> u64 {
            let found =
                settings.split(',').find_map(|row| row.strip_prefix(name)?.strip_prefix('='));
            found.map_or(0, |value| value.parse().unwrap())
        };
        let known = |name| Some(number(name)).filter(|value| *value != 0);
        let identity = SelfIdentity {
            cluster: known("cluster").map(|id| ClusterId(id.into())),
            node: known("node").map(|node| NodeNumber(node as u32)),
            store: StoreId(number("store").into()),
            boot: Boot(number("boot")),
            roles: Roles { obelisk: number("store") == 1, pyramid: true },
        };
        let links = Links::new(LinkSettings {
            identity,
            cookie: Cookie::from_bytes([number("cookie") as u8; 32]),
            clock: Arc::new(RealClock::new()),
            entropy: Arc::new(RealEntropy),
        });
        for service in [ECHO, STUCK, PANIC, LARGE] {
            links.serve(service, Arc::new(Serve(service)));
        }
        let address = format!("127.0.0.1:{}", number("port"));
        let listener = std::net::TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Some(Arc::new(listener));
        let child = link_child(LinkArguments { links: links.clone(), listener });
        let spec = SupervisorSpec::one_for_one(vec![child]);
        let clock = Arc::new(RealClock::new());
        let (root, _) = Supervisor::start("root", spec, clock, None).await.unwrap();
        say(&address.to_string());
        Node { links, tree: Tree::new(root) }
    }

    async fn command(&self, words: &[&str]) -> String {
        match words {
            ["dial", endpoint] => word(&self.links.dial(endpoint).state()),
            ["await", endpoint, wanted] => self.wait(endpoint, wanted).await,
            ["call", endpoint, service, bytes, patience_ms] => {
                let body = vec![5; bytes.parse().unwrap()];
                self.call(endpoint, service, body, patience_ms).await
            }
            ["large", endpoint, bytes] => {
                let body = bytes.parse::<u32>().unwrap().to_be_bytes().to_vec();
                self.call(endpoint, "4", body, "5000").await
            }
            ["flood", endpoint, calls, bytes] => self.flood(endpoint, calls, bytes).await,
            ["bench", endpoint, calls] => self.bench(endpoint, calls.parse().unwrap()).await,
            ["learn", cluster, node] => {
                self.links.identity().set_cluster(ClusterId(cluster.parse().unwrap()));
                self.links.identity().set_node(NodeNumber(node.parse().unwrap()));
                "done".to_owned()
            }
            ["kill", path] => format!("{:?}", self.tree.kill(path).await),
            ["tree"] => {
                let mut lines = Vec::new();
                walk(&self.tree.snapshot(Duration::from_secs(5)).await, &mut lines);
                lines.join(" ")
            }
            ["detail", path] => {
                let tree = self.tree.snapshot(Duration::from_secs(5)).await;
                format!("{:?}", find(&tree, path))
            }
            ["rows"] => rows(&self.links),
            ["panics"] => PANICS.load(Ordering::SeqCst).to_string(),
            ["memory"] => format!("{} {}", MEMORY.current_usage(), MEMORY.peak_usage()),
            ["forget-peak"] => {
                MEMORY.reset_peak_usage();
                "done".to_owned()
            }
            other => panic!("no such command: {other:?}"),
        }
    }

    async fn wait(&self, endpoint: &str, wanted: &str) -> String {
        let mut watch = self.links.dial(endpoint).watch();
        let holds = watch.wait_for(|state| word(state).starts_with(wanted));
        match tokio::time::timeout(Duration::from_secs(25), holds).await {
            Ok(state) => word(&state.unwrap()),
            Err(_) => format!("late: {}", word(&self.links.dial(endpoint).state())),
        }
    }

    async fn call(&self, endpoint: &str, service: &str, body: Vec<u8>, ms: &str) -> String {
        let patience = Duration::from_millis(ms.parse().unwrap());
        let peer = self.links.dial(endpoint);
        match peer.call(service.parse().unwrap(), body, patience).await {
            Ok(answer) => format!("ok {}", answer.len()),
            Err(error) => format!("{error:?}"),
        }
    }

    async fn flood(&self, endpoint: &str, calls: &str, bytes: &str) -> String {
        let (calls, bytes): (usize, usize) = (calls.parse().unwrap(), bytes.parse().unwrap());
        let peer = self.links.dial(endpoint);
        let tasks: Vec<_> = (0..calls)
            .map(|_| {
                let peer = peer.clone();
                tokio::spawn(async move {
                    peer.call(STUCK, vec![0; bytes], Duration::from_secs(5)).await
                })
            })
            .collect();
        let mut overloaded = 0;
        for task in tasks {
            overloaded += usize::from(task.await.unwrap() == Err(CallError::Overloaded));
        }
        overloaded.to_string()
    }

    async fn bench(&self, endpoint: &str, calls: usize) -> String {
        use pyralog_env::Clock;
        let (peer, clock) = (self.links.dial(endpoint), RealClock::new());
        let mut micros = Vec::with_capacity(calls);
        for _ in 0..calls {
            let began = clock.monotonic();
            peer.call(ECHO, vec![0; 64], Duration::from_secs(5)).await.unwrap();
            micros.push(clock.monotonic().since(began).as_micros());
        }
        micros.sort_unstable();
        format!("{} {}", micros[calls / 2], micros[calls * 99 / 100])
    }
}

/// A state as one line.
fn word(state: &PeerState) -> String {
    let known = |identity: &PeerIdentity| {
        let cluster = identity.cluster.map_or(0, |id| id.0);
        let node = identity.node.map_or(0, |node| node.0);
        format!("{} {} {cluster} {node}", identity.store.0, identity.boot.0)
    };
    match state {
        PeerState::Connecting { .. } => "connecting".to_owned(),
        PeerState::Up { identity } => format!("up {}", known(identity)),
        PeerState::Silent { identity } => format!("silent {}", known(identity)),
        PeerState::Refused { code, .. } => format!("refused {code:?}"),
    }
}

fn rows(links: &Links) -> String {
    let row = |row: LinkRow| {
        let node = row.identity.node.map_or(0, |node| node.0);
        format!("{}/{}/{node}", row.identity.store.0, if row.dialled { "out" } else { "in" })
    };
    let mut rows: Vec<String> = links.linked().into_iter().map(row).collect();
    rows.sort();
    rows.join(" ")
}

fn walk(node: &TreeNode, lines: &mut Vec<String>) {
    lines.push(node.path.clone());
    for child in &node.children {
        walk(child, lines);
    }
}

fn find<'a>(node: &'a TreeNode, path: &str) -> Option<&'a TreeNode> {
    match node.path == path {
        true => Some(node),
        false => node.children.iter().find_map(|child| find(child, path)),
    }
}
