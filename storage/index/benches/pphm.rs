//! What a file of keys costs: bits per key, nanoseconds to build, merge and look up.
//!
//! ```text
//! cargo bench -p pyralog-index
//! ```
//!
//! Files lie in the temporary directory. Builds have 256 MiB, so the largest spills.
//! Lookups go to random keys, all blocks in memory: *apart*, each key depending on the
//! last answer, is what a single get waits; *together* is `newest_all`, where the waits
//! for memory overlap. *absent* keys are looked up one by one, known before. *memory* is
//! one read of a random place in as many bytes, each place depending on the last: what
//! the machine lets a lookup cost that touches memory once.

use pyralog_env::{Clock, Disk, Monotonic, RealClock, RealDisk};
use pyralog_index::{
    BlockCache, Builder, Entry, Facts, IndexOf, KeyIndex, KeyIndexOptions, Pphm, Reducer, Spec,
    hash_key, merge,
};
use pyralog_model::{Offset, PartitionId, StoreId};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

const BUDGET_BYTES: usize = 256 << 20;
const LOOKUPS: u64 = 2_000_000;
const TOGETHER: usize = 64;

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let bench = Bench { disk, clock: RealClock::new(), cache: Arc::new(BlockCache::new(1 << 40)) };
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{:>9}  {:>8} {:>8} {:>8}  {:>6} {:>6}  {:>7} {:>8} {:>7} {:>7} {:>7}",
        "keys",
        "all",
        "function",
        "rows",
        "build",
        "merge",
        "apart",
        "together",
        "absent",
        "cold",
        "memory"
    )
    .expect("a terminal");
    writeln!(out, "{:>9}  {:>26}  {:>13}  {:>40}", "", "bits/key", "ns/key", "ns/lookup")
        .expect("a terminal");
    for keys in [10_000, 100_000, 1_000_000, 10_000_000] {
        writeln!(out, "{}", bench.row(dir.path(), keys)).expect("a terminal");
    }
    writeln!(out, "{}", bench.index(&dir.path().join("keys"))).expect("a terminal");
}

struct Bench {
    disk: Arc<dyn Disk>,
    clock: RealClock,
    cache: Arc<BlockCache>,
}

impl Bench {
    fn row(&self, dir: &Path, keys: u64) -> String {
        let begun = self.clock.monotonic();
        let facts = self.build(&dir.join("whole"), 0..keys);
        let build_ns = self.ns_each(begun, keys);
        let parts = [0..keys / 4, keys / 4..keys / 2, keys / 2..keys];
        let paths = [0, 1, 2].map(|part| dir.join(format!("part{part}")));
        for (path, part) in paths.iter().zip(parts) {
            self.build(path, part);
        }
        let parts = paths.map(|path| self.open(&path));
        let inputs = parts.map(|part| (Arc::clone(&part), part.facts().spec.range.clone()));
        let begun = self.clock.monotonic();
        merge(&self.disk, &dir.join("merged"), &spec(0..keys), &Reducer::All, &inputs)
            .expect("a merge");
        let merge_ns = self.ns_each(begun, keys);
        let pphm = self.open(&dir.join("whole"));
        let cold_ns = self.lookups(&pphm, 1_000.min(keys / 10), keys);
        (0..keys).for_each(|key| assert!(pphm.newest(hash(key)).expect("a lookup").is_some()));
        let apart_ns = self.lookups(&pphm, LOOKUPS, keys);
        let together_ns = self.together(&pphm, keys);
        let memory_ns = self.memory(facts.file_bytes);
        let begun = self.clock.monotonic();
        let found =
            (0..LOOKUPS).filter(|key| pphm.newest(hash(keys + key)).expect("a lookup").is_some());
        assert_eq!(found.count(), 0, "absent keys are absent");
        let absent_ns = self.ns_each(begun, LOOKUPS);
        let all = facts.file_bytes as f64 * 8.0 / keys as f64;
        let rows = f64::from(64 - u32::from(facts.prefix_bits) + 65 - (2 * keys).leading_zeros());
        format!(
            "{keys:>9}  {all:>8.2} {:>8.2} {rows:>8.2}  {build_ns:>6.0} {merge_ns:>6.0}  \
             {apart_ns:>7.0} {together_ns:>8.0} {absent_ns:>7.0} {cold_ns:>7.0} {memory_ns:>7.0}",
            all - rows
        )
    }

    /// A whole index: ten files and a map, the key in the oldest, the newest or nowhere.
    fn index(&self, dir: &Path) -> String {
        const FILE: u64 = 100_000;
        let sealed = Offset(0)..Offset(0);
        let options = KeyIndexOptions { fan_out: 100, ..KeyIndexOptions::new(of(), 1) };
        let opened = KeyIndex::open(&self.disk, dir, options, sealed, &self.cache);
        let index = opened.expect("an index").index;
        let begun = self.clock.monotonic();
        index.insert_all((0..11 * FILE).map(|key| (hash(key), Offset(key), false)));
        let insert_ns = self.ns_each(begun, 11 * FILE);
        for file in 1..=10 {
            index.seal(Offset(file * FILE));
        }
        while let Some(work) = index.plan() {
            let reads = work.reads().map_or(0..0, |range| range.start.0..range.end.0);
            let entries = reads.map(|key| Ok(Entry::at(hash(key), Offset(key), false)));
            index.install(work.run(BUDGET_BYTES, entries)).expect("work");
        }
        let look = |keys: Range<u64>| {
            let get = |key| index.candidates_of(hash(key), Offset(u64::MAX >> 1)).next();
            keys.clone().for_each(|key| drop(get(key)));
            let begun = self.clock.monotonic();
            keys.clone().for_each(|key| drop(get(key)));
            self.ns_each(begun, keys.end - keys.start)
        };
        let (oldest, newest) = (look(0..FILE), look(10 * FILE + 1..11 * FILE));
        let absent = look(99 * FILE..100 * FILE);
        format!(
            "\nan index of {} files: insert {insert_ns:.0} ns, get from the oldest {oldest:.0} ns, \
             from the map {newest:.0} ns, absent {absent:.0} ns",
            index.files().len()
        )
    }

    fn build(&self, path: &Path, range: Range<u64>) -> Facts {
        let reducer = Arc::new(Reducer::All);
        let mut builder =
            Builder::new(&self.disk, path, spec(range.clone()), reducer, BUDGET_BYTES);
        for key in range {
            builder.push(Entry::at(hash(key), Offset(key), false)).expect("an entry");
        }
        builder.finish().expect("a file")
    }

    fn open(&self, path: &Path) -> Arc<Pphm> {
        Arc::new(Pphm::open(&self.disk, path, &self.cache).expect("a file"))
    }

    /// Nanoseconds of one lookup among `count` of random keys, one after the other.
    fn lookups(&self, pphm: &Pphm, count: u64, keys: u64) -> f64 {
        let begun = self.clock.monotonic();
        let mut last = 0;
        for at in 0..count {
            let key = scattered(at + (last & 1), keys);
            last = pphm.newest(hash(key)).expect("a lookup").expect("a key").offset.0;
            assert_eq!(last, key);
        }
        self.ns_each(begun, count)
    }

    /// Nanoseconds of one lookup among many at a time.
    fn together(&self, pphm: &Pphm, keys: u64) -> f64 {
        let begun = self.clock.monotonic();
        for at in (0..LOOKUPS).step_by(TOGETHER) {
            let some = at..at + TOGETHER as u64;
            let hashes: Vec<u64> = some.map(|at| hash(scattered(at, keys))).collect();
            let found = pphm.newest_all(&hashes).expect("lookups");
            assert!(found.iter().all(Option::is_some));
        }
        self.ns_each(begun, LOOKUPS)
    }

    /// Nanoseconds of one read of memory, in a ring through that many bytes.
    fn memory(&self, bytes: u64) -> f64 {
        let places = (bytes / 64) as usize;
        let mut ring: Vec<[u64; 8]> = (0..places as u64).map(|place| [place; 8]).collect();
        // Sattolo: one ring through all of them.
        for place in (1..places).rev() {
            ring.swap(place, scattered(place as u64, place as u64) as usize);
        }
        let begun = self.clock.monotonic();
        let last = (0..LOOKUPS).fold(0, |place, _| ring[place][0] as usize);
        assert!(last < places);
        self.ns_each(begun, LOOKUPS)
    }

    fn ns_each(&self, begun: Monotonic, count: u64) -> f64 {
        self.clock.monotonic().since(begun).as_nanos() as f64 / count as f64
    }
}

/// A key below `keys`, all over the place.
fn scattered(at: u64, keys: u64) -> u64 {
    let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((u128::from(mixed ^ (mixed >> 31)) * u128::from(keys)) >> 64) as u64
}

fn hash(key: u64) -> u64 {
    hash_key(1, &key.to_le_bytes())
}

fn of() -> IndexOf {
    IndexOf { store: StoreId(1), partition: PartitionId::new(1, 0) }
}

fn spec(range: Range<u64>) -> Spec {
    Spec { of: of(), range: Offset(range.start)..Offset(range.end), hash_seed: 1 }
}
