//! Entropy that repeats.

use super::random::Random;
use crate::Entropy;
use std::sync::{Mutex, PoisonError};

/// Random bytes that follow from a seed.
#[derive(Debug)]
pub struct SimEntropy {
    random: Mutex<Random>,
}

impl SimEntropy {
    /// The stream of `seed`; equal seeds give equal bytes.
    pub fn new(seed: u64) -> SimEntropy {
        SimEntropy { random: Mutex::new(Random::new(seed)) }
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(buffer);
    }
}
