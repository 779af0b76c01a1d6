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

fn rss_mb() -> String {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines().filter(|l| l.starts_with("VmRSS") || l.starts_with("RssAnon") || l.starts_with("RssFile") || l.starts_with("VmHWM")).collect::<Vec<_>>().join(" ")
}

fn counter(n: u64) -> Command {
    Command::CreateCounter { name: format!("counter-{n}").parse().unwrap(), mode: CounterMode::Exact }
}

#[tokio::test(flavor = "multi_thread")]
async fn million() {
    let dir = std::path::PathBuf::from(std::env::var("MILLION_DIR").unwrap());
    let n: u64 = std::env::var("MILLION_N").unwrap().parse().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::default());
    let prepare = !dir.join("obelisk/directory.redb").exists();
    if prepare {
        let mut d = Directory::default();
        d.apply(1, &Command::FoundCluster { cluster: ClusterId(1) }).unwrap();
        let t = Instant::now();
        let mut worst = Duration::ZERO;
        for i in 0..n {
            let published = d.clone();
            let t1 = Instant::now();
            d.apply(d.last_index() + 1, &counter(i)).unwrap();
            worst = worst.max(t1.elapsed());
            drop(published);
        }
        println!("{n} creates with a published clone: {:?}, each {:?}, worst {worst:?}", t.elapsed(), t.elapsed() / n as u32);
        let t = Instant::now();
        let s = d.snapshot();
        println!("snapshot {} bytes in {:?}", s.len(), t.elapsed());
        let t = Instant::now();
        let r = Directory::restore(&s).unwrap();
        println!("restore in {:?} {}", t.elapsed(), r == d);
        std::fs::create_dir_all(dir.join("obelisk")).unwrap();
        let (k, _) = Keeper::start(disk.clone(), &dir.join("obelisk/directory.redb"), HealthLatch::default()).unwrap();
        for i in 1..=d.last_index().min(1) { k.append(i, Command::FoundCluster { cluster: ClusterId(1) }.encode()).await.unwrap(); }
        let _ = k; drop(k);
        // one snapshot of everything
        let log = pyralog_store::Keeper::start(disk.clone(), &dir.join("obelisk/directory.redb"), HealthLatch::default()).unwrap().0;
        log.save_snapshot(d.last_index(), s).await.unwrap();
        drop(log);
        println!("prepared {}", rss_mb());
        return;
    }
    println!("before {}", rss_mb());
    let clock: Arc<dyn Clock> = Arc::new(RealClock::default());
    let handle = ObeliskHandle::new(clock.clone(), ObeliskLimits::default());
    let next: u128 = std::env::var("MILLION_TOKEN").unwrap().parse().unwrap();
    let start = NodeStart { name: NodeName("o".into()), store: StoreId(5), roles: Roles { obelisk: true, pyramid: false }, presented: vec![StartToken(next - 1)], next: StartToken(next), advertised: Default::default() };
    let child = obelisk_child(ObeliskArguments { handle: handle.clone(), disk, data_dir: dir, cluster: ClusterId(1), start, arena: ArenaOptions::default(), cells: Arc::new(MappedSource), health: HealthLatch::default() });
    let t = Instant::now();
    let (root, _) = Supervisor::start("pyralog", SupervisorSpec::one_for_one(vec![child]), clock, None).await.unwrap();
    let Ok(Answer::Session(_)) = handle.ask(Request::Session).await else { panic!() };
    println!("ready, and one session given, in {:?}; {}", t.elapsed(), rss_mb());
    let t = Instant::now();
    let mut at = 16;
    while at < 16 + n {
        let tasks: Vec<_> = (at..(at + 4000).min(16 + n)).map(|c| { let h = handle.clone(); tokio::spawn(async move { loop { match h.ask(Request::Claim { counter: CounterNumber(c), count: 1 }).await { Ok(Answer::Claimed(_)) => break, Err(e) if e.code == ErrorCode::Unavailable || e.code == ErrorCode::Overloaded => tokio::task::yield_now().await, o => panic!("{o:?}") } } }) }).collect();
        for task in tasks { task.await.unwrap(); }
        at += 4000;
    }
    println!("{n} counters claimed from in {:?}; {}", t.elapsed(), rss_mb());
    let tree = Tree::new(root);
    let t = Instant::now();
    tree.shutdown(Duration::from_secs(60)).await.unwrap();
    println!("stopped in {:?}", t.elapsed());
}
