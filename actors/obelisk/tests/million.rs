//! Temporary measurement.
#![allow(clippy::all, clippy::disallowed_methods, clippy::disallowed_macros)]
use pyralog_behaviour::*;
use pyralog_counter::ArenaOptions;
use pyralog_counter::cells::MappedSource;
use pyralog_directory::*;
use pyralog_env::*;
use pyralog_model::*;
use pyralog_obelisk::*;
use pyralog_pharaoh::*;
use pyralog_store::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn parts() {
    let dir = std::path::PathBuf::from(std::env::var("MILLION_DIR").unwrap());
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::default());
    let clock: Arc<dyn Clock> = Arc::new(RealClock::default());
    let mut token = 100u128;
    if let Ok(t) = std::env::var("MILLION_TOKEN") { token = t.parse().unwrap(); }
    for round in 0..3 {
    let handle = ObeliskHandle::new(clock.clone(), ObeliskLimits::default());
    let start = NodeStart { name: NodeName("o".into()), store: StoreId(5), roles: Roles { obelisk: true, pyramid: false }, presented: vec![StartToken(2), StartToken(token - 1)], next: StartToken(token), advertised: Default::default() };
    token += 1;
    let child = obelisk_child(ObeliskArguments { handle: handle.clone(), disk: disk.clone(), data_dir: dir.clone(), cluster: ClusterId(1), start, arena: ArenaOptions::default(), cells: Arc::new(MappedSource), health: HealthLatch::default() });
    let t = Instant::now();
    let h = handle.clone();
    let watch = tokio::spawn(async move { let mut w = h.own_start(); w.wait_for(|o| o.is_some()).await.unwrap(); t.elapsed() });
    let (root, _) = Supervisor::start("pyralog", SupervisorSpec::one_for_one(vec![child]), clock.clone(), None).await.unwrap();
    println!("round {round} registered {:?} started {:?}", watch.await.unwrap(), t.elapsed());
    let Ok(Answer::Session(_)) = handle.ask(Request::Session).await else { panic!() };
    println!("session {:?}", t.elapsed());
    let Ok(Answer::Session(_)) = handle.ask(Request::Session).await else { panic!() };
    println!("session {:?}", t.elapsed());
    Tree::new(root).shutdown(Duration::from_secs(60)).await.unwrap();
    }
}
