//! Records by their keys, beside a store that is killed, loses power, deletes and
//! compacts: every answer is held against a model.

use super::*;
use pyralog_env::Monotonic;
use pyralog_model::{CleanupPolicy, Compression, UpkeepSettings};
use pyralog_store::{FoundRecord, KeyQuestion, KeysError};
use std::collections::BTreeMap;

/// Offset and value of each version, the oldest first.
type Versions = Vec<(u64, Option<String>)>;

/// What the log has, and how it was come by.
struct History {
    rig: Rig,
    running: Running,
    writer: Writer,
    random: u64,
    model: BTreeMap<String, Versions>,
    start: u64,
    compacts: bool,
    /// Files that were built and merged by those that ran before.
    built: u64,
    merged: u64,
}

impl History {
    async fn begin(seed: u64) -> History {
        let mut rig = Rig::new();
        // Records come into segments soon, and index files are many.
        rig.options.wal_file_bytes = 64 << 10;
        rig.keys.memory_bytes = [64 << 10, 1 << 20, 256 << 20][seed as usize % 3];
        let running = rig.start().await.unwrap();
        let writer = running.writer().await;
        let (model, random) = (BTreeMap::new(), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut history = History {
            rig,
            running,
            writer,
            random,
            model,
            start: 0,
            compacts: seed % 4 == 3,
            built: 0,
            merged: 0,
        };
        history.settle();
        history
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 16) % bound
    }

    /// Says what a partition's actor would say when it starts.
    fn settle(&mut self) {
        self.writer.log.set_segment_bytes(8 << 10);
        self.running.store.keep_keys(&self.writer.log, true);
        if self.compacts {
            let compact = UpkeepSettings {
                cleanup: CleanupPolicy::Compact,
                segment_ms: 1,
                dirty_millionths_min: 0,
                ..UpkeepSettings::default()
            };
            self.writer.log.set_upkeep(compact);
        }
    }

    async fn append(&mut self) {
        let mut builder = BatchBuilder::new();
        let mut added = Vec::new();
        for n in 0..1 + self.below(20) {
            let offset = self.writer.end.0 + n;
            let key = format!("key {}", self.below(40));
            let value = match self.below(8) {
                0 => None,
                _ => Some(format!("{offset} {}", "v".repeat(self.below(1_500) as usize))),
            };
            // Without a key nobody finds it.
            let has_key = self.compacts || self.below(10) > 0;
            let key_bytes = has_key.then_some(key.as_bytes());
            builder.push(0, key_bytes, value.as_deref().map(str::as_bytes), &[]);
            if has_key {
                added.push((key, offset, value));
            }
        }
        let kind = [Compression::None, Compression::Lz4, Compression::Zstd][self.below(3) as usize];
        let batches = split_batches(builder.finish_compressed(kind).unwrap()).unwrap();
        self.running.append_all(&mut self.writer, batches).await.unwrap();
        for (key, offset, value) in added {
            self.model.entry(key).or_default().push((offset, value));
        }
    }

    async fn delete_some(&mut self) {
        let start = self.start + self.below(self.writer.end.0 - self.start + 1);
        let log = Arc::clone(&self.writer.log);
        self.start = self.running.store.move_start(&log, Offset(start)).await.unwrap().0;
        for versions in self.model.values_mut() {
            versions.retain(|(offset, _)| *offset >= self.start);
        }
    }

    fn count(&mut self) {
        let keys = self.running.store.metrics().keys;
        assert_eq!(keys.failures, 0);
        self.built += keys.built;
        self.merged += keys.merged;
    }

    /// Ends the process, or the power, and starts again.
    async fn restart(&mut self, loses_power: bool) {
        self.count();
        if loses_power {
            self.rig.disk.cut_power();
        }
        self.running.actor.kill();
        (&mut self.running.join).await.unwrap();
        if loses_power {
            let seed = self.below(u64::MAX);
            self.rig.disk.crash(seed);
        }
        self.rig.health = HealthLatch::default();
        self.running = self.rig.start().await.unwrap();
        let end = self.writer.end;
        self.writer = self.running.writer().await;
        let bounds = self.writer.log.bounds();
        assert_eq!((bounds, self.writer.end), ((Offset(self.start), end), end), "{loses_power}");
        self.settle();
    }

    async fn operate(&mut self) {
        match self.below(100) {
            0..60 => self.append().await,
            60..70 => self.running.store.look_after_keys().await.unwrap(),
            70..78 => {
                self.rig.clock.advance(Duration::from_secs(3_600 * 30));
                self.running.store.look_after().await.unwrap();
            }
            78..80 => self.delete_some().await,
            80..84 => {
                let loses_power = self.below(2) == 0;
                self.restart(loses_power).await;
            }
            84..85 => {
                self.running.store.keep_keys(&self.writer.log, false);
                self.running.store.look_after_keys().await.unwrap();
                let asked = self.find("key 1", self.writer.end, 1).await;
                assert!(matches!(asked, Err(KeysError::Off)), "{asked:?}");
                self.running.store.keep_keys(&self.writer.log, true);
            }
            _ => {
                let key = format!("key {}", self.below(42));
                self.check(&key).await;
            }
        }
    }

    async fn find(
        &self,
        key: &str,
        below: Offset,
        records_max: usize,
    ) -> Result<Vec<FoundRecord>, KeysError> {
        let question = KeyQuestion {
            key: Bytes::copy_from_slice(key.as_bytes()),
            below,
            records_max,
            bytes_max: usize::MAX,
            deadline: Monotonic(u64::MAX),
        };
        Ok(self.running.store.find(vec![(self.writer.log.id(), question)]).await?.remove(0))
    }

    async fn check(&mut self, key: &str) {
        let nothing = Versions::new();
        let (end, versions) = (self.writer.end, self.model.get(key).unwrap_or(&nothing).clone());
        let shown = |found: &FoundRecord| {
            let value = found.record.value.as_ref();
            (found.offset.0, value.map(|value| String::from_utf8(value.to_vec()).unwrap()))
        };
        let all: Versions = self.find(key, end, 1_000).await.unwrap().iter().map(shown).collect();
        assert!(all.is_sorted_by(|a, b| a.0 > b.0), "newest first");
        let newest = self.find(key, end, 1).await.unwrap();
        assert_eq!(newest.first().map(shown), all.first().cloned());
        if self.compacts {
            // Of a key that is not deleted the last version stays; a deletion may go.
            assert!(all.iter().all(|found| versions.contains(found)), "{key}: {all:?}");
            match versions.last() {
                Some((_, None)) => assert!(all.first().is_none_or(|found| found.1.is_none())),
                last => assert_eq!(all.first(), last, "{key}"),
            }
            return;
        }
        let expected: Versions = versions.iter().rev().cloned().collect();
        assert_eq!(all, expected, "{key}");
        // As of an earlier moment.
        let below = Offset(self.below(end.0 + 1));
        let before: Versions = expected.into_iter().filter(|found| found.0 < below.0).collect();
        let all: Versions = self.find(key, below, 1_000).await.unwrap().iter().map(shown).collect();
        assert_eq!(all, before, "{key} before {below}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_index_says_is_what_the_log_has() {
    let is_full = std::env::var("PYRALOG_FULL").is_ok_and(|full| full == "1");
    let (histories, operations) = if is_full { (2_000, 1_000) } else { (24, 600) };
    let (mut built, mut merged) = (0, 0);
    for seed in 0..histories {
        let mut history = History::begin(seed).await;
        for _ in 0..operations {
            history.operate().await;
        }
        history.running.store.look_after_keys().await.unwrap();
        for key in 0..42 {
            history.check(&format!("key {key}")).await;
        }
        history.count();
        (built, merged) = (built + history.built, merged + history.merged);
        history.running.kill().await;
    }
    assert!(built > histories && merged > 0, "{built} files built and {merged} merged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_log_takes_its_index_along() {
    let mut history = History::begin(0).await;
    for _ in 0..100 {
        history.append().await;
    }
    history.running.store.look_after_keys().await.unwrap();
    let dir = history.writer.log.keys_dir();
    assert!(history.rig.disk.exists(&dir).unwrap());
    history.running.store.delete_log(history.writer.log.id().log).await.unwrap();
    assert!(!history.rig.disk.exists(&dir).unwrap());
    let asked = history.find("key 1", Offset(9), 1).await;
    assert!(matches!(asked, Err(KeysError::Off)), "{asked:?}");
    history.running.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_makes_an_index_lag_and_nothing_else() {
    let mut history = History::begin(0).await;
    for _ in 0..200 {
        history.append().await;
    }
    history.running.store.look_after_keys().await.unwrap();
    let built = history.running.store.metrics().keys.built;
    history.rig.disk.fail_next_sync(".pphm");
    for _ in 0..200 {
        history.append().await;
    }
    history.running.store.look_after_keys().await.unwrap();
    assert!(history.running.store.metrics().keys.failures > 0);
    history.check("key 7").await;
    // It is tried again after a while.
    history.rig.clock.advance(Duration::from_secs(60));
    history.running.store.look_after_keys().await.unwrap();
    assert!(history.running.store.metrics().keys.built > built);
    history.check("key 7").await;
    history.running.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_batch_is_read_as_any_other_from_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new();
    let arguments = StoreArguments {
        disk: Arc::new(pyralog_env::RealDisk),
        clock: Arc::clone(&rig.clock) as Arc<dyn Clock>,
        pyramid: dir.path().join("pyramid"),
        store: StoreId(9),
        options: rig.options.clone(),
        upkeep: rig.upkeep,
        keys: rig.keys,
        health: rig.health.clone(),
        gauges: Arc::default(),
        vitals: Vitals::default(),
    };
    let (actor, join) = Actor::spawn(None, Store, arguments).await.unwrap();
    let store = call_t!(actor, StoreMessage::GiveHandle, 5_000).unwrap();
    let running = Running { actor, join, store, gauges: Arc::default() };
    let mut writer = running.writer().await;
    writer.log.set_segment_bytes(3 << 20);
    // Large enough for segments to be sealed, and the last one to be mapped again.
    for n in 0..900_u32 {
        let value = vec![n as u8; 1 + (n as usize * 37) % 24_000];
        running.append(&mut writer, &value).await.unwrap();
        let at = Offset(u64::from(n * 7_919 % (n + 1)));
        let one = writer.log.read_one(at).unwrap();
        assert_eq!(one.pieces, writer.log.read(at, 1).unwrap().pieces, "{at} of {n}");
        assert_eq!(one.pieces.len(), 1);
    }
    assert!(writer.log.sizes().segments > 1 && writer.log.read_one(Offset(900)).is_err());
    running.kill().await;
}
