//! The kernel's random numbers.

use crate::Entropy;

/// The kernel's random number generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealEntropy;

impl Entropy for RealEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        // Fails only where the system call does not exist; nothing that needs
        // an identity could go on without it.
        getrandom::fill(buffer).expect("the kernel gives random bytes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(RealEntropy.next_u128(), RealEntropy.next_u128());
    }
}
