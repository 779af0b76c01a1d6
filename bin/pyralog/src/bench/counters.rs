//! `bench counters`: what a value costs. A leased block beside a plain loop, in
//! the same run; an increment in an arena on the disk, and what the raises of its
//! bound add.

use super::{Figures, Machine};
use crate::cli::CountersBench;
use crate::failure::Failure;
use pyralog_counter::cells::MappedSource;
use pyralog_counter::{Arena, ArenaOptions, Block, ClaimRefusal, CounterHandle, Wish};
use pyralog_env::{Clock, Disk, Entropy, RealClock, RealDisk, RealEntropy};
use pyralog_model::{CounterNumber, StoreId};
use serde_json::json;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

const COUNTER: CounterNumber = CounterNumber::FIRST_OF_USERS;
/// The fastest of so many turns is the one that nothing else disturbed.
const TURNS: usize = 5;

/// Runs it.
pub fn run(arguments: &CountersBench) -> Result<Figures, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::failed(format!("cannot measure in {}: {error}", arguments.dir.display()))
    };
    let name = format!("pyralog-bench-arena-{:016x}", RealEntropy.next_u64());
    let dir = arguments.dir.join(name);
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    disk.create_dir_all(&dir).map_err(|error| failed(&error))?;
    let arena = arena(&disk, &dir, arguments);
    // Also when it failed.
    let removed = disk.remove_dir_all(&dir);
    let arena = arena.map_err(|error| failed(&error))?;
    removed.map_err(|error| failed(&error))?;
    let loops = loops(arguments.values);
    let settings = json!({ "values": arguments.values, "increments": arguments.increments });
    Ok(Figures::new("counters", settings, Machine::here(Some(&arguments.dir)))
        .with("plain_loop_ns", loops.plain_ns)
        .with("leased_value_ns", loops.leased_ns)
        .with("leased_to_plain_percent", 100.0 * loops.plain_ns / loops.leased_ns)
        .with("arena_increment_ns", arena.increment_ns)
        .with("arena_increment_with_raises_ns", arena.with_raises_ns)
        .with("arena_raise_ms", arena.raise_ms)
        .with("arena_raises_count", arena.raises as f64))
}

struct Loops {
    plain_ns: f64,
    leased_ns: f64,
}

/// In turns, so that a change of the processor's pace meets both.
fn loops(values: u64) -> Loops {
    let mut best = Loops { plain_ns: f64::MAX, leased_ns: f64::MAX };
    for _ in 0..TURNS {
        let plain = nanos(|| {
            let mut value = 0;
            while value < values {
                value += 1;
                black_box(value);
            }
        });
        let mut block = Block::new(1, values);
        let leased = nanos(|| {
            while let Some(value) = block.next() {
                black_box(value);
            }
        });
        best.plain_ns = best.plain_ns.min(plain / values as f64);
        best.leased_ns = best.leased_ns.min(leased / values as f64);
    }
    best
}

struct ArenaFigures {
    increment_ns: f64,
    with_raises_ns: f64,
    raise_ms: f64,
    raises: u64,
}

fn arena(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    arguments: &CountersBench,
) -> Result<ArenaFigures, pyralog_counter::CounterError> {
    // A small file: what is measured does not depend on its length.
    let options = ArenaOptions { file_bytes: 1 << 30, ..ArenaOptions::default() };
    let path = dir.join("arena");
    let (arena, _) = Arena::open(disk, &path, StoreId(1), &MappedSource, options)?;
    arena.create(&[COUNTER])?;
    let counter = arena.counter(COUNTER)?;
    let (mut issued, mut raises, mut raising_ns, mut raised) = (0, 0, 0.0, Ok(()));
    let all_ns = nanos(|| {
        while issued < arguments.increments && raised.is_ok() {
            issued += within_the_bound(&counter, arguments.increments - issued);
            let wish = [Wish { counter: COUNTER, count: 1 }];
            raising_ns += nanos(|| raised = arena.raise(&wish).map(|_| ()));
            raises += 1;
        }
    });
    raised?;
    Ok(ArenaFigures {
        increment_ns: (all_ns - raising_ns) / issued as f64,
        with_raises_ns: all_ns / issued as f64,
        raise_ms: raising_ns / raises as f64 / 1e6,
        raises,
    })
}

/// Increments until the bound is in the way; how many.
fn within_the_bound(counter: &CounterHandle, most: u64) -> u64 {
    for issued in 0..most {
        match counter.claim(1) {
            Ok(value) => black_box(value),
            Err(ClaimRefusal::NeedsRaise) => return issued,
            // What else is wrong, the raise that follows says.
            Err(_) => return issued,
        };
    }
    most
}

fn nanos(work: impl FnOnce()) -> f64 {
    let clock = RealClock::new();
    let started = clock.monotonic();
    work();
    clock.monotonic().since(started).as_nanos() as f64
}
