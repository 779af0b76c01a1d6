//! What happens in a life: claims, raises, and the kernel's writeback between.

use super::judge::Followed;
use super::{ArenaWorld, Doing};
use crate::judge::Verdict;
use pyralog_counter::{ClaimRefusal, CounterError, CounterHandle, Wish};
use pyralog_model::CounterNumber;

/// Neighbours in a block, in a page of slots, and far from each other.
const NUMBERS: [u64; 12] = [3, 5, 7, 16, 17, 127, 128, 129, 300, 301, 4_200, 5_000];

impl ArenaWorld {
    /// One operation by chance.
    pub(super) fn operate(&mut self) -> Verdict {
        self.tally.operations += 1;
        match self.chance.below(100) {
            0..50 => self.claim_some(),
            50..70 => self.raise(),
            70..84 => {
                self.write_back();
                Ok(())
            }
            84..90 => self.create(),
            90..96 => {
                // Passivated: whoever asks next activates it again.
                let all: Vec<CounterNumber> = self.handles.keys().copied().collect();
                self.chance.pick(&all).map(|number| self.handles.remove(&number));
                Ok(())
            }
            96 => self.restart_clean(),
            97 => self.kill(),
            98 => self.fill_disk(),
            _ => {
                self.handles.clear();
                Ok(())
            }
        }?;
        self.restart_if_stopped()
    }

    /// A life goes on after a stop that was not the power's.
    fn restart_if_stopped(&mut self) -> Verdict {
        if self.disk.is_off() || self.arena().failure().is_none() {
            return Ok(());
        }
        if !self.fault && !self.full {
            return Err(format!("the arena stopped: {:?}", self.arena().failure()));
        }
        self.kill()
    }

    pub(super) fn create(&mut self) -> Verdict {
        let mut numbers = Vec::new();
        for _ in 0..1 + self.chance.below(2) {
            numbers.extend(self.chance.pick(&NUMBERS).map(CounterNumber));
        }
        self.doing = Doing::Create;
        let result = self.arena().create(&numbers);
        if self.heed(result)?.is_some() {
            self.tally.created += numbers.len() as u64;
            numbers.into_iter().for_each(|number| self.judge.created(number));
        }
        self.rest();
        Ok(())
    }

    pub(super) fn claim_some(&mut self) -> Verdict {
        let all: Vec<CounterNumber> = self.judge.tops().iter().map(|(number, _)| *number).collect();
        let Some(number) = self.chance.pick(&all) else { return self.create() };
        let Some(handle) = self.handle(number)? else { return Ok(()) };
        let count = self.some_count();
        if !self.claim(&handle, count)? {
            self.tally.refused += 1;
            self.wishes.push(Wish { counter: number, count });
        }
        Ok(())
    }

    fn some_count(&self) -> u64 {
        let most = match self.chance.below(20) {
            0..14 => 3,
            14..19 => self.options.block,
            _ => 2 * self.options.block + 5,
        };
        1 + self.chance.below(most)
    }

    fn handle(&mut self, number: CounterNumber) -> Verdict<Option<CounterHandle>> {
        if let Some(handle) = self.handles.get(&number) {
            return Ok(Some(handle.clone()));
        }
        let result = match self.arena().counter(number) {
            // It was never raised, and the power has taken it along.
            Err(CounterError::NotCreated { .. }) => {
                self.arena().create(&[number]).and_then(|()| self.arena().counter(number))
            }
            other => other,
        };
        let handle = self.heed(result)?;
        if let Some(handle) = &handle {
            self.tally.activations += 1;
            self.handles.insert(number, handle.clone());
        }
        Ok(handle)
    }

    /// True if it was claimed, and the judge is content; false if the bound was in
    /// the way.
    fn claim(&mut self, handle: &CounterHandle, count: u64) -> Verdict<bool> {
        match handle.claim(count) {
            Ok(first) => {
                self.tally.claims += 1;
                self.tally.values += count;
                match self.judge.claimed(handle.number(), first, count)? {
                    Followed::Densely => {}
                    Followed::Exactly => self.tally.exact += 1,
                    Followed::WithGap(gap) => {
                        self.tally.gaps += 1;
                        self.tally.gap_max += gap;
                    }
                }
                Ok(true)
            }
            Err(ClaimRefusal::NeedsRaise) => Ok(false),
            Err(ClaimRefusal::Failed { .. }) if self.fault || self.disk.is_off() => Ok(true),
            Err(refusal) => Err(format!("a claim was refused: {refusal}")),
        }
    }

    /// Raises for all who wait and all who soon will, with claims and writeback
    /// while it is in flight.
    pub(super) fn raise(&mut self) -> Verdict {
        let mut wishes = std::mem::take(&mut self.wishes);
        for (number, handle) in &self.handles {
            if handle.wants_raise() {
                wishes.push(Wish { counter: *number, count: 0 });
            }
        }
        for (number, _) in self.judge.tops() {
            let all = wishes.iter().filter(|wish| wish.counter == number);
            let sum = all.map(|wish| wish.count).sum();
            self.judge.asked(number, sum);
        }
        let arena = self.arena();
        self.doing = Doing::Raise;
        let begun = arena.begin_raise(&wishes);
        let Some(raise) = self.heed(begun)? else {
            self.rest();
            return Ok(());
        };
        self.tally.raises += 1;
        self.doing = Doing::Sync;
        self.act_in_flight()?;
        if self.chance.percent(6) && !self.disk.is_off() {
            self.tally.dropped += 1;
            drop(raise);
        } else {
            let finished = raise.finish();
            if let Some(raised) = self.heed(finished)? {
                self.tally.raised += raised.counters as u64;
                self.claim_wished(&wishes)?;
            }
        }
        self.rest();
        Ok(())
    }

    /// Only with handles that are held: no counter comes to life meanwhile.
    fn act_in_flight(&mut self) -> Verdict {
        let handles: Vec<CounterHandle> = self.handles.values().cloned().collect();
        for _ in 0..self.chance.below(6) {
            if self.chance.percent(25) {
                self.kernel.write_back(&self.chance);
                self.tally.writebacks += 1;
            } else if !handles.is_empty() && !self.disk.is_off() {
                let handle = &handles[self.chance.below(handles.len() as u64) as usize];
                let count = self.some_count();
                match self.claim(handle, count)? {
                    true => self.tally.claims_in_flight += 1,
                    false => self.tally.refused_in_flight += 1,
                }
            }
        }
        Ok(())
    }

    /// Those who waited take what they waited for, most of the time.
    fn claim_wished(&mut self, wishes: &[Wish]) -> Verdict {
        for wish in wishes.iter().filter(|wish| wish.count > 0) {
            if self.chance.percent(10) {
                continue;
            }
            if let Some(handle) = self.handles.get(&wish.counter).cloned() {
                self.claim(&handle, wish.count)?;
            }
        }
        Ok(())
    }

    pub(super) fn write_back(&mut self) {
        self.doing = Doing::Writeback;
        for _ in 0..1 + self.chance.below(4) {
            self.tally.writebacks += u64::from(self.kernel.write_back(&self.chance));
        }
        self.rest();
    }

    fn fill_disk(&mut self) -> Verdict {
        if self.full {
            self.full = false;
            self.disk.set_capacity(u64::MAX);
        } else {
            self.full = true;
            self.disk.set_capacity(self.disk.used_bytes());
        }
        Ok(())
    }

    /// Nothing is going on, unless the power went: then what was stays known.
    fn rest(&mut self) {
        if !self.disk.is_off() {
            self.doing = Doing::Nothing;
        }
    }
}
