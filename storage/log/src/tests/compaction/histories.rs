//! Histories of a partition that is appended to, compacted, shortened and cut off from
//! its power, against the plain model. `PYRALOG_FULL=1` makes it twenty thousand.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

#[derive(Debug, Clone)]
enum Step {
    /// Keys and whether they have a value; below 0 none has a key.
    Append(Vec<(i8, bool)>, u8),
    Tasks,
    Seal,
    Wait(i64),
    /// Memory for few keys or many, and after how many bytes it is told to end.
    Round(bool, u64),
    Sweep,
    MoveStart(u8),
    Reboot(u64),
    /// The power goes so many operations later.
    CutIn(u64),
    FailSync(&'static str),
    Fill(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let record = (-1..12_i8, proptest::bool::weighted(0.8));
    prop_oneof![
        8 => (proptest::collection::vec(record, 1..6), 0..5_u8).prop_map(|(r, c)| Step::Append(r, c)),
        2 => Just(Step::Tasks),
        3 => Just(Step::Seal),
        2 => (1..900_i64).prop_map(Step::Wait),
        4 => (any::<bool>(), prop_oneof![Just(u64::MAX), 1..40_000_u64])
            .prop_map(|(few, bytes)| Step::Round(few, bytes)),
        1 => Just(Step::Sweep),
        1 => any::<u8>().prop_map(Step::MoveStart),
        1 => any::<u64>().prop_map(Step::Reboot),
        1 => (0..40_u64).prop_map(Step::CutIn),
        1 => prop_oneof![Just(".segment"), Just(".offsets"), Just("/logs/1/0")].prop_map(Step::FailSync),
        1 => (0..10_u64).prop_map(Step::Fill),
    ]
}

const COMPRESSIONS: [Compression; 5] = [
    Compression::None,
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

/// A world that may have stopped, and is started again when it has.
struct History {
    world: World,
    /// What was asked of the disk and may have happened.
    may_fail: bool,
    records: u64,
}

impl History {
    fn take(mut self, step: &Step) -> Result<History, String> {
        match step {
            Step::Append(records, compression) => self.append(records, *compression),
            Step::Tasks => self.world.rig.run_tasks(),
            Step::Seal => self.seal(),
            Step::Wait(ms) => self.world.now += ms,
            Step::Round(few, bytes) => self.round(*few, *bytes)?,
            Step::Sweep => drop(self.world.log().sweep()),
            Step::MoveStart(part) => self.move_start(*part),
            Step::Reboot(seed) => return self.reboot(*seed),
            Step::CutIn(operations) => {
                self.world.rig.disk.arm_crash_at(*operations);
                self.may_fail = true;
            }
            Step::FailSync(part) => {
                self.world.rig.disk.fail_next_sync(part);
                self.may_fail = true;
            }
            Step::Fill(pages) => {
                let disk = &self.world.rig.disk;
                disk.set_capacity(disk.used_bytes() + pages * 4_096);
                self.may_fail = true;
            }
        }
        let rig = &self.world.rig;
        let stopped = rig.disk.is_off() || rig.committer.failure().is_some();
        match stopped || rig.writer.failure().is_some() {
            true if !self.may_fail => Err(format!("it stopped at {step:?}")),
            true => self.reboot(7),
            false => self.world.check().map(|()| self),
        }
    }

    fn append(&mut self, records: &[(i8, bool)], compression: u8) {
        let now = self.world.now;
        let sent: Vec<Sent> = records
            .iter()
            .map(|(key, has_value)| {
                self.records += 1;
                let value = format!("{} {}", self.records, "v".repeat(self.records as usize % 97));
                Sent {
                    key: (*key >= 0).then(|| format!("key {key}")),
                    value: (*has_value || *key < 0).then_some(value),
                    // Producers' clocks are not ours.
                    time: now - (self.records as i64 * 7919) % 500,
                }
            })
            .collect();
        // What is refused was not sent; what was under way when the power went may be
        // found, and is then cut off below.
        let _ = self.world.append(&sent, COMPRESSIONS[usize::from(compression)]);
    }

    fn seal(&mut self) {
        let rig = &mut self.world.rig;
        let task = rig.committer.finish();
        rig.tasks.extend(rig.committer.take_tasks());
        rig.tasks.push_back(task);
        rig.run_tasks();
        let _ = rig.writer.seal(&rig.logs[&P]);
    }

    fn round(&mut self, few: bool, bytes: u64) -> Result<(), String> {
        self.world.key_bytes_max = if few { 0 } else { 1 << 20 };
        let below = self.world.log().bounds().1;
        match self.world.round_for(bytes, below) {
            Ok(_) | Err(LogError::Closed) => Ok(()),
            Err(_) if self.may_fail => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn move_start(&mut self, part: u8) {
        let (start, end) = self.world.log().bounds();
        let to = start.0 + (end.0 - start.0) * u64::from(part) / 512;
        let _ = self.world.rig.move_start(P, to);
    }

    fn reboot(mut self, seed: u64) -> Result<History, String> {
        let rig = &self.world.rig;
        rig.disk.clear_faults();
        rig.disk.set_capacity(u64::MAX);
        rig.disk.crash(seed);
        // A batch that was on its way when the power went.
        let World { rig, ledger, now, key_bytes_max, sessions } = self.world;
        let acknowledged = rig.acknowledged.get(&P).cloned().unwrap_or_default();
        let mut rig =
            Rig::open(rig.disk, rig.checkpoints, rig.options).map_err(|error| error.to_string())?;
        let end = acknowledged.last().map_or(0, |(base, sent)| {
            base + pyralog_model::BatchHeader::parse(sent).unwrap().offsets()
        });
        rig.acknowledged.insert(P, acknowledged);
        if rig.logs[&P].bounds().1.0 > end {
            rig.truncate(P, end).map_err(|error| error.to_string())?;
        }
        rig.logs[&P].set_upkeep(compacting());
        self.world = World { rig, ledger, now, key_bytes_max, sessions };
        self.may_fail = false;
        self.world.check().map(|()| self)
    }
}

fn run(steps: &[Step]) -> Result<(), String> {
    let mut history = History { world: World::new(None), may_fail: false, records: 0 };
    for step in steps {
        history = history.take(step)?;
    }
    let mut history = history.reboot(11)?;
    history.seal();
    history.round(false, u64::MAX)?;
    history.world.check()?;
    history.reboot(12).map(|_| ())
}

fn cases() -> u32 {
    if std::env::var("PYRALOG_FULL").is_ok_and(|full| full == "1") { 20_000 } else { 200 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn a_compacted_partition_agrees_with_the_model(
        steps in proptest::collection::vec(step(), 1..70),
    ) {
        run(&steps).map_err(TestCaseError::fail)?;
    }
}
