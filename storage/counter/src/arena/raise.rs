//! Raising bounds: many counters with one sync, in two steps, so that what must
//! not happen between them can be tried.

use super::area::Area;
use super::{Arena, layout, lock};
use crate::counter_handle::{Counter, VALUE_MAX};
use crate::error::CounterError;
use crate::mutation::Mutation;
use pyralog_model::CounterNumber;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

/// Somebody wants to claim `count` values of a counter; 0 to raise ahead. Wishes
/// for the same counter add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The counter.
    pub counter: CounterNumber,
    /// How many values.
    pub count: u64,
}

/// What a raise did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Raised {
    /// Counters whose bound was raised.
    pub counters: usize,
    /// Durable blocks written.
    pub blocks: usize,
}

/// Wishes that could not be fulfilled, of counters that share the reason.
#[derive(Debug)]
pub struct Refused {
    /// Whose wishes.
    pub counters: Vec<CounterNumber>,
    /// Why.
    pub error: CounterError,
}

/// A raise that is written and not synced: no value above the old bounds may be
/// issued. Dropped, it raises nothing.
#[derive(Debug)]
pub struct Raise<'a> {
    arena: &'a Arena,
    area: MutexGuard<'a, Area>,
    targets: Vec<(Arc<Counter>, u64)>,
    blocks: usize,
}

/// Told whose wishes cannot be, and why; an error ends the raise.
type Refuse<'a> = &'a mut dyn FnMut(&[CounterNumber], CounterError) -> Result<(), CounterError>;

impl Arena {
    /// Raises bounds durably: every block of them is written once, and one sync
    /// covers all. Afterwards the wishes can be claimed, unless others were
    /// faster. Blocks.
    ///
    /// # Errors
    /// As `counter` for a wish that cannot be; then nothing was raised. `DiskFull`
    /// may be tried again. A failed sync or write is final: `Failed`, and nothing
    /// more is issued by this process.
    pub fn raise(&self, wishes: &[Wish]) -> Result<Raised, CounterError> {
        self.begin_raise(wishes)?.finish()
    }

    /// As `raise`, but a wish that cannot be takes no other one along: whose they
    /// are is said beside what was raised. Blocks.
    ///
    /// # Errors
    /// Only those that are final, or of the arena as a whole.
    pub fn raise_each(&self, wishes: &[Wish]) -> Result<(Raised, Vec<Refused>), CounterError> {
        let mut refused = Vec::new();
        let raise = self.begin(wishes, &mut |counters, error| {
            refused.push(Refused { counters: counters.to_vec(), error });
            Ok(())
        })?;
        Ok((raise.finish()?, refused))
    }

    /// The first step of `raise`: writes, and neither syncs nor raises. While the
    /// `Raise` lives no counter can be activated. Blocks.
    ///
    /// # Errors
    /// As `raise`.
    pub fn begin_raise(&self, wishes: &[Wish]) -> Result<Raise<'_>, CounterError> {
        self.begin(wishes, &mut |_, error| Err(error))
    }

    /// `refuse` is told of wishes that cannot be, and says if the others go on.
    fn begin(&self, wishes: &[Wish], refuse: Refuse<'_>) -> Result<Raise<'_>, CounterError> {
        let mut area = lock(&self.area);
        self.health.check()?;
        let mut sums: BTreeMap<CounterNumber, u64> = BTreeMap::new();
        for wish in wishes {
            let sum = sums.entry(wish.counter).or_default();
            *sum = sum.saturating_add(wish.count);
        }
        let mut targets = Vec::new();
        for (number, count) in sums {
            match self.target_of(&mut area, number, count) {
                Ok(target) => targets.extend(target),
                Err(error) => refuse(&[number], error)?,
            }
        }
        let blocks = self.write(&mut area, &mut targets, refuse)?;
        if self.planted.is(Mutation::BoundNotSyncedFirst) {
            publish(&targets);
        }
        Ok(Raise { arena: self, area, targets, blocks })
    }

    /// The counter and its next bound; none if it is high enough.
    fn target_of(
        &self,
        area: &mut Area,
        number: CounterNumber,
        count: u64,
    ) -> Result<Option<(Arc<Counter>, u64)>, CounterError> {
        let counter = self.activate(area, number)?;
        let wanted = self.target(counter.value(), count);
        if wanted <= counter.bound.load(Ordering::Acquire) {
            return Ok(None);
        }
        // Above the file's bound in any case: a raise may have been written before
        // and never synced.
        let target = wanted.max(area.entry(number)?.bound);
        Ok(Some((counter, target)))
    }

    fn target(&self, value: u64, count: u64) -> u64 {
        value.saturating_add(count.max(self.block)).min(VALUE_MAX)
    }

    /// Writes the targets; those that could not be are taken out.
    fn write(
        &self,
        area: &mut Area,
        targets: &mut Vec<(Arc<Counter>, u64)>,
        refuse: Refuse<'_>,
    ) -> Result<usize, CounterError> {
        let mut groups: BTreeMap<u64, Vec<(CounterNumber, u64)>> = BTreeMap::new();
        for (counter, bound) in targets.iter() {
            let group = groups.entry(layout::group_of(counter.number)).or_default();
            group.push((counter.number, *bound));
        }
        let mut blocks = 0;
        for (group, bounds) in &groups {
            match area.replace(*group, bounds, self.header.incarnation) {
                // The old bounds stand, in memory and in the other copy.
                Err(error @ CounterError::Io { .. }) => return Err(self.fail(error)),
                Err(error) => {
                    let counters: Vec<_> = bounds.iter().map(|(number, _)| *number).collect();
                    refuse(&counters, error)?;
                    targets.retain(|(counter, _)| layout::group_of(counter.number) != *group);
                }
                Ok(()) => blocks += 1,
            }
        }
        Ok(blocks)
    }
}

impl Raise<'_> {
    /// The second step: syncs, and then raises. Blocks.
    ///
    /// # Errors
    /// As `raise`.
    pub fn finish(mut self) -> Result<Raised, CounterError> {
        if self.targets.is_empty() {
            return Ok(Raised::default());
        }
        if let Err(error) = self.area.sync() {
            return Err(self.arena.fail(error));
        }
        // It may have been stopped meanwhile.
        self.arena.health.check()?;
        publish(&self.targets);
        Ok(Raised { counters: self.targets.len(), blocks: self.blocks })
    }
}

/// From here on values up to the new bounds are issued.
fn publish(targets: &[(Arc<Counter>, u64)]) {
    for (counter, bound) in targets {
        counter.bound.store(*bound, Ordering::Release);
    }
}
