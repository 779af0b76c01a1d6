//! The values of one leased counter that this node has in hand: a run that is
//! being used up, and the one after it, leased when half of the first is gone.
//! How large they are follows how fast they go. Pure.

use pyralog_env::Monotonic;
use std::time::Duration;

/// The smallest and the largest lease.
const LEASE_MIN: u32 = 1_000;
const LEASE_MAX: u32 = 1_000_000;
/// A run that is gone sooner than this was too small, one that lasts longer than
/// that too large.
const TOO_SOON: Duration = Duration::from_secs(1);
const TOO_LATE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Default)]
struct Run {
    next: u64,
    left: u64,
    size: u64,
}

/// The values in hand.
#[derive(Debug)]
pub(crate) struct Stock {
    present: Run,
    spare: Option<Run>,
    lease: u32,
    begun: Monotonic,
    leasing: bool,
}

impl Stock {
    pub(crate) fn new(now: Monotonic) -> Stock {
        Stock { present: Run::default(), spare: None, lease: LEASE_MIN, begun: now, leasing: false }
    }

    /// `count` values in a row, if they are in hand. What is left of a run that
    /// is too short for them is never given out.
    pub(crate) fn take(&mut self, now: Monotonic, count: u32) -> Option<u64> {
        let count = u64::from(count);
        if self.present.left < count {
            let spare = self.spare.filter(|spare| spare.left >= count)?;
            self.spare = None;
            self.present = spare;
            self.adapt(now);
        }
        let first = self.present.next;
        self.present.next += count;
        self.present.left -= count;
        Some(first)
    }

    /// How many values to lease now, if any; `waiting` are those asked for that
    /// cannot be served. The answer comes by `leased` or `refused`.
    pub(crate) fn wish(&mut self, waiting: u32) -> Option<u32> {
        let low = self.spare.is_none() && self.present.left <= self.present.size / 2;
        if self.leasing || !(low || waiting > 0) {
            return None;
        }
        self.leasing = true;
        Some(self.lease.max(waiting))
    }

    /// The wish was granted.
    pub(crate) fn leased(&mut self, first: u64, count: u32) {
        self.leasing = false;
        let size = u64::from(count);
        self.spare = Some(Run { next: first, left: size, size });
    }

    /// The wish was not granted.
    pub(crate) fn refused(&mut self) {
        self.leasing = false;
    }

    /// The size of the next lease.
    pub(crate) fn lease(&self) -> u32 {
        self.lease
    }

    /// How many values are in hand.
    pub(crate) fn left(&self) -> u64 {
        self.present.left + self.spare.map_or(0, |spare| spare.left)
    }

    fn adapt(&mut self, now: Monotonic) {
        let lasted = now.since(self.begun);
        self.begun = now;
        if lasted < TOO_SOON {
            self.lease = self.lease.saturating_mul(4).min(LEASE_MAX);
        } else if lasted > TOO_LATE {
            self.lease = (self.lease / 2).max(LEASE_MIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(seconds * 1_000_000_000)
    }

    /// Values of an owner that gives out runs.
    fn serve(stock: &mut Stock, owner: &mut u64, waiting: u32) -> Option<u32> {
        let wish = stock.wish(waiting)?;
        stock.leased(*owner, wish);
        *owner += u64::from(wish);
        Some(wish)
    }

    /// What is left of the present run, and the first value of the next one.
    fn use_up(stock: &mut Stock, now: Monotonic) {
        stock.take(now, stock.present.left as u32).unwrap();
        stock.take(now, 1).unwrap();
    }

    #[test]
    fn values_are_never_given_twice_and_the_next_run_is_there_at_half() {
        let (mut stock, mut owner) = (Stock::new(at(0)), 1);
        assert_eq!(serve(&mut stock, &mut owner, 1), Some(1_000));
        let mut last = 0;
        for _ in 0..500 {
            let first = stock.take(at(0), 1).unwrap();
            assert!(first > last);
            last = first;
        }
        assert!(serve(&mut stock, &mut owner, 0).is_some(), "half is gone");
        assert_eq!(serve(&mut stock, &mut owner, 0), None);
        for _ in 0..1_000 {
            let first = stock.take(at(0), 1).unwrap();
            assert!(first > last);
            last = first;
        }
    }

    #[test]
    fn leases_grow_while_values_go_fast_and_shrink_when_they_do_not() {
        let (mut stock, mut owner) = (Stock::new(at(0)), 1);
        for _ in 0..10 {
            serve(&mut stock, &mut owner, 1);
            use_up(&mut stock, at(0));
        }
        assert_eq!(stock.lease(), LEASE_MAX);
        for hour in 1..30 {
            serve(&mut stock, &mut owner, 1);
            use_up(&mut stock, at(hour * 3_600));
        }
        assert_eq!(stock.lease(), LEASE_MIN);
    }

    #[test]
    fn a_take_larger_than_any_run_is_leased_as_a_whole() {
        let (mut stock, mut owner) = (Stock::new(at(0)), 1);
        assert_eq!(stock.take(at(0), 5_000_000), None);
        assert_eq!(serve(&mut stock, &mut owner, 5_000_000), Some(5_000_000));
        assert_eq!(stock.take(at(0), 5_000_000), Some(1));
        assert_eq!(stock.left(), 0);
    }

    #[test]
    fn one_wish_at_a_time_and_a_refused_one_is_made_again() {
        let mut stock = Stock::new(at(0));
        assert_eq!(stock.wish(1), Some(1_000));
        assert_eq!(stock.wish(1), None);
        stock.refused();
        assert_eq!(stock.wish(1), Some(1_000));
    }
}
