//! All chance of a world, from its seed.

use pyralog_env::Entropy;
use pyralog_env::sim::SimEntropy;

#[derive(Debug)]
pub(crate) struct Chance {
    entropy: SimEntropy,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance { entropy: SimEntropy::new(seed ^ 0x70_7972_616c_6f67) }
    }

    pub(crate) fn next(&self) -> u64 {
        self.entropy.next_u64()
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn percent(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&self, choices: &[T]) -> Option<T> {
        if choices.is_empty() {
            return None;
        }
        Some(choices[self.below(choices.len() as u64) as usize])
    }

    pub(crate) fn fill(&self, buffer: &mut [u8]) {
        self.entropy.fill(buffer);
    }
}
