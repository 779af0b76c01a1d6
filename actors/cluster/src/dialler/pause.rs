//! How long to wait before the next attempt.

use pyralog_env::Entropy;
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
/// Short: a peer that is back should be noticed before people do.
const LONGEST: Duration = Duration::from_secs(1);

/// The wait before attempt `attempt + 1`: doubled each time, and between half
/// and all of that by chance, so that nodes which lost the same peer do not
/// come back together.
pub(super) fn pause(attempt: u32, entropy: &dyn Entropy) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let whole = doubled.min(LONGEST);
    let half = whole / 2;
    let share = (entropy.next_u64() >> 32) as u32;
    half + half.mul_f64(f64::from(share) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::sim::SimEntropy;

    #[test]
    fn pauses_double_and_stay_in_their_bounds() {
        let entropy = SimEntropy::new(7);
        for attempt in 0..200 {
            let whole =
                FIRST.saturating_mul(1 << attempt.min(20u32).saturating_sub(1)).min(LONGEST);
            let pause = pause(attempt, &entropy);
            assert!(pause >= whole / 2 && pause <= whole, "{attempt}: {pause:?}");
        }
        assert_ne!(pause(9, &entropy), pause(9, &entropy));
    }
}
