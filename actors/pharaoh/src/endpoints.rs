//! What is known of each endpoint: whether it answers. Pure.
//!
//! They stand in the order in which the operator named them, and the first that
//! is well is asked first. One that failed, or let others overtake it, is asked
//! last for a while, the longer the more often it failed in a row; after that it
//! stands in its old place again, and the next call finds out.

use pyralog_env::Monotonic;
use std::time::Duration;

/// How long an endpoint stands last after its first failure, and at most.
const AVOID_FIRST: Duration = Duration::from_millis(500);
const AVOID_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Standing {
    /// Failures since the last answer.
    failures: u32,
    avoided_until: Option<Monotonic>,
    /// It has answered, and nothing has failed since.
    up: bool,
}

/// The endpoints of one client, by their place in the operator's list.
#[derive(Debug)]
pub(crate) struct Endpoints {
    standings: Vec<Standing>,
    away_since: Option<Monotonic>,
}

impl Endpoints {
    pub(crate) fn new(count: usize) -> Endpoints {
        Endpoints { standings: vec![Standing::default(); count], away_since: None }
    }

    /// The one to ask now, of those that `tried` does not name.
    pub(crate) fn best(&self, now: Monotonic, tried: &[usize]) -> Option<usize> {
        let free = (0..self.standings.len()).filter(|place| !tried.contains(place));
        free.min_by_key(|place| match self.standings[*place].avoided_until {
            Some(until) if now < until => (until.0, *place),
            _ => (0, *place),
        })
    }

    /// It has answered.
    pub(crate) fn answered(&mut self, place: usize) {
        self.standings[place] = Standing { up: true, ..Standing::default() };
        self.away_since = None;
    }

    /// It could not be reached, or said that it does not serve.
    pub(crate) fn failed(&mut self, place: usize, now: Monotonic) {
        self.avoid(place, now);
        self.standings[place].up = false;
        if self.standings.iter().all(|standing| !standing.up && standing.failures > 0) {
            self.away_since.get_or_insert(now);
        }
    }

    /// Another one, asked later, has answered before it.
    pub(crate) fn overtaken(&mut self, place: usize, now: Monotonic) {
        self.avoid(place, now);
    }

    /// Whether it has answered and nothing has failed since.
    pub(crate) fn is_up(&self, place: usize) -> bool {
        self.standings[place].up
    }

    /// Since when none of them answers.
    pub(crate) fn away_since(&self) -> Option<Monotonic> {
        self.away_since
    }

    fn avoid(&mut self, place: usize, now: Monotonic) {
        let standing = &mut self.standings[place];
        let wait = AVOID_FIRST.saturating_mul(1 << standing.failures.min(10)).min(AVOID_MAX);
        standing.failures = standing.failures.saturating_add(1);
        standing.avoided_until = Some(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Monotonic {
        Monotonic(millis * 1_000_000)
    }

    #[test]
    fn the_first_that_is_well_is_asked_and_one_that_failed_comes_back() {
        let mut endpoints = Endpoints::new(3);
        assert_eq!(endpoints.best(at(0), &[]), Some(0));
        assert_eq!(endpoints.best(at(0), &[0, 2]), Some(1));
        endpoints.failed(0, at(0));
        assert_eq!(endpoints.best(at(1), &[]), Some(1));
        assert_eq!(endpoints.best(at(1), &[1, 2]), Some(0), "better than nobody");
        assert_eq!(endpoints.best(at(500), &[]), Some(0), "it is tried again");
        endpoints.failed(0, at(500));
        assert_eq!(endpoints.best(at(1_400), &[]), Some(1), "the second wait is longer");
        assert_eq!(endpoints.best(at(1_500), &[]), Some(0));
        endpoints.answered(0);
        endpoints.failed(0, at(2_000));
        assert_eq!(endpoints.best(at(2_500), &[]), Some(0), "an answer forgives all failures");
        assert_eq!(endpoints.best(at(0), &[0, 1, 2]), None);
    }

    #[test]
    fn away_begins_when_the_last_one_fails_and_ends_with_any_answer() {
        let mut endpoints = Endpoints::new(2);
        endpoints.failed(0, at(1));
        assert_eq!(endpoints.away_since(), None, "the other was not asked yet");
        endpoints.failed(1, at(2));
        endpoints.failed(0, at(3));
        assert_eq!(endpoints.away_since(), Some(at(2)));
        endpoints.answered(1);
        assert_eq!(endpoints.away_since(), None);
        endpoints.failed(0, at(4));
        assert_eq!(endpoints.away_since(), None);
        assert!(endpoints.is_up(1) && !endpoints.is_up(0));
    }

    #[test]
    fn being_overtaken_is_not_being_away() {
        let mut endpoints = Endpoints::new(2);
        endpoints.answered(0);
        endpoints.overtaken(0, at(0));
        assert_eq!((endpoints.best(at(0), &[]), endpoints.is_up(0)), (Some(1), true));
        assert_eq!(endpoints.away_since(), None);
    }
}
