//! Who goes down with a child that failed.
//!
//! Children are listed so that each needs only earlier ones. That order is all
//! a strategy knows: it is the order of starting, the reverse of stopping, and
//! for `rest_for_one` the border between the untouched and the restarted.

/// Which siblings are stopped and started again when one child must be restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The failed child alone: siblings do not depend on each other.
    OneForOne,
    /// Every child: they are useless without each other.
    OneForAll,
    /// The failed child and those listed after it: they hold references to it.
    RestForOne,
}

impl Strategy {
    /// Whether `sibling` is restarted when `failed` is; both are places in start order.
    pub fn takes_down(self, failed: u64, sibling: u64) -> bool {
        match self {
            Strategy::OneForOne => sibling == failed,
            Strategy::OneForAll => true,
            Strategy::RestForOne => sibling >= failed,
        }
    }

    /// The name that listings show.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::OneForOne => "one_for_one",
            Strategy::OneForAll => "one_for_all",
            Strategy::RestForOne => "rest_for_one",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(strategy: Strategy, failed: u64, expect: &[u64]) {
        let down: Vec<u64> = (0..4).filter(|place| strategy.takes_down(failed, *place)).collect();
        assert_eq!(down, expect, "{} with child {failed} failed", strategy.name());
    }

    #[test]
    fn each_strategy_takes_down_its_own_set() {
        check(Strategy::OneForOne, 1, &[1]);
        check(Strategy::OneForAll, 1, &[0, 1, 2, 3]);
        check(Strategy::RestForOne, 1, &[1, 2, 3]);
        check(Strategy::RestForOne, 0, &[0, 1, 2, 3]);
        check(Strategy::RestForOne, 3, &[3]);
    }
}
