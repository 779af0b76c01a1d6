//! Random histories: what is running says the same as what its log says, and a
//! coordinator that starts in the middle of one goes on.

use super::*;
use crate::journal::Journal;
use crate::kept::Fold;
use crate::record::EncodedRecord;
use pyralog_env::Entropy;

/// A coordinator with its journal over a log in memory that refuses now and then.
struct History {
    chance: SimEntropy,
    bench: Bench,
    journal: Journal,
    log: Vec<(u64, EncodedRecord)>,
    end: u64,
    known: Vec<Joined>,
    callers: Vec<Caller>,
    checkpoints: u64,
    restarts: u64,
}

impl History {
    fn new(seed: u64) -> History {
        let limits = GroupLimits {
            checkpoint_bytes_min: 2_000,
            append_bytes_max: 400,
            ..GroupLimits::default()
        };
        let mut bench = Bench::with_limits(limits.clone());
        bench.writes_through = false;
        History {
            chance: SimEntropy::new(seed),
            bench,
            journal: Journal::new(&limits, 0),
            log: Vec::new(),
            end: 0,
            known: Vec::new(),
            callers: Vec::new(),
            checkpoints: 0,
            restarts: 0,
        }
    }

    fn below(&self, bound: u64) -> u64 {
        self.chance.next_u64() % bound
    }

    fn operate(&mut self) {
        let request = match self.below(16) {
            0..3 => Request::Join(JoinGroup { instance: self.some_instance(), ..join("") }),
            3..6 => match self.someone() {
                Some(one) => Request::Join(join(&one.member)),
                None => return,
            },
            6..8 => match self.someone() {
                Some(one) => sync(&one, &[(one.member.as_str(), "a")]),
                None => return,
            },
            8..11 => match self.someone() {
                Some(one) => Request::Commit(commit(&one, self.below(100) as i64)),
                None => Request::Commit(alone(self.below(100) as i64)),
            },
            11 => Request::Delete("g".into()),
            12 => Request::DeleteOffsets("g".into(), vec![partition("log", 0)]),
            13 => {
                let by = Duration::from_secs(self.below(30));
                return self.bench.pass(by);
            }
            14 => return self.bench.step(Input::LogsGone([("log".into(), Some(LOG))].into())),
            _ => return self.append(),
        };
        let caller = self.bench.ask(request);
        self.callers.push(caller);
        if self.below(2) == 0 {
            self.append();
        }
    }

    fn some_instance(&self) -> Option<String> {
        (self.below(3) == 0).then(|| format!("i{}", self.below(2)))
    }

    fn someone(&self) -> Option<Joined> {
        let known = self.known.len() as u64;
        (known > 0).then(|| self.known[self.below(known) as usize].clone())
    }

    fn append(&mut self) {
        for (token, records) in std::mem::take(&mut self.bench.writes) {
            self.journal.push(token, &records);
        }
        while let Some(records) = self.journal.next(self.bench.machine.kept()) {
            let base = (self.below(8) != 0).then_some(self.end);
            if base.is_some() {
                self.log.extend((self.end..).zip(records.iter().cloned()));
                self.end += records.len() as u64;
            }
            let decided = self.journal.appended(base);
            if let Some(before) = decided.trim {
                self.checkpoints += 1;
                self.log.retain(|(offset, _)| *offset >= before);
            }
            self.bench.step(Input::Written { tokens: decided.tokens, stored: decided.stored });
        }
        for caller in std::mem::take(&mut self.callers) {
            match self.bench.answer(caller) {
                Some(Ok(Reply::Joined(joined))) => self.known.push(joined),
                Some(_) => {}
                None => self.callers.push(caller),
            }
        }
    }

    fn folded(&self) -> (Kept, u64) {
        let start = self.log.first().map_or(self.end, |(offset, _)| *offset);
        let mut fold = Fold::new(if self.log.is_empty() { 0 } else { start });
        for (_, record) in &self.log {
            fold.push(&record.key, record.value.as_deref()).unwrap();
        }
        let folded = fold.finish().unwrap();
        (folded.kept, folded.bytes)
    }

    fn restart(&mut self) {
        let (kept, bytes) = self.folded();
        let settings = Arc::clone(&self.bench.settings);
        let entropy = Arc::new(SimEntropy::new(self.below(1_000)));
        self.journal = Journal::new(&settings.limits, bytes);
        self.bench.machine = Coordinator::new(settings, entropy, kept, self.bench.now);
        self.bench.writes.clear();
        self.callers.clear();
        self.restarts += 1;
    }
}

#[test]
fn the_fold_of_the_log_is_what_is_running() {
    let (mut checkpoints, mut restarts) = (0, 0);
    for seed in 0..150 {
        let mut history = History::new(seed);
        for step in 0..400 {
            history.operate();
            let (folded, _) = history.folded();
            assert_eq!(&folded, history.bench.machine.kept(), "seed {seed}, step {step}");
            if history.below(60) == 0 {
                history.restart();
            }
        }
        checkpoints += history.checkpoints;
        restarts += history.restarts;
    }
    assert!(checkpoints > 200, "only {checkpoints} checkpoints");
    assert!(restarts > 500, "only {restarts} restarts");
}
