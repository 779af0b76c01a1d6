//! Chance from a seed, so that a run can be repeated.

/// A small generator (xorshift64*): enough to pick places, values and moments.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Seeded {
        Seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 to `end`, `end` not included; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((self.next_u64() >> 16) % end.max(1) as u64) as usize
    }
}

/// The seed from `PYRALOG_SEED`, or one of this moment's.
pub fn seed() -> u64 {
    match std::env::var("PYRALOG_SEED") {
        Ok(text) => text.parse().expect("PYRALOG_SEED is a number"),
        Err(_) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.map_or(1, |since| since.subsec_nanos().into())
        }
    }
}
