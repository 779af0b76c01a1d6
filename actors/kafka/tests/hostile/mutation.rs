//! Small damage to real requests, from a seed.

/// Values that lengths, counts and versions are most often wrong by.
const NUMBERS: [i32; 12] =
    [0, 1, -1, -2, 127, 128, 255, 0x7fff, 0x1_0000, 0x7fff_ffff, i32::MIN, 100_000_000];

/// A seeded source of mutations.
pub struct Mutator(u64);

impl Mutator {
    /// The same seed gives the same mutations.
    pub fn new(seed: u64) -> Mutator {
        Mutator(seed | 1)
    }

    fn next(&mut self) -> u64 {
        // xorshift64*: enough to pick places and values.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// `frame` with one to four changes.
    pub fn mutate(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut bytes = frame.to_vec();
        for _ in 0..=self.below(4) {
            // The first eight bytes say what it is: mostly left alone, else
            // nearly every mutant is just an unknown API.
            let spared = if self.below(16) == 0 { 0 } else { 8.min(bytes.len()) };
            let at = spared + self.below(bytes.len() - spared);
            self.change(&mut bytes, at);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let end = bytes.len();
        match self.below(8) {
            _ if at >= end => bytes.push(0xff),
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = [0x00, 0xff, 0x7f, 0x80][self.below(4)],
            2 => bytes[at] = self.next() as u8,
            3 => bytes.truncate(at),
            4 => {
                let number = NUMBERS[self.below(NUMBERS.len())].to_be_bytes();
                let length = 4.min(end - at);
                bytes[at..at + length].copy_from_slice(&number[4 - length..]);
            }
            5 => {
                let number = (NUMBERS[self.below(NUMBERS.len())] as i16).to_be_bytes();
                let length = 2.min(end - at);
                bytes[at..at + length].copy_from_slice(&number[..length]);
            }
            6 => {
                // A variable integer of five bytes, as long as they come.
                let claim = [0xff, 0xff, 0xff, 0xff, 0x0f];
                bytes.splice(at..(at + 1), claim);
            }
            _ => {
                let length = self.below((end - at).min(64)) + 1;
                let again = bytes[at..(at + length).min(end)].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}
